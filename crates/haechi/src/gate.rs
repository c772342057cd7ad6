//! The policy of a route, asked before its handler.

use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use haechi_core::LocalPath;
use http::Method;
use tower_layer::Layer;
use tower_service::Service;

use crate::current_user::Auth;
use crate::{Error, Policy, Result, redirect};

/// Asks a policy before every route of a router.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate(pub(crate) Policy);

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { policy: self.0, inner }
    }
}

/// A route behind its policy.
#[derive(Debug, Clone)]
pub(crate) struct Gated<S> {
    policy: Policy,
    inner: S,
}

impl<S> Service<Request> for Gated<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, std::result::Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let policy = self.policy;
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match admit(policy, &parts).await {
                Ok(None) => inner.call(Request::from_parts(parts, body)).await,
                Ok(Some(elsewhere)) => Ok(elsewhere),
                Err(error) => Ok(error.into_response()),
            }
        })
    }
}

/// Lets a request pass (`None`), or answers it.
async fn admit(policy: Policy, parts: &http::request::Parts) -> Result<Option<Response>> {
    let auth = Auth::of(parts)?;
    if auth.current_user().await?.is_none() {
        return Ok(Some(sign_in(parts)));
    }
    let allowed = match policy {
        Policy::Public | Policy::SignedIn => true,
        Policy::Permission(permission) => auth.require_permission(permission).await?,
    };
    if allowed { Ok(None) } else { Err(Error::forbidden("permission")) }
}

/// Sends a visitor to the sign-in page and back here afterwards; a form that was posted cannot be posted again,
/// so its visitor comes back to the start.
fn sign_in(parts: &http::request::Parts) -> Response {
    let login = LocalPath::parse("/accounts/login").expect("the path of the sign-in page is a local path");
    let here = parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    let here = here.filter(|_| parts.method == Method::GET).and_then(|text| LocalPath::parse(text).ok());
    redirect(match here {
        Some(here) => login.with_query("next", here.as_str()),
        None => login,
    })
}
