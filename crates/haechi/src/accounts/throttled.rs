//! The page for whoever has to wait.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::{View, context};

/// Answers that it was too often, and when to come back.
pub(super) fn throttled(retry_after: Duration) -> Response {
    let wait = HeaderValue::from(retry_after.as_secs().max(1));
    let page = View::new("accounts/throttled.html", context! { wait => retry_after.as_secs().max(1) });
    ([(RETRY_AFTER, wait)], page.status(StatusCode::TOO_MANY_REQUESTS)).into_response()
}
