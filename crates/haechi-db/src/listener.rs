//! What other programs say through the database.

use std::fmt;

use crate::{Db, Error, ErrorKind, Result, db::Backend, postgres};

/// A channel of PostgreSQL's `NOTIFY`, by a name that is a const.
pub trait Channel {
    /// The name: `[a-z0-9_]`, at most 63 characters.
    const NAME: &'static str;
}

/// Hears what is said on a [`Channel`], on a connection of its own beside the pool.
///
/// A transaction's words are heard after its commit, in order, and never those of one that was rolled back.
///
/// # Security
/// Every role of the database may speak on a channel: what is heard names what to look up, and proves nothing.
pub struct Listener(postgres::Notifications);

impl Listener {
    /// Waits for the next word.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    ///
    /// # Errors
    /// Fails once the connection is lost, or if more than a thousand words lie unread. Words were then missed: whoever
    /// keeps something because no word came must let go of it, and may listen anew.
    pub async fn next(&mut self) -> Result<String> {
        self.0.next().await.ok_or_else(Error::unavailable)
    }
}

impl Db {
    /// Listens on a channel of PostgreSQL, from before the return on.
    ///
    /// Before it returns it has heard itself: a pooler that hands a connection to others takes `LISTEN` without a word,
    /// and passes nothing on.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Configuration`] on SQLite, which has no channels, or behind a pooler, and with
    /// [`ErrorKind::Unavailable`] if the server is not there.
    pub async fn listen<C: Channel>(&self) -> Result<Listener> {
        const { assert!(crate::migrations::plain(C::NAME) && C::NAME.len() < 64, "a-z, 0-9 and _, at most 63") };
        match &*self.0 {
            Backend::Sqlite(_) => Err(Error::new(ErrorKind::Configuration("SQLite has no channels"))),
            Backend::Postgres(postgres) => postgres.listen(C::NAME).await.map(Listener),
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}
