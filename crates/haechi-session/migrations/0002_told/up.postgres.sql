-- Whoever ends or changes a session, and by whatever program: the processes that keep it in memory are told of it.
create function haechi_session_told() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    perform pg_notify('haechi_session', old.key);
    return null;
end
$$;
-- A row whose time is over is swept away, which is news to nobody.
create trigger haechi_session_ended after delete on haechi_session
    for each row when (old.expires > extract(epoch from now()))
    execute function haechi_session_told();
create trigger haechi_session_changed after update on haechi_session
    for each row when (old.key <> new.key or old.content <> new.content or old.user_key is distinct from new.user_key)
    execute function haechi_session_told();
