create table haechi_security_log (
    id integer not null primary key,
    at integer not null,
    event text not null,
    user_id integer,
    account text not null,
    network text not null,
    request text not null,
    mac text not null
);
create table haechi_security_head (
    id integer not null primary key,
    log_rows integer not null,
    mac text not null
);
insert into haechi_security_head (id, log_rows, mac) values (1, 0, '');
