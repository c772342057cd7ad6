//! The guard against other sites, which lets those routes be framed whose policy names who may.

use haechi_core::{Denial, Field, Guard, Head};
use haechi_guard::{Csp, Origin};
use http::{HeaderName, Method};

use crate::route_matcher::RouteMatcher;

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
    matcher: RouteMatcher,
}

impl Framing {
    pub(crate) fn new(
        origin: Origin,
        site: &Csp,
        routes: &[(&'static str, Csp)],
        matcher: RouteMatcher,
    ) -> Self {
        let framed = routes.iter().filter(|(_, csp)| csp.may_be_framed());
        let patterns = framed.map(|(path, _)| *path).collect();
        Self { origin, everywhere: site.may_be_framed(), patterns, matcher }
    }

    /// Tells whether the route that answers a path names who may frame it.
    fn is_framed(&self, path: &str) -> bool {
        let found = self.matcher.find(path).filter(|found| !found.is_fallback);
        found.is_some_and(|found| self.patterns.contains(&found.path.as_str()))
    }

    fn allows(&self, head: &Head<'_>) -> bool {
        let is = |name: &HeaderName, value: &str| head.field(name) == Field::Once(value);
        let path = head.uri.path();
        matches!(*head.method, Method::GET | Method::HEAD)
            && is(&SEC_FETCH_MODE, "navigate")
            && (is(&SEC_FETCH_DEST, "iframe") || is(&SEC_FETCH_DEST, "frame"))
            && (self.everywhere || self.is_framed(path))
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
