//! The form token: bound to the session, or before there is one to a cookie of the visitor; beside a Django, its own.

mod body;
mod shared;
mod token;
mod visitor;

use std::sync::Arc;

use axum::body::Body;
use haechi_core::Denial;
use haechi_guard::{FormToken, token_denial};
use haechi_session::Session;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};

use self::body::Searched;
use self::shared::Shared;
pub(crate) use self::shared::requirement as shared_requirement;
pub use self::token::CsrfToken;
use self::visitor::Visitor;
use crate::{Error, Site};

/// The secret behind the form tokens of one visitor.
#[derive(Debug, Clone)]
pub(crate) struct FormSecret(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Own(Visitor),
    Shared(Shared),
}

impl FormSecret {
    /// Finds what the secret of a request is bound to.
    pub(crate) async fn of(site: &Site, session: &Session, headers: &HeaderMap) -> Result<Self, Error> {
        let kind = match &site.inner.neighbour {
            Some(neighbour) => Kind::Shared(Shared::of(&neighbour.csrf, session, headers).await?),
            None => Kind::Own(Visitor::of(session, headers, &site.inner.form_cookie, site.keys()).await?),
        };
        Ok(Self(Arc::new(kind)))
    }

    /// Returns a token for one page.
    pub(crate) fn token(&self) -> String {
        match &*self.0 {
            Kind::Own(visitor) => visitor.secret().masked_token(),
            Kind::Shared(shared) => shared.token(),
        }
    }

    /// Ends the tokens of the visitor before, where somebody signed in and the secret is not that of the session's id.
    pub(crate) fn rotate(&self) {
        if let Kind::Shared(shared) = &*self.0 {
            shared.rotate();
        }
    }

    /// Keeps a new secret in the session, where that is its place; before the session is closed.
    pub(crate) async fn keep(&self, session: &Session) -> Result<(), Error> {
        match &*self.0 {
            Kind::Own(_) => Ok(()),
            Kind::Shared(shared) => shared.keep(session).await,
        }
    }

    /// Sets the cookie, where a page asked for a token.
    pub(crate) fn close<B>(&self, site: &Site, response: &mut Response<B>) -> Result<(), Error> {
        match &*self.0 {
            Kind::Own(visitor) => visitor.close(response, &site.inner.form_cookie),
            Kind::Shared(shared) => shared.close(response),
        }
    }

    /// Compares a token in constant time; somebody who was given none has none that could be right.
    fn verifies(&self, token: &str) -> bool {
        match &*self.0 {
            Kind::Own(visitor) => visitor.verifies(token),
            Kind::Shared(shared) => shared.verifies(token),
        }
    }

    /// Reads the token of a request and hands the request on, its body whole.
    ///
    /// # Errors
    ///
    /// There is no token, it is of somebody else, or the body is broken or too large to look for one.
    pub(crate) async fn verify(&self, request: Request<Body>) -> Result<Request<Body>, Error> {
        match &*self.0 {
            Kind::Own(_) => self.verify_own(request).await,
            Kind::Shared(_) => self.verify_shared(request).await,
        }
    }

    async fn verify_own(&self, request: Request<Body>) -> Result<Request<Body>, Error> {
        if let Some(token) = request.headers().get(TOKEN_HEADER).and_then(|value| value.to_str().ok()) {
            return if self.verifies(token) { Ok(request) } else { Err(foreign()) };
        }
        let Searched { found, request, .. } = body::search(request, LONGEST_FORM).await?;
        match found {
            FormToken::Found(token) if self.verifies(&token) => Ok(request),
            FormToken::Found(_) => Err(foreign()),
            FormToken::Missing | FormToken::Malformed | FormToken::NeedMore => Err(missing()),
        }
    }

    /// As Django, but that every token that was sent has to be right: there a field wins over the header.
    async fn verify_shared(&self, request: Request<Body>) -> Result<Request<Body>, Error> {
        let headers = request.headers();
        let mut by_header = false;
        for value in headers.get_all(TOKEN_HEADER).iter().chain(headers.get_all(DJANGO_HEADER)) {
            if !value.to_str().is_ok_and(|token| self.verifies(token)) {
                return Err(foreign());
            }
            by_header = true;
        }
        // Django looks into the form of a POST alone.
        if request.method() != Method::POST || !body::is_form(request.headers().get(CONTENT_TYPE)) {
            return if by_header { Ok(request) } else { Err(missing()) };
        }
        let searched = body::search(request, crate::django::FORM_BYTES).await?;
        if searched.fields() > crate::django::FORM_FIELDS {
            return Err(Denial::new(StatusCode::BAD_REQUEST, "form", "too-many-fields").into());
        }
        let Searched { found, request, .. } = searched;
        match found {
            FormToken::Found(token) if self.verifies(&token) => Ok(request),
            FormToken::Missing if by_header => Ok(request),
            FormToken::Found(_) | FormToken::Malformed => Err(foreign()),
            FormToken::Missing | FormToken::NeedMore => Err(missing()),
        }
    }
}

fn foreign() -> Error {
    token_denial("token-foreign").into()
}

fn missing() -> Error {
    token_denial("token-missing").into()
}

/// The most of an urlencoded body that is read to find its token; a longer form sends multipart.
const LONGEST_FORM: usize = 2 * 1024 * 1024;
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The header of Django's own scripts.
const DJANGO_HEADER: HeaderName = HeaderName::from_static("x-csrftoken");
