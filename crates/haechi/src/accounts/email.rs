//! Proving an e-mail address by the link of a mail.

use std::time::Duration;

use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use haechi_auth::{Allowance, Throttle, User};
use haechi_core::{LocalPath, RequestContext, local};
use haechi_session::FlashLevel;
use http::{HeaderMap, StatusCode};

use super::password_reset::proved_link;
use super::proved_email::{is_proved, prove};
use super::texts::Texts;
use super::throttled::throttled;
use crate::{Auth, CurrentUser, Mail, Result, Session, Site, View, context, redirect};

/// Takes the token out of the address, as the page of a reset does; it proves nothing yet, for mail scanners open
/// every link.
pub(super) async fn open(site: Site, auth: Auth, Path(token): Path<String>) -> Result<Response> {
    if unproved(&site, &token).await?.is_none() {
        return Ok(used());
    }
    auth.session().insert(KEPT, &token).await?;
    Ok(redirect(local!("/accounts/email/confirm")))
}

pub(super) async fn page(site: Site, auth: Auth) -> Result<Response> {
    Ok(match bearer(&site, auth.session()).await? {
        Some(user) => {
            let page = context! { valid => true, email => user.email, username => user.username };
            View::new("accounts/email.html", page).into_response()
        }
        None => used(),
    })
}

pub(super) async fn confirm(site: Site, auth: Auth, headers: HeaderMap) -> Result<Response> {
    let session = auth.session();
    let Some(token) = session.get::<String>(KEPT).await? else { return Ok(used()) };
    let Some(user) = unproved(&site, &token).await? else { return Ok(used()) };
    session.remove(KEPT).await?;
    // Checks once more, and writes the security log: what cannot be logged does not happen.
    if auth.verify_email(&token).await?.is_none() {
        return Ok(used());
    }
    if !prove(site.db(), &user, site.clock().unix()).await? {
        return Ok(used());
    }
    let done = Texts::of(&site, &headers).get("Your e-mail address is confirmed.");
    session.flash(FlashLevel::Success, done).await?;
    Ok(redirect(LocalPath::root()))
}

/// Sends the link once more.
pub(super) async fn send(
    site: Site,
    auth: Auth,
    user: CurrentUser,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Result<Response> {
    let devices = local!("/accounts/devices");
    if user.email.is_empty() || is_proved(site.db(), &user).await? {
        return Ok(redirect(devices));
    }
    let throttle = Throttle::new(site.db().clone());
    let address = user.email.to_lowercase();
    match throttle.begin(LINKS, &address, context.client().network()).await {
        // Never said to have succeeded: every mail counts.
        Ok(attempt) => drop(attempt),
        Err(haechi_auth::Error::Throttled { retry_after }) => return Ok(throttled(retry_after)),
        Err(error) => return Err(error.into()),
    }
    let texts = Texts::of(&site, &headers);
    post(&site, (*user).clone(), &context, texts.language.clone())?;
    auth.session().flash(FlashLevel::Info, texts.get("A message is on its way to you.")).await?;
    Ok(redirect(devices))
}

/// Hands the mail for a user's address to the queue.
pub(super) fn post(site: &Site, user: User, context: &RequestContext, language: String) -> Result<()> {
    let origin = format!("{}://{}", context.scheme(), context.host());
    Ok(site.mailer().write(write(site.clone(), user, origin, language))?)
}

/// Writes the link, or, where another account has proved the address, tells its owner that somebody used it.
///
/// # Security
///
/// Who made the account sees the same either way. No text of theirs stands in the mail: a user name may look like the
/// address of a site.
async fn write(site: Site, user: User, origin: String, language: String) -> Result<Option<Mail>> {
    if user.email.is_empty() {
        return Ok(None);
    }
    let texts = Texts { site: &site, language };
    if let Some(owner) = owner(&site, &user).await? {
        let text = texts
            .get("Somebody made another account at %(site)s with your address. Your own account is %(username)s.\n\nIf it was you, sign in with that name, or ask for a new password:\n\n%(link)s\n\nIf it was not you, do nothing: your account stays as it is.")
            .replace("%(site)s", site.name())
            .replace("%(username)s", &owner.username)
            .replace("%(link)s", &format!("{origin}{}", site.inner.accounts.password_reset_page()));
        let subject = texts.get("You have an account at %(site)s").replace("%(site)s", site.name());
        return Ok(Some(Mail::new(&owner.email, subject, text)?));
    }
    let token = site.authority().email_token(&user);
    let text = texts
        .get("Somebody entered this address at %(site)s. To confirm that it is yours, open this page within three days:\n\n%(link)s\n\nIf it was not you, do nothing: the address stays unconfirmed.")
        .replace("%(site)s", site.name())
        .replace("%(link)s", &format!("{origin}/accounts/email/{token}/"));
    let subject = texts.get("Confirm your address at %(site)s").replace("%(site)s", site.name());
    Ok(Some(Mail::new(&user.email, subject, text)?))
}

/// Returns whoever else has proved the address.
async fn owner(site: &Site, user: &User) -> Result<Option<User>> {
    let proved = proved_link(site, &user.email).await?;
    Ok(proved.map(|(other, ..)| other).filter(|other| other.id != user.id))
}

/// Returns whose address a link proves, if it is good and was not used.
async fn unproved(site: &Site, token: &str) -> Result<Option<User>> {
    let Some(user) = site.authority().verify_email(token).await? else { return Ok(None) };
    let known = is_proved(site.db(), &user).await?;
    Ok((user.is_active && !known).then_some(user))
}

async fn bearer(site: &Site, session: &Session) -> Result<Option<User>> {
    match session.get::<String>(KEPT).await? {
        Some(token) => unproved(site, &token).await,
        None => Ok(None),
    }
}

fn used() -> Response {
    let page = View::new("accounts/email.html", context! { valid => false });
    page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response()
}

/// The value of the session that holds the token.
const KEPT: &str = "_email_token";

/// Links on request: 3 per address × network, 10 per network, waits up to an hour.
const LINKS: Allowance =
    Allowance { action: "e-mail link", account: 3, network: 10, most: Duration::from_secs(3_600) };
