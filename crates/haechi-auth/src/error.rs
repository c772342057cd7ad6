//! What can go wrong in signing a user in.

use std::io;
use std::time::Duration;

use crate::hash::Busy;

/// An error of this crate. A wrong password is not one: it is an answer, not a failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The queue of the password threads is full; answer 503 with `Retry-After`.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The password is longer than the algorithm may be given.
    #[error(
        "the password is too long: at most {} bytes are hashed, and none are cut",
        crate::hash::MAX_PASSWORD_BYTES
    )]
    PasswordTooLong,
    /// A salt that would break the encoding.
    #[error(
        "the salt cannot be encoded: it is empty, holds a `$`, or has the wrong length for the algorithm"
    )]
    InvalidSalt,
    /// The operating system gave no thread for hashing.
    #[error("no thread for password hashes could be started")]
    Threads(#[source] io::Error),
    /// A hash panicked; the thread lives on.
    #[error("a password hash failed unexpectedly; the request was refused")]
    HashPanicked,
    /// The security log could not be written.
    #[error("an entry of the security log failed unexpectedly; the request was refused")]
    LogPanicked,
    /// Too many attempts; answer 429 with `Retry-After`.
    #[error("too many attempts; the next is allowed in {} s", .retry_after.as_secs())]
    Throttled {
        /// When the next attempt is allowed.
        retry_after: Duration,
    },
    /// There is an account of that name.
    #[error("the user name is taken")]
    UsernameTaken,
    /// There is an account of that address, in a table where an address is unique.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The table of users has a column that a new account gets no value for.
    #[error(
        "the table of users needs a value that haechi does not know; name the column in UserTable::FIXED"
    )]
    IncompleteTable(#[source] haechi_db::Error),
    /// The table of users was declared without a table that this needs.
    #[error("the users have no such table; name it in UserTable::{0}")]
    NoTable(&'static str),
    /// The name has a character that no user name can have.
    #[error("the user name is invalid: 1 to 150 letters, digits and `@.+-_` are allowed")]
    InvalidUsername,
    /// Not the name of a permission.
    #[error("the name of a permission is invalid: write \"app.codename\", each part of 1 to 100 characters")]
    InvalidPermission,
    /// Nobody is signed in.
    #[error("nobody is signed in; put the route under a policy that asks for it")]
    NotSignedIn,
    /// The session failed.
    #[error(transparent)]
    Session(#[from] haechi_session::Error),
    /// The database failed.
    #[error("the user table failed")]
    Database(#[from] haechi_db::Error),
}
