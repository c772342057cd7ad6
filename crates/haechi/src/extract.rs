//! axum's extractors, with refusals of ours: the client is told that the request was wrong, the log what was wrong.

use std::ops::Deref;

use axum::extract::{FromRequest, FromRequestParts, Request};
use haechi_core::Denial;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{Error, Result, body_memory};

/// The parts of the path that stand in `{…}`, read into `T`.
///
/// A part that is no `T` (`/posts/abc` for an `i64`) is a 400 with haechi's page; axum's own `Path` answers with a
/// sentence that quotes the request and names the type of the handler.
///
/// # Errors
///
/// 400 for a part that cannot be read. A `T` that does not fit the route is a failure of the program and a 500.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

/// The parameters after `?`, read into `T`.
///
/// # Errors
///
/// 400 for a parameter that cannot be read. A parameter that `T` does not know is ignored, unless `T` denies unknown
/// fields.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// A body of JSON, read into `T`.
///
/// # Errors
///
/// 415 for another content type, 400 for what is no JSON, 422 for JSON that is no `T`, 413 for a body over its limit.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused("path", rejection.status(), rejection)),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused("query", rejection.status(), rejection)),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused("json", rejection.status(), rejection)),
        }
    }
}

impl<T: serde::Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        axum::Json(self.0).into_response()
    }
}

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What the client sent is its own mistake; anything else is ours.
fn refused(
    what: &'static str,
    status: StatusCode,
    rejection: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    if !status.is_client_error() {
        return Error::from(rejection);
    }
    let status = body_memory::status(&rejection).unwrap_or(status);
    Denial::new(status, what, "malformed").detail(rejection.to_string()).into()
}
