//! A new password, typed once or, on the pages that a Django site has too, twice.

use haechi_auth::About;
use serde::Deserialize;

use super::texts::{Texts, password_errors};
use crate::Site;

/// The fields of a new password.
#[derive(Deserialize)]
pub(super) struct NewPassword {
    #[serde(default)]
    new_password: String,
    #[serde(default)]
    new_password1: String,
    #[serde(default)]
    new_password2: String,
}

impl NewPassword {
    /// Returns the password, or what is wrong with it.
    pub(super) fn checked(
        &self,
        site: &Site,
        texts: &Texts<'_>,
        about: &About<'_>,
    ) -> Result<&str, Vec<String>> {
        let twice = site.inner.accounts.is_djangos();
        let password = if twice { &self.new_password1 } else { &self.new_password };
        let mut wrong = password_errors(site, texts, password, about);
        if twice && *password != self.new_password2 {
            wrong.push(texts.get("The two passwords are not the same."));
        }
        if wrong.is_empty() { Ok(password) } else { Err(wrong) }
    }
}

/// The names of the fields, for the pages.
pub(super) fn fields(site: &Site) -> &'static [&'static str] {
    if site.inner.accounts.is_djangos() { &["new_password1", "new_password2"] } else { &["new_password"] }
}
