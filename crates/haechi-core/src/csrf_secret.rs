//! The secret behind the form tokens of a session, and the mask that makes every page's token look different.

use std::fmt;

use crate::{Error, ErrorKind, Secret, random};

/// The per-visitor secret of the CSRF tokens, in Django's format: 32 characters of `a-zA-Z0-9` (190 bits).
///
/// A page carries a *masked* token, 64 characters that differ each time, so that compressing secret and page together tells nothing
/// (BREACH). A site shared with Django uses the same cookie and the same tokens.
///
/// # Examples
///
/// ```
/// use haechi_core::CsrfSecret;
///
/// let secret = CsrfSecret::generate();
/// let token = secret.masked_token();
/// assert!(secret.verifies(&token));
/// assert_ne!(secret.masked_token(), token);
/// ```
#[derive(Debug, Clone)]
pub struct CsrfSecret {
    digits: Secret<[u8; LENGTH]>,
}

impl CsrfSecret {
    /// Makes a secret.
    #[must_use]
    pub fn generate() -> Self {
        Self { digits: Secret::new(random_digits()) }
    }

    /// Reads a secret of 32 characters, or unmasks a token of 64 (as cookies of Django before 4.0 hold).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedToken`] for another length or another character.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = text.as_bytes();
        let digits = match bytes.len() {
            LENGTH => digits(bytes),
            MASKED_LENGTH => unmask(bytes),
            _ => None,
        };
        digits.map(|digits| Self { digits: Secret::new(digits) }).ok_or_else(|| {
            Error::new(
                ErrorKind::MalformedToken,
                "the form token is malformed: it has to be 32 or 64 letters and digits",
            )
        })
    }

    /// Returns the 32 characters, to store in the session or in Django's cookie.
    #[must_use]
    pub fn expose(&self) -> String {
        self.digits.expose().iter().map(|&digit| character(digit)).collect()
    }

    /// Returns a token for one page.
    #[must_use]
    pub fn masked_token(&self) -> String {
        self.mask(&random_digits())
    }

    /// Tells, in constant time, whether a submitted token is of this secret; what is malformed is not.
    #[must_use]
    pub fn verifies(&self, submitted: &str) -> bool {
        Self::parse(submitted).is_ok_and(|secret| secret.digits.equals(self.digits.expose()))
    }

    fn mask(&self, mask: &[u8; LENGTH]) -> String {
        let cipher = self.digits.expose().iter().zip(mask).map(|(secret, mask)| (secret + mask) % RADIX);
        mask.iter().copied().chain(cipher).map(character).collect()
    }
}

/// The masked token of a page, ready to be written into a form.
///
/// Templates and handlers take this type where a token is expected, so that the bare secret never lands in a page.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskedToken(String);

impl MaskedToken {
    /// Masks a secret anew.
    #[must_use]
    pub fn of(secret: &CsrfSecret) -> Self {
        Self(secret.masked_token())
    }

    /// Returns the 64 letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MaskedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MaskedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskedToken(…)")
    }
}

fn unmask(token: &[u8]) -> Option<[u8; LENGTH]> {
    let (mask, cipher) = token.split_at(LENGTH);
    let (mask, mut secret) = (digits(mask)?, digits(cipher)?);
    secret.iter_mut().zip(mask).for_each(|(digit, mask)| *digit = (*digit + RADIX - mask) % RADIX);
    Some(secret)
}

fn digits(characters: &[u8]) -> Option<[u8; LENGTH]> {
    let mut digits: [u8; LENGTH] = characters.try_into().ok()?;
    for digit in &mut digits {
        *digit = match *digit {
            letter @ b'a'..=b'z' => letter - b'a',
            letter @ b'A'..=b'Z' => letter - b'A' + 26,
            number @ b'0'..=b'9' => number - b'0' + 52,
            _ => return None,
        };
    }
    Some(digits)
}

fn character(digit: u8) -> char {
    char::from(ALPHABET[usize::from(digit)])
}

/// Draws digits below 62 without bias: a byte of 248 or more is drawn again.
fn random_digits() -> [u8; LENGTH] {
    const FAIR: u8 = u8::MAX / RADIX * RADIX;
    let mut digits = [0; LENGTH];
    let mut filled = 0;
    loop {
        for byte in random::bytes::<40>() {
            if byte < FAIR {
                digits[filled] = byte % RADIX;
                filled += 1;
                if filled == LENGTH {
                    return digits;
                }
            }
        }
    }
}

const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const RADIX: u8 = 62;
const LENGTH: usize = 32;
const MASKED_LENGTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Django 5.2.19 and 6.1.3.
    #[test]
    fn masks_are_djangos() {
        #[track_caller]
        fn check(secret: &str, mask: &str, token: &str) {
            let parsed = CsrfSecret::parse(secret).unwrap();
            assert_eq!(parsed.mask(&digits(mask.as_bytes()).unwrap()), token);
            assert_eq!(CsrfSecret::parse(token).unwrap().expose(), secret);
            assert!(parsed.verifies(token));
            assert!(parsed.verifies(secret));
        }
        check(
            &"A".repeat(32),
            &"b".repeat(32),
            "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
        );
        check(
            "abcdefghijklmnopqrstuvwxyzABCDEF",
            "0123456789ABCDEFGHIJKLMNOPQRSTUV",
            "0123456789ABCDEFGHIJKLMNOPQRSTUV02468acegiKMOQSUWY02468acegikmoq",
        );
        check(
            &"9".repeat(32),
            &"9".repeat(32),
            "9999999999999999999999999999999988888888888888888888888888888888",
        );
    }

    #[test]
    fn what_is_not_of_this_secret_is_refused() {
        let secret = CsrfSecret::generate();
        let token = secret.masked_token();
        let other = CsrfSecret::generate();
        for submitted in [
            "",
            &token[1..],
            &token[..63],
            &format!("{token}a"),
            &other.masked_token(),
            &other.expose(),
            &"é".repeat(16),
            &" ".repeat(32),
        ] {
            assert!(!secret.verifies(submitted), "{submitted}");
        }
        for at in 0..64 {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
            assert!(!secret.verifies(std::str::from_utf8(&changed).unwrap()), "character {at}");
        }
    }

    #[test]
    fn every_digit_is_drawn() {
        let mut seen = [false; 62];
        (0..100).for_each(|_| random_digits().iter().for_each(|&digit| seen[usize::from(digit)] = true));
        assert!(seen.iter().all(|&seen| seen));
    }

    /// ASVS 11.5.1: a digit that comes more often than the others is one that is guessed first.
    #[test]
    fn no_digit_is_drawn_more_often_than_another() {
        let mut counts = [0_u32; 62];
        (0..10_000).for_each(|_| random_digits().iter().for_each(|&digit| counts[usize::from(digit)] += 1));
        // 320,000 draws: 5,161 a digit, give or take 71. The bounds are ten such steps away; one byte value too many is 17.
        assert!(counts.iter().all(|count| (4_451..=5_871).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_masked_token_is_written_as_it_is_sent() {
        let secret = CsrfSecret::generate();
        let token = MaskedToken::of(&secret);
        assert!(secret.verifies(token.as_str()) && token.to_string() == token.as_str());
        assert_eq!(token.as_str().len(), 64);
        assert_ne!(token, MaskedToken::of(&secret));
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = CsrfSecret::generate();
        assert_eq!(
            format!("{secret:?} {:?}", MaskedToken::of(&secret)),
            "CsrfSecret { digits: Secret(…) } MaskedToken(…)"
        );
    }
}
