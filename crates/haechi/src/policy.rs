//! Who may reach a route: each one stands under a policy, and there is no way to add one without.

use std::fmt;
use std::time::Duration;

/// Who may reach a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Anybody.
    Public,
    /// Whoever is signed in; anybody else is sent to the sign-in page.
    SignedIn,
    /// Whoever is signed in and has this permission, `app.codename`.
    Permission(&'static str),
    /// Whoever gave their password within this time; others are asked for it once more.
    Recent(Duration),
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::SignedIn => f.write_str("signed in"),
            Self::Permission(permission) => write!(f, "permission {permission}"),
            Self::Recent(time) => write!(f, "signed in within {} s", time.as_secs()),
        }
    }
}
