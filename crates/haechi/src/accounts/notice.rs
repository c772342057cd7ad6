//! The mail that tells a person of a change which somebody else may have made.

use haechi_auth::User;
use haechi_core::RequestContext;

use super::proved_email::is_proved;
use super::texts::Texts;
use crate::{Mail, Result, Site};

/// Whether an address has to be proved before a notice goes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// The link that was used just now came by it.
    Used,
    /// It may be somebody else's: who signs up writes what they like.
    AsStored,
}

/// Tells a user by mail that their password was changed; a queue that is full does not undo the change.
pub(super) fn password_changed(
    site: &Site,
    user: User,
    address: Address,
    context: &RequestContext,
    language: String,
) {
    let page = site.inner.accounts.password_reset_page();
    let reset = format!("{}://{}{page}", context.scheme(), context.host());
    if let Err(error) = site.mailer().write(write(site.clone(), user, address, reset, language)) {
        tracing::error!(target: "haechi::failure", ?error, "mail not queued");
    }
}

async fn write(
    site: Site,
    user: User,
    address: Address,
    reset: String,
    language: String,
) -> Result<Option<Mail>> {
    if user.email.is_empty() || (address == Address::AsStored && !is_proved(site.db(), &user).await?) {
        return Ok(None);
    }
    let texts = Texts { site: &site, language };
    let text = texts
        .get("The password of %(username)s at %(site)s was changed, and all other devices were signed out.\n\nIf it was you, do nothing. If it was not you, set a new one now:\n\n%(link)s")
        .replace("%(username)s", &user.username)
        .replace("%(site)s", site.name())
        .replace("%(link)s", &reset);
    let subject = texts.get("Your password at %(site)s was changed").replace("%(site)s", site.name());
    Ok(Some(Mail::new(&user.email, subject, text)?))
}
