//! The lock-down of a SQLite connection: what no statement can do, whoever wrote it.

use rusqlite::{
    Connection,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use crate::{Durability, Options};

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Reader,
    Writer,
}

/// Sets the connection up and locks it down. The pragmas come first: the authorizer refuses them afterwards.
pub(super) fn harden(connection: &mut Connection, role: Role, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(options.wait_timeout)?;
    pragmas(connection, role, options)?;
    for (setting, on) in SETTINGS {
        connection.set_db_config(*setting, *on)?;
    }
    for (limit, most) in LIMITS {
        connection.set_limit(*limit, *most)?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.authorizer(Some(authorize))
}

/// Opens what a migration needs, on the connection of a database in memory, which has no other.
pub(super) fn relax(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.flush_prepared_statement_cache();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_COMMENTS, true)?;
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
}

/// Sets what concerns the file and the transactions on it.
pub(super) fn pragmas(connection: &Connection, role: Role, options: &Options) -> rusqlite::Result<()> {
    if role == Role::Writer {
        connection.pragma_update(None, "journal_mode", "WAL")?;
    }
    let synchronous = match options.durability {
        Durability::PowerLoss => "FULL",
        Durability::Crash => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "secure_delete", "FAST")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "query_only", role == Role::Reader)
}

/// Allows what queries are made of and nothing else: the schema belongs to the migrations, files and settings to nobody.
fn authorize(context: AuthContext<'_>) -> Authorization {
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Transaction { .. } => true,
        // The name that parts of a transaction use; a savepoint of a statement's own would outlive it.
        AuthAction::Savepoint { savepoint_name, .. } => savepoint_name == "haechi",
        AuthAction::Function { function_name } => !DENIED_FUNCTIONS.contains(&function_name),
        AuthAction::Read { table_name, .. }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name } => !SCHEMA_TABLES.contains(&table_name),
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

const DENIED_FUNCTIONS: &[&str] =
    &["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "randomblob", "zeroblob"];

const SCHEMA_TABLES: &[&str] =
    &["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"];

const SETTINGS: &[(DbConfig, bool)] = &[
    (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
    (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_COMMENTS, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
];

const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LENGTH, 32 << 20),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 8),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 2000),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1100),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 10),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// The statements of a site are finite, so this many stay prepared on each connection.
const STATEMENTS: usize = 256;
