//! The tables of this crate, with Django's names and columns.

use haechi_db::{Migration, MigrationSet};

/// Django's tables of users, groups and permissions, and what haechi adds: the throttle's counters.
///
/// Beside a Django its own are there already.
#[derive(Clone, Copy, Debug)]
pub struct UserTables;

impl UserTables {
    /// The migrations whose tables a Django site has made already; the others are haechi's own.
    pub const OF_DJANGO: &'static [(&'static str, &'static str)] =
        &[("haechi_auth", "0001_user"), ("haechi_auth", "0003_permission")];
}

impl MigrationSet for UserTables {
    const APP: &'static str = "haechi_auth";
    const MIGRATIONS: &'static [Migration] = &[
        Migration {
            name: "0001_user",
            sqlite: include_str!("../migrations/0001_user/up.sqlite.sql"),
            postgres: include_str!("../migrations/0001_user/up.postgres.sql"),
        },
        Migration {
            name: "0002_throttle",
            sqlite: include_str!("../migrations/0002_throttle/up.sqlite.sql"),
            postgres: include_str!("../migrations/0002_throttle/up.postgres.sql"),
        },
        Migration {
            name: "0003_permission",
            sqlite: include_str!("../migrations/0003_permission/up.sqlite.sql"),
            postgres: include_str!("../migrations/0003_permission/up.postgres.sql"),
        },
        Migration {
            name: "0004_security_log",
            sqlite: include_str!("../migrations/0004_security_log/up.sqlite.sql"),
            postgres: include_str!("../migrations/0004_security_log/up.postgres.sql"),
        },
        Migration {
            name: "0005_security_log_user",
            sqlite: include_str!("../migrations/0005_security_log_user/up.sqlite.sql"),
            postgres: include_str!("../migrations/0005_security_log_user/up.postgres.sql"),
        },
    ];
}
