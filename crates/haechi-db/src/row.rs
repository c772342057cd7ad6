//! One row of an answer, read by position.

use std::fmt;

use crate::{Error, ErrorKind, FromValue, Result, Value, postgres, sqlite};

/// A row of an answer, as it lies in the driver: a value is read when it is taken.
///
/// Columns are read by position, because the statement that asked names its columns in order: nothing that comes
/// from outside can choose one.
pub struct Row<'r> {
    answer: Answer<'r>,
    first: usize,
    end: usize,
}

enum Answer<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn of_sqlite(row: &'r rusqlite::Row<'r>, columns: usize) -> Row<'r> {
        Row { answer: Answer::Sqlite(row), first: 0, end: columns }
    }

    pub(crate) fn of_postgres(row: &'r tokio_postgres::Row) -> Row<'r> {
        Row { answer: Answer::Postgres(row), first: 0, end: row.len() }
    }

    /// Leaves out the first columns, so that the next one has position 0.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.first = self.end.min(self.first + columns);
    }

    /// Returns how many columns the row has.
    pub fn len(&self) -> usize {
        self.end - self.first
    }

    /// Returns whether the row has no column at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the value of a column.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] if there is no such column, or if it does not hold a `T`.
    #[inline]
    pub fn take<T: FromValue>(&mut self, index: usize) -> Result<T> {
        let column = self.first + index;
        if column >= self.end {
            return Err(Error::new(ErrorKind::Decode { column: index, expected: T::TYPE }));
        }
        let value = match self.answer {
            Answer::Sqlite(row) => sqlite::value(row, column)?,
            Answer::Postgres(row) => postgres::value(row, column)?,
        };
        T::from_value(value).map_err(|error| error.at_column(index))
    }

    /// Reads all values, to keep them.
    pub(crate) fn keep(&mut self) -> Result<KeptRow> {
        Ok(KeptRow { values: (0..self.len()).map(|index| self.take(index)).collect::<Result<_>>()? })
    }
}

impl fmt::Debug for Row<'_> {
    /// Shows the shape, not the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("columns", &self.len()).finish_non_exhaustive()
    }
}

/// The values of a row that outlives its answer.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRow {
    values: Vec<Value>,
}

impl KeptRow {
    /// Takes the value of a column out, leaving nothing there.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] if there is no such column, or if it does not hold a `T`.
    pub fn take<T: FromValue>(&mut self, index: usize) -> Result<T> {
        let missing = || Error::new(ErrorKind::Decode { column: index, expected: T::TYPE });
        let value = std::mem::take(self.values.get_mut(index).ok_or_else(missing)?);
        T::from_value(value).map_err(|error| error.at_column(index))
    }
}
