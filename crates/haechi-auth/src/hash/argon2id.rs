//! `argon2$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, the preferred algorithm.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;

use super::bounds::MAX_ENCODED;
use super::{Arena, Bounds, Hasher, Inspected};
use crate::Error;

/// Argon2id, version 19.
#[derive(Clone, Copy, Debug)]
pub struct Argon2id {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2id {
    /// 19 MiB, two passes, one lane: the first row of OWASP's table, 14 ms with kept memory.
    pub const DEFAULT: Self = Self { memory_kib: 19 * 1_024, passes: 2, lanes: 1 };
    /// What Django writes: 100 MiB, two passes, eight lanes.
    pub const DJANGO: Self = Self { memory_kib: 102_400, passes: 2, lanes: 8 };

    /// Returns a hasher with these parameters, or `None` if they are outside [`Bounds`] or of argon2 itself.
    #[must_use]
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        bounded(memory_kib, passes, lanes).then_some(Self { memory_kib, passes, lanes })
    }

    fn derive(parsed: &Parsed, password: &[u8], output: &mut [u8], arena: &mut Arena) -> Option<()> {
        let params = Params::new(parsed.memory_kib, parsed.passes, parsed.lanes, Some(output.len())).ok()?;
        let blocks = params.block_count();
        let argon2 = Argon2::new(parsed.algorithm, Version::V0x13, params);
        arena
            .lend(blocks, |memory| {
                argon2.hash_password_into_with_memory(password, &parsed.salt, output, memory)
            })
            .ok()
    }
}

impl Hasher for Argon2id {
    fn algorithm(&self) -> &'static str {
        "argon2"
    }

    fn encode(&self, password: &[u8], salt: &str, arena: &mut Arena) -> Result<String, Error> {
        let Self { memory_kib, passes, lanes } = *self;
        let salt = salt.as_bytes().to_vec();
        let parsed =
            Parsed { algorithm: Algorithm::Argon2id, memory_kib, passes, lanes, salt, hash: Vec::new() };
        let mut hash = [0; 32];
        Self::derive(&parsed, password, &mut hash, arena).ok_or(Error::InvalidSalt)?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(&parsed.salt), STANDARD_NO_PAD.encode(hash));
        Ok(format!("argon2$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"))
    }

    fn inspect(&self, encoded: &str) -> Option<Inspected> {
        parse(encoded).map(|parsed| Inspected {
            algorithm: "argon2",
            work: parsed.work(),
            parameters: format!("m={},t={},p={}", parsed.memory_kib, parsed.passes, parsed.lanes),
            salt_length: parsed.salt.len(),
        })
    }

    fn verify(&self, password: &[u8], encoded: &str, arena: &mut Arena) -> bool {
        let Some(parsed) = parse(encoded) else { return false };
        let mut computed = vec![0; parsed.hash.len()];
        Self::derive(&parsed, password, &mut computed, arena).is_some() && computed.ct_eq(&parsed.hash).into()
    }

    fn must_update(&self, encoded: &str) -> bool {
        parse(encoded).is_none_or(|parsed| {
            parsed.algorithm != Algorithm::Argon2id
                || (parsed.memory_kib, parsed.passes, parsed.lanes)
                    != (self.memory_kib, self.passes, self.lanes)
                || parsed.salt.len() < MIN_SALT
                || parsed.hash.len() != 32
        })
    }

    /// Argon2's time is about memory × passes: the missing product is spent in as few passes as the hasher's own memory
    /// allows, each over an equal part, so that the whole work of a row is that of the largest one.
    fn harden(&self, password: &[u8], from: u64, to: u64, arena: &mut Arena) {
        let missing = to.saturating_sub(from).min(Bounds::DEFAULT.argon2_work);
        let passes = missing.div_ceil(self.memory_kib.into()).max(1);
        let memory = missing / passes;
        let (Ok(memory_kib), Ok(passes)) = (u32::try_from(memory), u32::try_from(passes)) else {
            return;
        };
        let salt = b"equal work".to_vec();
        let algorithm = Algorithm::Argon2id;
        let filler = Parsed { algorithm, memory_kib, passes, lanes: self.lanes, salt, hash: Vec::new() };
        // Less than argon2 can compute is an error there, and nothing that a clock could tell.
        std::hint::black_box(Self::derive(&filler, password, &mut [0; 32], arena));
    }

    fn work(&self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }
}

struct Parsed {
    algorithm: Algorithm,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Parsed {
    fn work(&self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }
}

fn parse(encoded: &str) -> Option<Parsed> {
    if encoded.len() > MAX_ENCODED {
        return None;
    }
    let mut parts = encoded.strip_prefix("argon2$")?.split('$');
    let algorithm = match parts.next()? {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return None,
    };
    let (version, costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let mut costs = costs.split(',');
    let memory_kib = cost(costs.next()?, "m=")?;
    let passes = cost(costs.next()?, "t=")?;
    let lanes = cost(costs.next()?, "p=")?;
    if parts.next().is_some() || costs.next().is_some() || version != "v=19" {
        return None;
    }
    let (salt, hash) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?);
    let lengths = (8..=64).contains(&salt.len()) && (16..=64).contains(&hash.len());
    (lengths && bounded(memory_kib, passes, lanes)).then_some(Parsed {
        algorithm,
        memory_kib,
        passes,
        lanes,
        salt,
        hash,
    })
}

fn cost(text: &str, name: &str) -> Option<u32> {
    let digits = text.strip_prefix(name)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn bounded(memory_kib: u32, passes: u32, lanes: u32) -> bool {
    let bounds = Bounds::DEFAULT;
    (1..=bounds.lanes).contains(&lanes)
        && passes >= 1
        && memory_kib >= 8 * lanes
        && memory_kib <= bounds.memory_kib
        && u64::from(memory_kib) * u64::from(passes) <= bounds.argon2_work
}

const MIN_SALT: usize = 16;
