//! Setting a new password by the link of a mail.

use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use haechi_auth::{About, Reset};
use haechi_core::{RequestContext, local};
use haechi_session::FlashLevel;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::notice;
use super::texts::{Texts, password_errors};
use crate::{Auth, Form, Result, Session, Site, View, context, redirect};

/// Takes the token out of the address before a page is shown, so that no `Referer`, history or screenshot holds it.
pub(super) async fn page(
    site: Site,
    auth: Auth,
    headers: HeaderMap,
    Path((uid, token)): Path<(String, String)>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    if token == IN_SESSION {
        let bearer = bearer(&site, auth.session(), &uid).await?;
        return Ok(view(&texts, bearer.is_some(), Vec::new()));
    }
    if site.inner.authority.check_reset(&uid, &token).await?.is_none() {
        return Ok(view(&texts, false, Vec::new()));
    }
    auth.session().insert(KEPT, &token).await?;
    Ok(redirect(local!("/accounts/reset/{uid}/set-password/")))
}

#[derive(Deserialize)]
pub(super) struct NewPassword {
    new_password: String,
}

pub(super) async fn set(
    site: Site,
    auth: Auth,
    headers: HeaderMap,
    Path((uid, _)): Path<(String, String)>,
    Extension(context): Extension<RequestContext>,
    Form(form): Form<NewPassword>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    let session = auth.session();
    let Some(reset) = bearer(&site, session, &uid).await? else {
        return Ok(view(&texts, false, Vec::new()));
    };
    let user = reset.user();
    let wrong = password_errors(&site, &texts, &form.new_password, &About::user(user));
    if !wrong.is_empty() {
        return Ok(view(&texts, true, wrong));
    }
    session.remove(KEPT).await?;
    // It ends every session too: whoever held the account before holds nothing now.
    if !auth.set_password(&reset, &form.new_password).await? {
        return Ok(view(&texts, false, Vec::new()));
    }
    let language = texts.language.clone();
    notice::password_changed(&site, reset.user().clone(), notice::Address::Used, &context, language);
    session.flash(FlashLevel::Success, texts.get("Your new password is set. Sign in with it.")).await?;
    Ok(redirect(local!("/accounts/login")))
}

/// Returns the reset of whoever opened the link of a mail, for as long as it is good.
async fn bearer(site: &Site, session: &Session, uid: &str) -> Result<Option<Reset>> {
    let Some(token) = session.get::<String>(KEPT).await? else { return Ok(None) };
    Ok(site.inner.authority.check_reset(uid, &token).await?)
}

fn view(texts: &Texts<'_>, valid: bool, new_password: Vec<String>) -> Response {
    let wrong = !valid || !new_password.is_empty();
    let page =
        context! { valid, errors => context! { new_password }, password_hint => texts.password_hint() };
    let view = View::new("accounts/password_set.html", page);
    if wrong { view.status(StatusCode::UNPROCESSABLE_ENTITY).into_response() } else { view.into_response() }
}

/// The value of the session that holds the token.
const KEPT: &str = "_password_reset_token";
/// What stands in the address once the token does not; as Django has it.
const IN_SESSION: &str = "set-password";
