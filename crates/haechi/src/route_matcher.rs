//! Which route answers a path, known before the router is asked.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::BuildError;

/// A path pattern of the table, such as `/posts/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern {
    pub(crate) path: String,
    /// Whether it answers only for paths that no route has.
    pub(crate) is_fallback: bool,
}

/// The patterns of the whole site, asked as axum asks them: by the same crate, routes before fallbacks. Cheap to clone.
///
/// # Security
///
/// What is said of `/hook/{id}` is not said of `/hook/settings` beside it: a pattern alone cannot tell whether a path is its
/// own, only all of them together can.
#[derive(Clone, Default)]
pub(crate) struct RouteMatcher(Arc<[matchit::Router<Pattern>; 2]>);

impl RouteMatcher {
    /// Makes the matcher of these patterns; one that stands there twice is one.
    ///
    /// # Errors
    ///
    /// Two patterns contradict each other, so that no router can hold both.
    pub(crate) fn new(patterns: impl IntoIterator<Item = Pattern>) -> Result<Self, BuildError> {
        let patterns: BTreeSet<Pattern> = patterns.into_iter().collect();
        let mut tiers = <[matchit::Router<Pattern>; 2]>::default();
        for pattern in patterns {
            let path = pattern.path.clone();
            let tier = &mut tiers[usize::from(pattern.is_fallback)];
            tier.insert(&path, pattern).map_err(|error| {
                BuildError::Unsafe(format!("the route {path} cannot stand beside the others: {error}"))
            })?;
        }
        Ok(Self(Arc::new(tiers)))
    }

    /// Returns the pattern that answers a path. It is compared as it was sent, as the router does: an encoded slash is none.
    pub(crate) fn find(&self, path: &str) -> Option<&Pattern> {
        self.0.iter().find_map(|tier| Some(tier.at(path).ok()?.value))
    }
}

impl fmt::Debug for RouteMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteMatcher")
    }
}

#[cfg(test)]
pub(crate) fn of(paths: &[&str]) -> RouteMatcher {
    let pattern =
        |path: &&str| Pattern { path: (*path).to_owned(), is_fallback: path.ends_with("{*fallback}") };
    RouteMatcher::new(paths.iter().map(pattern)).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_that_axum_would_choose_is_found() {
        let matcher = of(&[
            "/hook",
            "/hook/{id}",
            "/hook/settings",
            "/files/{*rest}",
            "/files/list",
            "/img{id}",
            "/a/{x}/b",
            "/hook/{*fallback}",
        ]);
        for (path, expected) in [
            ("/hook", Some("/hook")),
            ("/hook/7", Some("/hook/{id}")),
            ("/hook/settings", Some("/hook/settings")),
            ("/hook/Settings", Some("/hook/{id}")),
            ("/hook/%73ettings", Some("/hook/{id}")),
            ("/hook/7/x", Some("/hook/{*fallback}")),
            ("/files/a/b/c", Some("/files/{*rest}")),
            ("/files/list", Some("/files/list")),
            ("/files/", None),
            ("/img7", Some("/img{id}")),
            ("/img", None),
            ("/a/1/b", Some("/a/{x}/b")),
            ("/hook/", None),
            ("//hook", None),
            ("/HOOK", None),
            ("/%68ook", None),
        ] {
            assert_eq!(matcher.find(path).map(|found| found.path.as_str()), expected, "{path}");
        }
    }

    #[test]
    fn patterns_that_no_router_holds_are_refused() {
        let patterns = ["/a/{x}", "/a/{y}"].map(|path| Pattern { path: path.to_owned(), is_fallback: false });
        let refused = RouteMatcher::new(patterns).unwrap_err().to_string();
        assert!(refused.contains("/a/{y} cannot stand beside the others"), "{refused}");
    }
}
