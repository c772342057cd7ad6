//! Making an account.

use axum::Extension;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use haechi_auth::{Allowance, CreateUser, Credentials, Throttle};
use haechi_core::{LocalPath, RequestContext};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::email;
use super::known_device;
use super::next::Next;
use super::texts::{Texts, password_errors};
use super::throttled::throttled;
use crate::{Auth, Form, Mail, Result, Site, View, context, redirect};

pub(super) async fn signup_page(site: Site, headers: HeaderMap, Query(next): Query<Next>) -> View {
    let password_hint = Texts::of(&site, &headers).password_hint();
    let empty: Vec<String> = Vec::new();
    let errors = context! { username => empty.clone(), email => empty.clone(), password => empty };
    View::new(
        "accounts/signup.html",
        context! { next => next.path(&site).as_str(), username => "", email => "", errors, password_hint },
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
    let next = Next { next: form.next }.path(&site);
    let mut wrong =
        (Vec::new(), password_errors(&site, &texts, &form.password, &[&form.username, &form.email]));
    let mut wrong_email = Vec::new();
    if !form.email.is_empty() && Mail::new(&form.email, "", "").is_err() {
        wrong_email.push(texts.get("This is not an e-mail address."));
    }
    if wrong.1.is_empty() && wrong_email.is_empty() {
        // The page tells that a name is taken; how often one may ask is limited. Every account counts, made or not.
        let throttle = Throttle::new(site.db().clone());
        match throttle.begin(Allowance::SIGN_UP, &form.username, context.client().network()).await {
            Ok(attempt) => drop(attempt),
            Err(haechi_auth::Error::Throttled { retry_after }) => return Ok(throttled(retry_after)),
            Err(error) => return Err(error.into()),
        }
        let new = CreateUser {
            username: &form.username,
            email: &form.email,
            password: &form.password,
            is_superuser: false,
        };
        match site.inner.authority.create_user(new).await {
            Ok(user) => {
                // The account is made: a mail that cannot leave can be asked for again.
                if let Err(error) = email::post(&site, user, &context, texts.language.clone()) {
                    tracing::error!(target: "haechi::failure", ?error, "mail not queued");
                }
                let credentials = Credentials { username: form.username, password: form.password };
                return enter(&site, &auth, &credentials, next).await;
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
        errors => context! { username => wrong.0, email => wrong_email, password => wrong.1 },
        password_hint => texts.password_hint(),
    };
    Ok(View::new("accounts/signup.html", page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// Signs the new user in. Somebody who guessed at the name before it was taken does not make the account fail.
async fn enter(site: &Site, auth: &Auth, credentials: &Credentials, next: LocalPath) -> Result<Response> {
    match auth.authenticate(credentials).await {
        Ok(Some(user)) => {
            auth.login(user).await?;
            let mut response = redirect(next);
            known_device::remember(site, auth, &mut response).await?;
            Ok(response)
        }
        Ok(None) | Err(haechi_auth::Error::Throttled { .. }) => {
            Ok(redirect(site.inner.accounts.sign_in_page()))
        }
        Err(error) => Err(error.into()),
    }
}
