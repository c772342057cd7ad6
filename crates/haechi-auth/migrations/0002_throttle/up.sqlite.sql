create table haechi_throttle (
    key text not null primary key,
    failures integer not null,
    allowed_at integer not null,
    forgotten_at integer not null
);
