//! The statements that one connection keeps prepared.

use hashlink::LruCache;
use tokio_postgres::Statement;

/// Prepared statements by their text, as many as [`MOST`]; the one that was not used for longest makes room, and the
/// server forgets it too.
pub(super) struct PreparedStatements(LruCache<Box<str>, Statement>);

impl Default for PreparedStatements {
    fn default() -> Self {
        PreparedStatements(LruCache::new(MOST))
    }
}

impl PreparedStatements {
    pub(super) fn find(&mut self, text: &str) -> Option<Statement> {
        self.0.get(text).cloned()
    }

    /// Keeps a statement. The driver closes one on the server when it is dropped here.
    pub(super) fn keep(&mut self, text: &str, statement: Statement) {
        self.0.insert(text.into(), statement);
    }

    /// Forgets all: the schema may have changed since they were prepared.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// As many statements as a connection keeps. The texts of a site are finite, but filters that visitors choose and
/// lists of many lengths multiply them, and each takes memory of the server.
pub(super) const MOST: usize = 256;
