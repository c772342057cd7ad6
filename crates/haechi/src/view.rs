//! A page: the name of a template and its data, rendered by the stack, where nonce and form token are known.

use axum::response::{IntoResponse, Response};
use haechi_template::value::Value;
use http::StatusCode;

use crate::Result;

/// A template and its data, as a response.
///
/// # Examples
///
/// ```
/// use haechi::{View, context};
///
/// async fn home() -> View {
///     View::new("home.html", context! { name => "Ada" })
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct View {
    pub(crate) template: &'static str,
    pub(crate) data: Value,
    status: StatusCode,
}

impl View {
    /// Makes a page of a template.
    pub fn new(template: &'static str, data: Value) -> Self {
        Self { template, data, status: StatusCode::OK }
    }

    /// Sets the status of the answer.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

/// Answers with a template: `view("login.html", context! { error => "…" })`.
///
/// # Errors
///
/// Never by itself; the result is what a handler returns.
pub fn view(template: &'static str, data: Value) -> Result<Response> {
    Ok(View::new(template, data).into_response())
}

impl IntoResponse for View {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
