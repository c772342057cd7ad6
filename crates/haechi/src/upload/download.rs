//! A file that somebody sent, handed out.

use std::fmt::Write as _;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use super::FileKind;
use super::uploaded_file::plain;
use crate::danger;

/// The answer that hands out a file which somebody sent.
///
/// # Security
///
/// A browser saves it (or, after [`Download::shown`], shows it as a picture of a page of this site), takes it for nothing but its
/// kind, and gives it no rights of this site even where it is opened as a page: the policy is `default-src 'none'; sandbox`.
#[derive(Debug, Clone)]
pub struct Download {
    kind: FileKind,
    name: String,
    bytes: Bytes,
    disposition: &'static str,
}

impl Download {
    /// Hands out a file under a name for people.
    #[must_use]
    pub fn new(kind: FileKind, name: &str, bytes: Bytes) -> Self {
        Self { kind, name: plain(name), bytes, disposition: "attachment" }
    }

    /// Lets a page show it, with `<img src=…>`.
    #[must_use]
    pub fn shown(mut self) -> Self {
        self.disposition = "inline";
        self
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let disposition = disposition(self.disposition, &self.name);
        let mut response = Response::new(Body::from(self.bytes));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind.content_type()));
        headers.insert(CONTENT_DISPOSITION, disposition);
        response.extensions_mut().insert(danger::with_header(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
            "stricter than that of the site: what somebody sent runs nothing",
        ));
        response
    }
}

/// The name in both spellings of RFC 6266: plain ASCII for old programs, and percent-encoded UTF-8.
fn disposition(kind: &str, name: &str) -> HeaderValue {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let ascii: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => encoded.push(char::from(byte)),
            _ => write!(encoded, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    HeaderValue::try_from(format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}"))
        .expect("what is not plain ASCII was replaced or encoded")
}

const POLICY: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";

#[cfg(test)]
mod tests {
    use super::*;

    /// asvs_5_4_2: a name is encoded as RFC 6266 says, and can add nothing to the header.
    #[test]
    fn asvs_5_4_2_a_name_stands_in_the_header_and_does_not_leave_it() {
        #[track_caller]
        fn check(name: &str, expected: &str) {
            let response = Download::new(FileKind::Png, name, Bytes::new()).into_response();
            assert_eq!(response.headers()[CONTENT_DISPOSITION], format!("attachment; {expected}"), "{name}");
        }
        check("a b.png", "filename=\"a b.png\"; filename*=UTF-8''a%20b.png");
        check("해치.png", "filename=\"__.png\"; filename*=UTF-8''%ED%95%B4%EC%B9%98.png");
        check("a\"; x=\".png", "filename=\"a__ x__.png\"; filename*=UTF-8''a%22%3B%20x%3D%22.png");
        check("a\r\nX-Evil: 1.png", "filename=\"aX-Evil_ 1.png\"; filename*=UTF-8''aX-Evil%3A%201.png");
        check("../../etc/passwd", "filename=\"passwd\"; filename*=UTF-8''passwd");
        check("C:\\evil\\a.png", "filename=\"a.png\"; filename*=UTF-8''a.png");
        check("cod\u{202e}gnp.exe", "filename=\"codgnp.exe\"; filename*=UTF-8''codgnp.exe");
        check("%22.png", "filename=\"_22.png\"; filename*=UTF-8''%2522.png");
    }
}
