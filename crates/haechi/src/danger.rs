//! What weakens a defence. Each function takes the reason, which `check` lists.

use axum::Router;

pub use haechi_core::danger::{with_header, with_policy, without_header};

/// Routes whose CSRF check is off: for a caller that is no browser and signs what it sends, such as a payment service.
#[derive(Debug, Clone)]
pub struct WithoutCsrf {
    pub(crate) router: Router,
    pub(crate) reason: &'static str,
}

/// Takes the routes of a router out of the CSRF check; pass the result to [`App::public`](crate::App::public).
///
/// # Security
///
/// Any page that a visitor opens can send requests to these routes with the visitor's cookies. Do not read
/// the session there.
#[must_use]
pub fn without_csrf(router: Router, reason: &'static str) -> WithoutCsrf {
    WithoutCsrf { router, reason }
}
