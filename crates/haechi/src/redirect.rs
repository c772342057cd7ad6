//! Redirects, to a path of this site only.

use axum::response::{IntoResponse, Response};
use haechi_core::LocalPath;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

/// Sends the browser to a path of this site, with GET (303).
///
/// # Security
///
/// The target is a [`LocalPath`], not a string: there is no open redirect to write.
///
/// # Examples
///
/// ```
/// use haechi::{local, redirect};
///
/// let post = 7;
/// let response = redirect(local!("/posts/{post}"));
/// assert_eq!(response.headers()["location"], "/posts/7");
/// ```
#[must_use]
pub fn redirect(to: LocalPath) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from(to))]).into_response()
}
