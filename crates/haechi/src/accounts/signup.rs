//! Making an account.

use axum::Extension;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use haechi_auth::{About, Allowance, CreateUser, Credentials, Throttle, User, normalize_username};
use haechi_core::RequestContext;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::email;
use super::known_device;
use super::next::Next;
use super::texts::{Texts, password_errors};
use super::throttled::throttled;
use crate::{Auth, Form, Mail, Result, Site, View, context, redirect};

pub(super) async fn signup_page(site: Site, headers: HeaderMap, Query(next): Query<Next>) -> View {
    let empty = Signup { next: next.path(&site).as_str().to_owned(), ..Signup::default() };
    form_view(&site, &Texts::of(&site, &headers), &empty, Wrong::default())
}

/// What is wrong with each field.
#[derive(Default)]
struct Wrong {
    username: Vec<String>,
    email: Vec<String>,
    password: Vec<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct Signup {
    #[serde(default)]
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
    let form = form.normal(site.authority().name_is_email());
    let about = About { username: &form.username, email: &form.email, ..About::default() };
    let mut wrong =
        Wrong { password: password_errors(&site, &texts, &form.password, &about), ..Wrong::default() };
    if !form.email.is_empty() && (form.email.len() > LONGEST_EMAIL || Mail::new(&form.email, "", "").is_err())
    {
        wrong.email.push(texts.get("This is not an e-mail address."));
    }
    if !wrong.is_empty() {
        look_at_name(&site, &texts, &form, &context, &mut wrong).await?;
        return Ok(form_view(&site, &texts, &form, wrong).into_response());
    }
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
            if let Err(error) = email::post(&site, user.clone(), &context, texts.language.clone()) {
                tracing::error!(target: "haechi::failure", ?error, "mail not queued");
            }
            enter(&site, &auth, &headers, form, &user).await
        }
        Err(error) => match refusal(&site, &texts, error) {
            Ok(wrong) => Ok(form_view(&site, &texts, &form, wrong).into_response()),
            Err(error) => Err(error.into()),
        },
    }
}

/// Adds what is wrong with the name of a form that is refused for something else, so that a person reads it all at once.
///
/// It tells that a name is taken, as often as its own allowance lets it: a mistake in a password uses up no sign-up.
async fn look_at_name(
    site: &Site,
    texts: &Texts<'_>,
    form: &Signup,
    context: &RequestContext,
    wrong: &mut Wrong,
) -> Result<()> {
    let throttle = Throttle::new(site.db().clone());
    match throttle.begin(NAMES, &form.username, context.client().network()).await {
        Ok(attempt) => drop(attempt),
        Err(haechi_auth::Error::Throttled { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if let Err(error) = site.inner.authority.check_username(&form.username).await {
        let Wrong { username, email, .. } = refusal(site, texts, error)?;
        wrong.username = username;
        if wrong.email.is_empty() {
            wrong.email = email;
        }
    }
    Ok(())
}

impl Wrong {
    fn is_empty(&self) -> bool {
        self.username.is_empty() && self.email.is_empty() && self.password.is_empty()
    }
}

impl Signup {
    /// Brings the name into the form in which it is stored; where the address is the name, there is one field for both.
    fn normal(self, name_is_email: bool) -> Self {
        let email = self.email.trim().to_owned();
        let username = normalize_username(if name_is_email { &email } else { &self.username });
        let email = if name_is_email { username.clone() } else { email };
        Self { username, email, ..self }
    }
}

/// What a new account was refused for, in the words of the page; errors that are none of its fields' stay errors.
fn refusal(
    site: &Site,
    texts: &Texts<'_>,
    error: haechi_auth::Error,
) -> std::result::Result<Wrong, haechi_auth::Error> {
    let of_name = |text: &str| match site.authority().name_is_email() {
        true => Wrong { email: vec![texts.get(text)], ..Wrong::default() },
        false => Wrong { username: vec![texts.get(text)], ..Wrong::default() },
    };
    match (error, site.authority().name_is_email()) {
        (haechi_auth::Error::UsernameTaken, false) => Ok(of_name("This name is taken.")),
        (haechi_auth::Error::UsernameTaken | haechi_auth::Error::EmailTaken, _) => {
            Ok(Wrong { email: vec![texts.get("This address is taken.")], ..Wrong::default() })
        }
        (haechi_auth::Error::InvalidUsername, false) => {
            Ok(of_name("Use letters, digits and @ . + - _ only, 150 at most."))
        }
        (haechi_auth::Error::InvalidUsername, true) => Ok(of_name("This is not an e-mail address.")),
        (error @ haechi_auth::Error::IncompleteTable(_), _) => {
            tracing::error!(target: "haechi::failure", error = %error, cause = ?error, "no account can be made");
            Ok(of_name("Accounts are not made here."))
        }
        (error, _) => Err(error),
    }
}

fn form_view(site: &Site, texts: &Texts<'_>, form: &Signup, wrong: Wrong) -> View {
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = context! {
        next => Next { next: form.next.clone() }.path(site).as_str(),
        username => form.username.clone(),
        email => form.email.clone(),
        errors => context! { username => wrong.username, email => wrong.email, password => wrong.password },
        name_is_email => site.authority().name_is_email(),
        password_hint => texts.password_hint(),
    };
    View::new("accounts/signup.html", page).status(status)
}

/// Signs the new user in, as on a device that they know: somebody who guessed at the name before it was taken, or who
/// used up what the network may try, does not make the account fail.
async fn enter(site: &Site, auth: &Auth, headers: &HeaderMap, form: Signup, user: &User) -> Result<Response> {
    let next = Next { next: form.next }.path(site);
    let credentials = Credentials { username: form.username, password: form.password };
    let device = site.authority().known_device_value(user, known_device::sent(site, headers));
    match auth.authenticate_from(&credentials, Some(&device)).await {
        Ok(Some(user)) => {
            auth.login(user).await?;
            let mut response = redirect(next);
            known_device::remember(site, auth, headers, &mut response).await?;
            Ok(response)
        }
        Ok(None) | Err(haechi_auth::Error::Throttled { .. }) => {
            Ok(redirect(site.inner.accounts.sign_in_page()))
        }
        Err(error) => Err(error.into()),
    }
}

/// How many names a form with other mistakes tells of.
const NAMES: Allowance = Allowance { action: "name", account: 10, ..Allowance::SIGN_UP };
/// What the column holds, and what a mail server takes. In bytes.
const LONGEST_EMAIL: usize = 254;
