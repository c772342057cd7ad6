//! The texts of the pages, in the language of a request.

use haechi_auth::Objection;
use http::HeaderMap;

use crate::Site;

/// Translates a text into the language of a request.
pub(crate) struct Texts<'a> {
    pub(super) site: &'a Site,
    pub(super) language: String,
}

impl<'a> Texts<'a> {
    pub(crate) fn of(site: &'a Site, headers: &HeaderMap) -> Self {
        Self { site, language: site.inner.catalogue.choose(headers).to_owned() }
    }

    pub(crate) fn get(&self, text: &str) -> String {
        self.site.inner.catalogue.translate(&self.language, text).to_owned()
    }

    pub(super) fn password_hint(&self) -> String {
        let minimum = self.site.config().accounts.minimum_password.to_string();
        self.get("At least %(minimum)s characters. A few words in a row are good, spaces are allowed.")
            .replace("%(minimum)s", &minimum)
    }
}

/// What is wrong with a new password.
pub(super) fn password_errors(site: &Site, texts: &Texts<'_>, password: &str, own: &[&str]) -> Vec<String> {
    let objections = site.inner.password_rules.check(password, own).err().unwrap_or_default();
    objections.iter().map(|objection| texts.get(words(objection))).collect()
}

/// An objection in the words of the pages.
fn words(objection: &Objection) -> &'static str {
    match objection {
        Objection::TooShort { .. } => "This password is too short.",
        Objection::TooLong => "This password is too long.",
        Objection::Common => "This password is too common.",
        _ => "This password is too close to your own data.",
    }
}
