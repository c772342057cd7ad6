//! One row of an answer, read by position.

use crate::{Error, ErrorKind, FromValue, Result, Value};

/// A row of an answer.
///
/// Columns are read by position, because the statement that asked names its columns in order: nothing that comes
/// from outside can choose one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn with_capacity(columns: usize) -> Row {
        Row { values: Vec::with_capacity(columns) }
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    pub(crate) fn push(&mut self, value: Value) {
        self.values.push(value);
    }

    /// Leaves out the first columns, so that the next one has position 0.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.values.drain(..columns.min(self.values.len()));
    }

    /// Returns how many columns the row has.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether the row has no column at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes the value of a column out of the row, leaving nothing there: text is moved, not copied.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Decode`] if there is no such column, or if it does not hold a `T`.
    pub fn take<T: FromValue>(&mut self, index: usize) -> Result<T> {
        let missing = || Error::new(ErrorKind::Decode { column: index, expected: T::TYPE });
        let value = std::mem::take(self.values.get_mut(index).ok_or_else(missing)?);
        T::from_value(value).map_err(|error| error.at_column(index))
    }
}
