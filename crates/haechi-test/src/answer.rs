//! What came back, read to its end.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// What came back, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Returns the body as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns a header field, empty where it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns every `Set-Cookie` of the answer.
    #[must_use]
    pub fn cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(http::header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect()
    }

    /// Returns the token that the forms of a page carry, under our name or Django's.
    #[must_use]
    pub fn form_token(&self) -> Option<String> {
        let text = self.text();
        let named = |name: &str| text.split_once(&format!("name=\"{name}\""));
        let (_, rest) = named("csrf_token").or_else(|| named("csrfmiddlewaretoken"))?;
        let (_, rest) = rest.split_once("value=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    }
}
