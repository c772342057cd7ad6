//! Asking for a link that sets a new password.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use haechi_auth::User;
use haechi_core::RequestContext;
use http::HeaderMap;
use serde::Deserialize;

use super::proved_email::{is_proved, who_proved};
use super::texts::Texts;
use super::throttled::throttled;
use crate::{Auth, Form, Mail, Result, Site, View, context};

pub(super) async fn page(site: Site) -> View {
    View::new("accounts/password_reset.html", context! { sent => false, hours => hours(&site) })
}

/// How long a link lives.
fn hours(site: &Site) -> u64 {
    (site.authority().reset_lifetime().as_secs() / 3_600).max(1)
}

#[derive(Deserialize)]
pub(super) struct Reset {
    email: String,
}

/// Answers at once and the same for every address: whether there is an account shows neither in the page nor in
/// its time, for even the table is read after the answer.
pub(super) async fn send(
    site: Site,
    auth: Auth,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    Form(form): Form<Reset>,
) -> Result<Response> {
    let origin = format!("{}://{}", context.scheme(), context.host());
    let language = Texts::of(&site, &headers).language;
    let queue = site.mailer().clone();
    let email = form.email.trim().to_owned();
    match auth.count_reset(&email).await {
        Ok(()) => {}
        Err(haechi_auth::Error::Throttled { retry_after }) => return Ok(throttled(retry_after)),
        Err(error) => return Err(error.into()),
    }
    let page = context! { sent => true, hours => hours(&site) };
    queue.write(write(site, email, origin, language))?;
    Ok(View::new("accounts/password_reset.html", page).into_response())
}

/// Writes the mail, if an account has the address.
///
/// # Security
///
/// It goes to the address that the account has, not to the one that was typed: letters of other scripts fold to
/// the same text. An address that several accounts share gets a link for the
/// one that has proved it, or else for the oldest: a stranger's account does not come before the owner's.
async fn write(site: Site, email: String, origin: String, language: String) -> Result<Option<Mail>> {
    let chosen = match proved_link(&site, &email).await? {
        Some(link) => Some((link, true)),
        None => site.authority().reset_links(&email).await?.into_iter().next().map(|link| (link, false)),
    };
    let Some(((user, uid, token), proved)) = chosen else { return Ok(None) };
    let texts = Texts { site: &site, language };
    let reset = site.inner.accounts.reset_page();
    // Whoever made the account chose its name, and may have entered somebody else's address: no name in such a mail looks
    // like the address of a site.
    let name = if proved || !user.username.contains('.') { &user.username } else { &user.email };
    let text = match hours(&site) {
        1 => texts.get("Somebody asked for a new password for %(username)s at %(site)s. To set one, open this page within an hour:\n\n%(link)s\n\nIf it was not you, do nothing: the password stays as it is."),
        _ => texts.get("Somebody asked for a new password for %(username)s at %(site)s. To set one, open this page within %(hours)s hours:\n\n%(link)s\n\nIf it was not you, do nothing: the password stays as it is."),
    };
    let text = text
        .replace("%(hours)s", &hours(&site).to_string())
        .replace("%(username)s", name)
        .replace("%(site)s", site.name())
        .replace("%(link)s", &format!("{origin}{reset}{uid}/{token}/"));
    let subject = texts.get("A new password for %(site)s").replace("%(site)s", site.name());
    Ok(Some(Mail::new(&user.email, subject, text)?))
}

/// Returns the link for whoever has proved the address, however many others entered it before.
pub(super) async fn proved_link(site: &Site, email: &str) -> Result<Option<(User, String, String)>> {
    for id in who_proved(site.db(), email).await? {
        if let Some(link) = site.authority().reset_link_of(id, email).await?
            && is_proved(site.db(), &link.0).await?
        {
            return Ok(Some(link));
        }
    }
    Ok(None)
}
