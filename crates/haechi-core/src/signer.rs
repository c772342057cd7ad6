//! Values that go out to a browser and must come back unchanged, in Django's signing format.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use subtle::ConstantTimeEq;

use crate::salted_hmac::salted_hmac_parts;
use crate::{Error, ErrorKind, KeyRing, base62, base64url};

/// What a signature is for; a value signed for one purpose never verifies for another.
///
/// # Examples
///
/// ```
/// use haechi_core::Purpose;
///
/// const RESET: Purpose = Purpose::new("haechi.auth.reset");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Purpose {
    salt: Cow<'static, str>,
    /// Stands before the secret when the key is derived: empty, or what Django puts there for cookies.
    key_prefix: &'static str,
}

impl Purpose {
    /// Names a purpose; Django calls it the salt.
    #[must_use]
    pub const fn new(salt: &'static str) -> Self {
        Self { salt: Cow::Borrowed(salt), key_prefix: "" }
    }

    /// The purpose of a cookie that Django 5.2.15, 6.0.6 and later set by `set_signed_cookie(name, …, salt=salt)`.
    ///
    /// The length before the salt keeps `("ab", "c")` and `("a", "bc")` apart, which earlier versions did not (CVE-2026-6873).
    #[must_use]
    pub fn django_cookie(name: &str, salt: &str) -> Self {
        let length = salt.chars().count();
        Self {
            salt: Cow::Owned(format!("django.http.cookies.v2:{length}:{salt}{name}")),
            key_prefix: DJANGO_COOKIES,
        }
    }

    /// The purpose of a signed cookie of Django before 5.2.15 and 6.0.6.
    ///
    /// # Security
    ///
    /// A value of the cookie `ab` with salt `c` passes for the cookie `a` with salt `bc`. Read it only while such a Django stands next door.
    #[must_use]
    pub fn django_cookie_legacy(name: &str, salt: &str) -> Self {
        Self { salt: Cow::Owned(format!("{name}{salt}")), key_prefix: DJANGO_COOKIES }
    }

    /// The purpose of Django's `messages` cookie.
    #[must_use]
    pub const fn django_messages() -> Self {
        Self { salt: Cow::Borrowed("django.contrib.messages"), key_prefix: DJANGO_COOKIES }
    }
}

/// Signs texts and believes them when they come back.
///
/// A signed text can be read by whoever holds it: signing is not encryption. Cloning is cheap.
///
/// # Security
///
/// Protects against a changed value, a value of another [`Purpose`] and, with `unsign_at`, an old value. Does not protect against
/// a value that is sent twice: what must happen once has to be remembered in a database.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use haechi_core::{KeyRing, Purpose, SecretKey, Signer};
///
/// let signer = Signer::new(KeyRing::new(SecretKey::generate()), Purpose::new("unsubscribe"));
/// let text = signer.sign_at("42", 1_700_000_000);
/// assert_eq!(signer.unsign_at(&text, 1_700_000_060, Some(Duration::from_secs(60)))?, "42");
/// assert!(signer.unsign_at(&text, 1_700_000_061, Some(Duration::from_secs(60))).is_err());
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    keys: KeyRing,
    purpose: Purpose,
}

/// Whether a signed object may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compress {
    /// Compress where that makes the text shorter.
    IfShorter,
    /// Leave the text as it is.
    Never,
}

impl Signer {
    /// Makes a signer for one purpose.
    #[must_use]
    pub fn new(keys: KeyRing, purpose: Purpose) -> Self {
        Self { keys, purpose }
    }

    /// Returns `value:signature`.
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let mut text = String::with_capacity(value.len() + 1 + SIGNATURE_LENGTH);
        text.push_str(value);
        self.append_signature(&mut text);
        text
    }

    /// Returns the value of a signed text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadSignature`] for anything that no key of the ring signed for this purpose.
    pub fn unsign<'t>(&self, text: &'t str) -> Result<&'t str, Error> {
        let bad = || {
            Error::new(
                ErrorKind::BadSignature,
                "the signature does not fit: the value was changed, or signed with another key or for another purpose",
            )
        };
        let (value, signature) = text.rsplit_once(SEPARATOR).ok_or_else(bad)?;
        // The encoded texts are compared, not the bytes: base64 that differs in padding or spare bits is another signature.
        let fits = |key: &crate::SecretKey| -> bool {
            self.signature(value, key.as_bytes()).as_bytes().ct_eq(signature.as_bytes()).into()
        };
        self.keys.find(fits).map(|_| value).ok_or_else(bad)
    }

    /// Returns `value:time:signature`, with the seconds since 1970 in base 62.
    #[must_use]
    pub fn sign_at(&self, value: &str, unix: i64) -> String {
        let stamp = base62::encode(unix);
        let mut text = String::with_capacity(value.len() + stamp.len() + 2 + SIGNATURE_LENGTH);
        text.push_str(value);
        text.push(SEPARATOR);
        text.push_str(&stamp);
        self.append_signature(&mut text);
        text
    }

    /// Returns the value of a text that [`Signer::sign_at`] made, if it is not older than `max_age`.
    ///
    /// A text exactly `max_age` old is good, and so is one from the future, as in Django: clocks of two machines differ.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadSignature`], or [`ErrorKind::ExpiredSignature`] for a good signature that is too old.
    pub fn unsign_at<'t>(
        &self,
        text: &'t str,
        now: i64,
        max_age: Option<Duration>,
    ) -> Result<&'t str, Error> {
        let stamped = self.unsign(text)?;
        let no_time = || Error::new(ErrorKind::BadSignature, "the signed value carries no time");
        let (value, stamp) = stamped.rsplit_once(SEPARATOR).ok_or_else(no_time)?;
        let signed = base62::decode(stamp).ok_or_else(no_time)?;
        let age = now.saturating_sub(signed);
        match max_age {
            Some(limit) if age > i64::try_from(limit.as_secs()).unwrap_or(i64::MAX) => Err(Error::new(
                ErrorKind::ExpiredSignature,
                format!(
                    "the signature is {age} seconds old, allowed are {}: ask for a new one",
                    limit.as_secs()
                ),
            )),
            _ => Ok(value),
        }
    }

    /// Signs a JSON text as Django's `signing.dumps` does.
    ///
    /// Characters outside ASCII are written as `\uXXXX`, since Django reads the payload back as Latin-1. The text has to be JSON without
    /// spaces between its parts, as `serde_json::to_string` writes it; that it is JSON at all is the caller's to see to.
    #[must_use]
    pub fn sign_object(&self, json: &str, unix: i64, compress: Compress) -> String {
        let json = ascii_json(json);
        let payload = match compress {
            Compress::Never => None,
            Compress::IfShorter => deflated(json.as_bytes()).filter(|small| small.len() + 1 < json.len()),
        };
        let encoded = match payload {
            Some(small) => format!(".{}", base64url::encode(small)),
            None => base64url::encode(json.as_bytes()),
        };
        self.sign_at(&encoded, unix)
    }

    /// Returns the JSON text that Django's `signing.dumps` or [`Signer::sign_object`] signed.
    ///
    /// # Errors
    ///
    /// As [`Signer::unsign_at`], and [`ErrorKind::BadPayload`] when the content is not base64, not zlib, or inflates beyond 1 MiB.
    pub fn unsign_object(&self, text: &str, now: i64, max_age: Option<Duration>) -> Result<String, Error> {
        let bad = |why: &'static str| Error::new(ErrorKind::BadPayload, why);
        let encoded = self.unsign_at(text, now, max_age)?;
        let (encoded, compressed) = match encoded.strip_prefix('.') {
            Some(rest) => (rest, true),
            None => (encoded, false),
        };
        let bytes = base64url::decode(encoded).ok_or_else(|| bad("the signed content is not base64"))?;
        let json = if compressed {
            inflated(&bytes).ok_or_else(|| bad("the signed content is not zlib, or more than 1 MiB"))?
        } else {
            bytes
        };
        // Latin-1, as Django reads it: every byte is one character.
        Ok(json.into_iter().map(char::from).collect())
    }

    fn append_signature(&self, text: &mut String) {
        let signature = self.signature(text, self.keys.signing().as_bytes());
        text.push(SEPARATOR);
        text.push_str(&signature);
    }

    fn signature(&self, value: &str, secret: &[u8]) -> String {
        let secret = [self.purpose.key_prefix.as_bytes(), secret];
        base64url::encode(salted_hmac_parts(&[&self.purpose.salt, "signer"], value.as_bytes(), &secret))
    }
}

/// Writes every character outside ASCII as `\uXXXX`; in valid JSON such characters stand only inside strings.
fn ascii_json(json: &str) -> Cow<'_, str> {
    use std::fmt::Write as _;

    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(text, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        }
    }
    Cow::Owned(text)
}

fn deflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// Inflates to at most [`MOST_INFLATED`]: 1 KiB of zlib can hold 1 MiB, and Django next door signs what its users store.
fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inflated = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(MOST_INFLATED + 1);
    decoder.read_to_end(&mut inflated).ok()?;
    (decoder.limit() > 0).then_some(inflated)
}

const SEPARATOR: char = ':';
const SIGNATURE_LENGTH: usize = 43;
const MOST_INFLATED: u64 = 1 << 20;
const DJANGO_COOKIES: &str = "django.http.cookies";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::SecretKey;

    /// The vectors below were made with Django 5.2.19 under this key at 2023-11-14 22:13:20 UTC; 6.1.3 makes the same.
    pub(crate) const DJANGO_KEY: &str = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
    const DJANGO_TIME: i64 = 1_700_000_000;

    pub(crate) fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Django compresses where that saves more than the dot which says so.
    #[test]
    fn an_object_is_compressed_only_where_that_saves_a_byte() {
        let signer = django(Purpose::new("compression"));
        let mut saved = std::collections::BTreeSet::new();
        for length in 0..60 {
            let json = format!("\"{}{}\"", &"abcdefghijklmnopqrstuvwxyz"[..length % 26], "a".repeat(length));
            let small = deflated(json.as_bytes()).unwrap().len();
            let compressed = signer.sign_object(&json, 0, Compress::IfShorter).starts_with('.');
            assert_eq!(compressed, small + 2 <= json.len(), "{json}: {small} of {}", json.len());
            saved.insert(json.len().cast_signed() - small.cast_signed());
        }
        assert!([0, 1, 2].iter().all(|bytes| saved.contains(bytes)), "{saved:?}");
    }

    fn django(purpose: Purpose) -> Signer {
        Signer::new(KeyRing::new(SecretKey::shared_with_django(DJANGO_KEY).unwrap()), purpose)
    }

    #[test]
    fn signed_values_are_djangos() {
        #[track_caller]
        fn check(salt: &'static str, value: &str, expected: &str) {
            let signer = django(Purpose::new(salt));
            assert_eq!(signer.sign(value), expected);
            assert_eq!(signer.unsign(expected).as_deref(), Ok(value));
        }
        check("django.core.signing.Signer", "hello", "hello:DERGRUv3yc756Nzmy9tHvfHrFXG41NnW3AbKEhaedxw");
        check("extra", "hello", "hello:E-g__hltb8gJ01A4xSVPKjzkLFGmEh4YsySWFOjRKgM");
        check("x", "a:b:c", "a:b:c:8vd_ILL8TdwoNcM_49XQEwh4dGbCgw69zFRmldqbPLU");
    }

    #[test]
    fn stamped_values_are_djangos() {
        #[track_caller]
        fn check(purpose: Purpose, value: &str, expected: &str) {
            let signer = django(purpose);
            assert_eq!(signer.sign_at(value, DJANGO_TIME), expected);
            assert_eq!(signer.unsign_at(expected, DJANGO_TIME, None).as_deref(), Ok(value));
        }
        check(
            Purpose::new("django.core.signing.TimestampSigner"),
            "hello",
            "hello:1r31eq:Anvhyg7_dLyTa51V3L0ZJ-W8YOm4AzxByX-PBRbTKvo",
        );
        check(Purpose::new("reset"), "id:42", "id:42:1r31eq:D2hvr4MPQERLMVq5mPZ8nOJX88ZP9kKzDara41M5fLE");
        check(
            Purpose::django_cookie("pref", ""),
            "dark",
            "dark:1r31eq:gHuHon4MUdlhKpYxnA-NU2VWpSVoQO1-yZS8ZfrhNdE",
        );
        check(
            Purpose::django_cookie_legacy("pref", ""),
            "dark",
            "dark:1r31eq:MbpIB7NYQp_DHLvM1T_Rz9X5mwWX6aYZfMHHPBXrx58",
        );
        check(
            Purpose::django_cookie("pref", "ui"),
            "dark",
            "dark:1r31eq:UuNYCgi1tsllVUID8xZG6zzlux7lQ6CIjE99Sa5FoPA",
        );
        check(
            Purpose::django_cookie_legacy("pref", "ui"),
            "dark",
            "dark:1r31eq:c02JHn28-SA_9bGlY2_ckGrtOFVA3ChIJO5pqnoKy-o",
        );
        check(
            Purpose::django_cookie("a", "x"),
            "1:2",
            "1:2:1r31eq:YrAFag7IISRjZEhhLC9eqJ4OgIchpaTYT9dyIb8ZceE",
        );
        check(
            Purpose::django_cookie_legacy("a", "x"),
            "1:2",
            "1:2:1r31eq:SZgJVRmNFUOKVf3A3IrkqyRZnjiSF_MlH4dzZeFFG5U",
        );
    }

    #[track_caller]
    fn check_object(purpose: Purpose, compress: Compress, json: &str, read_back: &str, expected: &str) {
        let signer = django(purpose);
        assert_eq!(signer.unsign_object(expected, DJANGO_TIME, None).as_deref(), Ok(read_back));
        let ours = signer.sign_object(json, DJANGO_TIME, compress);
        // Two zlibs may choose other bytes; what they say must be the same, and uncompressed text is the same byte for byte.
        if expected.starts_with('.') {
            assert!(ours.starts_with('.'), "{ours}");
            assert_eq!(signer.unsign_object(&ours, DJANGO_TIME, None).as_deref(), Ok(read_back));
        } else {
            assert_eq!(ours, expected);
        }
    }

    #[test]
    fn signed_objects_are_djangos() {
        let (check, never, shorter) = (check_object, Compress::Never, Compress::IfShorter);
        let long = format!(r#"{{"k":"{}"}}"#, "x".repeat(100));
        let short = r#"{"a":1}"#;
        let name = r#"{"name":"zo\u00eb \u2603 \ud83d\ude00"}"#;

        check(
            Purpose::new("django.core.signing"),
            never,
            short,
            short,
            "eyJhIjoxfQ:1r31eq:UCv6tZWhE48aQzsNcTbCTiMv5YnVrA2vGQ20F4f1q_8",
        );
        check(
            Purpose::new("s"),
            shorter,
            short,
            short,
            "eyJhIjoxfQ:1r31eq:ymgyi8eE7MKYfC9Rd-HVMn64S8cgg_C7GZjFxbNGGCI",
        );
        check(
            Purpose::new("s"),
            never,
            "{\"name\":\"zo\u{eb} \u{2603} \u{1f600}\"}",
            name,
            "eyJuYW1lIjoiem9cdTAwZWIgXHUyNjAzIFx1ZDgzZFx1ZGUwMCJ9:1r31eq:z60WR28j_9mEqpODaz6Q3Y2vJMesbA0xfsqMso2Q9Nk",
        );
        check(
            Purpose::new("s"),
            shorter,
            &long,
            &long,
            ".eJyrVspWslKqoANQqgUAQEsxBg:1r31eq:xW1tgLehedcz4oV_YdG1_N0R4iTHVvmjHp3qeyRltT8",
        );
    }

    #[test]
    fn sessions_are_djangos() {
        let (check, shorter, short) = (check_object, Compress::IfShorter, r#"{"a":1}"#);
        let session = Purpose::new("django.contrib.sessions.SessionStore");
        let signed_cookies = Purpose::new("django.contrib.sessions.backends.signed_cookies");
        let zeros = "0".repeat(64);
        let auth = format!(
            r#"{{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"{zeros}"}}"#
        );
        check(
            session.clone(),
            shorter,
            short,
            short,
            "eyJhIjoxfQ:1r31eq:JRFvCJdUyylJKR5Xg6ALSKO_gAitP4YUhlVkXGzSxY8",
        );
        check(
            session.clone(),
            shorter,
            &auth,
            &auth,
            ".eJyrVopPLC3JiC8tTi2Kz0xRslIyVNJBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOo2oBAo1QIAIvYyTQ:1r31eq:qiBNfdw2oiH7TQWbI71OJwvl9tAwpipP_7jwSlfP-iY",
        );
        check(
            session,
            shorter,
            "{\"n\":\"zo\u{eb} \u{2603}\"}",
            r#"{"n":"zo\u00eb \u2603"}"#,
            "eyJuIjoiem9cdTAwZWIgXHUyNjAzIn0:1r31eq:mkgPwnzAWP19lZYGxGpZCGgUGMTdDwv8h5alU0gh1R4",
        );
        check(
            signed_cookies.clone(),
            shorter,
            short,
            short,
            "eyJhIjoxfQ:1r31eq:gWOT5qe4PeCdDUKfdFX6nGdZfyrM5OzkS4DHgdUGVoo",
        );
        check(
            signed_cookies,
            shorter,
            "{\"n\":\"zo\u{eb}\"}",
            r#"{"n":"zo\u00eb"}"#,
            "eyJuIjoiem9cdTAwZWIifQ:1r31eq:uhoruJOIlGllizvEavyc_zuNwrVMOfnm7uSStdf7Ork",
        );
    }

    #[test]
    fn messages_are_djangos() {
        let (check, shorter) = (check_object, Compress::IfShorter);
        let message = r#"[["__json_message",0,20,"hi",""]]"#;
        check(
            Purpose::django_messages(),
            shorter,
            message,
            message,
            "W1siX19qc29uX21lc3NhZ2UiLDAsMjAsImhpIiwiIl1d:1r31eq:OVwRCIoJyjYom_9IJ2s0fvY4VD_-ewS0QoZIuIaQGa0",
        );
        let messages = r#"[["__json_message",1,40,"<b>no</b>","x y"],["__json_message",0,25,"zo\u00eb"]]"#;
        check(
            Purpose::django_messages(),
            shorter,
            messages,
            messages,
            ".eJyLjlaKj88qzs-Lz00tLk5MT1XSMdQxMdBRskmyy8u30U-yU9JRqlCoVIrVwVRpoGNkqqNUlR9TamCQmqQUGwsAzHYYNw:1r31eq:LqZy_VcrQhAaegUER89QpuuPv_JyPsVDU4cjH7eHznE",
        );
    }

    /// asvs_9_1_1, asvs_11_2_5: nothing but what was signed, for what it was signed.
    #[test]
    fn a_changed_text_is_refused_wherever_it_was_changed() {
        let signer = django(Purpose::new("p"));
        let text = signer.sign_at("user:1", DJANGO_TIME);
        for at in 0..text.len() {
            for flip in [1_u8, 2, 0x20] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= flip;
                let changed = String::from_utf8(bytes).unwrap();
                let kind = signer.unsign_at(&changed, DJANGO_TIME, None).unwrap_err().kind();
                assert_eq!(kind, ErrorKind::BadSignature, "{changed}");
            }
        }
        for hostile in [
            "",
            ":",
            "::",
            "user:1",
            "user:1:",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}="),
            &format!("{text} "),
        ] {
            assert!(signer.unsign_at(hostile, DJANGO_TIME, None).is_err(), "{hostile}");
        }
    }

    /// asvs_9_2_2: a token of one purpose is worth nothing for another.
    #[test]
    fn no_purpose_believes_another() {
        let purposes = [
            Purpose::new("reset"),
            Purpose::new("verify"),
            Purpose::new("resetsigner"),
            Purpose::django_cookie("reset", ""),
            Purpose::django_cookie("a", "bc"),
            Purpose::django_cookie("ab", "c"),
            Purpose::django_cookie_legacy("reset", ""),
            Purpose::django_messages(),
        ];
        for signs in &purposes {
            let text = django(signs.clone()).sign("1");
            for reads in &purposes {
                assert_eq!(
                    django(reads.clone()).unsign(&text).is_ok(),
                    signs == reads,
                    "{signs:?} read as {reads:?}"
                );
            }
        }
    }

    /// asvs_9_2_1: a text dies with its age.
    #[test]
    fn a_text_lives_exactly_its_age() {
        #[track_caller]
        fn check(now: i64, max_age: Option<u64>, expected: Result<&str, ErrorKind>) {
            let signer = django(Purpose::new("p"));
            let text = signer.sign_at("v", DJANGO_TIME);
            let seen = signer.unsign_at(&text, now, max_age.map(Duration::from_secs));
            assert_eq!(seen.map_err(|error| error.kind()), expected);
        }
        check(DJANGO_TIME, Some(0), Ok("v"));
        check(DJANGO_TIME + 60, Some(60), Ok("v"));
        check(DJANGO_TIME + 61, Some(60), Err(ErrorKind::ExpiredSignature));
        // Whoever could abuse a stamp from the future already holds our key.
        check(DJANGO_TIME - 1000, Some(60), Ok("v"));
        check(i64::MAX, Some(u64::MAX), Ok("v"));
        check(i64::MAX, None, Ok("v"));
        check(i64::MAX, Some(60), Err(ErrorKind::ExpiredSignature));
    }

    #[test]
    fn a_fallback_key_verifies_and_never_signs() {
        let key = |text| SecretKey::shared_with_django(text).unwrap();
        let old = Signer::new(KeyRing::new(key("old")), Purpose::new("p"));
        let both = Signer::new(KeyRing::new(key("new")).with_fallback(key("old")), Purpose::new("p"));
        let new = Signer::new(KeyRing::new(key("new")), Purpose::new("p"));
        assert_eq!(both.unsign(&old.sign("v")).as_deref(), Ok("v"));
        assert_eq!(new.unsign(&both.sign("v")).as_deref(), Ok("v"));
        assert!(old.unsign(&both.sign("v")).is_err());
        assert!(new.unsign(&old.sign("v")).is_err());
    }

    #[test]
    fn a_payload_that_cannot_be_read_is_an_error() {
        let signer = django(Purpose::new("p"));
        let bomb = base64url::encode(deflated(&vec![b'0'; 2 << 20]).unwrap());
        for payload in ["é", ".AAAA", ".", "*", &format!(".{bomb}")] {
            let kind =
                signer.unsign_object(&signer.sign_at(payload, 0), 0, None).map_err(|error| error.kind());
            let expected = Err(ErrorKind::BadPayload);
            assert_eq!(kind, expected, "{payload:.20}");
        }
        let full = base64url::encode(deflated(&vec![b'0'; 1 << 20]).unwrap());
        let read = signer.unsign_object(&signer.sign_at(&format!(".{full}"), 0), 0, None).unwrap();
        assert_eq!(read.len(), 1 << 20);
        assert!(signer.unsign_object(&signer.sign("eyJhIjoxfQ"), 0, None).is_err(), "a text without a time");
    }
}
