//! Which database, and within which limits.

use std::{fmt, num::NonZero, path::PathBuf, str::FromStr, thread, time::Duration};

use crate::{Engine, Error, ErrorKind, Result};

/// The address of a database.
///
/// | text | database |
/// |---|---|
/// | `sqlite:data/site.db`, `sqlite:///srv/site.db` | a file |
/// | `sqlite::memory:` | memory, for tests: gone with the last [`Db`](crate::Db) |
/// | `postgres://user@host/name` | a PostgreSQL server |
/// | `postgres://user@host/name?prepared=drop` | the same behind a pooler of transactions: see [`Prepared::Drop`] |
///
/// `Debug` does not show the password.
///
/// # Examples
/// ```
/// let url: haechi_db::DatabaseUrl = "sqlite:data/site.db".parse()?;
/// assert_eq!(url.engine(), haechi_db::Engine::Sqlite);
/// # Ok::<(), haechi_db::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(pub(crate) Location);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Memory,
    File(PathBuf),
    Postgres(String),
}

impl DatabaseUrl {
    /// Returns the address of a SQLite file.
    pub fn file(path: impl Into<PathBuf>) -> DatabaseUrl {
        DatabaseUrl(Location::File(path.into()))
    }

    /// Returns the address of a database in memory.
    pub fn memory() -> DatabaseUrl {
        DatabaseUrl(Location::Memory)
    }

    /// Returns the engine that stands behind the address.
    pub fn engine(&self) -> Engine {
        match self.0 {
            Location::Memory | Location::File(_) => Engine::Sqlite,
            Location::Postgres(_) => Engine::Postgres,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<DatabaseUrl> {
        let refuse = |why| Err(Error::new(ErrorKind::Configuration(why)));
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(DatabaseUrl(Location::Postgres(text.to_owned())));
        }
        let Some(path) = text.strip_prefix("sqlite:") else {
            return refuse("the database URL starts with neither \"sqlite:\" nor \"postgres://\"");
        };
        if path == ":memory:" {
            return Ok(DatabaseUrl::memory());
        }
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            "" => refuse("the database URL names no file; write \"sqlite:data/site.db\""),
            path if path.contains(['?', '#', '\0']) => {
                refuse("a SQLite URL takes no parameters; set them in the options")
            }
            path => Ok(DatabaseUrl::file(path)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Location::Memory => f.write_str("sqlite::memory:"),
            Location::File(path) => write!(f, "sqlite:{}", path.display()),
            Location::Postgres(_) => f.write_str("postgres://[redacted]"),
        }
    }
}

/// The limits of a [`Db`](crate::Db). The defaults are for serving requests.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// How long a write transaction may last, with everything the closure awaits: on SQLite it holds the only writer.
    pub transaction_timeout: Duration,
    /// How long to wait for a connection, or for another process that holds SQLite's lock.
    pub wait_timeout: Duration,
    /// How many callers may wait for a connection; the next ones fail at once with [`ErrorKind::Busy`].
    pub queue: usize,
    /// SQLite: how many statements that are not short may read at once, beside the short ones.
    pub readers: usize,
    /// SQLite: for how long a read may run on the thread that asked before it is moved to a thread of its own.
    pub inline: Duration,
    /// What "committed" promises when the power fails. On PostgreSQL, the server's setting decides.
    pub durability: Durability,
    /// PostgreSQL: how many connections to hold.
    pub connections: usize,
    /// PostgreSQL: how old a connection may grow.
    pub max_lifetime: Duration,
    /// PostgreSQL: whether prepared statements are kept by a connection; a URL that says `prepared=` wins.
    pub prepared: Prepared,
}

/// What a commit on SQLite survives. Both survive a crash and a `kill -9` of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The power failing: every commit waits for the disk.
    PowerLoss,
    /// The program failing: the last commits before a power failure may be lost, the file is never torn.
    Crash,
}

/// Whether a PostgreSQL connection keeps its prepared statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// The 256 that were used last are kept as long as the connection.
    Keep,
    /// They are made anew for each query, inside a transaction that also sets the query's deadline, for a PgBouncer that
    /// hands a connection to another client between two transactions. A query then takes four round trips for one.
    Drop,
}

impl Default for Options {
    fn default() -> Options {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Options {
            statement_timeout: Duration::from_secs(5),
            transaction_timeout: Duration::from_secs(2),
            wait_timeout: Duration::from_secs(3),
            queue: 256,
            readers: cores.min(4),
            inline: Duration::from_millis(2),
            durability: Durability::PowerLoss,
            connections: 8,
            max_lifetime: Duration::from_secs(30 * 60),
            prepared: Prepared::Keep,
        }
    }
}
