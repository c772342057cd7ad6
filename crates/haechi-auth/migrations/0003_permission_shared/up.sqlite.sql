create table if not exists django_content_type (
    id integer not null primary key autoincrement,
    app_label varchar(100) not null,
    model varchar(100) not null,
    unique (app_label, model)
);
create table if not exists auth_permission (
    id integer not null primary key autoincrement,
    content_type_id integer not null references django_content_type (id) deferrable initially deferred,
    codename varchar(100) not null,
    name varchar(255) not null,
    unique (content_type_id, codename)
);
create table if not exists auth_group (
    id integer not null primary key autoincrement,
    name varchar(150) not null unique
);
create table if not exists auth_group_permissions (
    id integer not null primary key autoincrement,
    group_id integer not null references auth_group (id) deferrable initially deferred,
    permission_id integer not null references auth_permission (id) deferrable initially deferred,
    unique (group_id, permission_id)
);
create index if not exists auth_group_permissions_permission on auth_group_permissions (permission_id);
