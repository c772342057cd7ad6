//! What a browser forgets when its user signs out.

use std::collections::BTreeSet;

use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::Site;

/// Tells the browser to forget the pages, what scripts stored, and every cookie that it sent but that of a known device.
///
/// Beside a Django only the pages go, and cookies of our own: the rest is of the site next door, whose own sign-out
/// leaves a cart, a consent and a message that waits where they are. The session removes its cookie itself.
///
/// # Security
///
/// `Clear-Site-Data: "cookies"` would take the known device with the rest, and its user could be kept out by a stranger's
/// failures on the very machine they always use. So each cookie is named instead. One with another path or domain
/// than the site's own stays: the application that set it removes it.
pub(super) fn forget(site: &Site, headers: &HeaderMap, response: &mut Response) {
    let answer = response.headers_mut();
    let (data, shared) = match site.is_shared() {
        true => ("\"cache\"", true),
        false => ("\"cache\", \"storage\"", false),
    };
    answer.insert("clear-site-data", HeaderValue::from_static(data));
    let (kept, own) = (site.inner.device_cookie.name(), site.inner.form_cookie.name());
    let goes = |name: &&str| if shared { *name == own } else { *name != kept };
    let names: BTreeSet<&str> = names(headers).filter(goes).collect();
    for name in names.into_iter().take(MOST) {
        let secure = if name.starts_with("__") { "; Secure" } else { "" };
        if let Ok(line) = HeaderValue::try_from(format!("{name}=; Path=/; Max-Age=0{secure}")) {
            answer.append(SET_COOKIE, line);
        }
    }
}

/// The names of all cookies that were sent, whatever their values are.
fn names(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let pairs =
        headers.get_all(COOKIE).into_iter().flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    let names = pairs.filter_map(|pair| str::from_utf8(pair.split(|byte| *byte == b'=').next()?).ok());
    names
        .map(|name| name.trim_matches([' ', '\t']))
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','))
}

/// As many as a browser sends.
const MOST: usize = 180;
