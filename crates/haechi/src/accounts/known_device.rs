//! The cookie of a device on which somebody has signed in before.

use axum::response::Response;
use haechi_auth::User;
use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::{Auth, Result, Site};

/// Returns what the browser sent of it.
pub(super) fn sent<'h>(site: &Site, headers: &'h HeaderMap) -> Option<&'h str> {
    site.inner.device_cookie.find(headers)
}

/// Lets the browser of whoever has just signed in be known from now on.
///
/// # Security
///
/// It signs nobody in: it keeps an allowance for this device that no stranger's failures use up. It outlives a
/// sign-out, names nobody in clear, and holds the five users who signed in here last.
pub(super) async fn remember(
    site: &Site,
    auth: &Auth,
    headers: &HeaderMap,
    response: &mut Response,
) -> Result<()> {
    let user = auth.current_user().await?.ok_or(haechi_auth::Error::NotSignedIn)?;
    remember_user(site, &user, headers, response)
}

/// As [`remember`], for somebody who has proved as much as a sign-in does and is not signed in.
pub(super) fn remember_user(
    site: &Site,
    user: &User,
    headers: &HeaderMap,
    response: &mut Response,
) -> Result<()> {
    let value = site.authority().known_device_value(user, sent(site, headers));
    response.headers_mut().append(SET_COOKIE, site.inner.device_cookie.set(&value)?);
    Ok(())
}
