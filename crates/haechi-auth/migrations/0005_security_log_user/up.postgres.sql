alter table haechi_security_log alter column user_id type text using user_id::text;
