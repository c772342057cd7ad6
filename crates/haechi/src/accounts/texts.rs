//! The texts of the pages, in the language of a request.

use haechi_auth::{About, Objection};
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
        let minimum = self.site.inner.password_rules.shortest().to_string();
        self.get("At least %(minimum)s characters. A few words in a row are good, spaces are allowed.")
            .replace("%(minimum)s", &minimum)
    }
}

/// What is wrong with a new password.
pub(super) fn password_errors(
    site: &Site,
    texts: &Texts<'_>,
    password: &str,
    about: &About<'_>,
) -> Vec<String> {
    let objections = site.inner.password_rules.check(password, about).err().unwrap_or_default();
    objections.into_iter().map(|objection| words(texts, objection)).collect()
}

/// An objection in the words of the pages, which are Django's where it has some.
fn words(texts: &Texts<'_>, objection: Objection) -> String {
    match objection {
        Objection::TooShort { minimum } => texts
            .get("This password is too short. It must contain at least %(minimum)s characters.")
            .replace("%(minimum)s", &minimum.to_string()),
        Objection::Similar { to } => texts
            .get("The password is too similar to the %(attribute)s.")
            .replace("%(attribute)s", &texts.get(to)),
        Objection::TooLong => texts.get("This password is too long."),
        Objection::Common => texts.get("This password is too common."),
        Objection::Numeric => texts.get("This password is entirely numeric."),
        _ => texts.get("This password is too close to your own data."),
    }
}
