//! The list of routes: what an auditor reads, and what start-up checks.

use axum::Router;

use crate::Policy;
use crate::route_matcher::Pattern;

/// One path of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The path pattern, such as `/posts/{id}`.
    pub path: String,
    /// The methods, in the order of the alphabet; `ANY` where a route takes every method.
    pub methods: Vec<&'static str>,
    /// Who may reach it.
    pub policy: Policy,
    /// Whether it answers only for paths that no route has.
    pub(crate) is_fallback: bool,
}

impl Route {
    pub(crate) fn pattern(&self) -> Pattern {
        Pattern { path: self.path.clone(), is_fallback: self.is_fallback }
    }
}

/// What axum calls the rest of a path that a fallback takes.
const FALLBACK: &str = "{*__private__axum_fallback}";

const METHODS: &[(&str, &str)] = &[
    ("connect", "CONNECT"),
    ("delete", "DELETE"),
    ("get", "GET"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("patch", "PATCH"),
    ("post", "POST"),
    ("put", "PUT"),
    ("trace", "TRACE"),
];

/// Reads the routes of a router.
///
/// axum has no list of a router's routes, but its `Debug` output holds one; the tests below hold its shape,
/// so that a change of axum is seen here and not in an empty table.
pub(crate) fn routes(router: &Router, policy: Policy) -> Vec<Route> {
    let shown = format!("{router:?}");
    let (own, fallbacks) = shown.split_once("fallback_router: ").unwrap_or((&shown, ""));
    let nested = read(fallbacks, policy).filter_map(|route| {
        // The fallback of the whole router is replaced by the site's own.
        let (above, _) = route.path.split_once(FALLBACK).filter(|(above, _)| *above != "/")?;
        Some(Route {
            path: format!("{above}{{*fallback}}"),
            methods: vec!["ANY"],
            is_fallback: true,
            ..route
        })
    });
    let mut found: Vec<Route> = read(own, policy).chain(nested).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn read(shown: &str, policy: Policy) -> impl Iterator<Item = Route> {
    let (routes, paths) = shown.split_once(", node: ").unwrap_or_default();
    routes.split("RouteId(").skip(1).filter_map(move |entry| {
        let (id, endpoint) = entry.split_once("): ")?;
        Some(Route { path: path(paths, id)?, methods: methods(endpoint), policy, is_fallback: false })
    })
}

fn path(paths: &str, id: &str) -> Option<String> {
    let (_, rest) = paths.split_once(&format!("RouteId({id}): \""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn methods(endpoint: &str) -> Vec<&'static str> {
    let taken: Vec<&str> = METHODS
        .iter()
        .filter(|(field, _)| {
            endpoint.split_once(&format!(" {field}: ")).is_some_and(|(_, value)| !value.starts_with("None"))
        })
        .map(|(_, method)| *method)
        .collect();
    if taken.is_empty() { vec!["ANY"] } else { taken }
}

#[cfg(test)]
mod tests {
    use axum::routing::{any, get, post};

    use super::*;

    async fn handler() {}

    #[test]
    fn a_router_is_read_with_its_paths_and_methods() {
        let router = Router::new()
            .route("/", get(handler))
            .route("/posts/{id}", get(handler).post(handler).delete(handler))
            .nest("/accounts", Router::new().route("/logout", post(handler)))
            .merge(Router::new().route("/any", any(handler)));
        let table: Vec<String> = routes(&router, Policy::Public)
            .into_iter()
            .map(|route| format!("{} {}", route.path, route.methods.join(",")))
            .collect();
        assert_eq!(table, ["/ GET", "/accounts/logout POST", "/any ANY", "/posts/{id} DELETE,GET,POST"]);
    }

    #[test]
    fn the_fallback_of_a_nested_router_is_a_route_of_every_method() {
        let nested = Router::new().route("/page", get(handler)).fallback(handler);
        let router = Router::new()
            .nest("/admin", nested)
            .nest("/files", Router::new().fallback_service(any(handler)))
            .fallback(handler);
        let table: Vec<String> = routes(&router, Policy::SignedIn)
            .into_iter()
            .map(|route| format!("{} {}", route.path, route.methods.join(",")))
            .collect();
        assert_eq!(table, ["/admin/page GET", "/admin/{*fallback} ANY", "/files/{*fallback} ANY"]);
    }

    #[test]
    fn an_empty_router_has_no_routes() {
        assert!(routes(&Router::new(), Policy::Public).is_empty());
    }
}
