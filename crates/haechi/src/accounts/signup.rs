//! Making an account.

use axum::Extension;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use haechi_auth::{Allowance, CreateUser, Credentials, Throttle};
use haechi_core::RequestContext;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::next::Next;
use super::texts::{Texts, password_errors};
use crate::{Auth, Form, Mail, Result, Site, View, context, redirect};

pub(super) async fn signup_page(site: Site, headers: HeaderMap, Query(next): Query<Next>) -> View {
    let password_hint = Texts::of(&site, &headers).password_hint();
    let empty: Vec<String> = Vec::new();
    let errors = context! { username => empty.clone(), email => empty.clone(), password => empty };
    View::new(
        "accounts/signup.html",
        context! { next => next.path().as_str(), username => "", email => "", errors, password_hint },
    )
}

#[derive(Deserialize)]
pub(super) struct Signup {
    username: String,
    #[serde(default)]
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn signup(
    site: Site,
    auth: Auth,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    Form(form): Form<Signup>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    let next = Next { next: form.next }.path();
    let mut wrong =
        (Vec::new(), password_errors(&site, &texts, &form.password, &[&form.username, &form.email]));
    let mut email = Vec::new();
    if !form.email.is_empty() && Mail::new(&form.email, "", "").is_err() {
        email.push(texts.get("This is not an e-mail address."));
    }
    if wrong.1.is_empty() && email.is_empty() {
        // The page tells that a name is taken; how often one may ask is limited. Every account counts, made or not.
        let throttle = Throttle::new(site.db().clone());
        drop(throttle.begin(Allowance::SIGN_UP, &form.username, context.client().network()).await?);
        let new = CreateUser {
            username: &form.username,
            email: &form.email,
            password: &form.password,
            is_superuser: false,
        };
        match site.inner.authority.create_user(new).await {
            Ok(_) => {
                let credentials = Credentials { username: form.username, password: form.password };
                if let Some(user) = auth.authenticate(&credentials).await? {
                    auth.login(user).await?;
                }
                return Ok(redirect(next));
            }
            Err(haechi_auth::Error::UsernameTaken) => wrong.0.push(texts.get("This name is taken.")),
            Err(haechi_auth::Error::InvalidUsername) => {
                wrong.0.push(texts.get("Use letters, digits and @ . + - _ only, 150 at most."));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let page = context! {
        next => next.as_str(),
        username => form.username,
        email => form.email,
        errors => context! { username => wrong.0, email, password => wrong.1 },
        password_hint => texts.password_hint(),
    };
    Ok(View::new("accounts/signup.html", page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
