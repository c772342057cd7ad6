//! Setting a new password by the link of a mail.

use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use haechi_auth::{About, Reset};
use haechi_core::{LocalPath, RequestContext};
use haechi_session::FlashLevel;
use http::{HeaderMap, StatusCode};

use super::known_device;
use super::new_password::{NewPassword, fields};
use super::notice;
use super::texts::Texts;
use super::to_the_end::to_the_end;
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
        return Ok(view(&site, &texts, bearer.is_some(), Vec::new()));
    }
    if site.inner.authority.check_reset(&uid, &token).await?.is_none() {
        return Ok(view(&site, &texts, false, Vec::new()));
    }
    auth.session().insert(KEPT, &token).await?;
    // A good link has a user id of letters and digits.
    let form = format!("{}{uid}/{IN_SESSION}/", site.inner.accounts.reset_page());
    Ok(redirect(LocalPath::parse(&form)?))
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
        return Ok(view(&site, &texts, false, Vec::new()));
    };
    let user = reset.user();
    let new = match form.checked(&site, &texts, &About::user(user)) {
        Ok(new) => new,
        Err(wrong) => return Ok(view(&site, &texts, true, wrong)),
    };
    session.remove(KEPT).await?;
    let (user, new, language) = (reset.user().clone(), new.to_owned(), texts.language.clone());
    let setting = {
        let (site, auth, user) = (site.clone(), auth.clone(), user.clone());
        to_the_end(async move {
            // It ends every session too: whoever held the account before holds nothing now.
            let set = auth.set_password(&reset, &new).await?;
            if set {
                notice::password_changed(&site, user, notice::Address::Used, &context, language);
            }
            Ok(set)
        })
    };
    if !setting.await? {
        return Ok(view(&site, &texts, false, Vec::new()));
    }
    session.flash(FlashLevel::Success, texts.get("Your new password is set. Sign in with it.")).await?;
    let mut response = redirect(site.inner.accounts.sign_in_page());
    // Whoever guesses on meanwhile does not keep out the one who has the mail.
    known_device::remember_user(&site, &user, &headers, &mut response)?;
    Ok(response)
}

/// Returns the reset of whoever opened the link of a mail, for as long as it is good.
async fn bearer(site: &Site, session: &Session, uid: &str) -> Result<Option<Reset>> {
    let Some(token) = session.get::<String>(KEPT).await? else { return Ok(None) };
    Ok(site.inner.authority.check_reset(uid, &token).await?)
}

fn view(site: &Site, texts: &Texts<'_>, valid: bool, new_password: Vec<String>) -> Response {
    let wrong = !valid || !new_password.is_empty();
    let page = context! {
        valid,
        fields => fields(site),
        errors => context! { new_password },
        password_hint => texts.password_hint(),
    };
    let view = View::new("accounts/password_set.html", page);
    if wrong { view.status(StatusCode::UNPROCESSABLE_ENTITY).into_response() } else { view.into_response() }
}

/// The value of the session that holds the token.
const KEPT: &str = "_password_reset_token";
/// What stands in the address once the token does not; as Django has it.
const IN_SESSION: &str = "set-password";
