//! Where to go after signing in.

use haechi_core::LocalPath;
use serde::Deserialize;

use crate::Site;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

impl Next {
    /// Returns the place if it is on this site, and the start page if it is not: a link to the sign-in page
    /// cannot send people elsewhere.
    pub(super) fn path(&self, site: &Site) -> LocalPath {
        LocalPath::parse(&self.next).unwrap_or_else(|_| site.home())
    }
}
