//! A user, without the password.

use haechi_core::Secret;
use jiff::Timestamp;

use crate::UserId;

/// A user, with Django's columns.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct User {
    /// The primary key.
    pub id: UserId,
    /// The name to sign in with, compared exactly.
    pub username: String,
    /// The e-mail address, or empty.
    pub email: String,
    /// The given name, or empty.
    pub first_name: String,
    /// The family name, or empty.
    pub last_name: String,
    /// Whether the user has every permission.
    pub is_superuser: bool,
    /// Whether the user may enter Django's admin.
    pub is_staff: bool,
    /// Whether the user may sign in; taking it away ends the user's sessions at their next request.
    pub is_active: bool,
    /// When the user signed in last.
    pub last_login: Option<Timestamp>,
    /// When the account was made, if the table says.
    pub date_joined: Option<Timestamp>,
}

/// A user with the password column, as a [`UserStore`](crate::UserStore) hands it over.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The password column.
    pub password: Secret<String>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name to sign in with.
    pub username: String,
    /// The e-mail address, or empty.
    pub email: String,
    /// The password column, already hashed.
    pub password: Secret<String>,
    /// Whether the user has every permission.
    pub is_superuser: bool,
    /// When.
    pub date_joined: Timestamp,
}

/// A user whose credentials were checked; only [`Auth::authenticate`](crate::Auth::authenticate) makes one.
///
/// ```compile_fail
/// # fn forge(user: haechi_auth::User) -> haechi_auth::Authenticated<haechi_auth::User> {
/// haechi_auth::Authenticated { user } // error: the fields are private
/// # }
/// ```
#[derive(Debug)]
pub struct Authenticated<U> {
    pub(crate) user: U,
    pub(crate) password: Secret<String>,
}

impl<U> Authenticated<U> {
    /// Returns the user.
    pub fn user(&self) -> &U {
        &self.user
    }
}
