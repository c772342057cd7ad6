create table haechi_proved_email (
    user_id integer not null references auth_user (id) on delete cascade,
    email text not null,
    proved_at bigint not null,
    primary key (user_id, email)
);
