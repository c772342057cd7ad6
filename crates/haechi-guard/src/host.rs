//! Answers only for the names of this site.

use haechi_core::{Denial, Error, ErrorKind, Guard, Head, HostName, Quoted, Scheme};
use http::StatusCode;

/// Lets a request pass if it calls this site by one of its names.
///
/// # Security
///
/// Protects links in mails and pages, caches and other sites on the machine from a foreign `Host`, and a site on this machine from DNS
/// rebinding. A missing, doubled or malformed `Host`, and a target that names another host, arrive here as no host at all and are refused.
///
/// # Examples
///
/// ```
/// use haechi_guard::Host;
///
/// let host = Host::new(["example.org", ".example.net"])?;
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Host {
    names: Vec<HostRule>,
}

/// A name that a site may be called by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    /// This name; with a port only that port, without one any.
    Exact(HostName),
    /// Every name under this one, and not the name itself. The text begins with a dot.
    Under(Box<str>),
    /// The names of this machine, any port.
    Loopback,
}

impl Host {
    /// Takes the names: `example.org`, `example.org:8443`, or `.example.org` for every name under it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidHost`] for what is no name, for `*`, and for an empty list.
    pub fn new<I>(names: I) -> Result<Self, Error>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let names =
            names.into_iter().map(|name| HostRule::parse(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if names.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidHost,
                "no host is allowed, so every request would be refused: list the names of the site",
            ));
        }
        Ok(Self { names })
    }

    /// Allows `localhost`, names under it, `127.0.0.0/8` and `[::1]`: the development server's list.
    #[must_use]
    pub fn loopback() -> Self {
        Self { names: vec![HostRule::Loopback] }
    }

    /// Allows the names of this machine besides.
    #[must_use]
    pub fn and_loopback(mut self) -> Self {
        self.names.push(HostRule::Loopback);
        self
    }

    /// Tells whether the site answers for a name.
    #[must_use]
    pub fn allows(&self, scheme: Scheme, host: &HostName) -> bool {
        self.names.iter().any(|rule| rule.fits(scheme, host))
    }
}

impl HostRule {
    fn parse(name: &str) -> Result<Self, Error> {
        let Some(parent) = name.strip_prefix('.') else {
            return HostName::parse(name).map(Self::Exact);
        };
        let parent = HostName::parse(parent)?;
        if parent.port().is_some() || parent.address().is_some() {
            return Err(Error::new(
                ErrorKind::InvalidHost,
                format!("{} has no names under it: write `.example.org`", Quoted(name)),
            ));
        }
        Ok(Self::Under(format!(".{}", parent.name()).into_boxed_str()))
    }

    fn fits(&self, scheme: Scheme, host: &HostName) -> bool {
        match self {
            Self::Exact(name) => {
                let port = host.port().unwrap_or(scheme.default_port());
                name.name() == host.name() && name.port().is_none_or(|only| only == port)
            }
            Self::Under(parent) => host.name().ends_with(&**parent),
            Self::Loopback => host.is_loopback(),
        }
    }
}

impl Guard for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        let Some(host) = head.host else {
            return Err(Denial::new(StatusCode::BAD_REQUEST, "host", "unreadable").close());
        };
        if self.allows(head.scheme, host) {
            return Ok(());
        }
        Err(Denial::new(StatusCode::MISDIRECTED_REQUEST, "host", "unknown").detail(host.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Row, outcome};

    #[track_caller]
    fn check(guard: &Host, row: &Row<'_>, expected: &str) {
        assert_eq!(row.resolved(|head| outcome(guard.check(head))), expected);
    }

    /// asvs_1_5_3.
    #[test]
    fn only_the_names_of_the_site_pass() {
        let site = Host::new(["Example.org", ".example.net", "example.com:8443", "192.0.2.1"]).unwrap();
        let by = |host| Row::get("/").host(host);
        // Who holds one of these names holds the site.
        check(&site, &by("example.org"), "pass");
        check(&site, &by("EXAMPLE.ORG:443"), "pass");
        check(&site, &by("example.org:8888"), "pass");
        check(&site, &by("192.0.2.1"), "pass");
        check(&site, &by("example.com:8443"), "pass");
        // Any host under it can read and set cookies of its parents: only for domains whose every host is ours.
        check(&site, &by("a.example.net"), "pass");
        check(&site, &by("a.b.example.net"), "pass");
        check(&site, &by("example.net"), "421 unknown");
        check(&site, &by("notexample.net"), "421 unknown");
        check(&site, &by("example.net.evil.test"), "421 unknown");
        check(&site, &by("example.com"), "421 unknown");
        check(&site, &by("www.example.org"), "421 unknown");
        check(&site, &by("evil.test"), "421 unknown");
        check(&site, &by("localhost"), "421 unknown");
        check(&site, &by("127.0.0.1"), "421 unknown");
    }

    /// asvs_1_5_3: what two programs could read differently is refused.
    #[test]
    fn a_host_that_cannot_be_read_is_refused() {
        let site = Host::new(["example.org"]).unwrap();
        check(&site, &Row::get("/"), "400 unreadable close");
        check(
            &site,
            &Row::get("/").host("example.org").header("host", "example.org"),
            "400 unreadable close",
        );
        check(&site, &Row::get("/").host("example.org").header("host", "evil.test"), "400 unreadable close");
        for malformed in [
            "",
            "a b",
            "u@example.org",
            "example.org,evil.test",
            "[::1",
            "example.org:abc",
            "<script>",
            "example.org/",
            "example.org.",
        ] {
            check(&site, &Row::get("/").host(malformed), "400 unreadable close");
        }
        // An absolute target and the field have to agree; HTTP/2 sends `:authority`, which is the target's.
        check(&site, &Row::get("https://example.org/").host("example.org"), "pass");
        check(&site, &Row::get("https://example.org:443/").host("example.org"), "pass");
        check(&site, &Row::get("http://example.org:80/").host("example.org"), "pass");
        check(&site, &Row::get("http://example.org:443/").host("example.org"), "400 unreadable close");
        check(&site, &Row::get("https://example.org:80/").host("example.org"), "400 unreadable close");
        check(&site, &Row::get("https://example.org/").host("evil.test"), "400 unreadable close");
        check(&site, &Row::get("https://evil.test/").host("example.org"), "400 unreadable close");
        check(&site, &Row::get("https://u@example.org/").host("example.org"), "400 unreadable close");
        check(&site, &Row::get("https://example.org/").http_2(), "pass");
        check(&site, &Row::get("https://evil.test/").http_2(), "421 unknown");
        check(&site, &Row::get("https://example.org/"), "400 unreadable close");
    }

    #[test]
    fn a_development_server_answers_for_this_machine_only() {
        let here = Host::loopback();
        // A page of another local server has these names too: the origin guard tells them apart by port.
        for host in ["localhost", "localhost:8888", "board.localhost:1", "127.0.0.1:8888", "[::1]:8888"] {
            check(&here, &Row::get("/").host(host), "pass");
        }
        // DNS rebinding: the name is foreign although the address is ours.
        for host in ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test", "0.0.0.0", "192.168.0.1"] {
            check(&here, &Row::get("/").host(host), "421 unknown");
        }
    }

    #[test]
    fn loopback_names_beside_the_list_are_this_machine_and_nobody_else() {
        let site = Host::new(["example.org"]).unwrap().and_loopback();
        for (host, expected) in [
            // Pages of other local servers have these names too: for development.
            ("localhost:8888", "pass"),
            ("example.org", "pass"),
            ("evil.test", "421 unknown"),
        ] {
            check(&site, &Row::get("/").host(host), expected);
        }
    }

    #[test]
    fn a_list_that_says_nothing_is_an_error() {
        for names in [&[][..], &[""], &["*"], &["."], &[".127.0.0.1"], &[".a:80"], &["https://a"], &["a/"]] {
            assert!(Host::new(names).is_err(), "{names:?}");
        }
    }
}
