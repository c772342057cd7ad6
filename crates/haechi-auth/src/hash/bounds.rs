//! How much a stored hash may ask for.

/// The most work that is done for a row, whoever wrote it.
///
/// A row above a bound verifies as false. Without this, whoever can write one row (an import, a restored
/// backup, a neighbour's defect) makes every login to that account cost gigabytes or hours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// argon2 and scrypt: KiB of memory. Django's argon2 uses 102,400.
    pub memory_kib: u32,
    /// argon2: memory in KiB × passes. Django's argon2 computes 204,800.
    pub argon2_work: u64,
    /// argon2 and scrypt: lanes.
    pub lanes: u32,
    /// PBKDF2: iterations. Django 6.1 uses 1,500,000.
    pub pbkdf2_iterations: u32,
    /// bcrypt: the logarithm of the rounds. Django uses 12; 15 takes about two seconds.
    pub bcrypt_cost: u32,
    /// scrypt: N × r × p. Django uses 655,360.
    pub scrypt_work: u64,
}

impl Bounds {
    /// The bounds every hasher of this crate applies.
    pub const DEFAULT: Self = Self {
        memory_kib: 262_144,
        argon2_work: 1_048_576,
        lanes: 16,
        pbkdf2_iterations: 10_000_000,
        bcrypt_cost: 15,
        scrypt_work: 4_194_304,
    };
}

/// The longest column that is looked at; Django's column holds 128 characters.
pub(crate) const MAX_ENCODED: usize = 512;
