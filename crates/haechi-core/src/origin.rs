//! Where a page comes from: scheme, host and port.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, HostName, Quoted, Scheme};

/// An origin as RFC 6454 means it, of a page over http or https. The default port is not kept, so that equal origins are equal values.
///
/// # Examples
///
/// ```
/// use haechi_core::Origin;
///
/// assert_eq!(Origin::parse("https://example.org:443")?, Origin::parse("https://EXAMPLE.org")?);
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: HostName,
}

impl Origin {
    /// Joins a scheme and a host.
    #[must_use]
    pub fn new(scheme: Scheme, host: HostName) -> Self {
        let port = host.port().filter(|&port| port != scheme.default_port());
        Self { scheme, host: host.with_port(port) }
    }

    /// Reads `https://example.org` or `http://localhost:8888`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOrigin`], with what to write instead. The origin `null`, which sandboxed pages and redirects send, is always an error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::new(ErrorKind::InvalidOrigin, format!("invalid origin {}: {why}", Quoted(text)))
        };
        if text == "null" {
            return Err(invalid("`null` is every sandboxed page of every site"));
        }
        // Schemes are case-insensitive, but browsers send them lower-cased: another spelling is not from a browser.
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err(invalid("it has to begin with `https://` or `http://`"));
        };
        if let Some(end) = rest.find(['/', '?', '#']) {
            return Err(invalid(&format!(
                "a path is not allowed; write {}",
                Quoted(&format!("{scheme}://{}", &rest[..end]))
            )));
        }
        if rest.contains('@') {
            return Err(invalid("a user name is not allowed"));
        }
        let host = HostName::parse(rest).map_err(|error| invalid(&error.to_string()))?;
        Ok(Self::new(scheme, host))
    }

    /// Returns the scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host; its port is `None` where the scheme's default applies.
    #[must_use]
    pub const fn host(&self) -> &HostName {
        &self.host
    }

    /// Tells whether a request that came by this scheme to this host came to this origin, without building one.
    #[must_use]
    pub fn is(&self, scheme: Scheme, host: &HostName) -> bool {
        let default = scheme.default_port();
        self.scheme == scheme
            && self.host.name() == host.name()
            && self.host.port().unwrap_or(default) == host.port().unwrap_or(default)
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_and_written() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(Origin::parse(text).unwrap().to_string(), expected);
        }
        check("https://example.org", "https://example.org");
        check("https://EXAMPLE.org:443", "https://example.org");
        check("http://example.org:80", "http://example.org");
        check("http://example.org:443", "http://example.org:443");
        check("http://[::1]:8888", "http://[::1]:8888");
    }

    #[test]
    fn what_is_no_origin_is_refused_and_teaches() {
        #[track_caller]
        fn check(text: &str, why: &str) {
            let error = Origin::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidOrigin);
            assert_eq!(error.to_string(), format!("invalid origin {}: {why}", Quoted(text)));
        }
        check("https://example.org/", "a path is not allowed; write \"https://example.org\"");
        check("https://example.org/a?b", "a path is not allowed; write \"https://example.org\"");
        check("null", "`null` is every sandboxed page of every site");
        check("", "it has to begin with `https://` or `http://`");
        check("example.org", "it has to begin with `https://` or `http://`");
        check("HTTPS://example.org", "it has to begin with `https://` or `http://`");
        check("file://", "it has to begin with `https://` or `http://`");
        check("https://user@example.org", "a user name is not allowed");
        check("https://", "invalid host \"\": it is empty");
        check("https://*", "invalid host \"*\": only letters, digits, `-`, `.` and a port may stand in it");
        check("https://a, https://b", "a path is not allowed; write \"https://a, https:\"");
        check("https://a https://b", "a path is not allowed; write \"https://a https:\"");
    }

    #[test]
    fn an_origin_is_the_site_only_if_scheme_host_and_port_agree() {
        #[track_caller]
        fn check(origin: &str, scheme: Scheme, host: &str, expected: bool) {
            assert_eq!(Origin::parse(origin).unwrap().is(scheme, &HostName::parse(host).unwrap()), expected);
        }
        check("https://example.org", Scheme::Https, "example.org", true);
        check("https://example.org", Scheme::Https, "EXAMPLE.org:443", true);
        check("https://example.org", Scheme::Http, "example.org", false);
        check("http://example.org", Scheme::Https, "example.org:80", false);
        check("https://example.org", Scheme::Https, "example.org:8443", false);
        check("https://example.org:8443", Scheme::Https, "example.org", false);
        check("https://a.example.org", Scheme::Https, "example.org", false);
        check("https://example.org.evil.test", Scheme::Https, "example.org", false);
    }
}
