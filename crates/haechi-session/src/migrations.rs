//! The tables of this crate.

use haechi_db::{Migration, MigrationSet};

/// The table of [`DatabaseStore`](crate::DatabaseStore).
#[derive(Clone, Copy, Debug)]
pub struct SessionTables;

impl MigrationSet for SessionTables {
    const APP: &'static str = "haechi_session";
    const MIGRATIONS: &'static [Migration] = &[
        Migration {
            name: "0001_session",
            sqlite: include_str!("../migrations/0001_session/up.sqlite.sql"),
            postgres: include_str!("../migrations/0001_session/up.postgres.sql"),
        },
        Migration {
            name: "0002_told",
            sqlite: include_str!("../migrations/0002_told/up.sqlite.sql"),
            postgres: include_str!("../migrations/0002_told/up.postgres.sql"),
        },
    ];
}
