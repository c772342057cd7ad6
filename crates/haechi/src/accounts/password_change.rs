//! Changing the password.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use haechi_auth::About;
use haechi_core::{LocalPath, RequestContext};
use haechi_session::FlashLevel;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::notice;
use super::texts::{Texts, password_errors};
use super::throttled::throttled;
use crate::{Auth, CurrentUser, Form, Result, Site, View, context, redirect};

pub(super) async fn password_page(site: Site, headers: HeaderMap, _user: CurrentUser) -> View {
    password_view(&Texts::of(&site, &headers), Vec::new(), Vec::new())
}

fn password_view(texts: &Texts<'_>, old_password: Vec<String>, new_password: Vec<String>) -> View {
    let wrong = !old_password.is_empty() || !new_password.is_empty();
    let errors = context! { old_password, new_password };
    let page = context! { errors, password_hint => texts.password_hint() };
    let view = View::new("accounts/password_change.html", page);
    if wrong { view.status(StatusCode::UNPROCESSABLE_ENTITY) } else { view }
}

#[derive(Deserialize)]
pub(super) struct PasswordChange {
    old_password: String,
    new_password: String,
}

pub(super) async fn password_change(
    site: Site,
    auth: Auth,
    user: CurrentUser,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    Form(form): Form<PasswordChange>,
) -> Result<Response> {
    let texts = Texts::of(&site, &headers);
    let wrong = password_errors(&site, &texts, &form.new_password, &About::user(&user));
    if !wrong.is_empty() {
        return Ok(password_view(&texts, Vec::new(), wrong).into_response());
    }
    let changed = match auth.change_password(&form.old_password, &form.new_password).await {
        Ok(changed) => changed,
        Err(haechi_auth::Error::Throttled { retry_after }) => return Ok(throttled(retry_after)),
        Err(error) => return Err(error.into()),
    };
    if !changed {
        let wrong = vec![texts.get("That is not your password.")];
        return Ok(password_view(&texts, wrong, Vec::new()).into_response());
    }
    let language = texts.language.clone();
    notice::password_changed(&site, (*user).clone(), notice::Address::AsStored, &context, language);
    let changed = texts.get("Your password is changed. Other devices are signed out.");
    auth.session().flash(FlashLevel::Success, changed).await?;
    Ok(redirect(LocalPath::root()))
}
