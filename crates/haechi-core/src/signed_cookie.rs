//! A cookie whose value the browser can read and cannot change.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::{Error, ErrorKind, KeyRing, Purpose, SecureCookie, Signer};

/// A signed cookie of the application: made once at start-up, then used to set, read and remove its value.
///
/// The format is that of Django's `set_signed_cookie`, so a Django next door reads and writes the same cookie.
///
/// # Security
///
/// The signature covers the name of the cookie, the salt and the time. It protects from a changed value, from a value of another cookie, of
/// another purpose or of another site, and from one older than the age given. It does not hide the value, and it does not stop a browser
/// from sending an older value again while that is young enough: what must happen once belongs into a database.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use haechi_core::{KeyRing, SecretKey, SecureCookie, SignedCookie};
///
/// let keys = KeyRing::new(SecretKey::generate());
/// let month = Duration::from_secs(30 * 86_400);
/// let theme = SignedCookie::new(keys, SecureCookie::new("theme")?, "", month);
/// let header = theme.set("dark", 1_700_000_000)?;
/// let sent = header.to_str().unwrap().split(';').next().unwrap();
///
/// let mut request = http::HeaderMap::new();
/// request.insert("cookie", sent.parse().unwrap());
/// assert_eq!(theme.find(&request, 1_700_000_060)?, Some("dark"));
/// assert!(theme.find(&request, 1_702_592_001).is_err());
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SignedCookie {
    cookie: SecureCookie,
    writer: Signer,
    /// Tried when the writer's purpose does not fit.
    other: Option<Signer>,
    max_age: Duration,
}

/// Which form of the signature a Django next door knows; see its release notes for CVE-2026-6873.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedCookieSalt {
    /// Django 6.1, and any that reads no cookies of before: the only form that a site of its own uses.
    Current,
    /// Django from 5.2.15 and 6.0.6 on, which writes the current form and still reads the one of before.
    CurrentAndLegacy,
    /// Django before 5.2.15 and 6.0.6. Two cookies whose names and salts make the same text when joined pass for each other.
    Legacy,
}

impl SignedCookie {
    /// Signs `cookie` under `salt` (which names what the value means, and may be empty), for `max_age`.
    ///
    /// The browser forgets it after `max_age`; a value that comes back later all the same is refused.
    #[must_use]
    pub fn new(keys: KeyRing, cookie: SecureCookie, salt: &str, max_age: Duration) -> Self {
        Self::shared_with_django(keys, cookie, salt, max_age, SignedCookieSalt::Current)
    }

    /// As [`SignedCookie::new`], for a cookie that a Django of some version reads and writes too.
    #[must_use]
    pub fn shared_with_django(
        keys: KeyRing,
        cookie: SecureCookie,
        salt: &str,
        max_age: Duration,
        form: SignedCookieSalt,
    ) -> Self {
        let current = Purpose::django_cookie(cookie.name(), salt);
        let legacy = Purpose::django_cookie_legacy(cookie.name(), salt);
        let (writes, also_reads) = match form {
            SignedCookieSalt::Current => (current, None),
            SignedCookieSalt::CurrentAndLegacy => (current, Some(legacy)),
            SignedCookieSalt::Legacy => (legacy, None),
        };
        let other = also_reads.map(|purpose| Signer::new(keys.clone(), purpose));
        Self { cookie: cookie.max_age(Some(max_age)), writer: Signer::new(keys, writes), other, max_age }
    }

    /// Returns the `Set-Cookie` value that sets `value`, signed `now` (seconds since 1970).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidCookie`] for a value that a cookie cannot carry (encode it, say with [`base64url`](crate::base64url)) or that is
    /// too long.
    pub fn set(&self, value: &str, now: i64) -> Result<HeaderValue, Error> {
        self.cookie.set(&self.writer.sign_at(value, now))
    }

    /// Returns the value that a request carries, or `None` without one and with two different ones.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadSignature`], or [`ErrorKind::ExpiredSignature`] for a good one that is too old. Treat either as no cookie.
    pub fn find<'h>(&self, headers: &'h HeaderMap, now: i64) -> Result<Option<&'h str>, Error> {
        let Some(text) = self.cookie.find(headers) else { return Ok(None) };
        let read = self.writer.unsign_at(text, now, Some(self.max_age));
        match (read, &self.other) {
            // One that is good but old is not given a second chance, as in Django.
            (Err(error), Some(other)) if error.kind() == ErrorKind::BadSignature => {
                other.unsign_at(text, now, Some(self.max_age)).map(Some)
            }
            (read, _) => read.map(Some),
        }
    }

    /// Returns the `Set-Cookie` value that removes the cookie.
    #[must_use]
    pub fn remove(&self) -> HeaderValue {
        self.cookie.remove()
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;
    use crate::SecretKey;
    use crate::signer::tests::DJANGO_KEY;

    const NOW: i64 = 1_700_000_000;
    const DAY: Duration = Duration::from_secs(86_400);

    fn keys() -> KeyRing {
        KeyRing::new(SecretKey::shared_with_django(DJANGO_KEY).unwrap())
    }

    fn django(name: &str, salt: &str, form: SignedCookieSalt) -> SignedCookie {
        let cookie = SecureCookie::shared_with_django(name).unwrap();
        SignedCookie::shared_with_django(keys(), cookie, salt, DAY, form)
    }

    fn sent(name: &str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, format!("{name}={value}").parse().unwrap());
        headers
    }

    /// Made with Django 5.2.19 (`set_signed_cookie`); the older form with 5.2.14.
    const VECTORS: [(&str, &str, &str, &str, &str); 3] = [
        (
            "pref",
            "",
            "dark",
            "dark:1r31eq:gHuHon4MUdlhKpYxnA-NU2VWpSVoQO1-yZS8ZfrhNdE",
            "dark:1r31eq:MbpIB7NYQp_DHLvM1T_Rz9X5mwWX6aYZfMHHPBXrx58",
        ),
        (
            "pref",
            "ui",
            "dark",
            "dark:1r31eq:UuNYCgi1tsllVUID8xZG6zzlux7lQ6CIjE99Sa5FoPA",
            "dark:1r31eq:c02JHn28-SA_9bGlY2_ckGrtOFVA3ChIJO5pqnoKy-o",
        ),
        (
            "a",
            "x",
            "1:2",
            "1:2:1r31eq:YrAFag7IISRjZEhhLC9eqJ4OgIchpaTYT9dyIb8ZceE",
            "1:2:1r31eq:SZgJVRmNFUOKVf3A3IrkqyRZnjiSF_MlH4dzZeFFG5U",
        ),
    ];

    #[test]
    fn signed_cookies_are_djangos_in_the_form_its_version_knows() {
        use SignedCookieSalt::{Current, CurrentAndLegacy, Legacy};
        for (name, salt, value, current, legacy) in VECTORS {
            #[track_caller]
            fn check(cookie: &SignedCookie, headers: &HeaderMap, expected: Option<&str>) {
                assert_eq!(cookie.find(headers, NOW).ok().flatten(), expected);
            }
            for (form, written, other, reads_other) in [
                (Current, current, legacy, false),
                (CurrentAndLegacy, current, legacy, true),
                (Legacy, legacy, current, false),
            ] {
                let cookie = django(name, salt, form);
                let header = cookie.set(value, NOW).unwrap();
                assert!(header.to_str().unwrap().starts_with(&format!("{name}={written}; ")), "{form:?}");
                check(&cookie, &sent(name, written), Some(value));
                check(&cookie, &sent(name, other), reads_other.then_some(value));
            }
        }
    }

    /// asvs_9_1_1, asvs_9_2_1, asvs_9_2_2: changed, moved to another name or meaning, or too old.
    #[test]
    fn asvs_9_2_2_a_signed_cookie_is_believed_under_its_name_and_salt_and_for_its_time() {
        #[track_caller]
        fn check(
            cookie: &SignedCookie,
            headers: &HeaderMap,
            now: i64,
            expected: Result<Option<&str>, ErrorKind>,
        ) {
            assert_eq!(cookie.find(headers, now).map_err(|error| error.kind()), expected);
        }
        let (name, salt, value, text, legacy) = VECTORS[1];
        let cookie = django(name, salt, SignedCookieSalt::CurrentAndLegacy);
        let bad = Err(ErrorKind::BadSignature);
        check(&cookie, &HeaderMap::new(), NOW, Ok(None));
        check(&cookie, &sent("other", text), NOW, Ok(None));
        check(&cookie, &sent(name, text), NOW + 86_400, Ok(Some(value)));
        check(&cookie, &sent(name, text), NOW + 86_401, Err(ErrorKind::ExpiredSignature));
        check(&cookie, &sent(name, legacy), NOW + 86_401, Err(ErrorKind::ExpiredSignature));
        for changed in
            ["", "dark", "dork:1r31eq:UuNYCgi1tsllVUID8xZG6zzlux7lQ6CIjE99Sa5FoPA", &text[..text.len() - 1]]
        {
            check(&cookie, &sent(name, changed), NOW, bad);
        }
        check(&django("pref2", salt, SignedCookieSalt::Current), &sent("pref2", text), NOW, bad);
        check(&django(name, "iu", SignedCookieSalt::Current), &sent(name, text), NOW, bad);
        let foreign = KeyRing::new(SecretKey::generate());
        let foreign = SignedCookie::new(foreign, SecureCookie::shared_with_django(name).unwrap(), salt, DAY);
        check(&foreign, &sent(name, text), NOW, bad);
        let mut twice = sent(name, text);
        twice.append(COOKIE, format!("{name}=planted").parse().unwrap());
        check(&cookie, &twice, NOW, Ok(None));
    }

    #[test]
    fn a_value_that_cannot_travel_is_an_error_and_not_another_value() {
        let cookie = SignedCookie::new(keys(), SecureCookie::new("theme").unwrap(), "", DAY);
        for value in ["a b", "a;b", "zo\u{eb}", &"x".repeat(4_096)] {
            assert_eq!(cookie.set(value, NOW).unwrap_err().kind(), ErrorKind::InvalidCookie);
        }
        let set = cookie.set("dark", NOW).unwrap();
        assert!(set.to_str().unwrap().contains("; Secure; HttpOnly; SameSite=Lax"), "{set:?}");
        assert!(
            set.to_str().unwrap().contains("Max-Age=86400")
                && cookie.remove().to_str().unwrap().contains("Max-Age=0")
        );
    }
}
