//! What the server answers itself, without asking the service.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// A request that the server refuses.
///
/// The client sees the status; the reason is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    reason: &'static str,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason }
    }

    pub(super) const fn malformed(reason: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// Returns the status to answer with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns why, for the log and never for the client.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns the plain answer: the status and its name.
    pub fn plain(&self) -> Response<Bytes> {
        let name = self.status.canonical_reason().unwrap_or("Refused");
        let mut response = Response::new(Bytes::from(format!("{} {name}\n", self.status.as_u16())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// Returns an answer as HTTP/1.1 writes it, for where hyper writes none or a bare one; the connection closes after it.
pub(super) fn written(response: Response<Bytes>, now: SystemTime) -> Vec<u8> {
    let (mut head, body) = response.into_parts();
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(now)) {
        head.headers.entry(header::DATE).or_insert(date);
    }
    let name = head.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {name}\r\n", head.status.as_u16()).into_bytes();
    for (field, value) in &head.headers {
        bytes.extend_from_slice(field.as_ref());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}
