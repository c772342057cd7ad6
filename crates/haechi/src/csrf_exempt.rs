//! The few routes whose CSRF check is off, each with its reason.

use crate::route_matcher::{Pattern, RouteMatcher};

/// Routes that an application took out of the CSRF check; see [`danger::without_csrf`](crate::danger::without_csrf).
#[derive(Debug, Clone, Default)]
pub(crate) struct CsrfExempt {
    matcher: RouteMatcher,
    patterns: Vec<(Pattern, &'static str)>,
}

impl CsrfExempt {
    pub(crate) fn new(matcher: RouteMatcher, patterns: Vec<(Pattern, &'static str)>) -> Self {
        Self { matcher, patterns }
    }

    /// Iterates over the path patterns and the reasons given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.patterns.iter().map(|(pattern, reason)| (pattern.path.as_str(), *reason))
    }

    /// Tells whether the route that answers a path is one of them.
    pub(crate) fn covers(&self, path: &str) -> bool {
        let found = self.matcher.find(path);
        found.is_some_and(|found| self.patterns.iter().any(|(pattern, _)| pattern == found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route_matcher;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        let matcher = route_matcher::of(&[pattern, "/hook/settings", "/accounts/login", "/files/list"]);
        let pattern = Pattern { path: pattern.to_owned(), is_fallback: false };
        let exempt = CsrfExempt::new(matcher, vec![(pattern.clone(), "a test")]);
        assert_eq!(exempt.covers(path), expected, "{} {path}", pattern.path);
    }

    #[test]
    fn a_path_is_exempt_only_as_it_was_written() {
        check("/hook", "/hook", true);
        check("/hook/{id}", "/hook/7", true);
        check("/hook", "/hook/", false);
        check("/hook", "//hook", false);
        check("/hook", "/hook/7", false);
        check("/hook/{id}", "/hook/", false);
        check("/hook/{id}", "/hook/7/x", false);
        check("/hook", "/HOOK", false);
        check("/hook", "/%68ook", false);
    }

    #[test]
    fn a_route_beside_an_exempt_one_keeps_its_check() {
        check("/hook/{id}", "/hook/settings", false);
        check("/accounts/{provider}", "/accounts/login", false);
        check("/accounts/{provider}", "/accounts/github", true);
        check("/files/{*rest}", "/files/list", false);
        check("/files/{*rest}", "/files/a/b", true);
        check("/img{id}", "/img7", true);
    }
}
