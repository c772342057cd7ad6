//! The headers that every answer carries, prebuilt once and cloned for each.

use std::sync::Arc;

use http::header::{HeaderName, SERVER};
use http::{HeaderMap, HeaderValue, Response};

use crate::{Nonce, RequestContext, RequestId, Scheme};

/// The security headers of the site: what stands here wins over whatever a handler sets under the same name.
///
/// A handler that needs less says so with a [`Relaxed`] extension, which carries its reason. `Server` and `X-Powered-By` are always taken out.
///
/// # Examples
///
/// ```
/// use haechi_core::Seal;
/// use http::{HeaderValue, header};
///
/// let seal = Seal::new()
///     .header(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
///     .header_on_https(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Seal {
    http: HeaderMap,
    https: HeaderMap,
    policies: Vec<Policy>,
}

#[derive(Debug, Clone)]
struct Policy {
    name: HeaderName,
    template: NonceTemplate,
}

impl Seal {
    /// Makes a seal without headers.
    pub fn new() -> Self {
        // Room for the handler's own fields, so that adding them does not rebuild the index of the clone.
        Self {
            http: HeaderMap::with_capacity(ROOM),
            https: HeaderMap::with_capacity(ROOM),
            policies: Vec::new(),
        }
    }

    /// Adds a header to every answer.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.http.insert(name.clone(), value.clone());
        self.https.insert(name, value);
        self
    }

    /// Adds a header to every answer over TLS.
    pub fn header_on_https(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.https.insert(name, value);
        self
    }

    /// Adds a policy whose value may hold the nonce of the answer.
    pub fn policy(mut self, name: HeaderName, template: NonceTemplate) -> Self {
        self = self.header(name.clone(), template.without_nonce.clone());
        self.policies.retain(|policy| policy.name != name);
        self.policies.push(Policy { name, template });
        self
    }

    /// Puts the headers on an answer to a request that reached the application.
    pub(crate) fn close<R>(&self, response: &mut Response<R>, context: &RequestContext) {
        let relaxed = response.extensions_mut().remove::<Relaxed>();
        self.cover(response, context.scheme(), context.id());
        if let Some(nonce) = context.used_nonce() {
            for policy in &self.policies {
                response.headers_mut().insert(policy.name.clone(), policy.template.with(nonce));
            }
        }
        if let Some(relaxed) = relaxed {
            relaxed.apply(response.headers_mut(), context);
        }
    }

    /// Puts the headers on an answer, with no nonce in the policies.
    pub fn cover<R>(&self, response: &mut Response<R>, scheme: Scheme, id: RequestId) {
        let prebuilt = match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        };
        let handlers = std::mem::replace(response.headers_mut(), prebuilt.clone());
        let headers = response.headers_mut();
        let mut kept = None;
        for (name, value) in handlers {
            // `None` means one more value of the name before.
            if let Some(name) = name {
                let ours = prebuilt.contains_key(&name) || OURS.contains(&name);
                kept = (!ours).then_some(name);
            }
            if let Some(name) = &kept {
                headers.append(name.clone(), value);
            }
        }
        headers.insert(REQUEST_ID, id.to_header());
    }
}

/// A header value with a place for the nonce of the answer, rendered once.
#[derive(Debug, Clone)]
pub struct NonceTemplate {
    pieces: Arc<[Box<str>]>,
    without_nonce: HeaderValue,
}

impl NonceTemplate {
    /// Takes the value with `hole` wherever `'nonce-…'` belongs, and the value to send when the answer uses no nonce.
    ///
    /// # Errors
    ///
    /// When one of the two cannot stand in a header.
    pub fn new(
        text: &str,
        hole: &str,
        without_nonce: &str,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let pieces: Arc<[Box<str>]> = text.split(hole).map(Box::from).collect();
        HeaderValue::try_from(pieces.concat())?;
        Ok(Self { pieces, without_nonce: HeaderValue::try_from(without_nonce)? })
    }

    /// Returns the value with the nonce in its places.
    #[expect(clippy::missing_panics_doc, reason = "the expectation always holds")]
    #[must_use]
    pub fn with(&self, nonce: &Nonce) -> HeaderValue {
        HeaderValue::try_from(self.pieces.join(nonce.as_str()))
            .expect("the pieces were checked, and a nonce is base64")
    }

    /// Returns the value of an answer that uses no nonce.
    #[must_use]
    pub fn without_nonce(&self) -> &HeaderValue {
        &self.without_nonce
    }
}

/// What one answer is allowed to relax of the seal; made in [`danger`](crate::danger) only.
#[derive(Debug, Clone, Default)]
pub struct Relaxed {
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
struct Change {
    name: HeaderName,
    value: NewValue,
    reason: &'static str,
}

#[derive(Debug, Clone)]
enum NewValue {
    Gone,
    Fixed(HeaderValue),
    Template(NonceTemplate),
}

impl Relaxed {
    pub(crate) fn remove(name: HeaderName, reason: &'static str) -> Self {
        Self { changes: vec![Change { name, value: NewValue::Gone, reason }] }
    }

    pub(crate) fn replace(name: HeaderName, value: HeaderValue, reason: &'static str) -> Self {
        Self { changes: vec![Change { name, value: NewValue::Fixed(value), reason }] }
    }

    pub(crate) fn policy(name: HeaderName, template: NonceTemplate, reason: &'static str) -> Self {
        Self { changes: vec![Change { name, value: NewValue::Template(template), reason }] }
    }

    /// Joins two; for one header the later wins.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.changes.extend(later.changes);
        self
    }

    /// Iterates over the headers that are relaxed and the reasons given.
    pub fn reasons(&self) -> impl Iterator<Item = (&HeaderName, &'static str)> {
        self.changes.iter().map(|change| (&change.name, change.reason))
    }

    fn apply(self, headers: &mut HeaderMap, context: &RequestContext) {
        for change in self.changes {
            match change.value {
                NewValue::Gone => drop(headers.remove(change.name)),
                NewValue::Fixed(value) => drop(headers.insert(change.name, value)),
                NewValue::Template(template) => {
                    let value = context
                        .used_nonce()
                        .map_or_else(|| template.without_nonce.clone(), |nonce| template.with(nonce));
                    headers.insert(change.name, value);
                }
            }
        }
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Names that tell an attacker what to try, or that only we may set.
const OURS: [HeaderName; 3] = [SERVER, HeaderName::from_static("x-powered-by"), REQUEST_ID];
const ROOM: usize = 24;
