//! Where it stands who may do what.

use std::fmt::Debug;

use crate::UserId;
use crate::user_store::StoreFuture;

/// The tables between users and their permissions and groups; [`TableUsers`](crate::TableUsers) is one.
///
/// Permissions and groups themselves are in Django's tables.
pub trait RightsStore: Debug + Send + Sync {
    /// Returns what `user` has, directly and through groups: the label of an application and a codename each.
    fn held(&self, user: UserId) -> StoreFuture<'_, Vec<(String, String)>>;

    /// Gives a permission; it is no error if the user has it.
    fn grant(&self, user: UserId, permission: i64) -> StoreFuture<'_, ()>;

    /// Takes a permission away that was given directly; returns whether it was.
    fn revoke<'a>(&'a self, user: UserId, app: &'a str, codename: &'a str) -> StoreFuture<'a, bool>;

    /// Puts a user into a group; it is no error if they are in it.
    fn join(&self, user: UserId, group: i64) -> StoreFuture<'_, ()>;

    /// Takes a user out of a group; returns whether they were in it.
    fn leave(&self, user: UserId, group: i64) -> StoreFuture<'_, bool>;
}
