create table haechi_security_log_next (
    id integer not null primary key,
    at integer not null,
    event text not null,
    user_id text,
    account text not null,
    network text not null,
    request text not null,
    mac text not null
);
insert into haechi_security_log_next (id, at, event, user_id, account, network, request, mac)
    select id, at, event, cast(user_id as text), account, network, request, mac from haechi_security_log;
drop table haechi_security_log;
alter table haechi_security_log_next rename to haechi_security_log;
