//! The guard against other sites, which lets those routes be framed whose policy names who may.

use haechi_core::{Denial, Field, Guard, Head};
use haechi_guard::{Csp, Origin};
use http::{HeaderName, Method};

use crate::csrf_exempt::matches;

/// [`Origin`], except for a frame around a route that has a `frame-ancestors` of its own.
///
/// # Security
///
/// Which site frames it is decided by the browser, by that policy: the request does not say.
#[derive(Debug)]
pub(crate) struct Framing {
    origin: Origin,
    everywhere: bool,
    patterns: Vec<&'static str>,
}

impl Framing {
    pub(crate) fn new(origin: Origin, site: &Csp, routes: &[(&'static str, Csp)]) -> Self {
        let framed = routes.iter().filter(|(_, csp)| csp.may_be_framed());
        Self { origin, everywhere: site.may_be_framed(), patterns: framed.map(|(path, _)| *path).collect() }
    }

    fn allows(&self, head: &Head<'_>) -> bool {
        let is = |name: &HeaderName, value: &str| head.field(name) == Field::Once(value);
        let path = head.uri.path();
        matches!(*head.method, Method::GET | Method::HEAD)
            && is(&SEC_FETCH_MODE, "navigate")
            && (is(&SEC_FETCH_DEST, "iframe") || is(&SEC_FETCH_DEST, "frame"))
            && (self.everywhere || self.patterns.iter().any(|pattern| matches(pattern, path)))
    }
}

impl Guard for Framing {
    fn name(&self) -> &'static str {
        self.origin.name()
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        if self.allows(head) { Ok(()) } else { self.origin.check(head) }
    }
}

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
