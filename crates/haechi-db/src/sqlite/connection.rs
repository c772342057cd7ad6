//! One connection to SQLite, with a deadline for whatever runs on it.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{OpenFlags, Rows};

use super::{
    codec,
    failure::{self, translate},
    hardening::{self, Role},
};
use crate::{
    Described, Description, Engine, Error, ErrorKind, Options, Result, Row, Statement, db::Decode,
    describe::Unfit,
};

/// A connection that was locked down.
pub(super) struct Connection {
    driver: rusqlite::Connection,
    deadline: Deadline,
}

impl Connection {
    pub(super) fn memory(options: &Options) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let driver = rusqlite::Connection::open_in_memory_with_flags(flags).map_err(translate)?;
        Connection::new(driver, Role::Writer, options)
    }

    /// Opens the file for writing, and makes it if it is missing.
    pub(super) fn writer(path: &Path, options: &Options) -> Result<Connection> {
        create_private(path)?;
        Connection::new(open_to_write(path)?, Role::Writer, options)
    }

    /// Opens the file for reading: the file descriptor itself cannot write.
    pub(super) fn reader(path: &Path, options: &Options) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let driver = rusqlite::Connection::open_with_flags(path, flags).map_err(translate)?;
        Connection::new(driver, Role::Reader, options)
    }

    fn new(mut driver: rusqlite::Connection, role: Role, options: &Options) -> Result<Connection> {
        hardening::harden(&mut driver, role, options).map_err(translate)?;
        let deadline = Deadline::new();
        let clock = deadline.clone();
        driver.progress_handler(OPCODES, Some(move || clock.passed())).map_err(translate)?;
        Ok(Connection { driver, deadline })
    }

    pub(super) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    pub(super) fn in_transaction(&self) -> bool {
        !self.driver.is_autocommit()
    }

    /// Runs a statement and decodes its rows.
    pub(super) fn fetch<T>(
        &self,
        statement: &Statement,
        decode: Decode<T>,
        budget: Duration,
    ) -> Result<Vec<T>> {
        let mut decoded = Vec::with_capacity(usize::from(statement.ends_early()));
        self.each(statement, budget, |row| {
            decoded.push(decode(row)?);
            Ok(())
        })?;
        Ok(decoded)
    }

    /// Runs a statement and decodes its first row; the caller asks for no more than that.
    pub(super) fn first<T>(
        &self,
        statement: &Statement,
        decode: Decode<T>,
        budget: Duration,
    ) -> Result<Option<T>> {
        let mut first = None;
        self.each(statement, budget, |row| {
            first = Some(decode(row)?);
            Ok(())
        })?;
        Ok(first)
    }

    /// Runs a statement that writes and answers with rows, in a transaction of its own: without one, SQLite would commit
    /// it although the caller is told that reading the answer failed.
    pub(super) fn fetch_whole<T>(
        &self,
        statement: &Statement,
        decode: Decode<T>,
        budget: Duration,
    ) -> Result<Vec<T>> {
        self.control("BEGIN IMMEDIATE")?;
        match self.fetch(statement, decode, budget) {
            Ok(rows) => self.end("COMMIT").map(|()| rows),
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// Runs a statement and hands each row to `take`, until the end or until `take` fails.
    pub(super) fn each(
        &self,
        statement: &Statement,
        budget: Duration,
        mut take: impl FnMut(&mut Row) -> Result<()>,
    ) -> Result<()> {
        self.deadline.set(budget);
        let mut prepared = self.prepare(statement)?;
        let columns = prepared.column_count();
        let mut rows: Rows<'_> = prepared.raw_query();
        while let Some(row) = rows.next().map_err(translate)? {
            take(&mut Row::of_sqlite(row, columns))?;
            if statement.ends_early() {
                break;
            }
        }
        Ok(())
    }

    /// Runs a statement for its effect.
    pub(super) fn execute(&self, statement: &Statement, budget: Duration) -> Result<u64> {
        self.deadline.set(budget);
        let mut prepared = self.prepare(statement)?;
        if prepared.column_count() > 0 {
            drop(prepared);
            return self.each(statement, budget, |_| Ok(())).map(|()| self.driver.changes());
        }
        let changed = prepared.raw_execute().map_err(translate)?;
        u64::try_from(changed).map_err(|_| Error::new(ErrorKind::Statement))
    }

    fn prepare(&self, statement: &Statement) -> Result<rusqlite::CachedStatement<'_>> {
        let mut prepared = self.driver.prepare_cached(statement.text()).map_err(translate)?;
        let values = statement.values();
        if prepared.parameter_count() != values.len() {
            return Err(Error::new(ErrorKind::Statement));
        }
        for (index, value) in (1..).zip(values) {
            codec::check(value)?;
            prepared.raw_bind_parameter::<usize, _>(index, codec::Bound(value)).map_err(translate)?;
        }
        Ok(prepared)
    }

    /// Prepares a statement and reads what SQLite knows of its columns.
    pub(super) fn describe(&self, text: &str) -> Result<Description, Unfit> {
        let prepared = self.driver.prepare(text).map_err(failure::unfit)?;
        let mut columns = Vec::new();
        for (index, column) in prepared.columns().enumerate() {
            let origin = prepared.column_metadata(index).map_err(translate)?;
            // A primary key of SQLite is never null in a strict table, and its integer never anywhere.
            let nullable = origin.map(|(.., not_null, key, _)| !not_null && !key);
            let kind = column.decl_type().and_then(codec::declared);
            columns.push(Described { name: column.name().to_owned(), kind, nullable });
        }
        Ok(Description::new(Engine::Sqlite, columns, vec![None; prepared.parameter_count()]))
    }

    /// Lifts the lock-down for the time of a job.
    pub(super) fn as_owner<T>(
        &mut self,
        options: &Options,
        job: impl FnOnce(&mut rusqlite::Connection) -> Result<T>,
    ) -> Result<T> {
        self.deadline.lift();
        hardening::relax(&mut self.driver).map_err(translate)?;
        let outcome = job(&mut self.driver);
        hardening::harden(&mut self.driver, Role::Writer, options).map_err(translate)?;
        outcome
    }

    /// Runs `BEGIN`, `COMMIT` and their like.
    pub(super) fn control(&self, text: &'static str) -> Result<()> {
        self.deadline.set(CONTROL);
        self.driver
            .prepare_cached(text)
            .and_then(|mut prepared| prepared.raw_execute())
            .map(drop)
            .map_err(translate)
    }

    /// Ends a transaction; if that fails, it is rolled back, so that the next caller finds none.
    pub(super) fn end(&self, text: &'static str) -> Result<()> {
        let ended = self.control(text);
        if ended.is_err() {
            self.roll_back();
        }
        ended
    }

    /// Rolls back if there is something to roll back; SQLite did so already after a full disk or an interrupt.
    pub(super) fn roll_back(&self) {
        if self.in_transaction()
            && let Err(error) = self.control("ROLLBACK")
        {
            tracing::error!(%error, "sqlite could not roll back");
        }
    }
}

/// A moment after which whatever runs on a connection is interrupted.
#[derive(Clone)]
pub(super) struct Deadline {
    base: Instant,
    nanos: Arc<AtomicU64>,
}

impl Deadline {
    fn new() -> Deadline {
        Deadline { base: Instant::now(), nanos: Arc::new(AtomicU64::new(NEVER)) }
    }

    /// Gives the work that starts now this much time.
    pub(super) fn set(&self, budget: Duration) {
        self.nanos.store(nanos(self.base.elapsed() + budget), Ordering::Relaxed);
    }

    /// Lifts the deadline, for migrations.
    pub(super) fn lift(&self) {
        self.nanos.store(NEVER, Ordering::Relaxed);
    }

    /// Interrupts what runs now.
    pub(super) fn expire(&self) {
        self.nanos.store(0, Ordering::Relaxed);
    }

    fn passed(&self) -> bool {
        let limit = self.nanos.load(Ordering::Relaxed);
        limit != NEVER && nanos(self.base.elapsed()) > limit
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER - 1)
}

/// Opens a file for migrations: as the writer is before its lock-down.
pub(super) fn owner(path: &Path, options: &Options) -> Result<rusqlite::Connection> {
    let driver = open_to_write(path)?;
    driver.busy_timeout(options.wait_timeout).map_err(translate)?;
    hardening::pragmas(&driver, Role::Writer, options).map_err(translate)?;
    Ok(driver)
}

fn open_to_write(path: &Path) -> Result<rusqlite::Connection> {
    // Without SQLITE_OPEN_URI: a path can never turn into parameters.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    rusqlite::Connection::open_with_flags(path, flags).map_err(translate)
}

/// Makes the file, and the folder it stands in, for this user only, and takes away the rights of all others on a file
/// that stands there already. SQLite gives its `-wal` and `-shm` files the same rights.
fn create_private(path: &Path) -> Result<()> {
    let unusable = |error: io::Error| {
        tracing::error!(%error, path = %path.display(), "the database file cannot be opened");
        Error::new(ErrorKind::Configuration("the database file cannot be opened or made"))
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(unusable(error)),
    }
    // By its path: to close any other descriptor of the file would drop the locks that SQLite holds on it in this
    // process, and another program could then remove the log that is in use here.
    let mode = fs::metadata(path).map_err(unusable)?.permissions().mode();
    if mode & 0o007 != 0 {
        tracing::warn!(path = %path.display(), "the database file was open to every user of this machine");
        fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o007)).map_err(unusable)?;
    }
    Ok(())
}

const NEVER: u64 = u64::MAX;

/// How many steps of SQLite's machine lie between two looks at the clock: some 50 µs.
const OPCODES: i32 = 2000;

/// For `BEGIN` and `COMMIT`, which wait for a lock and for the disk, but never compute.
const CONTROL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn ten_thousand_shapes_of_statement_leave_a_bounded_number_in_memory() {
        let connection = Connection::memory(&Options::default()).unwrap();
        let shape = |number: u32| {
            let mut statement = Statement::read();
            statement.push_literal("select 1");
            for bit in 0..14 {
                statement.push_literal(if number >> bit & 1 == 0 { " + 1" } else { " - 1" });
            }
            statement
        };
        for number in 0..10_000 {
            connection.fetch(&shape(number), |row| row.take::<i64>(0), CONTROL).unwrap();
        }
        // One that was kept has run before; one that was not is prepared anew.
        let kept = |number: &u32| {
            let prepared = connection.driver.prepare_cached(shape(*number).text()).unwrap();
            prepared.get_status(StatementStatus::Run) > 0
        };
        assert_eq!((0..10_000).rev().take_while(kept).count(), 256);
    }
}
