create table haechi_session (
    key text not null primary key,
    user_key text,
    content text not null,
    version bigint not null,
    created bigint not null,
    seen bigint not null,
    expires bigint not null,
    remembered boolean not null,
    browser text not null,
    network text not null
);
create index haechi_session_user_key on haechi_session (user_key, seen);
create index haechi_session_expires on haechi_session (expires);
