//! The form token: bound to the session, or before there is one to a cookie of the visitor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use haechi_core::{CsrfSecret, Denial, KeyRing, SecureCookie, Token};
use haechi_guard::{FormToken, Prefix, form_token, token_denial};
use haechi_session::Session;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::BodyExt;

use crate::Error;

/// The secret behind the form tokens of one visitor, and whether a page asked for one.
#[derive(Debug, Clone)]
pub(crate) struct FormSecret {
    secret: CsrfSecret,
    /// The cookie to set once a page asks, for a visitor who has neither session nor cookie.
    fresh: Option<Arc<str>>,
    asked: Arc<AtomicBool>,
}

impl FormSecret {
    /// Finds the secret of a request: of its session, of its cookie, or a new one.
    ///
    /// # Security
    ///
    /// The secret is derived from the session's own id by the site's key: signing in, which renews the id, ends
    /// the tokens of the visitor before, and nobody who can write a cookie can choose the secret of a session.
    pub(crate) async fn of(
        session: &Session,
        headers: &HeaderMap,
        cookie: &SecureCookie,
        keys: &KeyRing,
    ) -> Result<Self, Error> {
        let bound = |salt, id: &str| derive(keys, salt, id);
        if let Some(handle) = session.handle().await? {
            return Ok(Self { secret: bound(SESSION, &handle), fresh: None, asked: Arc::default() });
        }
        let sent = cookie.find(headers).filter(|value| value.len() == COOKIE_LENGTH);
        let (id, fresh) = match sent {
            Some(id) => (Arc::from(id), None),
            None => {
                let id: Arc<str> = Token::generate().expose().into();
                (Arc::clone(&id), Some(id))
            }
        };
        Ok(Self { secret: bound(VISITOR, &id), fresh, asked: Arc::default() })
    }

    /// Returns a token for one page.
    pub(crate) fn token(&self) -> String {
        self.asked.store(true, Ordering::Relaxed);
        self.secret.masked_token()
    }

    /// Sets the cookie of a new visitor, where a page asked for a token.
    pub(crate) fn close<B>(&self, response: &mut Response<B>, cookie: &SecureCookie) -> Result<(), Error> {
        if let (Some(id), true) = (&self.fresh, self.asked.load(Ordering::Relaxed)) {
            response.headers_mut().append(SET_COOKIE, cookie.set(id)?);
        }
        Ok(())
    }

    /// Reads the token of a form and hands the request on, its body whole.
    ///
    /// # Errors
    ///
    /// There is no token, it is of somebody else, or the body is broken or too large to look for one.
    pub(crate) async fn verify(&self, request: Request<Body>) -> Result<Request<Body>, Error> {
        if let Some(token) = request.headers().get(TOKEN_HEADER).and_then(|value| value.to_str().ok()) {
            return if self.secret.verifies(token) {
                Ok(request)
            } else {
                Err(token_denial("token-foreign").into())
            };
        }
        let (parts, mut body) = request.into_parts();
        let content_type =
            parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut read = BytesMut::new();
        let found = loop {
            match form_token(content_type, &read, Prefix::Partial) {
                FormToken::NeedMore => {}
                known => break known,
            }
            match body.frame().await {
                None => break form_token(content_type, &read, Prefix::Whole),
                Some(frame) => {
                    let frame = frame.map_err(|error| broken(&error))?;
                    if let Ok(data) = frame.into_data() {
                        read.extend_from_slice(&data);
                    }
                }
            }
            if read.len() > LONGEST_FORM {
                return Err(Denial::new(StatusCode::PAYLOAD_TOO_LARGE, "csrf", "form-too-long")
                    .close()
                    .into());
            }
        };
        match found {
            FormToken::Found(token) if self.secret.verifies(&token) => {
                Ok(Request::from_parts(parts, prefixed(read.freeze(), body)))
            }
            FormToken::Found(_) => Err(token_denial("token-foreign").into()),
            FormToken::Missing | FormToken::NeedMore => Err(token_denial("token-missing").into()),
        }
    }
}

/// Returns a body that begins with what was read of it already.
fn prefixed(read: Bytes, rest: Body) -> Body {
    use futures_util::{StreamExt, stream};
    if http_body::Body::is_end_stream(&rest) {
        return Body::from(read);
    }
    Body::from_stream(stream::iter([Ok(read)]).chain(rest.into_data_stream()))
}

fn broken(error: &axum::Error) -> Error {
    Denial::new(StatusCode::BAD_REQUEST, "body", "broken").detail(error.to_string()).close().into()
}

fn derive(keys: &KeyRing, salt: &str, id: &str) -> CsrfSecret {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let text: String = keys
        .mac(salt, id.as_bytes())
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 62)]))
        .collect();
    CsrfSecret::parse(&text).expect("32 letters and digits are a secret")
}

const SESSION: &str = "haechi.csrf.session";
const VISITOR: &str = "haechi.csrf.visitor";
/// A token of 256 bits in base64url.
const COOKIE_LENGTH: usize = 43;
/// The most of an urlencoded body that is read to find its token; a longer form sends multipart.
const LONGEST_FORM: usize = 2 * 1024 * 1024;
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
