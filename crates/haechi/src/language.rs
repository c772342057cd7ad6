//! The languages of the pages: English, which is the key, and others by catalogue.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::config::{ConfigError, ErrorKind};

/// Translations by language and English text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue {
    languages: HashMap<String, HashMap<String, String>>,
}

const KOREAN: &str = include_str!("../locales/ko.toml");

impl Catalogue {
    /// Returns haechi's own translations with an application's above them.
    pub(crate) fn new(texts: &[(&'static str, &'static str)]) -> Result<Self, ConfigError> {
        let mut catalogue = Self::default();
        for (language, text) in [("ko", KOREAN)].iter().chain(texts) {
            let messages: HashMap<String, String> = toml::from_str(text).map_err(|error| {
                ConfigError::new(ErrorKind::Syntax, format!("translations \"{language}\": {error}"))
            })?;
            catalogue.languages.entry((*language).to_owned()).or_default().extend(messages);
        }
        Ok(catalogue)
    }

    /// Chooses the language that a browser prefers of those there are.
    pub(crate) fn choose(&self, headers: &HeaderMap) -> &str {
        let wanted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = ("en", 0.0);
        for range in wanted.split(',').take(16) {
            let mut parts = range.trim().split(';');
            let tag = parts.next().unwrap_or_default().split('-').next().unwrap_or_default();
            let quality =
                parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let known = match tag.to_ascii_lowercase().as_str() {
                "en" | "*" => Some("en"),
                other => self.languages.get_key_value(other).map(|(name, _)| name.as_str()),
            };
            if let Some(known) = known.filter(|_| quality > best.1) {
                best = (known, quality);
            }
        }
        best.0
    }

    /// Returns a text in a language, or as it stands where there is no translation.
    pub(crate) fn translate<'t>(&'t self, language: &str, text: &'t str) -> &'t str {
        self.languages.get(language).and_then(|messages| messages.get(text)).map_or(text, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &'static str, expected: &str) {
        let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, http::HeaderValue::from_static(sent))]);
        assert_eq!(Catalogue::new(&[]).unwrap().choose(&headers), expected, "{sent}");
    }

    #[test]
    fn the_language_that_the_browser_prefers_is_chosen() {
        check("ko-KR,ko;q=0.9,en;q=0.8", "ko");
        check("en-US,en;q=0.9,ko;q=0.8", "en");
        check("fr,ko;q=0.5,en;q=0.4", "ko");
        check("fr", "en");
        check("", "en");
        check("ko;q=x", "ko");
        check("ko;q=0", "en");
    }

    #[test]
    fn every_text_of_our_pages_has_a_translation() {
        let catalogue = Catalogue::new(&[]).unwrap();
        for page in crate::templates::OWN {
            for text in page.1.split("t(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert_ne!(catalogue.translate("ko", text), text, "{}: \"{text}\" has no Korean", page.0);
            }
        }
    }
}
