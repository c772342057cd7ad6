//! The password once more, before something that a browser left open must not do.

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::next::Next;
use super::texts::Texts;
use super::throttled::throttled;
use crate::{Auth, Form, Result, Site, View, context, redirect};

pub(super) async fn page(site: Site, Query(next): Query<Next>) -> View {
    view(&site, &next, Vec::new())
}

fn view(site: &Site, next: &Next, password: Vec<String>) -> View {
    let status = if password.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = context! { next => next.path(site).as_str(), errors => context! { password } };
    View::new("accounts/confirm.html", page).status(status)
}

#[derive(Deserialize)]
pub(super) struct Confirm {
    password: String,
    #[serde(default)]
    next: String,
}

/// Counts as a sign-in does: whoever took over a session must not find out the password here.
pub(super) async fn confirm(
    site: Site,
    auth: Auth,
    headers: HeaderMap,
    Form(form): Form<Confirm>,
) -> Result<Response> {
    let next = Next { next: form.next };
    match auth.confirm(&form.password).await {
        Ok(true) => Ok(redirect(next.path(&site))),
        Ok(false) => {
            let wrong = Texts::of(&site, &headers).get("That is not your password.");
            Ok(view(&site, &next, vec![wrong]).into_response())
        }
        Err(haechi_auth::Error::Throttled { retry_after }) => Ok(throttled(retry_after)),
        Err(error) => Err(error.into()),
    }
}
