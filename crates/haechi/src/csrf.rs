//! The form token: bound to the session, or before there is one to a cookie of the visitor.

use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use haechi_core::{CsrfSecret, Denial, KeyRing, SecureCookie, Token};
use haechi_guard::{FormToken, Prefix, form_token, token_denial};
use haechi_session::Session;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::BodyExt;

use crate::{Error, body_memory};

/// The secret behind the form tokens of one visitor, derived when a page or a form asks for it.
#[derive(Debug, Clone)]
pub(crate) struct FormSecret(Arc<Visitor>);

#[derive(Debug)]
struct Visitor {
    keys: KeyRing,
    known: Option<Known>,
    /// The name that a visitor gets who has neither session nor cookie, once a page asks.
    fresh: OnceLock<Token>,
    secret: OnceLock<CsrfSecret>,
}

/// By what a visitor is known.
enum Known {
    Session(String),
    Cookie(String),
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session(..)",
            Self::Cookie(_) => "Cookie(..)",
        })
    }
}

impl FormSecret {
    /// Finds what the secret of a request is bound to: its session, its cookie, or nothing yet.
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
        let known = match session.handle().await? {
            Some(handle) => Some(Known::Session(handle)),
            None => {
                let sent = cookie.find(headers).filter(|value| value.len() == COOKIE_LENGTH);
                sent.map(|id| Known::Cookie(id.to_owned()))
            }
        };
        let (fresh, secret) = (OnceLock::new(), OnceLock::new());
        Ok(Self(Arc::new(Visitor { keys: keys.clone(), known, fresh, secret })))
    }

    /// Returns a token for one page.
    pub(crate) fn token(&self) -> String {
        self.0.secret().masked_token()
    }

    /// Sets the cookie of a new visitor, where a page asked for a token.
    pub(crate) fn close<B>(&self, response: &mut Response<B>, cookie: &SecureCookie) -> Result<(), Error> {
        if let Some(id) = self.0.fresh.get() {
            response.headers_mut().append(SET_COOKIE, cookie.set(&id.expose())?);
        }
        Ok(())
    }

    /// Compares a token in constant time; somebody who was given none has none that could be right.
    fn verifies(&self, token: &str) -> bool {
        self.0.known.is_some() && self.0.secret().verifies(token)
    }

    /// Reads the token of a form and hands the request on, its body whole.
    ///
    /// # Errors
    ///
    /// There is no token, it is of somebody else, or the body is broken or too large to look for one.
    pub(crate) async fn verify(&self, request: Request<Body>) -> Result<Request<Body>, Error> {
        if let Some(token) = request.headers().get(TOKEN_HEADER).and_then(|value| value.to_str().ok()) {
            return if self.verifies(token) {
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
                    let frame = frame.map_err(|error| body_memory::refusal(&error))?;
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
            FormToken::Found(token) if self.verifies(&token) => {
                Ok(Request::from_parts(parts, prefixed(read.freeze(), body)))
            }
            FormToken::Found(_) => Err(token_denial("token-foreign").into()),
            FormToken::Missing | FormToken::NeedMore => Err(token_denial("token-missing").into()),
        }
    }
}

impl Visitor {
    fn secret(&self) -> &CsrfSecret {
        self.secret.get_or_init(|| match &self.known {
            Some(Known::Session(handle)) => derive(&self.keys, SESSION, handle),
            Some(Known::Cookie(id)) => derive(&self.keys, VISITOR, id),
            None => derive(&self.keys, VISITOR, &self.fresh.get_or_init(Token::generate).expose()),
        })
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
