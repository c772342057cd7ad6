//! A column that may be stored and read, and nothing else.

use std::fmt;

use crate::{FromValue, Result, ToValue, Type, Value};

/// A value that must not leak: a password hash, a recovery code, a key.
///
/// It is shown as `Secret(…)`, has no `Serialize`, cannot be compared, and a column of it can be neither filtered nor
/// sorted: a filter on a secret is an oracle that tells it letter by letter.
///
/// ```text
/// User::query().filter(user::password.eq(Secret::new("x".to_owned()))); // error: cannot be filtered or sorted
/// ```
/// ```text
/// User::query().filter(user::password.starts_with("pbkdf2")); // error: only a text column can contain a text
/// ```
/// ```text
/// User::query().order_by(user::password.asc()); // error: cannot be filtered or sorted
/// ```
/// ```text
/// fn shown_to_a_template<T: serde::Serialize>(_: T) {}
/// shown_to_a_template(haechi_db::Secret::new(1_i64)); // error: `Serialize` is not implemented for `Secret`
/// ```
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Secret<T> {
        Secret(value)
    }

    /// Shows the value; whoever calls it answers for where it goes.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Secret(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: FromValue> FromValue for Secret<T> {
    const TYPE: Type = T::TYPE;
    fn from_value(value: Value) -> Result<Self> {
        T::from_value(value).map(Secret)
    }
}

impl<T: ToValue> ToValue for Secret<T> {
    fn to_value(self) -> Result<Value> {
        self.0.to_value()
    }
}
