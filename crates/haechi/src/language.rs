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

    /// The texts that the sources of the account pages name, and those of the templates.
    fn texts() -> Vec<String> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let accounts = std::fs::read_dir(root.join("accounts")).unwrap().map(|entry| entry.unwrap().path());
        let sources =
            accounts.chain([root.join("gate.rs")]).map(|path| std::fs::read_to_string(path).unwrap());
        let mut texts = Vec::new();
        for source in sources {
            for call in [".get(\"", "of_name(\""] {
                let named = source.split(call).skip(1).filter_map(|rest| rest.split("\")").next());
                texts.extend(named.map(|text| text.replace("\\n", "\n")));
            }
            let objections =
                source.split("=> \"This password").skip(1).filter_map(|rest| rest.split('"').next());
            texts.extend(objections.map(|text| format!("This password{text}")));
        }
        texts.extend(crate::refusal_page::TEXTS.iter().map(|text| (*text).to_owned()));
        for (_, page) in crate::templates::OWN {
            let named = page.split("t(\"").skip(1).filter_map(|rest| rest.split('"').next());
            texts.extend(named.map(str::to_owned));
        }
        // What a password is similar to, in Django's words.
        texts.extend(["username", "first name", "last name", "email address"].map(str::to_owned));
        texts.sort();
        texts.dedup();
        texts
    }

    #[test]
    fn english_and_korean_have_the_same_texts() {
        let catalogue = Catalogue::new(&[]).unwrap();
        let mut korean: Vec<String> = catalogue.languages["ko"].keys().cloned().collect();
        korean.sort();
        assert_eq!(texts(), korean);
        for (english, korean) in &catalogue.languages["ko"] {
            let names = |text: &str| {
                let mut names: Vec<_> = text
                    .split("%(")
                    .skip(1)
                    .filter_map(|rest| rest.split(')').next())
                    .map(str::to_owned)
                    .collect();
                names.sort();
                names
            };
            assert_eq!(names(english), names(korean), "{english}");
        }
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
