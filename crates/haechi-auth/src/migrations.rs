//! The tables of this crate, with Django's names and columns.

use std::fmt;
use std::marker::PhantomData;

use haechi_db::{ErrorKind, Migration, MigrationFault, MigrationSet};

use crate::const_text::ConstText;
use crate::user_table::{KeyType, UserTable};

/// Django's tables of users, groups and permissions, and what haechi adds: the throttle's counters, the security log.
///
/// Beside a Django its own are there already.
#[derive(Clone, Copy, Debug)]
pub struct UserTables;

impl UserTables {
    /// The migrations of Django's tables, which a Django site has made already; the others are haechi's own.
    ///
    /// The last is the index that makes names unique but for case: a Django may hold names that differ only so, and its tables
    /// are not altered.
    pub const OF_DJANGO: &'static [(&'static str, &'static str)] = &[
        ("haechi_auth", "0001_user"),
        ("haechi_auth", "0003_permission"),
        ("haechi_auth", "0006_username_case"),
    ];

    /// Returns what a person has to mend before the migration can be applied that failed with `error`.
    #[must_use]
    pub fn cure(error: &haechi_db::Error) -> Option<&'static str> {
        match error.kind() {
            ErrorKind::Migration(MigrationFault::Failed { app, name, .. })
                if app == Self::APP && name == USERNAME_CASE.name =>
            {
                Some(
                    "some names of users differ in upper and lower case only; rename or remove one of each:\n  \
                     select lower(username), count(*) from auth_user group by lower(username) having count(*) > 1",
                )
            }
            _ => None,
        }
    }
}

impl MigrationSet for UserTables {
    const APP: &'static str = "haechi_auth";
    const MIGRATIONS: &'static [Migration] =
        &[USER, THROTTLE, PERMISSION, SECURITY_LOG, SECURITY_LOG_USER, USERNAME_CASE];
}

/// As [`UserTables`] where the users are in a table of your own: that table, and those between it and groups and
/// permissions, are made by whoever made it. Django's tables of groups and permissions are made only if they are missing.
#[derive(Clone, Copy, Debug)]
pub struct CustomUserTables;

impl MigrationSet for CustomUserTables {
    const APP: &'static str = UserTables::APP;
    const MIGRATIONS: &'static [Migration] = &[THROTTLE, PERMISSION_SHARED, SECURITY_LOG, SECURITY_LOG_USER];
}

/// Which e-mail addresses are proved, for the users of a table of your own.
pub struct ProvedEmailTable<T>(PhantomData<T>);

impl<T: UserTable> ProvedEmailTable<T> {
    const SQLITE: &'static ConstText = &proved_email::<T>("integer", "text", "integer", ") strict");
    const POSTGRES: &'static ConstText = &proved_email::<T>("bigint", "uuid", "bigint", ")");
}

impl<T: UserTable> MigrationSet for ProvedEmailTable<T> {
    const APP: &'static str = "haechi_accounts";
    const REQUIRES: &'static [&'static str] = &[UserTables::APP];
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_proved_email",
        sqlite: Self::SQLITE.text(),
        postgres: Self::POSTGRES.text(),
    }];
}

impl<T> fmt::Debug for ProvedEmailTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProvedEmailTable")
    }
}

const fn proved_email<T: UserTable>(
    int: &'static str,
    uuid: &'static str,
    time: &'static str,
    end: &'static str,
) -> ConstText {
    let key = match T::KEY {
        KeyType::Int => int,
        KeyType::Uuid => uuid,
    };
    let text = ConstText::new().sql("create table haechi_proved_email (user_id ").sql(key);
    let text = text.sql(" not null references ").name(T::TABLE).sql(" (").name(T::ID);
    let text = text.sql(") on delete cascade, email text not null, proved_at ").sql(time);
    text.sql(" not null, primary key (user_id, email)").sql(end)
}

const USER: Migration = Migration {
    name: "0001_user",
    sqlite: include_str!("../migrations/0001_user/up.sqlite.sql"),
    postgres: include_str!("../migrations/0001_user/up.postgres.sql"),
};
const THROTTLE: Migration = Migration {
    name: "0002_throttle",
    sqlite: include_str!("../migrations/0002_throttle/up.sqlite.sql"),
    postgres: include_str!("../migrations/0002_throttle/up.postgres.sql"),
};
const PERMISSION: Migration = Migration {
    name: "0003_permission",
    sqlite: include_str!("../migrations/0003_permission/up.sqlite.sql"),
    postgres: include_str!("../migrations/0003_permission/up.postgres.sql"),
};
const PERMISSION_SHARED: Migration = Migration {
    name: "0003_permission_shared",
    sqlite: include_str!("../migrations/0003_permission_shared/up.sqlite.sql"),
    postgres: include_str!("../migrations/0003_permission_shared/up.postgres.sql"),
};
const SECURITY_LOG: Migration = Migration {
    name: "0004_security_log",
    sqlite: include_str!("../migrations/0004_security_log/up.sqlite.sql"),
    postgres: include_str!("../migrations/0004_security_log/up.postgres.sql"),
};
const SECURITY_LOG_USER: Migration = Migration {
    name: "0005_security_log_user",
    sqlite: include_str!("../migrations/0005_security_log_user/up.sqlite.sql"),
    postgres: include_str!("../migrations/0005_security_log_user/up.postgres.sql"),
};
const USERNAME_CASE: Migration = Migration {
    name: "0006_username_case",
    sqlite: include_str!("../migrations/0006_username_case/up.sqlite.sql"),
    postgres: include_str!("../migrations/0006_username_case/up.postgres.sql"),
};
