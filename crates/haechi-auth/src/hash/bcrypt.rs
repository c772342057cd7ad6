//! `bcrypt_sha256$$2b$12$…` and plain `bcrypt$$2b$12$…`.

use std::fmt::Write;

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Arena, Bounds, Hasher, Inspected};
use crate::Error;

/// bcrypt over the hexadecimal SHA-256 of the password, so that bytes after the 72nd count.
#[derive(Clone, Copy, Debug)]
pub struct BcryptSha256 {
    cost: u32,
}

/// Plain bcrypt, for rows that are there already.
///
/// # Security
/// bcrypt reads 72 bytes, and its C original stops at a NUL. A password beyond that neither verifies nor is
/// written: two passwords that differ only there would open the same account.
#[derive(Clone, Copy, Debug)]
pub struct Bcrypt {
    cost: u32,
}

impl BcryptSha256 {
    /// What Django writes: cost 12.
    pub const DJANGO: Self = Self { cost: 12 };

    /// Returns a hasher with this cost, or `None` if it is outside [`Bounds`] or of bcrypt itself.
    #[must_use]
    pub fn new(cost: u32) -> Option<Self> {
        (4..=Bounds::DEFAULT.bcrypt_cost).contains(&cost).then_some(Self { cost })
    }
}

impl Bcrypt {
    /// What Django writes: cost 12.
    pub const DJANGO: Self = Self { cost: 12 };

    /// Returns a hasher with this cost, or `None` if it is outside [`Bounds`] or of bcrypt itself.
    #[must_use]
    pub fn new(cost: u32) -> Option<Self> {
        (4..=Bounds::DEFAULT.bcrypt_cost).contains(&cost).then_some(Self { cost })
    }
}

impl Hasher for BcryptSha256 {
    fn algorithm(&self) -> &'static str {
        "bcrypt_sha256"
    }

    fn encode(&self, password: &[u8], salt: &str, _: &mut Arena) -> Result<String, Error> {
        encode(self.algorithm(), self.cost, salt, &digest(password))
    }

    fn inspect(&self, encoded: &str) -> Option<Inspected> {
        inspect(self.algorithm(), encoded)
    }

    fn verify(&self, password: &[u8], encoded: &str, _: &mut Arena) -> bool {
        parse(self.algorithm(), encoded).is_some_and(|parsed| parsed.verify(&digest(password)))
    }

    fn must_update(&self, encoded: &str) -> bool {
        parse(self.algorithm(), encoded).is_none_or(|parsed| parsed.cost != self.cost)
    }

    fn harden(&self, password: &[u8], from: u64, to: u64, _: &mut Arena) {
        harden(&digest(password), from, to);
    }

    fn work(&self) -> u64 {
        1 << self.cost
    }

    fn salt(&self) -> String {
        salt()
    }
}

impl Hasher for Bcrypt {
    fn algorithm(&self) -> &'static str {
        "bcrypt"
    }

    fn encode(&self, password: &[u8], salt: &str, _: &mut Arena) -> Result<String, Error> {
        if !whole(password) {
            return Err(Error::PasswordTooLong);
        }
        encode(self.algorithm(), self.cost, salt, password)
    }

    fn inspect(&self, encoded: &str) -> Option<Inspected> {
        inspect(self.algorithm(), encoded)
    }

    fn verify(&self, password: &[u8], encoded: &str, _: &mut Arena) -> bool {
        let Some(parsed) = parse(self.algorithm(), encoded) else { return false };
        // The work is done in either case: the length of a wrong password must not show in the time.
        let readable = whole(password);
        parsed.verify(if readable { password } else { b"" }) && readable
    }

    fn must_update(&self, encoded: &str) -> bool {
        parse(self.algorithm(), encoded).is_none_or(|parsed| parsed.cost != self.cost)
    }

    fn harden(&self, password: &[u8], from: u64, to: u64, _: &mut Arena) {
        harden(&password[..password.len().min(READ)], from, to);
    }

    fn work(&self) -> u64 {
        1 << self.cost
    }

    fn salt(&self) -> String {
        salt()
    }
}

struct Parsed<'a> {
    cost: u32,
    salt: [u8; 16],
    hash: &'a str,
}

impl Parsed<'_> {
    fn verify(&self, password: &[u8]) -> bool {
        let computed = BASE64.encode(&derive(self.cost, self.salt, password)[..HASH_BYTES]);
        computed.as_bytes().ct_eq(self.hash.as_bytes()).into()
    }
}

fn parse<'a>(algorithm: &str, encoded: &'a str) -> Option<Parsed<'a>> {
    if !encoded.is_ascii() {
        return None;
    }
    let rest = encoded.strip_prefix(algorithm)?.strip_prefix("$$")?;
    let rest = ["2a$", "2b$", "2y$"].iter().find_map(|version| rest.strip_prefix(version))?;
    let (cost, rest) = rest.split_once('$')?;
    if rest.len() != SALT_CHARACTERS + HASH_CHARACTERS || cost.len() != 2 {
        return None;
    }
    let (salt, hash) = rest.split_at(SALT_CHARACTERS);
    let cost = cost.bytes().all(|b| b.is_ascii_digit()).then(|| cost.parse().ok())??;
    let salt = BASE64.decode(salt).ok()?.try_into().ok()?;
    (4..=Bounds::DEFAULT.bcrypt_cost).contains(&cost).then_some(Parsed { cost, salt, hash })
}

fn encode(algorithm: &str, cost: u32, salt: &str, password: &[u8]) -> Result<String, Error> {
    let raw: [u8; 16] =
        BASE64.decode(salt).ok().and_then(|raw| raw.try_into().ok()).ok_or(Error::InvalidSalt)?;
    let (salt, hash) = (BASE64.encode(raw), BASE64.encode(&derive(cost, raw, password)[..HASH_BYTES]));
    Ok(format!("{algorithm}$$2b${cost:02}${salt}{hash}"))
}

fn inspect(algorithm: &'static str, encoded: &str) -> Option<Inspected> {
    parse(algorithm, encoded).map(|parsed| Inspected {
        algorithm,
        work: 1 << parsed.cost,
        parameters: format!("cost={}", parsed.cost),
        salt_length: SALT_CHARACTERS,
    })
}

/// bcrypt's time doubles with each step of its cost: the missing rounds are the powers of two in between.
fn harden(password: &[u8], from: u64, to: u64) {
    let missing = to.saturating_sub(from).min(1 << Bounds::DEFAULT.bcrypt_cost);
    for cost in (4..=Bounds::DEFAULT.bcrypt_cost).filter(|cost| missing & (1 << cost) != 0) {
        std::hint::black_box(derive(cost, [0; 16], password));
    }
}

/// The C original hashes the closing NUL too, which is what makes `""` a password of one byte.
fn derive(cost: u32, salt: [u8; 16], password: &[u8]) -> [u8; 24] {
    let mut key = password.to_vec();
    key.push(0);
    key.truncate(READ);
    bcrypt::bcrypt(cost, salt, &key)
}

fn whole(password: &[u8]) -> bool {
    password.len() <= READ && !password.contains(&0)
}

fn digest(password: &[u8]) -> Vec<u8> {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(password) {
        write!(hex, "{byte:02x}").expect("a String takes whatever is written");
    }
    hex.into_bytes()
}

fn salt() -> String {
    BASE64.encode(rand::random::<[u8; 16]>())
}

const READ: usize = 72;
const SALT_CHARACTERS: usize = 22;
const HASH_CHARACTERS: usize = 31;
const HASH_BYTES: usize = 23;
/// The 22nd character of a salt carries four bits that nobody reads; other libraries leave them set.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);
