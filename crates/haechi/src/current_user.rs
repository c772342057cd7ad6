//! Who is signed in, as extractors: `Auth` to sign in and out, `CurrentUser` where somebody has to be.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use haechi_auth::{User, UserId};
use haechi_core::{Denial, RequestContext};
use haechi_session::Session;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use crate::site::Site;
use crate::{Error, Result};

/// Signing in and out, for this request; dereferences to [`haechi_auth::Auth`].
#[derive(Debug, Clone)]
pub struct Auth(haechi_auth::Auth);

impl Deref for Auth {
    type Target = haechi_auth::Auth;

    fn deref(&self) -> &haechi_auth::Auth {
        &self.0
    }
}

impl Auth {
    /// Makes the `Auth` of a request; nothing is asked of a store before it is used.
    pub(crate) fn new(site: &Site, session: Session, context: &RequestContext) -> Self {
        let auth = site.inner.authority.of(session, context.client().network());
        Self(auth.request(context.id().as_str()))
    }

    /// Returns the `Auth` of a request.
    pub(crate) fn of(parts: &Parts) -> Result<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

impl<S: Sync> FromRequestParts<S> for Auth {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::of(parts)
    }
}

/// The user who is signed in; where nobody is, the request is refused with 401.
///
/// Routes of [`App::signed_in`](crate::App::signed_in) send a visitor to the sign-in page before this is asked.
#[derive(Debug, Clone)]
pub struct CurrentUser(User);

impl Deref for CurrentUser {
    type Target = User;

    fn deref(&self) -> &User {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let user = Auth::of(parts)?.current_user().await?;
        user.map(Self).ok_or_else(|| Denial::new(StatusCode::UNAUTHORIZED, "policy", "nobody").into())
    }
}

/// The user who is signed in, or nobody.
#[derive(Debug, Clone)]
pub struct MaybeUser(pub Option<User>);

impl<S: Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(Auth::of(parts)?.current_user().await?))
    }
}

/// What templates see of the user: never the password, nor anything that a page could leak by printing it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    id: UserId,
    username: String,
    is_staff: bool,
    is_superuser: bool,
}

/// Returns what templates see of whoever is signed in.
pub(crate) async fn shown(auth: &Auth) -> Result<Option<Shown>> {
    let user = auth.current_user().await?;
    Ok(user.map(|user| Shown {
        id: user.id,
        username: user.username,
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
    }))
}

/// What templates ask `can("app.codename")` of.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Held {
    everything: bool,
    names: Vec<String>,
}

/// Returns what whoever is signed in may do.
pub(crate) async fn held(auth: &Auth) -> Result<Held> {
    Ok(match auth.current_user().await? {
        Some(user) if user.is_superuser => Held { everything: true, names: Vec::new() },
        Some(_) => Held { everything: false, names: auth.permissions().await? },
        None => Held::default(),
    })
}

/// The stack is missing around a handler: fail closed, and say which line to add.
pub(crate) fn missing() -> Error {
    #[derive(Debug, thiserror::Error)]
    #[error(
        "this handler runs outside of haechi's stack; add its router with App::public, signed_in or permission"
    )]
    struct OutsideTheStack;
    OutsideTheStack.into()
}
