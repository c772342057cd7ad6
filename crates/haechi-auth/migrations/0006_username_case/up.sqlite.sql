create unique index haechi_auth_user_username_case on auth_user (lower(username));
