//! The application's secret key, and the ring of the keys that are still believed.

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::salted_hmac::salted_hmac;
use crate::{Error, ErrorKind, Secret, base64url, random};

/// The key that signs cookies, sessions and links.
///
/// # Security
///
/// Whoever knows it can sign in as anyone. [`SecretKey::parse`] refuses what could be guessed: fewer than 32 bytes, samples that stand in manuals,
/// one piece repeated, counting sequences. It cannot see that a long text was published elsewhere.
///
/// # Examples
///
/// ```
/// use haechi_core::SecretKey;
///
/// let key = SecretKey::generate();
/// assert_eq!(SecretKey::parse(key.expose()).is_ok(), true);
/// assert!(SecretKey::parse("changeme").is_err());
/// ```
#[derive(Clone)]
pub struct SecretKey {
    text: Secret<String>,
}

impl SecretKey {
    /// Reads a key from configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WeakSecretKey`], with the cure, for a key that an attacker could try.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match weakness(text) {
            Some(why) => Err(Error::new(
                ErrorKind::WeakSecretKey,
                format!(
                    "the secret key {why}: an attacker could guess it and sign in as anyone; make one with `key new`"
                ),
            )),
            None => Ok(Self { text: Secret::new(text.to_owned()) }),
        }
    }

    /// Makes a key of 256 random bits, written as 43 characters.
    #[must_use]
    pub fn generate() -> Self {
        Self { text: Secret::new(base64url::encode(random::bytes::<32>())) }
    }

    /// Takes over the `SECRET_KEY` of a Django site as it is: whatever Django accepted has to be accepted, even if it is weak.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WeakSecretKey`] for an empty key, which Django refuses too.
    pub fn shared_with_django(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(
                ErrorKind::WeakSecretKey,
                "the Django secret key is empty: copy SECRET_KEY from the settings of the Django site",
            ));
        }
        Ok(Self { text: Secret::new(text.to_owned()) })
    }

    /// Returns the text of the key, to store it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns the bytes of the key, to derive others from it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.expose().as_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The key that signs, and older keys that still verify.
///
/// To change the key without signing everybody out, put the new one first and keep the old one as a fallback until what it signed has expired.
/// Cloning is cheap.
///
/// # Examples
///
/// ```
/// use haechi_core::{KeyMatch, KeyRing, SecretKey};
///
/// let old = SecretKey::generate();
/// let mac = KeyRing::new(old.clone()).mac("greeting", b"hello");
/// let ring = KeyRing::new(SecretKey::generate()).with_fallback(old);
/// assert_eq!(ring.verify("greeting", b"hello", &mac), Some(KeyMatch::Fallback));
/// ```
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Arc<[SecretKey]>,
}

/// Which key of a [`KeyRing`] a signature was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMatch {
    /// The key that signs now.
    Current,
    /// An older key: sign again when there is an occasion.
    Fallback,
}

impl KeyRing {
    /// Makes a ring of one key.
    #[must_use]
    pub fn new(key: SecretKey) -> Self {
        Self { keys: Arc::new([key]) }
    }

    /// Adds an older key, which verifies and never signs.
    #[must_use]
    pub fn with_fallback(self, key: SecretKey) -> Self {
        Self { keys: self.keys.iter().cloned().chain([key]).collect() }
    }

    /// Returns the key that signs.
    #[must_use]
    pub fn signing(&self) -> &SecretKey {
        &self.keys[0]
    }

    /// Returns the key that signs, then the fallbacks.
    pub fn iter(&self) -> impl Iterator<Item = &SecretKey> {
        self.keys.iter()
    }

    /// Computes [`salted_hmac`] with the key that signs.
    #[must_use]
    pub fn mac(&self, salt: &str, value: &[u8]) -> [u8; 32] {
        salted_hmac(salt, value, self.signing().as_bytes())
    }

    /// Tells, in constant time for each key, whether `mac` was made for this salt and value with a key of the ring.
    #[must_use]
    pub fn verify(&self, salt: &str, value: &[u8], mac: &[u8]) -> Option<KeyMatch> {
        self.find(|key| salted_hmac(salt, value, key.as_bytes()).ct_eq(mac).into())
    }

    /// Returns the first key for which `fits` holds.
    pub(crate) fn find(&self, fits: impl Fn(&SecretKey) -> bool) -> Option<KeyMatch> {
        let at = self.keys.iter().position(fits)?;
        Some(if at == 0 { KeyMatch::Current } else { KeyMatch::Fallback })
    }
}

/// Says why a key could be guessed, or `None`.
fn weakness(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return Some("is empty");
    }
    if bytes.len() < SHORTEST {
        return Some("is shorter than 32 bytes");
    }
    if bytes.len() > LONGEST {
        return Some("is longer than 1024 bytes, which no generator makes");
    }
    let lower = text.to_ascii_lowercase();
    if SAMPLES.iter().any(|sample| lower.contains(sample)) {
        return Some("contains a word of the samples that stand in manuals");
    }
    let mut seen = [false; 256];
    bytes.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    if seen.iter().filter(|&&seen| seen).count() < LEAST_DISTINCT {
        return Some("has fewer than 8 different characters");
    }
    if (1..=bytes.len() / 2).any(|period| bytes[period..].iter().zip(bytes).all(|(a, b)| a == b)) {
        return Some("is one piece repeated");
    }
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    if steps * 2 > bytes.len() {
        return Some("is a counting sequence");
    }
    None
}

const SHORTEST: usize = 32;
const LONGEST: usize = 1024;
const LEAST_DISTINCT: usize = 8;

/// Words of keys that people copy from documentation and then forget; a random key meets none of them in a billion years.
const SAMPLES: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "changethis",
    "django-insecure-",
    "insecure",
    "example",
    "sample",
    "secret-key",
    "secret_key",
    "secretkey",
    "supersecret",
    "super-secret",
    "your-",
    "your_",
    "replace",
    "password",
    "placeholder",
    "default",
    "0123456789abcdef",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// asvs_11_2_3, asvs_13_2_3: a key is long enough and nobody's sample.
    #[test]
    fn keys_that_could_be_guessed_are_refused_with_the_reason() {
        #[track_caller]
        fn check(key: &str, why: &str) {
            let error = SecretKey::parse(key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WeakSecretKey);
            assert!(error.to_string().contains(why), "{key}: {error}");
            assert!(key.len() < 8 || !error.to_string().contains(key), "the key itself is shown: {error}");
        }
        check("", "is empty");
        check("changeme", "shorter than 32");
        check("q7Rf2mXw9Lk4Zt8Nv3Bc6Hs1Jd5Gp0Y", "shorter than 32");
        check("changeme-changeme-changeme-changeme-1", "samples");
        check("django-insecure-q7Rf2mXw9Lk4Zt8Nv3Bc6Hs1Jd5Gp0Y", "samples");
        check("Your-Secret-goes-here-and-is-long-enough", "samples");
        check(&"a".repeat(64), "different characters");
        check(&"abcdefg".repeat(8), "different characters");
        check(&"q7Rf2mXw9Lk4".repeat(4), "repeated");
        check("q7Rf2mXw9Lk4Zt8Nq7Rf2mXw9Lk4Zt8Nq7", "repeated");
        check("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL", "counting");
        check(&"q7Rf2mXw9Lk4Zt8Nv3Bc6Hs1Jd5Gp0Y".repeat(40), "longer than 1024");
    }

    #[test]
    fn keys_of_usual_generators_are_accepted() {
        for key in [
            // head -c 32 /dev/urandom | base64 · openssl rand -hex 16 · Django's get_random_secret_key
            "qLCVqYxy1ZY0sZ8jYk2FcIhEo1Fu1fJ0m5nF3pNqZcE=",
            "9f1c03e87b6d4a52c0fe18937ad6b45e",
            "x1n*4d^0z!e@p&7(s8h#k2w=3v5m-j6g%t9b_yq)c+r$u0a2fl",
        ] {
            assert!(SecretKey::parse(key).is_ok(), "{key}");
        }
        for _ in 0..2000 {
            assert!(SecretKey::parse(SecretKey::generate().expose()).is_ok());
        }
    }

    #[test]
    fn the_bounds_of_length_and_variety_are_exact() {
        let eight = "acegikmoaecgkimoocameigkagmceoik";
        assert!(SecretKey::parse(eight).is_ok(), "8 different characters, 32 bytes");
        assert!(SecretKey::parse(&eight.replace('o', "a")).is_err(), "7 different characters");
        assert!(SecretKey::parse(&eight[1..]).is_err(), "31 bytes");
        assert!(SecretKey::parse("abqrcdxyefmn12uvgh78op34klwxij56").is_ok(), "half of the steps are of one");
        assert!(SecretKey::parse("abcdqrxyefmn12uvgh78op34klwxij56").is_err(), "one more than half");
        let long: String = (1..200_u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
        assert!(SecretKey::parse(&long[..1024]).is_ok());
        assert!(SecretKey::parse(&long[..1025]).is_err());
    }

    #[test]
    fn a_generated_key_has_256_bits_and_is_never_the_same() {
        let key = SecretKey::generate();
        assert_eq!(base64url::decode(key.expose()).map(|bytes| bytes.len()), Some(32));
        assert_ne!(key.expose(), SecretKey::generate().expose());
    }

    #[test]
    fn a_django_key_is_taken_as_it_is_unless_empty() {
        assert_eq!(SecretKey::shared_with_django("changeme").map(|key| key.expose().len()), Ok(8));
        assert!(SecretKey::shared_with_django("").is_err());
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SecretKey::generate();
        let shown = format!("{:?} {:?}", key, KeyRing::new(key.clone()));
        assert!(!shown.contains(key.expose()), "{shown}");
    }

    #[test]
    fn the_ring_signs_with_the_first_and_believes_all() {
        let (old, new, foreign) = (SecretKey::generate(), SecretKey::generate(), SecretKey::generate());
        let ring = KeyRing::new(new.clone()).with_fallback(old.clone());
        let by = |key: &SecretKey| salted_hmac("s", b"v", key.as_bytes());
        assert_eq!(ring.mac("s", b"v"), by(&new));
        assert_eq!(ring.iter().map(SecretKey::expose).collect::<Vec<_>>(), [new.expose(), old.expose()]);
        assert_eq!(ring.verify("s", b"v", &by(&new)), Some(KeyMatch::Current));
        assert_eq!(ring.verify("s", b"v", &by(&old)), Some(KeyMatch::Fallback));
        assert_eq!(ring.verify("s", b"v", &by(&foreign)), None);
        assert_eq!(ring.verify("t", b"v", &by(&new)), None);
        assert_eq!(ring.verify("s", b"w", &by(&new)), None);
        assert_eq!(ring.verify("s", b"v", &by(&new)[..31]), None);
        assert_eq!(ring.verify("s", b"v", b""), None);
    }
}
