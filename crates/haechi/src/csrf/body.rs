//! The form token in a body, which goes on whole after it was read.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use haechi_core::Denial;
use haechi_guard::{FormToken, Prefix, form_token};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;

use crate::{Error, body_memory};

/// What was found in a body, and the request with all of it.
pub(super) struct Searched {
    pub(super) found: FormToken,
    pub(super) request: Request<Body>,
    read: Bytes,
}

impl Searched {
    /// Returns how many fields an urlencoded body has, as Django counts them.
    pub(super) fn fields(&self) -> usize {
        match essence(self.request.headers().get(CONTENT_TYPE)).as_str() {
            URLENCODED => self.read.iter().filter(|&&byte| byte == b'&').count() + 1,
            _ => 0,
        }
    }
}

/// Whether a body can hold a token.
pub(super) fn is_form(content_type: Option<&HeaderValue>) -> bool {
    matches!(essence(content_type).as_str(), URLENCODED | "multipart/form-data")
}

fn essence(content_type: Option<&HeaderValue>) -> String {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or("");
    text.split(';').next().unwrap_or(text).trim().to_ascii_lowercase()
}

/// Reads as much of a body as its token needs, `most` bytes at most.
pub(super) async fn search(request: Request<Body>, most: usize) -> Result<Searched, Error> {
    let (parts, mut body) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut read = BytesMut::new();
    let found = loop {
        match form_token(content_type, &read, Prefix::Partial) {
            // However much came at once, a token that is there has been found.
            FormToken::NeedMore if read.len() > most => {
                return Err(Denial::new(StatusCode::PAYLOAD_TOO_LARGE, "csrf", "form-too-long")
                    .close()
                    .into());
            }
            FormToken::NeedMore => {}
            known => break known,
        }
        match body.frame().await {
            None => break form_token(content_type, &read, Prefix::Whole),
            Some(frame) => {
                let frame = frame.map_err(|error| body_memory::refusal(&error))?;
                if let Ok(data) = frame.into_data() {
                    read.extend_from_slice(&data);
                }
            }
        }
    };
    let read = read.freeze();
    let request = Request::from_parts(parts, prefixed(read.clone(), body));
    Ok(Searched { found, request, read })
}

/// Returns a body that begins with what was read of it already.
fn prefixed(read: Bytes, rest: Body) -> Body {
    use futures_util::{StreamExt, stream};
    if http_body::Body::is_end_stream(&rest) {
        return Body::from(read);
    }
    Body::from_stream(stream::iter([Ok(read)]).chain(rest.into_data_stream()))
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: &str, body: &str) -> Request<Body> {
        let body = body.to_owned();
        Request::post("/").header(CONTENT_TYPE, kind).body(Body::from(body)).expect("a request")
    }

    #[test]
    fn only_a_form_can_hold_a_token() {
        for (kind, expected) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-URLencoded ; charset=utf-8", true),
            ("multipart/form-data; boundary=b", true),
            ("text/plain", false),
            ("application/json", false),
            ("multipart/mixed", false),
            ("", false),
        ] {
            assert_eq!(is_form(Some(&HeaderValue::from_str(kind).expect("a value"))), expected, "{kind}");
        }
        assert!(!is_form(None));
    }

    #[tokio::test]
    async fn a_form_is_searched_up_to_its_limit_and_handed_on_whole() {
        let body = "a=1&b=2&c=3";
        for (most, fits) in [(body.len(), true), (body.len() + 1, true), (body.len() - 1, false)] {
            match search(request(URLENCODED, body), most).await {
                Ok(searched) => {
                    assert!(fits && matches!(searched.found, FormToken::Missing), "{most}");
                    assert_eq!(searched.fields(), 3);
                    let whole = searched.request.into_body().collect().await.expect("a body").to_bytes();
                    assert_eq!(whole, body);
                }
                Err(_) => assert!(!fits, "{most}"),
            }
        }
        let one = search(request(URLENCODED, ""), 10).await.unwrap_or_else(|_| unreachable!("it is short"));
        assert_eq!(one.fields(), 1);
    }
}
