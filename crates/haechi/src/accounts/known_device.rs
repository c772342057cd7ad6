//! The cookie of a device on which somebody has signed in before.

use axum::response::Response;
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
/// It signs nobody in: it keeps an allowance for this device that no stranger's failures use up. Signing out by hand
/// forgets it with every other cookie, for the device may be a borrowed one.
pub(super) async fn remember(site: &Site, auth: &Auth, response: &mut Response) -> Result<()> {
    let cookie = site.inner.device_cookie.set(&auth.known_device_value().await?)?;
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(())
}
