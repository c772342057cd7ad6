create table post (
    id integer not null primary key autoincrement,
    author_id integer not null references auth_user (id) on delete cascade,
    title text not null check (length(title) between 1 and 200),
    body text not null check (length(body) between 1 and 20000),
    created text not null,
    changed text
) strict;
create index post_author_id on post (author_id, id);
create index post_created on post (created);

create table comment (
    id integer not null primary key autoincrement,
    post_id integer not null references post (id) on delete cascade,
    author_id integer not null references auth_user (id) on delete cascade,
    body text not null check (length(body) between 1 and 5000),
    created text not null
) strict;
create index comment_post_id on comment (post_id, id);
create index comment_author_id on comment (author_id);

create table profile (
    user_id integer not null primary key references auth_user (id) on delete cascade,
    website text not null check (website = '' or website like 'http://%' or website like 'https://%'),
    biography text not null check (length(biography) <= 5000)
) strict;
