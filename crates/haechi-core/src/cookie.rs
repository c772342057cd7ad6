//! Cookies that are safe unless someone says otherwise.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::{Error, ErrorKind, Quoted, cookies};

/// One cookie of the site: its name and attributes, made once at start-up, then used to set, read and remove it.
///
/// By default the cookie is `__Host-…; Secure; HttpOnly; SameSite=Lax; Path=/` without a domain: the browser sends it back to this very host
/// over TLS only, no script reads it, and no sibling host or plain connection can plant one of that name.
///
/// # Examples
///
/// ```
/// use haechi_core::SecureCookie;
///
/// let cookie = SecureCookie::new("session")?;
/// assert_eq!(cookie.set("abc")?, "__Host-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
///
/// let on_this_machine = cookie.on_loopback();
/// assert_eq!(on_this_machine.set("abc")?, "session=abc; Path=/; HttpOnly; SameSite=Lax");
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SecureCookie {
    name: Cow<'static, str>,
    attributes: Attributes,
}

#[derive(Debug, Clone)]
struct Attributes {
    domain: Option<String>,
    path: Cow<'static, str>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    max_age: Option<Duration>,
}

/// When a browser sends a cookie along with a request that another site started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link, not with forms, images and scripts.
    Lax,
}

impl SecureCookie {
    /// Plans a cookie `__Host-{name}`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCookie`] for a name that is no token of RFC 9110.
    pub fn new(name: &str) -> Result<Self, Error> {
        check_name(name)?;
        Ok(Self {
            name: Cow::Owned(format!("{HOST_PREFIX}{name}")),
            attributes: Attributes {
                domain: None,
                path: Cow::Borrowed("/"),
                secure: true,
                http_only: true,
                same_site: SameSite::Lax,
                max_age: None,
            },
        })
    }

    /// Plans a cookie that a Django site next door reads and writes too: the bare name, still `Secure` and `HttpOnly`. It may
    /// begin with `__Secure-`, which promises no more than that.
    ///
    /// # Security
    ///
    /// Without the `__Host-` prefix a sibling host can plant a cookie of this name. Nothing but sharing is worth that.
    ///
    /// # Errors
    ///
    /// As [`SecureCookie::new`].
    pub fn shared_with_django(name: &str) -> Result<Self, Error> {
        let mut cookie = Self::new(name.strip_prefix(SECURE_PREFIX).unwrap_or(name))?;
        cookie.name = Cow::Owned(name.to_owned());
        Ok(cookie)
    }

    /// The same cookie for a development server on this machine, where there is no TLS: without prefix and without `Secure`.
    #[must_use]
    pub fn on_loopback(mut self) -> Self {
        let bare = self.name.strip_prefix(HOST_PREFIX).or_else(|| self.name.strip_prefix(SECURE_PREFIX));
        if let Some(bare) = bare {
            self.name = Cow::Owned(bare.to_owned());
        }
        self.attributes.secure = false;
        self
    }

    /// Sends the cookie to every host under `domain`, as Django's `SESSION_COOKIE_DOMAIN` does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCookie`] for a `__Host-` cookie, which has no domain, and for what is no domain.
    pub fn domain(mut self, domain: &str) -> Result<Self, Error> {
        let bare = domain.strip_prefix('.').unwrap_or(domain);
        let host = crate::HostName::parse(bare)
            .ok()
            .filter(|host| host.port().is_none() && host.address().is_none());
        if host.is_none() || self.name.starts_with(HOST_PREFIX) {
            return Err(invalid(format!(
                "the cookie domain {} cannot be used: a `__Host-` cookie has none, others need a host name",
                Quoted(domain)
            )));
        }
        self.attributes.domain = Some(domain.to_owned());
        Ok(self)
    }

    /// Sends the cookie to paths under `path` only, as Django's `SESSION_COOKIE_PATH` does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCookie`] for a `__Host-` cookie, whose path is `/`, and for what is no path.
    pub fn path(mut self, path: &str) -> Result<Self, Error> {
        let fits =
            path.starts_with('/') && path.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b';');
        if !fits || (self.name.starts_with(HOST_PREFIX) && path != "/") {
            return Err(invalid(format!(
                "the cookie path {} cannot be used: it begins with `/`, and that of a `__Host-` cookie is `/`",
                Quoted(path)
            )));
        }
        self.attributes.path = Cow::Owned(path.to_owned());
        Ok(self)
    }

    /// Chooses when another site's request carries the cookie; `SameSite=None` cannot be chosen.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.attributes.same_site = same_site;
        self
    }

    /// Lets scripts of the page read the cookie, as those of a Django site read its `csrftoken`.
    ///
    /// # Security
    ///
    /// Only for a value that the page holds anyway. A session is never one.
    #[must_use]
    pub fn readable_by_scripts(mut self) -> Self {
        self.attributes.http_only = false;
        self
    }

    /// Keeps the cookie for a time; without it, it ends with the browser.
    #[must_use]
    pub fn max_age(mut self, max_age: Option<Duration>) -> Self {
        self.attributes.max_age = max_age;
        self
    }

    /// Returns the whole name, with its prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the `Set-Cookie` value that sets the cookie.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCookie`] for a value with characters that a cookie cannot carry, or when name and value exceed 4096 bytes, which
    /// browsers drop silently. The error does not hold the value.
    pub fn set(&self, value: &str) -> Result<HeaderValue, Error> {
        if !value.bytes().all(is_cookie_octet) {
            return Err(invalid(format!(
                "the value of the cookie {} has a space, a quote, a comma, `;`, `\\` or a character outside ASCII: encode it",
                self.name
            )));
        }
        if self.name.len() + value.len() > MOST_BYTES {
            return Err(invalid(format!(
                "the cookie {} is longer than 4096 bytes, which browsers drop: store it in the session",
                self.name
            )));
        }
        Ok(self.attributes.header(&self.name, value, self.attributes.max_age))
    }

    /// Returns the `Set-Cookie` value that removes the cookie.
    #[must_use]
    pub fn remove(&self) -> HeaderValue {
        self.attributes.header(&self.name, "", Some(Duration::ZERO))
    }

    /// Returns the value that a request carries; `None` without one, and also when it carries two different ones.
    ///
    /// Two cookies of one name mean that somebody planted one; which is which cannot be told, so neither counts.
    #[must_use]
    pub fn find<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let mut values = cookies(headers).filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        let first = values.next()?;
        values.all(|other| other == first).then_some(first)
    }
}

impl Attributes {
    fn header(&self, name: &str, value: &str, max_age: Option<Duration>) -> HeaderValue {
        let mut text = format!("{name}={value}");
        if let Some(domain) = &self.domain {
            text.push_str("; Domain=");
            text.push_str(domain);
        }
        text.push_str("; Path=");
        text.push_str(&self.path);
        if let Some(max_age) = max_age {
            text.push_str("; Max-Age=");
            text.push_str(&max_age.as_secs().to_string());
        }
        if self.secure {
            text.push_str("; Secure");
        }
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
        });
        HeaderValue::try_from(text).expect("name, value and attributes were checked to be visible ASCII")
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > 200 || !name.bytes().all(token) {
        return Err(invalid(format!(
            "the cookie name {} has a character that no name can have: use letters, digits, `-` and `_`",
            Quoted(name)
        )));
    }
    // The prefix is ours to add: browsers compare it without regard to case.
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("__host-") || lower.starts_with("__secure-") {
        return Err(invalid(format!("the cookie name {} has a prefix already: leave it out", Quoted(name))));
    }
    Ok(())
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidCookie, message)
}

/// RFC 6265 §4.1.1.
fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

const HOST_PREFIX: &str = "__Host-";
const SECURE_PREFIX: &str = "__Secure-";
const MOST_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    /// asvs_3_3_1, asvs_3_3_2, asvs_3_3_3, asvs_3_3_4.
    #[test]
    fn attributes_are_safe_unless_said_otherwise() {
        #[track_caller]
        fn check(cookie: &SecureCookie, expected: &str) {
            assert_eq!(cookie.set("v").unwrap(), expected);
        }
        let plain = SecureCookie::new("s").unwrap();
        let django = SecureCookie::shared_with_django("sessionid").unwrap();
        check(&plain.clone(), "__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax");
        check(
            &plain.clone().same_site(SameSite::Strict),
            "__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Strict",
        );
        check(
            &plain.clone().max_age(Some(Duration::from_secs(60))),
            "__Host-s=v; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
        );
        check(&plain.clone().on_loopback(), "s=v; Path=/; HttpOnly; SameSite=Lax");
        check(&django.clone(), "sessionid=v; Path=/; Secure; HttpOnly; SameSite=Lax");
        let prefixed = SecureCookie::shared_with_django("__Secure-sid").unwrap();
        check(&prefixed.clone(), "__Secure-sid=v; Path=/; Secure; HttpOnly; SameSite=Lax");
        check(&prefixed.on_loopback(), "sid=v; Path=/; HttpOnly; SameSite=Lax");
        for wrong in ["__Secure-", "__Secure-__Secure-a", "__Secure-__Host-a", "__secure-a", "__Host-a"] {
            assert!(SecureCookie::shared_with_django(wrong).is_err(), "{wrong}");
        }
        check(
            &django.clone().domain(".example.org").unwrap().path("/app").unwrap(),
            "sessionid=v; Domain=.example.org; Path=/app; Secure; HttpOnly; SameSite=Lax",
        );
        assert_eq!(plain.remove(), "__Host-s=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
        assert!(plain.clone().domain("example.org").is_err());
        assert!(plain.path("/app").is_err());
        for wrong in ["", ".", "a b", "example.org:80", "127.0.0.1", "a;b", "a\r\nb"] {
            assert!(django.clone().domain(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "app", "/a;b", "/a b", "/a\r\nb", "/é"] {
            assert!(django.clone().path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_a_token_without_our_prefix() {
        for wrong in [
            "",
            "a b",
            "a=b",
            "a;b",
            "a,b",
            "a\r\nSet-Cookie:",
            "é",
            "\"a\"",
            "__Host-a",
            "__host-a",
            "__SECURE-a",
            "a/b",
            "(a)",
            "a\0",
        ] {
            assert!(SecureCookie::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(SecureCookie::new(&"a".repeat(200)).is_ok());
        assert!(SecureCookie::new(&"a".repeat(201)).is_err());
    }

    /// asvs_3_3_5.
    #[test]
    fn a_value_that_a_browser_would_drop_or_split_is_an_error() {
        let cookie = SecureCookie::new("s").unwrap();
        for wrong in ["a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nb", "é", "a\0", "\u{7f}"] {
            assert!(cookie.set(wrong).is_err(), "{wrong:?}");
        }
        let room = 4096 - cookie.name().len();
        assert!(cookie.set(&"v".repeat(room)).is_ok());
        let error = cookie.set(&"v".repeat(room + 1)).unwrap_err();
        assert!(error.to_string().len() < 200, "the value is shown: {error}");
    }

    #[test]
    fn a_cookie_counts_only_if_nobody_planted_another() {
        #[track_caller]
        fn check(fields: &[&str], expected: Option<&str>) {
            let cookie = SecureCookie::new("s").unwrap();
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(COOKIE, field.parse().unwrap());
            }
            assert_eq!(cookie.find(&headers), expected);
        }
        check(&[], None);
        check(&["__Host-s=1"], Some("1"));
        check(&["a=2; __Host-s=1; b=3"], Some("1"));
        check(&["a=2", "__Host-s=1"], Some("1"));
        // Some clients send a cookie twice; equal values leave no doubt.
        check(&["__Host-s=1; __Host-s=1"], Some("1"));
        check(&["__Host-s=1; __Host-s=2"], None);
        check(&["__Host-s=1", "__Host-s=2"], None);
        check(&["s=1"], None);
        check(&["__host-s=1"], None);
        check(&["__Host-s"], None);
    }
}
