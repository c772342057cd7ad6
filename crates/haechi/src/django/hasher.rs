//! The hasher of the Django site, with its parameters: what it wrote otherwise, either site would rewrite.

use haechi_auth::hash::{Argon2id, Bcrypt, BcryptSha256, Hasher, Hashers, Pbkdf2, Pbkdf2Digest, Scrypt};

use super::version::Version;
use crate::config;

/// The first of `PASSWORD_HASHERS`.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreferredHasher {
    hasher: Known,
    /// Of PBKDF2, which reads rows whatever is preferred.
    iterations: u32,
}

#[derive(Debug, Clone, Copy)]
enum Known {
    Pbkdf2(Pbkdf2Digest),
    Argon2 { memory_cost: u32, time_cost: u32, parallelism: u32 },
    BcryptSha256 { rounds: u32 },
    Bcrypt { rounds: u32 },
    Scrypt { work_factor: u32, block_size: u32, parallelism: u32 },
}

impl PreferredHasher {
    /// Reads the algorithm and its parameters, each Django's own where none is said; the version may have been refused
    /// already.
    pub(super) fn read(settings: &config::Django, version: Option<Version>) -> Result<Self, String> {
        let hasher = match &*settings.password_hasher {
            "pbkdf2_sha256" => Known::Pbkdf2(Pbkdf2Digest::Sha256),
            "pbkdf2_sha1" => Known::Pbkdf2(Pbkdf2Digest::Sha1),
            "argon2" => Known::Argon2 {
                memory_cost: settings.argon2_memory_cost.unwrap_or(102_400),
                time_cost: settings.argon2_time_cost.unwrap_or(2),
                parallelism: settings.argon2_parallelism.unwrap_or(8),
            },
            "bcrypt_sha256" => Known::BcryptSha256 { rounds: settings.bcrypt_rounds.unwrap_or(12) },
            "bcrypt" => Known::Bcrypt { rounds: settings.bcrypt_rounds.unwrap_or(12) },
            "scrypt" => Known::Scrypt {
                work_factor: settings.scrypt_work_factor.unwrap_or(16_384),
                block_size: settings.scrypt_block_size.unwrap_or(8),
                parallelism: settings.scrypt_parallelism.unwrap_or(5),
            },
            name => {
                return Err(format!(
                    "password_hasher is \"{name}\", and haechi writes pbkdf2_sha256, pbkdf2_sha1, argon2, bcrypt_sha256, \
                     bcrypt and scrypt: name the algorithm of the first of PASSWORD_HASHERS"
                ));
            }
        };
        let read = Self { hasher, iterations: iterations(settings.pbkdf2_iterations, version)? };
        match read.hasher.build(read.iterations) {
            Some(_) => Ok(read),
            None => Err(format!(
                "password_hasher is {}, which haechi does not compute: a sign-in would take too much time or memory \
                 (`Bounds` of haechi-auth); let the hasher of the Django site ask for less",
                read.described()
            )),
        }
    }

    /// Returns the hashers, this one first.
    pub(super) fn hashers(self) -> Hashers {
        let preferred = self.hasher.build(self.iterations).expect("it was built when it was read");
        Hashers::django_preferring(preferred, self.iterations)
    }

    /// Returns what a column of this hasher begins with, before a `$`: as much of its parameters as stands there.
    pub(super) fn prefix(self) -> String {
        let name = self.name();
        match self.hasher {
            Known::Pbkdf2(_) => format!("{name}${}", self.iterations),
            Known::Argon2 { memory_cost, time_cost, parallelism } => {
                format!("{name}$argon2id$v=19$m={memory_cost},t={time_cost},p={parallelism}")
            }
            Known::BcryptSha256 { rounds } | Known::Bcrypt { rounds } => format!("{name}$$2b${rounds:02}"),
            Known::Scrypt { work_factor, .. } => format!("{name}${work_factor}"),
        }
    }

    /// Returns the algorithm and its parameters in words.
    pub(super) fn described(self) -> String {
        let name = self.name();
        match self.hasher {
            Known::Pbkdf2(_) => format!("{name} with {} iterations", self.iterations),
            Known::Argon2 { memory_cost, time_cost, parallelism } => format!(
                "{name} with memory_cost {memory_cost}, time_cost {time_cost} and parallelism {parallelism}"
            ),
            Known::BcryptSha256 { rounds } | Known::Bcrypt { rounds } => {
                format!("{name} with {rounds} rounds")
            }
            Known::Scrypt { work_factor, block_size, parallelism } => format!(
                "{name} with work_factor {work_factor}, block_size {block_size} and parallelism {parallelism}"
            ),
        }
    }

    fn name(self) -> &'static str {
        match self.hasher {
            Known::Pbkdf2(Pbkdf2Digest::Sha256) => "pbkdf2_sha256",
            Known::Pbkdf2(Pbkdf2Digest::Sha1) => "pbkdf2_sha1",
            Known::Argon2 { .. } => "argon2",
            Known::BcryptSha256 { .. } => "bcrypt_sha256",
            Known::Bcrypt { .. } => "bcrypt",
            Known::Scrypt { .. } => "scrypt",
        }
    }
}

impl Known {
    /// Returns the hasher, or `None` where its parameters are outside the bounds.
    fn build(self, iterations: u32) -> Option<Box<dyn Hasher>> {
        Some(match self {
            Self::Pbkdf2(digest) => Box::new(Pbkdf2::new(digest, iterations)),
            Self::Argon2 { memory_cost, time_cost, parallelism } => {
                Box::new(Argon2id::new(memory_cost, time_cost, parallelism)?)
            }
            Self::BcryptSha256 { rounds } => Box::new(BcryptSha256::new(rounds)?),
            Self::Bcrypt { rounds } => Box::new(Bcrypt::new(rounds)?),
            Self::Scrypt { work_factor, block_size, parallelism } => {
                Box::new(Scrypt::new(work_factor, block_size, parallelism)?)
            }
        })
    }
}

/// The iterations of the version, or those that a site chose.
fn iterations(own: Option<u32>, version: Option<Version>) -> Result<u32, String> {
    match own {
        Some(0) => {
            Err("pbkdf2_iterations is 0, and must be what the hasher of the Django site has".to_owned())
        }
        Some(own) if own > MOST_ITERATIONS => {
            Err(format!("pbkdf2_iterations is {own}; more than {MOST_ITERATIONS} are never computed here"))
        }
        Some(own) => Ok(own),
        None => Ok(version.map_or(1, Version::iterations)),
    }
}

const MOST_ITERATIONS: u32 = 10_000_000;
