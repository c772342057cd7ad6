//! Changing the password.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use haechi_auth::About;
use haechi_core::RequestContext;
use haechi_session::FlashLevel;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::new_password::{NewPassword, fields};
use super::notice;
use super::texts::Texts;
use super::throttled::throttled;
use super::to_the_end::to_the_end;
use crate::{Auth, CurrentUser, Form, Result, Site, View, context, redirect};

pub(super) async fn password_page(site: Site, headers: HeaderMap, _user: CurrentUser) -> View {
    password_view(&site, &Texts::of(&site, &headers), Vec::new(), Vec::new())
}

fn password_view(
    site: &Site,
    texts: &Texts<'_>,
    old_password: Vec<String>,
    new_password: Vec<String>,
) -> View {
    let wrong = !old_password.is_empty() || !new_password.is_empty();
    let errors = context! { old_password, new_password };
    let page = context! { errors, fields => fields(site), password_hint => texts.password_hint() };
    let view = View::new("accounts/password_change.html", page);
    if wrong { view.status(StatusCode::UNPROCESSABLE_ENTITY) } else { view }
}

#[derive(Deserialize)]
pub(super) struct PasswordChange {
    old_password: String,
    #[serde(flatten)]
    new: NewPassword,
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
    let new = match form.new.checked(&site, &texts, &About::user(&user)) {
        Ok(new) => new,
        Err(wrong) => return Ok(password_view(&site, &texts, Vec::new(), wrong).into_response()),
    };
    let (old, new, language) = (form.old_password.clone(), new.to_owned(), texts.language.clone());
    let changing = {
        let (site, auth, user) = (site.clone(), auth.clone(), (*user).clone());
        to_the_end(async move {
            let changed = match auth.change_password(&old, &new).await {
                Err(haechi_auth::Error::Throttled { retry_after }) => return Ok(Err(retry_after)),
                changed => changed?,
            };
            if changed {
                notice::password_changed(&site, user, notice::Address::AsStored, &context, language);
            }
            Ok(Ok(changed))
        })
    };
    let changed = match changing.await? {
        Ok(changed) => changed,
        Err(retry_after) => return Ok(throttled(retry_after)),
    };
    if !changed {
        let wrong = vec![texts.get("That is not your password.")];
        return Ok(password_view(&site, &texts, wrong, Vec::new()).into_response());
    }
    let changed = texts.get("Your password is changed. Other devices are signed out.");
    auth.session().flash(FlashLevel::Success, changed).await?;
    Ok(redirect(site.home()))
}
