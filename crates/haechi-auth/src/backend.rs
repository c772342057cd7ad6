//! Ways to check credentials, tried in order.

use std::fmt::Debug;
use std::sync::Arc;

use crate::authority::Passwords;
use crate::user_store::StoreFuture;
use crate::{Account, Credentials};

/// A way to check credentials: the password table, a directory service, ….
pub trait AuthBackend: Debug + Send + Sync {
    /// Returns whose the credentials are.
    ///
    /// # Security
    /// Take the same time for a name that does not exist as for one that does.
    fn authenticate<'a>(&'a self, credentials: &'a Credentials) -> StoreFuture<'a, Verdict>;
}

/// What a backend says.
#[derive(Debug)]
pub enum Verdict {
    /// They are this account's.
    Accept(Account),
    /// They are nobody's here; the next backend is asked.
    Pass,
    /// They must not be accepted by anybody; no other backend is asked.
    Refuse,
}

/// The password column of the user table, with equal work for every account.
#[derive(Clone, Debug)]
pub struct PasswordBackend {
    pub(crate) passwords: Arc<Passwords>,
}

impl AuthBackend for PasswordBackend {
    fn authenticate<'a>(&'a self, credentials: &'a Credentials) -> StoreFuture<'a, Verdict> {
        Box::pin(async move {
            let outcome = self.passwords.check(&credentials.username, &credentials.password).await?;
            Ok(outcome.map_or(Verdict::Pass, Verdict::Accept))
        })
    }
}
