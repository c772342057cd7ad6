//! The policy of a route, asked before its handler.

use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use haechi_core::{LocalPath, local};
use haechi_session::FlashLevel;
use http::header::{HOST, REFERER};
use http::request::Parts;
use http::{Method, Uri};
use tower_layer::Layer;
use tower_service::Service;

use crate::accounts::Texts;
use crate::current_user::Auth;
use crate::{Error, Policy, Result, Site, redirect};

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
async fn admit(policy: Policy, parts: &Parts) -> Result<Option<Response>> {
    let auth = Auth::of(parts)?;
    if auth.current_user().await?.is_none() {
        return Ok(Some(sign_in(&Site::of(parts)?, parts)));
    }
    match policy {
        Policy::Permission(permission) if !auth.require_permission(permission).await? => {
            Err(Error::forbidden("permission"))
        }
        Policy::Recent(time) if !auth.signed_in_within(time).await? => confirm(parts, &auth).await.map(Some),
        _ => Ok(None),
    }
}

/// Sends a user to the page that asks for the password once more, and back here afterwards.
///
/// A form that was posted is not kept: its user comes back to the page where it stands, and is told so.
async fn confirm(parts: &Parts, auth: &Auth) -> Result<Response> {
    let page = local!("/accounts/confirm");
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(redirect(match here(parts) {
            Some(here) => page.with_query("next", here.as_str()),
            None => page,
        }));
    }
    let site = Site::of(parts)?;
    let texts = Texts::of(&site, &parts.headers);
    let lost = texts.get("What you sent was not kept. Confirm your password, then send it again.");
    auth.session().flash(FlashLevel::Warning, lost).await?;
    Ok(redirect(match page_before(parts) {
        Some(before) => page.with_query("next", before.as_str()),
        None => page,
    }))
}

/// The address of a request, to come back to.
fn here(parts: &Parts) -> Option<LocalPath> {
    LocalPath::parse(parts.uri.path_and_query()?.as_str()).ok()
}

/// The page of this host that a form stood on.
fn page_before(parts: &Parts) -> Option<LocalPath> {
    let before: Uri = parts.headers.get(REFERER)?.to_str().ok()?.parse().ok()?;
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))?;
    let same = before.authority()?.as_str().eq_ignore_ascii_case(host);
    LocalPath::parse(before.path_and_query()?.as_str()).ok().filter(|_| same)
}

/// Sends a visitor to the sign-in page and back here afterwards; a form that was posted cannot be posted again,
/// so its visitor comes back to the start.
fn sign_in(site: &Site, parts: &Parts) -> Response {
    let login = site.inner.accounts.sign_in_page();
    redirect(match here(parts).filter(|_| parts.method == Method::GET) {
        Some(here) => login.with_query("next", here.as_str()),
        None => login,
    })
}
