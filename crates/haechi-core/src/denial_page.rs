//! What the client sees of a [`Denial`]: a page, a problem document or a line of text, whichever it asked for.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, Version};

use crate::{Denial, RequestId};

/// The form in which a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialFormat {
    /// A page for a browser.
    Html,
    /// A problem document (RFC 9457) for a program.
    Json,
    /// A line of text.
    Text,
}

impl DenialFormat {
    /// Chooses by the `Accept` field: what it names first of HTML and JSON, otherwise text.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let ranges = headers
            .get_all(ACCEPT)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        for range in ranges {
            let media = range.split(';').next().unwrap_or(range).trim().to_ascii_lowercase();
            match media.as_str() {
                "text/html" | "application/xhtml+xml" => return Self::Html,
                "application/json" | "application/problem+json" => return Self::Json,
                _ if media.ends_with("+json") => return Self::Json,
                _ => {}
            }
        }
        Self::Text
    }
}

impl Denial {
    /// Renders the answer. Security headers are not in it: the guard layer seals every answer.
    #[must_use]
    pub fn response<R: From<Bytes>>(
        &self,
        format: DenialFormat,
        version: Version,
        id: RequestId,
    ) -> Response<R> {
        let (content_type, body) = match format {
            DenialFormat::Html => ("text/html; charset=utf-8", self.html(id)),
            DenialFormat::Json => ("application/problem+json", self.json(id)),
            DenialFormat::Text => ("text/plain; charset=utf-8", self.text(id)),
        };
        let mut response = Response::new(R::from(Bytes::from(body)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        // HTTP/2 has no such field (RFC 9113 §8.2.2); there the server ends the stream.
        if self.closes() && version < Version::HTTP_2 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// No script, no style, nothing to load: the page stands under the strictest policy.
    fn html(&self, id: RequestId) -> String {
        let (status, title, message) = (self.status().as_u16(), self.public_title(), self.public_message());
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{message}</p>\n\
             <p><small>{status} · {id}</small></p>\n</main>\n</body>\n</html>\n"
        )
    }

    fn json(&self, id: RequestId) -> String {
        let (status, title, message) = (self.status().as_u16(), self.public_title(), self.public_message());
        let (title, message) = (json_string(title), json_string(message));
        format!(
            "{{\"type\":\"about:blank\",\"title\":{title},\"status\":{status},\"detail\":{message},\"request_id\":\"{id}\"}}\n"
        )
    }

    fn text(&self, id: RequestId) -> String {
        format!("{}: {}\n{} {id}\n", self.public_title(), self.public_message(), self.status().as_u16())
    }
}

/// Quotes one of our own literals for JSON.
fn json_string(literal: &'static str) -> String {
    use std::fmt::Write as _;

    let mut quoted = String::with_capacity(literal.len() + 2);
    quoted.push('"');
    for character in literal.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => {
                write!(quoted, "\\u{:04x}", u32::from(control)).expect("writing to a String cannot fail");
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    fn denial() -> Denial {
        Denial::new(StatusCode::TOO_MANY_REQUESTS, "rate", "network")
            .detail("<script>secret</script>")
            .retry_after(Duration::from_secs(7))
            .close()
    }

    #[test]
    fn the_format_is_what_the_client_asks_for() {
        #[track_caller]
        fn check(accept: &[&str], expected: DenialFormat) {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(ACCEPT, value.parse().unwrap());
            }
            assert_eq!(DenialFormat::of(&headers), expected);
        }
        check(&[], DenialFormat::Text);
        check(&["*/*"], DenialFormat::Text);
        check(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], DenialFormat::Html);
        check(&["application/json, text/plain, */*"], DenialFormat::Json);
        check(&["application/vnd.api+json"], DenialFormat::Json);
        check(&["image/png", "TEXT/HTML"], DenialFormat::Html);
        check(&[",;,;;"], DenialFormat::Text);
    }

    /// asvs_16_5_1: the client learns what to do, never what we know.
    #[test]
    fn no_format_shows_what_is_for_the_log() {
        let id = RequestId::generate();
        for format in [DenialFormat::Html, DenialFormat::Json, DenialFormat::Text] {
            let response = denial().response::<Bytes>(format, Version::HTTP_11, id);
            let body = str::from_utf8(response.body()).unwrap();
            assert!(
                !body.contains("secret") && !body.contains("network") && body.contains(id.as_str()),
                "{body}"
            );
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()["retry-after"], "7");
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(response.headers()["connection"], "close");
        }
    }

    #[test]
    fn http_2_has_no_connection_field() {
        let response = denial().response::<Bytes>(DenialFormat::Text, Version::HTTP_2, RequestId::generate());
        assert!(!response.headers().contains_key("connection"));
    }

    #[test]
    fn pages_read_well() {
        let id = RequestId::generate();
        let body = |format| {
            let response = denial().title("Too \"fast\"").response::<Bytes>(format, Version::HTTP_11, id);
            String::from_utf8(response.body().to_vec()).unwrap().replace(id.as_str(), "ID")
        };
        expect_test::expect![[r#"
            Too "fast": Please wait a moment and try again.
            429 ID
        "#]]
        .assert_eq(&body(DenialFormat::Text));
        expect_test::expect![[r#"
            {"type":"about:blank","title":"Too \"fast\"","status":429,"detail":"Please wait a moment and try again.","request_id":"ID"}
        "#]]
        .assert_eq(&body(DenialFormat::Json));
        expect_test::expect![[r#"
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <meta name="color-scheme" content="light dark">
            <title>Too "fast"</title>
            </head>
            <body>
            <main>
            <h1>Too "fast"</h1>
            <p>Please wait a moment and try again.</p>
            <p><small>429 · ID</small></p>
            </main>
            </body>
            </html>
        "#]]
        .assert_eq(&body(DenialFormat::Html));
    }
}
