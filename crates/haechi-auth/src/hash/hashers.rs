//! The ordered list of hashers: the first writes, all read.

use super::{
    Arena, Argon2id, Bcrypt, BcryptSha256, Hasher, Inspected, MAX_PASSWORD_BYTES, Pbkdf2, Pbkdf2Digest,
    Present, Scrypt,
};
use crate::Error;

/// Whether a login rewrites a hash that was made with other parameters than the preferred ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Upgrade {
    /// Rewrites it after a successful login, and carries the user's session over.
    AtLogin,
    /// Leaves it alone. Beside a Django this is the only peace: each would rewrite the other's row at every
    /// login, and each rewriting ends the user's other sessions.
    Never,
}

/// The outcome of a check that costs the same for every account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verified {
    /// Whether the password belongs to the account.
    pub matches: bool,
    /// Whether the row should be rewritten with the preferred hasher.
    pub must_update: bool,
}

/// The hashers of a site.
///
/// The default prefers argon2id (19 MiB, 2 passes, 1 lane) and reads everything Django writes.
#[derive(Debug)]
pub struct Hashers {
    preferred: Box<dyn Hasher>,
    others: Vec<Box<dyn Hasher>>,
    upgrade: Upgrade,
}

impl Hashers {
    /// Returns a list that writes with `preferred` and reads the `others` too.
    #[must_use]
    pub fn new(preferred: Box<dyn Hasher>, others: Vec<Box<dyn Hasher>>, upgrade: Upgrade) -> Self {
        Self { preferred, others, upgrade }
    }

    /// Returns the list for a database shared with a Django that writes PBKDF2 with `iterations` (5.2:
    /// 1,000,000, 6.0: 1,200,000, 6.1: 1,500,000); rows are never upgraded.
    #[must_use]
    pub fn django(iterations: u32) -> Self {
        Self::django_preferring(Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, iterations)), iterations)
    }

    /// As [`django`](Self::django) for a Django whose first hasher is `preferred`, which has to have its parameters.
    #[must_use]
    pub fn django_preferring(preferred: Box<dyn Hasher>, iterations: u32) -> Self {
        let mut all: Vec<Box<dyn Hasher>> = vec![
            Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, iterations)),
            Box::new(Pbkdf2::new(Pbkdf2Digest::Sha1, iterations)),
            Box::new(Argon2id::DJANGO),
            Box::new(BcryptSha256::DJANGO),
            Box::new(Bcrypt::DJANGO),
            Box::new(Scrypt::DJANGO),
        ];
        all.retain(|hasher| hasher.algorithm() != preferred.algorithm());
        Self::new(preferred, all, Upgrade::Never)
    }

    /// Returns the column for `password`, made by the preferred hasher under a fresh salt.
    ///
    /// # Errors
    /// Fails above [`MAX_PASSWORD_BYTES`], or where the preferred algorithm cannot take the password.
    pub fn encode(&self, password: &str, arena: &mut Arena) -> Result<String, Error> {
        let password = bounded(password).ok_or(Error::PasswordTooLong)?;
        self.preferred.encode(password, &self.preferred.salt(), arena)
    }

    /// Returns whether `password` belongs to `encoded`. What no hasher can read is false, as is an unusable or
    /// empty column.
    #[must_use]
    pub fn verify(&self, password: &str, encoded: &str, arena: &mut Arena) -> bool {
        match (bounded(password), self.of(encoded)) {
            (Some(password), Some(hasher)) => hasher.verify(password, encoded, arena),
            _ => false,
        }
    }

    /// Returns what `encoded` says about itself, or `None` if no hasher can read it.
    #[must_use]
    pub fn inspect(&self, encoded: &str) -> Option<Inspected> {
        self.of(encoded)?.inspect(encoded)
    }

    /// Returns whether `encoded` differs from what [`encode`](Self::encode) would write today.
    #[must_use]
    pub fn must_update(&self, encoded: &str) -> bool {
        self.of(encoded).is_none_or(|hasher| {
            hasher.algorithm() != self.preferred.algorithm() || self.preferred.must_update(encoded)
        })
    }

    /// Returns whether a login rewrites `encoded`: it is outdated, and the site upgrades.
    #[must_use]
    pub fn upgrades(&self, encoded: &str) -> bool {
        self.upgrade == Upgrade::AtLogin && self.must_update(encoded)
    }

    /// Checks `password` against `encoded`, doing the work of every algorithm in `present` whatever `encoded`
    /// is; `None` stands for an account that does not exist or must not sign in.
    #[must_use]
    pub fn check(
        &self,
        password: &str,
        encoded: Option<&str>,
        present: &Present,
        arena: &mut Arena,
    ) -> Verified {
        let readable = bounded(password);
        let password = readable.unwrap_or(b"");
        let row = encoded.and_then(|encoded| self.inspect(encoded).map(|row| (encoded, row)));
        let mut matches = false;
        if present.is_empty() && row.is_none() {
            self.preferred.harden(password, 0, self.preferred.work(), arena);
        }
        let unseen = row.iter().map(|(_, row)| (row.algorithm, row.work));
        let unseen = unseen.filter(|(algorithm, _)| present.iter().all(|(known, _)| known != *algorithm));
        for (algorithm, most) in present.iter().chain(unseen) {
            let Some(hasher) = self.named(algorithm) else { continue };
            match &row {
                Some((encoded, row)) if row.algorithm == algorithm => {
                    matches = hasher.verify(password, encoded, arena);
                    hasher.harden(password, row.work, most, arena);
                }
                _ => hasher.harden(password, 0, most, arena),
            }
        }
        let matches = matches && readable.is_some();
        Verified { matches, must_update: matches && encoded.is_some_and(|encoded| self.upgrades(encoded)) }
    }

    fn of(&self, encoded: &str) -> Option<&dyn Hasher> {
        self.named(encoded.split_once('$')?.0)
    }

    fn named(&self, algorithm: &str) -> Option<&dyn Hasher> {
        std::iter::once(&self.preferred)
            .chain(&self.others)
            .find(|hasher| hasher.algorithm() == algorithm)
            .map(Box::as_ref)
    }
}

impl Default for Hashers {
    fn default() -> Self {
        Self::new(
            Box::new(Argon2id::DEFAULT),
            vec![
                Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 1_500_000)),
                Box::new(Pbkdf2::new(Pbkdf2Digest::Sha1, 1_500_000)),
                Box::new(BcryptSha256::DJANGO),
                Box::new(Bcrypt::DJANGO),
                Box::new(Scrypt::DJANGO),
            ],
            Upgrade::AtLogin,
        )
    }
}

fn bounded(password: &str) -> Option<&[u8]> {
    (password.len() <= MAX_PASSWORD_BYTES).then_some(password.as_bytes())
}
