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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use haechi_core::{ClientIp, HostName};

    use super::*;

    /// Another type under the secret's name is nobody's secret; a store that is down is not nobody.
    #[test]
    fn only_a_value_of_another_type_counts_as_none() {
        let cause = serde_json::from_str::<String>("1").unwrap_err();
        let value = haechi_session::Error::Value { name: IN_SESSION.to_owned(), cause };
        assert!(matches!(not_a_text(value), Ok(None)));
        assert!(matches!(not_a_text(haechi_session::Error::NoLayer), Err(haechi_session::Error::NoLayer)));
    }

    #[track_caller]
    fn check(scheme: Scheme, method: &str, fields: &[(&'static str, &'static str)], expected: &str) {
        let csrf = Csrf::new().trust(Origin::parse("https://partner.example").unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let (uri, host) = (Uri::from_static("/form"), HostName::parse("example.org").unwrap());
        let head = Head {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            uri: &uri,
            version: http::Version::HTTP_11,
            headers: &headers,
            client: ClientIp::unix_socket(),
            scheme,
            host: Some(&host),
            now: SystemTime::UNIX_EPOCH,
        };
        let seen = match requirement(&csrf, &head) {
            Ok(TokenRequirement::Needed) => "token".to_owned(),
            Ok(TokenRequirement::NotNeeded) => "pass".to_owned(),
            Err(denial) => denial.reason().to_owned(),
        };
        assert_eq!(seen, expected, "{scheme:?} {method} {fields:?}");
    }

    #[test]
    fn beside_a_django_everything_that_may_change_something_needs_the_token() {
        let own = ("origin", "https://example.org");
        for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            check(Scheme::Https, method, &[own, ("content-type", "application/json")], "token");
            check(Scheme::Https, method, &[own], "token");
        }
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            check(Scheme::Https, method, &[("cookie", "a=1")], "pass");
        }
        // A trusted origin is believed to be what it is, and still has to know the token, as in Django.
        check(Scheme::Https, "POST", &[("origin", "https://partner.example")], "token");
        check(Scheme::Https, "POST", &[("origin", "https://evil.example")], "origin-foreign");
    }

    #[test]
    fn over_tls_without_an_origin_the_referer_has_to_be_of_this_site() {
        let site = ("sec-fetch-site", "same-origin");
        check(Scheme::Https, "POST", &[site], "referer-missing");
        check(Scheme::Https, "POST", &[site, ("referer", "https://example.org/page?x=1")], "token");
        check(Scheme::Https, "POST", &[site, ("referer", "https://partner.example/")], "token");
        for foreign in [
            "https://evil.example/",
            "http://example.org/",
            "https://example.org.evil.example/",
            "https://example.org:8443/",
        ] {
            check(Scheme::Https, "POST", &[site, ("referer", foreign)], "referer-foreign");
        }
        for malformed in ["", "/page", "example.org"] {
            check(Scheme::Https, "POST", &[site, ("referer", malformed)], "referer-malformed");
        }
        check(Scheme::Http, "POST", &[site], "token");
    }
}
