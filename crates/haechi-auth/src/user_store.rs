//! Where the users are kept.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use haechi_core::Secret;
use jiff::Timestamp;

use crate::{Account, Error, NewAccount, User, UserId};

/// A boxed future, so that stores can be chosen at start-up.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Where the users are. [`TableUsers`](crate::TableUsers) is a table of the site's database, with the names that a
/// [`UserTable`](crate::UserTable) declares; users who are elsewhere are a type of yours.
pub trait UserStore: Debug + Send + Sync {
    /// Returns whether the name to sign in with is the e-mail address.
    fn name_is_email(&self) -> bool;

    /// Returns the account whose name is exactly `username`.
    fn by_username<'a>(&'a self, username: &'a str) -> StoreFuture<'a, Option<Account>>;

    /// Returns accounts whose e-mail address is `email` but for case, at most ten.
    fn by_email<'a>(&'a self, email: &'a str) -> StoreFuture<'a, Vec<Account>>;

    /// Returns the account under this primary key; a key that the table cannot hold is nobody's, and no error.
    fn by_id(&self, id: UserId) -> StoreFuture<'_, Option<Account>>;

    /// Returns whether there is an account whose name is `username` but for case.
    fn has_similar_name<'a>(&'a self, username: &'a str) -> StoreFuture<'a, bool>;

    /// Makes an account; [`Error::UsernameTaken`] if there is one of that name.
    fn create(&self, account: NewAccount) -> StoreFuture<'_, User>;

    /// Replaces the password column if it still is `old`; returns whether it was.
    fn replace_password<'a>(&'a self, id: UserId, old: &'a str, new: Secret<String>)
    -> StoreFuture<'a, bool>;

    /// Notes when the user signed in.
    fn signed_in(&self, id: UserId, at: Timestamp) -> StoreFuture<'_, ()>;

    /// Returns the beginnings of the password columns, each once: enough to tell algorithm and parameters.
    fn password_prefixes(&self) -> StoreFuture<'_, Vec<String>>;
}
