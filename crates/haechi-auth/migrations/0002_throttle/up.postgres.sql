create table haechi_throttle (
    key text not null primary key,
    failures bigint not null,
    allowed_at bigint not null,
    forgotten_at bigint not null
);
