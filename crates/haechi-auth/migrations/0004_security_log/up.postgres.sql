create table haechi_security_log (
    id bigint not null primary key,
    at bigint not null,
    event text not null,
    user_id bigint,
    account text not null,
    network text not null,
    request text not null,
    mac text not null
);
create table haechi_security_head (
    id bigint not null primary key,
    log_rows bigint not null,
    mac text not null
);
insert into haechi_security_head (id, log_rows, mac) values (1, 0, '');
