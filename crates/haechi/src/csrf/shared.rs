//! The secret that a Django next door shares: in its cookie, or in the session.

use std::sync::{Mutex, MutexGuard, PoisonError};

use haechi_core::{CsrfSecret, Denial, Field, Head, Origin, Scheme};
use haechi_guard::{Csrf, TokenRequirement, token_denial};
use haechi_session::Session;
use http::header::{CACHE_CONTROL, ORIGIN, REFERER, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Method, Response, Uri};

use crate::Error;
use crate::django::CsrfPlace;

/// The secret of a visitor, as the Django site keeps it.
///
/// # Security
///
/// In the cookie it is bound to no session, as there: whoever can plant a cookie of this name knows it, which is why
/// `Sec-Fetch-Site` and `Origin` are asked first. With `CSRF_USE_SESSIONS` it is bound.
#[derive(Debug)]
pub(super) struct Shared {
    place: CsrfPlace,
    sent: Option<CsrfSecret>,
    issued: Mutex<Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    /// A secret made in this request.
    fresh: Option<CsrfSecret>,
    /// Whether a page asked for a token; the cookie is set then, so that its time begins anew.
    used: bool,
}

impl Shared {
    pub(super) async fn of(place: &CsrfPlace, session: &Session, headers: &HeaderMap) -> Result<Self, Error> {
        let text = match place {
            CsrfPlace::Cookie(cookie) => cookie.find(headers).map(str::to_owned),
            // Another type under that name is nobody's secret.
            CsrfPlace::Session => session.get::<String>(IN_SESSION).await.or_else(not_a_text)?,
        };
        let sent = text.and_then(|text| CsrfSecret::parse(&text).ok());
        Ok(Self { place: place.clone(), sent, issued: Mutex::default() })
    }

    pub(super) fn token(&self) -> String {
        let mut issued = self.issued();
        issued.used = true;
        match (&issued.fresh, &self.sent) {
            (Some(secret), _) | (None, Some(secret)) => secret.masked_token(),
            (None, None) => issued.fresh.insert(CsrfSecret::generate()).masked_token(),
        }
    }

    pub(super) fn rotate(&self) {
        *self.issued() = Issued { fresh: Some(CsrfSecret::generate()), used: true };
    }

    pub(super) fn verifies(&self, token: &str) -> bool {
        self.sent.as_ref().is_some_and(|secret| secret.verifies(token))
    }

    pub(super) async fn keep(&self, session: &Session) -> Result<(), Error> {
        let fresh = self.issued().fresh.as_ref().map(CsrfSecret::expose);
        if let (CsrfPlace::Session, Some(secret)) = (&self.place, fresh) {
            session.insert(IN_SESSION, &secret).await?;
        }
        Ok(())
    }

    pub(super) fn close<B>(&self, response: &mut Response<B>) -> Result<(), Error> {
        let issued = self.issued();
        let CsrfPlace::Cookie(cookie) = &self.place else { return Ok(()) };
        let Some(secret) = issued.fresh.as_ref().or(self.sent.as_ref()).filter(|_| issued.used) else {
            return Ok(());
        };
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, cookie.set(&secret.expose())?);
        headers.append(VARY, HeaderValue::from_static("Cookie"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(())
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_a_text(error: haechi_session::Error) -> Result<Option<String>, haechi_session::Error> {
    match error {
        haechi_session::Error::Value { .. } => Ok(None),
        error => Err(error),
    }
}

/// Tells whether a request needs the token: beside a Django, whatever may change something, of any content type and
/// from any origin, as there.
///
/// # Errors
///
/// The guard's own refusals; and over TLS, where `Origin` is missing, a `Referer` that is missing or foreign, as there.
pub(crate) fn requirement(csrf: &Csrf, head: &Head<'_>) -> Result<TokenRequirement, Denial> {
    csrf.token_requirement(head)?;
    if matches!(*head.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
        return Ok(TokenRequirement::NotNeeded);
    }
    if head.scheme == Scheme::Https && head.field(&ORIGIN) == Field::Missing {
        let Field::Once(referer) = head.field(&REFERER) else { return Err(token_denial("referer-missing")) };
        let origin = origin_of(referer).ok_or_else(|| token_denial("referer-malformed"))?;
        let ours = head.host.is_some_and(|host| origin.is(head.scheme, host));
        if !ours && !csrf.trusts(&origin) {
            return Err(token_denial("referer-foreign").detail(referer));
        }
    }
    Ok(TokenRequirement::Needed)
}

fn origin_of(referer: &str) -> Option<Origin> {
    let address: Uri = referer.parse().ok()?;
    Origin::parse(&format!("{}://{}", address.scheme_str()?, address.authority()?)).ok()
}

/// Django's name of the value.
const IN_SESSION: &str = "_csrftoken";
