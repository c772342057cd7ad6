//! What a visitor types to sign in.

use std::fmt;

use serde::Deserialize;

/// A name and a password.
#[derive(Clone, Deserialize)]
pub struct Credentials {
    /// The user name, compared exactly.
    pub username: String,
    /// The password; nothing is trimmed or folded.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}
