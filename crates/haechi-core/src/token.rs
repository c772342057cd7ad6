//! Random tokens: session ids, reset links, tickets. The holder has the token, the database only its hash.

use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, ErrorKind, Secret, base64url, random};

/// 256 random bits that prove who holds them.
///
/// # Security
///
/// Store [`Token::hash`], never the token: who reads the database then cannot act as its users. No salt and no slow hash are
/// needed, since 256 random bits cannot be tried.
///
/// # Examples
///
/// ```
/// use haechi_core::Token;
///
/// let token = Token::generate();
/// let cookie = token.expose();
/// assert_eq!(cookie.len(), 43);
/// assert_eq!(Token::parse(&cookie)?.hash(), token.hash());
/// # Ok::<(), haechi_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Token {
    bytes: Secret<[u8; 32]>,
}

impl Token {
    /// Makes a token.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_bytes(random::bytes())
    }

    /// Takes given bytes, for tests and for tokens that are derived.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes: Secret::new(bytes) }
    }

    /// Reads the 43 characters that [`Token::expose`] writes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedToken`]; the error does not hold the text.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = if text.len() == LENGTH { base64url::decode_exactly(text) } else { None };
        bytes.map(Self::from_bytes).ok_or_else(|| {
            Error::new(ErrorKind::MalformedToken, "the token is malformed: it has to be the 43 letters, digits, `-` and `_` that were given out")
        })
    }

    /// Returns the token as text, for a cookie or a link.
    #[must_use]
    pub fn expose(&self) -> String {
        base64url::encode(self.bytes.expose())
    }

    /// Returns what to store and to look up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.bytes.expose()).into())
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.equals(other.bytes.expose())
    }
}

impl Eq for Token {}

/// The SHA-256 of a [`Token`]: may be stored, logged and compared, and opens nothing.
#[derive(Clone, Copy, PartialOrd, Ord)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Takes the bytes that a database gave back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

const LENGTH: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_and_its_hash_equal_themselves_and_no_other() {
        let (one, mut bytes) = (Token::from_bytes([7; 32]), [7; 32]);
        assert!(one == Token::from_bytes(bytes) && one.hash() == Token::from_bytes(bytes).hash());
        for at in 0..32 {
            bytes[at] ^= 1;
            let other = Token::from_bytes(bytes);
            assert!(one != other && one.hash() != other.hash(), "byte {at}");
            bytes[at] ^= 1;
        }
    }

    #[test]
    fn only_a_whole_token_is_read() {
        let token = Token::from_bytes([0xfb; 32]);
        let text = token.expose();
        assert!(Token::parse(&text).is_ok_and(|read| read == token));
        for wrong in [
            "",
            &text[1..],
            &format!("{text}="),
            &format!("{text}A"),
            &text.replace('-', "+"),
            &"é".repeat(21),
            &format!("{}\n", &text[1..]),
        ] {
            assert!(Token::parse(wrong).is_err(), "{wrong}");
        }
        // The last character carries 4 bits: with a spare bit set it would be a second name of the same token.
        let spare = format!("{}t", &text[..42]);
        assert_ne!(spare, text);
        assert!(Token::parse(&spare).is_err());
    }

    /// asvs_11_4_3: the hash is SHA-256 of the 32 bytes (FIPS 180-4; checked with coreutils' sha256sum over 32 zero bytes).
    #[test]
    fn the_hash_is_sha_256_of_the_bytes() {
        assert_eq!(
            Token::from_bytes([0; 32]).hash().to_string(),
            "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
        );
    }

    /// asvs_7_2_3, asvs_11_5_1, asvs_11_5_2: 256 bits each, none twice, from several threads at once.
    #[test]
    fn tokens_never_repeat() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..5000).map(|_| Token::generate().expose()).collect::<Vec<_>>()))
            .collect();
        let mut all: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn debug_shows_nothing_of_the_token() {
        let token = Token::generate();
        assert_eq!(format!("{token:?}"), "Token { bytes: Secret(…) }");
    }
}
