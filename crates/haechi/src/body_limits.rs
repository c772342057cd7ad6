//! How large a body may be, on which route.

use haechi_core::{Denial, Guard, Head};
use haechi_guard::BodyLimit;

use crate::route_matcher::RouteMatcher;

/// The limit of the site, and of the routes that have one of their own. In bytes.
#[derive(Debug, Clone)]
pub(crate) struct BodyLimits {
    site: u64,
    routes: Vec<(&'static str, u64)>,
    matcher: RouteMatcher,
}

impl BodyLimits {
    pub(crate) fn new(site: u64, routes: Vec<(&'static str, u64)>, matcher: RouteMatcher) -> Self {
        Self { site, routes, matcher }
    }

    /// Returns the limit of the route that a path belongs to.
    pub(crate) fn of(&self, path: &str) -> u64 {
        if self.routes.is_empty() {
            return self.site;
        }
        let found = self.matcher.find(path);
        let own = found.and_then(|found| self.routes.iter().find(|(pattern, _)| *pattern == found.path));
        own.map_or(self.site, |(_, most)| *most)
    }

    pub(crate) fn highest(&self) -> u64 {
        self.routes.iter().map(|(_, most)| *most).fold(self.site, u64::max)
    }

    /// Returns the routes that take more than the others.
    pub(crate) fn wider(&self) -> impl Iterator<Item = &(&'static str, u64)> {
        self.routes.iter().filter(|(_, most)| *most > self.site)
    }
}

/// What announces too much is refused before anything acts on it.
impl Guard for BodyLimits {
    fn name(&self) -> &'static str {
        "body"
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        BodyLimit::new(self.of(head.uri.path())).check(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_its_own_limit_and_no_other_path_has() {
        let routes = ["/files/{id}", "/files/new", "/comments", "/sent/{*rest}", "/img{id}"];
        let own = vec![("/files/{id}", 1_000), ("/comments", 10), ("/sent/{*rest}", 500), ("/img{id}", 50)];
        let limits = BodyLimits::new(100, own, crate::route_matcher::of(&routes));
        for (path, expected) in [
            ("/files/1", 1_000),
            ("/files/new", 100),
            ("/sent/a/b", 500),
            ("/img7", 50),
            ("/comments", 10),
            ("/", 100),
            ("/files", 100),
            ("/files/", 100),
            ("/files/1/2", 100),
            ("//files/1", 100),
            ("/files%2f1", 100),
            ("/comments/", 100),
        ] {
            assert_eq!(limits.of(path), expected, "{path}");
        }
        assert_eq!(limits.highest(), 1_000);
        assert_eq!(limits.wider().collect::<Vec<_>>(), [&("/files/{id}", 1_000), &("/sent/{*rest}", 500)]);
        assert_eq!(BodyLimits::new(100, vec![("/a", 10)], RouteMatcher::default()).highest(), 100);
    }
}
