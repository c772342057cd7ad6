//! The security headers of every answer.

use haechi_core::Seal;
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use http::{HeaderName, HeaderValue};

use crate::Csp;

/// How browsers have to treat the pages of this site; [`Headers::seal`] renders it once, the guard layer puts it on every answer.
///
/// # Examples
///
/// ```
/// use haechi_guard::{Csp, Headers};
///
/// let seal = Headers::default().seal(&Csp::strict());
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Headers {
    transport: Transport,
}

/// How long browsers use TLS only, once they came by TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Transport {
    #[default]
    YearWithSubdomains,
    Year,
}

impl Headers {
    /// Leaves subdomains out of HSTS, for a domain where some of them cannot speak TLS yet.
    pub fn hsts_without_subdomains(mut self) -> Self {
        self.transport = Transport::Year;
        self
    }

    /// Renders the headers together with a content security policy.
    pub fn seal(&self, csp: &Csp) -> Seal {
        let hsts = match self.transport {
            Transport::YearWithSubdomains => "max-age=31536000; includeSubDomains",
            Transport::Year => "max-age=31536000",
        };
        let mut seal = Seal::new();
        for (name, value) in FIXED {
            // It cannot name who may, so it would contradict a policy that does.
            if name != X_FRAME_OPTIONS || !csp.may_be_framed() {
                seal = seal.header(name, HeaderValue::from_static(value));
            }
        }
        if let Some(endpoint) = csp.reporting_endpoints() {
            seal = seal.header(HeaderName::from_static("reporting-endpoints"), endpoint);
        }
        seal.header_on_https(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(hsts))
            .policy(CONTENT_SECURITY_POLICY, csp.template())
    }
}

const FIXED: [(HeaderName, &str); 7] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // `frame-ancestors` says it to every browser since 2016; scanners and older ones read this.
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // The features that a page of forms does not use; a site that does relaxes this answer by answer.
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), serial=(), usb=(), browsing-topics=()",
    ),
    // The old filter could be turned against a page; 0 turns it off where it still exists.
    (X_XSS_PROTECTION, "0"),
];

#[cfg(test)]
mod tests {
    use haechi_core::{RequestId, Scheme};
    use http::Response;

    use super::*;

    #[track_caller]
    fn check(headers: &Headers, csp: &Csp, scheme: Scheme, name: &str, expected: Option<&str>) {
        let mut answer = Response::new(());
        headers.seal(csp).cover(&mut answer, scheme, RequestId::generate());
        assert_eq!(answer.headers().get(name).map(|value| value.to_str().unwrap()), expected);
    }

    /// ASVS 3.4.1.
    #[test]
    fn tls_is_asked_for_with_the_subdomains_unless_they_are_left_out() {
        let name = "strict-transport-security";
        let (all, alone) = (Headers::default(), Headers::default().hsts_without_subdomains());
        check(&all, &Csp::strict(), Scheme::Https, name, Some("max-age=31536000; includeSubDomains"));
        // A subdomain that speaks no TLS can be read and changed on its way, and sets cookies of this domain.
        check(&alone, &Csp::strict(), Scheme::Https, name, Some("max-age=31536000"));
        check(&all, &Csp::strict(), Scheme::Http, name, None);
        check(&alone, &Csp::strict(), Scheme::Http, name, None);
    }

    #[test]
    fn the_endpoint_of_reports_stands_beside_the_policy() {
        let (name, headers) = ("reporting-endpoints", Headers::default());
        check(&headers, &Csp::strict(), Scheme::Https, name, None);
        check(&headers, &Csp::strict().report_to("/r"), Scheme::Https, name, Some("csp=\"/r\""));
        check(&headers, &Csp::strict().report_to_without_tls("/r"), Scheme::Http, name, None);
    }
}
