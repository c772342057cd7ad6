//! Signing in and out.

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use haechi_auth::{Credentials, normalize_username};
use haechi_core::LocalPath;
use haechi_session::{FlashLevel, Remember};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use super::forget::forget;
use super::known_device;
use super::next::Next;
use super::texts::Texts;
use crate::{Auth, Form, MaybeUser, Result, Site, View, context, redirect};

pub(super) async fn login_page(site: Site, user: MaybeUser, Query(next): Query<Next>) -> Response {
    if user.0.is_some() {
        return redirect(next.path());
    }
    View::new("accounts/login.html", context! { next => next.path().as_str(), username => "", name_is_email => site.authority().name_is_email() })
        .into_response()
}

#[derive(Deserialize)]
pub(super) struct Login {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    remember: String,
}

pub(super) async fn login(
    site: Site,
    auth: Auth,
    headers: HeaderMap,
    Form(form): Form<Login>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    let next = Next { next: form.next }.path();
    let credentials = Credentials { username: normalize_username(&form.username), password: form.password };
    match auth.authenticate_from(&credentials, known_device::sent(&site, &headers)).await {
        Ok(Some(user)) => {
            let remember = if form.remember == "on" { Remember::OnThisDevice } else { Remember::default() };
            auth.login_with(user, remember).await?;
            auth.session().flash(FlashLevel::Success, texts.get("You are signed in.")).await?;
            let mut response = redirect(next);
            known_device::remember(&site, &auth, &headers, &mut response).await?;
            Ok(response)
        }
        Ok(None) => {
            tracing::info!(target: "haechi::security", event = "sign-in-failed", "sign-in failed");
            let error = texts.get("Invalid user name or password.");
            let name_is_email = site.authority().name_is_email();
            let page =
                context! { next => next.as_str(), username => credentials.username, error, name_is_email };
            Ok(View::new("accounts/login.html", page)
                .status(StatusCode::UNPROCESSABLE_ENTITY)
                .into_response())
        }
        Err(haechi_auth::Error::Throttled { retry_after }) => {
            let error = texts.get("Too many attempts. Please wait a moment and try again.");
            let name_is_email = site.authority().name_is_email();
            let page =
                context! { next => next.as_str(), username => credentials.username, error, name_is_email };
            let view = View::new("accounts/login.html", page).status(StatusCode::TOO_MANY_REQUESTS);
            let wait = HeaderValue::from(retry_after.as_secs().max(1));
            Ok(([(http::header::RETRY_AFTER, wait)], view).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn logout(site: Site, auth: Auth, headers: HeaderMap) -> Result<Response> {
    auth.logout().await?;
    let mut response = redirect(LocalPath::root());
    forget(&site, &headers, &mut response);
    Ok(response)
}
