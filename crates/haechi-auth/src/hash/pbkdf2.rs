//! `pbkdf2_sha256$ITERATIONS$SALT$BASE64` and its SHA-1 elder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::bounds::MAX_ENCODED;
use super::{Arena, Bounds, Hasher, Inspected, SALT_LENGTH};
use crate::Error;

/// The hash function under PBKDF2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pbkdf2Digest {
    /// `pbkdf2_sha256`, Django's default.
    Sha256,
    /// `pbkdf2_sha1`, read for old rows; HMAC-SHA-1 is not broken, but nothing new should use it.
    Sha1,
}

/// PBKDF2 with HMAC.
///
/// # Security
/// Django rewrites a row at login whenever its iterations *differ* from its own, and so ends that user's other
/// sessions: beside a Django, write exactly the count of its version (5.2: 1,000,000, 6.0: 1,200,000, 6.1:
/// 1,500,000), which [`Hashers::django`](super::Hashers::django) does.
#[derive(Clone, Copy, Debug)]
pub struct Pbkdf2 {
    digest: Pbkdf2Digest,
    iterations: u32,
}

impl Pbkdf2 {
    /// Returns a hasher that writes `iterations`, held inside the bounds.
    #[must_use]
    pub fn new(digest: Pbkdf2Digest, iterations: u32) -> Self {
        Self { digest, iterations: iterations.clamp(1, Bounds::DEFAULT.pbkdf2_iterations) }
    }

    fn derive(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        let mut output = vec![0; self.output_length()];
        match self.digest {
            Pbkdf2Digest::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, iterations, &mut output),
            Pbkdf2Digest::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, salt, iterations, &mut output),
        }
        .expect("HMAC takes keys of any length");
        output
    }

    fn output_length(self) -> usize {
        match self.digest {
            Pbkdf2Digest::Sha256 => 32,
            Pbkdf2Digest::Sha1 => 20,
        }
    }

    fn parse<'a>(&self, encoded: &'a str) -> Option<Parsed<'a>> {
        if encoded.len() > MAX_ENCODED {
            return None;
        }
        let rest = encoded.strip_prefix(self.algorithm())?.strip_prefix('$')?;
        let mut parts = rest.split('$');
        let (iterations, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || !iterations.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let iterations = iterations.parse().ok()?;
        let hash = STANDARD.decode(hash).ok()?;
        let bounded = (1..=Bounds::DEFAULT.pbkdf2_iterations).contains(&iterations);
        (bounded && hash.len() == self.output_length()).then_some(Parsed { iterations, salt, hash })
    }
}

impl Hasher for Pbkdf2 {
    fn algorithm(&self) -> &'static str {
        match self.digest {
            Pbkdf2Digest::Sha256 => "pbkdf2_sha256",
            Pbkdf2Digest::Sha1 => "pbkdf2_sha1",
        }
    }

    fn encode(&self, password: &[u8], salt: &str, _: &mut Arena) -> Result<String, Error> {
        if salt.is_empty() || salt.contains('$') {
            return Err(Error::InvalidSalt);
        }
        let hash = STANDARD.encode(self.derive(password, salt.as_bytes(), self.iterations));
        Ok(format!("{}${}${salt}${hash}", self.algorithm(), self.iterations))
    }

    fn inspect(&self, encoded: &str) -> Option<Inspected> {
        self.parse(encoded).map(|parsed| Inspected {
            algorithm: self.algorithm(),
            work: parsed.iterations.into(),
            parameters: format!("iterations={}", parsed.iterations),
            salt_length: parsed.salt.chars().count(),
        })
    }

    fn verify(&self, password: &[u8], encoded: &str, _: &mut Arena) -> bool {
        self.parse(encoded).is_some_and(|parsed| {
            let computed = self.derive(password, parsed.salt.as_bytes(), parsed.iterations);
            computed.ct_eq(&parsed.hash).into()
        })
    }

    fn must_update(&self, encoded: &str) -> bool {
        self.parse(encoded).is_none_or(|parsed| {
            parsed.iterations != self.iterations || parsed.salt.chars().count() < SALT_LENGTH
        })
    }

    fn harden(&self, password: &[u8], from: u64, to: u64, _: &mut Arena) {
        let missing = to.saturating_sub(from).min(Bounds::DEFAULT.pbkdf2_iterations.into());
        if let Ok(iterations @ 1..) = u32::try_from(missing) {
            std::hint::black_box(self.derive(password, b"equal work", iterations));
        }
    }

    fn work(&self) -> u64 {
        self.iterations.into()
    }
}

struct Parsed<'a> {
    iterations: u32,
    salt: &'a str,
    hash: Vec<u8>,
}
