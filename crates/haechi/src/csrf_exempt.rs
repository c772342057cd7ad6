//! The few routes whose CSRF check is off, each with its reason.

/// Paths that an application took out of the CSRF check; see [`danger::without_csrf`](crate::danger::without_csrf).
#[derive(Debug, Clone, Default)]
pub(crate) struct CsrfExempt {
    patterns: Vec<(String, &'static str)>,
}

impl CsrfExempt {
    pub(crate) fn add(&mut self, pattern: String, reason: &'static str) {
        self.patterns.push((pattern, reason));
    }

    /// Iterates over the path patterns and the reasons given.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.patterns.iter().map(|(pattern, reason)| (pattern.as_str(), *reason))
    }

    /// Tells whether a path is one of them. An encoded or doubled slash never matches: the router decides by
    /// the same bytes.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.patterns.iter().any(|(pattern, _)| matches(pattern, path))
    }
}

/// Tells whether a path is one of a pattern, as it was written.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    pattern.split('/').all(|wanted| match parts.next() {
        Some(part) if wanted.starts_with('{') => !part.is_empty(),
        Some(part) => part == wanted,
        None => false,
    }) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
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
}
