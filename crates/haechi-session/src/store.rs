//! What a place to keep sessions has to do.

use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::Pin;

use crate::{Changes, Error, SessionCache, Values};

/// A boxed future, so that stores can be chosen at start-up.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Where sessions are kept. Every implementation passes [`conformance`](crate::conformance).
///
/// # Security
/// A store is given the SHA-256 of a session's id, never the id: who reads the store cannot take over a session.
pub trait SessionStore: Debug + Send + Sync {
    /// Returns the session under `key`, whether it is expired or not, or `None`.
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>>;

    /// Writes one session, all or nothing.
    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved>;

    /// Ends sessions; returns how many there were.
    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64>;

    /// Returns the sessions of a user, the most recently used first.
    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>>;

    /// Returns the cache in front of the store. [`Sessions`](crate::Sessions) asks once.
    fn cache(&self) -> SessionCache;
}

/// What a store knows a session by.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StoreKey(Box<str>);

impl StoreKey {
    /// Takes the text of a key.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In Django's table, and where the cookie is the session, the key is what a thief needs.
        f.write_str("StoreKey(…)")
    }
}

/// A session as it is stored. Times are seconds since 1970.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// The values.
    pub values: Values,
    /// The primary key of the user who is signed in, as text.
    pub user: Option<String>,
    /// When the user signed in, or the session began.
    pub created: i64,
    /// When it was last used, to within [`Limits::touch`](crate::Limits::touch).
    pub seen: i64,
    /// When it ends unless it is used: the earlier of the idle and the absolute limit.
    pub expires: i64,
    /// Whether the user asked to stay signed in when the browser closes.
    pub remembered: bool,
    /// Where it is used from.
    pub client: Client,
}

/// Where a session is used from, for the page that lists a user's devices.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Client {
    /// The `User-Agent`, cut to 200 characters.
    pub browser: String,
    /// The network of the client, `192.0.2.7/32` or `2001:db8::/64`.
    pub network: String,
}

/// One writing of a session.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// Under which key, and whether it is there already.
    pub at: At<'a>,
    /// All of the session but its values, which are taken from the store and changed.
    pub record: &'a Record,
    /// What happened to the values.
    pub changes: &'a Changes,
}

/// The place of a writing.
#[derive(Clone, Copy, Debug)]
pub enum At<'a> {
    /// A session that was never stored.
    New(&'a StoreKey),
    /// A stored session. If it is gone, it was ended elsewhere and must not come back.
    Same(&'a StoreKey),
    /// A stored session that moves to another key; the old key is dead from then on.
    Moved(&'a StoreKey, &'a StoreKey),
}

/// What became of a writing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Saved {
    /// It is stored.
    Stored,
    /// It is stored under this key, which the store chose; the cookie holds it as it is.
    As(StoreKey),
    /// The session was ended elsewhere in the meantime; nothing was stored.
    Gone,
}

/// Which sessions to end.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// This one.
    One(&'a StoreKey),
    /// All of a user, but for the one named.
    OfUser {
        /// The user.
        user: &'a str,
        /// The session that stays.
        but: Option<&'a StoreKey>,
    },
    /// Those that ended before this time.
    ExpiredBefore(i64),
}
