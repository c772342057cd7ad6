//! Password hashes, written and read exactly as Django's password column holds them.
//!
//! A [`Hasher`] is one algorithm with five verbs: [`encode`](Hasher::encode), [`inspect`](Hasher::inspect),
//! [`verify`](Hasher::verify), [`must_update`](Hasher::must_update) and [`harden`](Hasher::harden).
//! [`Hashers`] is the ordered list of them: the first writes, all read. [`HashPool`] runs them on threads of
//! its own, so that no login ever holds up a thread that serves requests.
//!
//! ```
//! use haechi_auth::hash::{Arena, Hashers};
//! let hashers = Hashers::default();
//! let mut arena = Arena::default();
//! let encoded = hashers.encode("correct horse battery staple", &mut arena)?;
//! assert!(encoded.starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$"));
//! assert!(hashers.verify("correct horse battery staple", &encoded, &mut arena));
//! # Ok::<(), haechi_auth::Error>(())
//! ```
//!
//! # Security
//! The column is treated as data that somebody else may have written: what does not parse, or asks for more
//! memory or time than [`Bounds`] allows, verifies as false and costs nothing.

mod arena;
mod argon2id;
mod bcrypt;
mod bounds;
mod hashers;
mod pbkdf2;
mod pool;
mod present;
mod scrypt;

pub use arena::Arena;
pub use argon2id::Argon2id;
pub use bcrypt::{Bcrypt, BcryptSha256};
pub use bounds::Bounds;
pub use hashers::{Hashers, Upgrade, Verified};
pub use pbkdf2::{Pbkdf2, Pbkdf2Digest};
pub use pool::{Busy, HashPool, PoolSize};
pub use present::Present;
pub use scrypt::Scrypt;

use std::fmt::Debug;

use crate::Error;

/// The most bytes of a password that are hashed; longer ones are refused, never cut.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// What a stored hash says about itself, without its secret part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inspected {
    /// The algorithm, as the column names it: `argon2`, `pbkdf2_sha256`, ….
    pub algorithm: &'static str,
    /// How much is computed, in the unit of the algorithm (iterations, 2^cost, KiB × passes).
    pub work: u64,
    /// The parameters, for a person to read, such as `m=19456,t=2,p=1`.
    pub parameters: String,
    /// The length of the salt in characters.
    pub salt_length: usize,
}

/// One algorithm for passwords, with the parameters that it writes.
///
/// All methods take the time that a password hash takes: call them through [`HashPool`], never on a thread
/// that serves requests.
pub trait Hasher: Debug + Send + Sync {
    /// Returns the name that stands before the first `$` of the column.
    fn algorithm(&self) -> &'static str;

    /// Returns the column for `password` under `salt`, with this hasher's own parameters.
    ///
    /// # Errors
    /// Fails if the algorithm cannot take the password (plain `bcrypt`: over 72 bytes, or a NUL) or the salt.
    fn encode(&self, password: &[u8], salt: &str, arena: &mut Arena) -> Result<String, Error>;

    /// Returns what the column says about itself, or `None` if it does not parse or is out of bounds.
    fn inspect(&self, encoded: &str) -> Option<Inspected>;

    /// Returns whether `password` belongs to `encoded`, comparing in constant time.
    fn verify(&self, password: &[u8], encoded: &str, arena: &mut Arena) -> bool;

    /// Returns whether `encoded` was written with other parameters than this hasher writes.
    fn must_update(&self, encoded: &str) -> bool;

    /// Spends the work that `from` lacks to reach `to`, so that an old, cheap row cannot be told by its time.
    fn harden(&self, password: &[u8], from: u64, to: u64, arena: &mut Arena);

    /// Returns the work of a hash that this hasher writes.
    fn work(&self) -> u64;

    /// Returns a salt that [`encode`](Hasher::encode) accepts.
    fn salt(&self) -> String {
        salt(SALT_LENGTH)
    }
}

/// Returns `length` characters of `a-zA-Z0-9`, drawn evenly by the operating system's generator behind
/// `rand::rng()`.
pub(crate) fn salt(length: usize) -> String {
    use rand::RngExt;
    let mut random = rand::rng();
    (0..length).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// Returns the column of an account that has no password: it never verifies, and differs each time, so that
/// session hashes and reset tokens that are made from the column differ too.
#[must_use]
pub fn unusable() -> String {
    format!("!{}", salt(UNUSABLE_SUFFIX))
}

/// Returns whether the column says that the account has no password.
#[must_use]
pub fn is_unusable(encoded: &str) -> bool {
    encoded.starts_with('!')
}

/// 22 characters of 62: 131 bit, as Django.
pub(crate) const SALT_LENGTH: usize = 22;
const UNUSABLE_SUFFIX: usize = 40;
const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
