//! Where to go after signing in.

use haechi_core::LocalPath;
use serde::Deserialize;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

impl Next {
    /// Returns the place if it is on this site, and the start page if it is not: a link to the sign-in page
    /// cannot send people elsewhere.
    pub(super) fn path(&self) -> LocalPath {
        if self.next.len() > LONGEST {
            return LocalPath::root();
        }
        LocalPath::parse(&self.next).unwrap_or_else(|_| LocalPath::root())
    }
}

/// Longer than any address of ours; it stands in a form and then in a header field.
const LONGEST: usize = 2_048;
