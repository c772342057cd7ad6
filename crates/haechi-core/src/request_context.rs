//! What haechi knows about a request, in one extension.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use http::HeaderValue;

use crate::{ClientIp, HostName, Origin, Scheme, base64url, random};

/// The one extension that [`GuardLayer`](crate::GuardLayer) puts on a request that passed every guard. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use haechi_core::RequestContext;
///
/// async fn handler(request: http::Request<()>) -> String {
///     let context = request.extensions().get::<RequestContext>();
///     context.map_or_else(String::new, |context| context.client().to_string())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct RequestContext {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: RequestId,
    client: ClientIp,
    scheme: Scheme,
    host: HostName,
    started: SystemTime,
    nonce: OnceLock<Nonce>,
}

impl RequestContext {
    /// Puts together what is known of a request; outside of tests, the guard layer does this.
    #[must_use]
    pub fn new(id: RequestId, client: ClientIp, scheme: Scheme, host: HostName, started: SystemTime) -> Self {
        Self { inner: Arc::new(Inner { id, client, scheme, host, started, nonce: OnceLock::new() }) }
    }

    /// Returns the id that the log, the answer's `x-request-id` and error pages share.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.inner.id
    }

    /// Returns who sent the request.
    #[must_use]
    pub fn client(&self) -> ClientIp {
        self.inner.client
    }

    /// Returns the scheme the client used.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.inner.scheme
    }

    /// Returns the host the client called, one of those that are allowed.
    #[must_use]
    pub fn host(&self) -> &HostName {
        &self.inner.host
    }

    /// Returns the origin of this site as the client sees it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::new(self.inner.scheme, self.inner.host.clone())
    }

    /// Returns when the request came in.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.inner.started
    }

    /// Returns the nonce of this answer's content security policy, 128 random bits; made when it is first asked for.
    ///
    /// An answer for which nobody asked has no nonce in its policy, so nothing in it can run.
    #[must_use]
    pub fn nonce(&self) -> &Nonce {
        self.inner.nonce.get_or_init(Nonce::generate)
    }

    /// Returns the nonce if it was asked for.
    #[must_use]
    pub fn used_nonce(&self) -> Option<&Nonce> {
        self.inner.nonce.get()
    }
}

/// 96 random bits that name a request, as 24 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 24]);

impl RequestId {
    /// Makes an id.
    #[must_use]
    pub fn generate() -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 24];
        for (pair, byte) in text.chunks_exact_mut(2).zip(random::bytes::<12>()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// Returns the 24 digits.
    #[expect(clippy::missing_panics_doc, reason = "the expectation always holds")]
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("an id is made of hexadecimal digits")
    }

    /// Returns the id as the value of a header.
    #[expect(clippy::missing_panics_doc, reason = "the expectation always holds")]
    #[must_use]
    pub fn to_header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("an id is made of hexadecimal digits")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The nonce of one answer's content security policy.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    fn generate() -> Self {
        Self(base64url::encode(random::bytes::<16>()))
    }

    /// Returns the 22 characters, safe in a header and in a quoted attribute.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Nonce {
    // A nonce in a log could be replayed only while its page is open, but it is of no use there either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn context() -> RequestContext {
        let host = HostName::parse("example.org:443").unwrap();
        RequestContext::new(RequestId::generate(), ClientIp::unix_socket(), Scheme::Https, host, UNIX_EPOCH)
    }

    #[test]
    fn a_nonce_is_made_once_and_never_the_same() {
        let (one, other) = (context(), context());
        assert_eq!(one.used_nonce(), None);
        assert_eq!(one.nonce(), one.clone().nonce());
        assert_eq!(one.used_nonce(), Some(one.nonce()));
        assert_ne!(one.nonce(), other.nonce());
        assert_eq!(one.nonce().as_str().len(), 22);
    }

    #[test]
    fn ids_differ_and_are_24_digits() {
        let id = RequestId::generate();
        assert_ne!(id, RequestId::generate());
        assert!(id.as_str().len() == 24 && id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(id.to_header(), id.as_str());
    }

    #[test]
    fn the_origin_is_what_the_client_called() {
        assert_eq!(context().origin().to_string(), "https://example.org");
    }
}
