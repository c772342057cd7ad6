//! `scrypt$N$SALT$r$p$BASE64`, in Django's order.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scrypt::Params;
use subtle::ConstantTimeEq;

use super::bounds::MAX_ENCODED;
use super::{Arena, Bounds, Hasher, Inspected, SALT_LENGTH};
use crate::Error;

/// scrypt with Django's parameters: N = 16,384, r = 8, p = 5.
#[derive(Clone, Copy, Debug)]
pub struct Scrypt {
    costs: Costs,
}

impl Scrypt {
    /// What Django writes.
    pub const DJANGO: Self = Self { costs: Costs { log_n: 14, r: 8, p: 5 } };

    /// Returns a hasher with these parameters, or `None` if `n` is no power of two or they are outside [`Bounds`].
    #[must_use]
    pub fn new(n: u32, r: u32, p: u32) -> Option<Self> {
        let costs = Costs { log_n: u8::try_from(n.trailing_zeros()).ok()?, r, p };
        (n.is_power_of_two() && n > 1 && costs.bounded()).then_some(Self { costs })
    }

    fn parse(encoded: &str) -> Option<Parsed<'_>> {
        if encoded.len() > MAX_ENCODED {
            return None;
        }
        let mut parts = encoded.strip_prefix("scrypt$")?.split('$');
        let (n, salt, r, p, hash) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let n = number(n)?;
        let costs = Costs { log_n: u8::try_from(n.trailing_zeros()).ok()?, r: number(r)?, p: number(p)? };
        let hash = STANDARD.decode(hash).ok()?;
        let sound = parts.next().is_none() && n.is_power_of_two() && n > 1 && hash.len() == OUTPUT;
        (sound && costs.bounded()).then_some(Parsed { costs, salt, hash })
    }
}

impl Hasher for Scrypt {
    fn algorithm(&self) -> &'static str {
        "scrypt"
    }

    fn encode(&self, password: &[u8], salt: &str, _: &mut Arena) -> Result<String, Error> {
        if salt.is_empty() || salt.contains('$') {
            return Err(Error::InvalidSalt);
        }
        let Costs { log_n, r, p } = self.costs;
        let hash = self.costs.derive(password, salt.as_bytes()).ok_or(Error::InvalidSalt)?;
        Ok(format!("scrypt${}${salt}${r}${p}${}", 1u64 << log_n, STANDARD.encode(hash)))
    }

    fn inspect(&self, encoded: &str) -> Option<Inspected> {
        Self::parse(encoded).map(|parsed| Inspected {
            algorithm: "scrypt",
            work: parsed.costs.work(),
            parameters: format!("n=2^{},r={},p={}", parsed.costs.log_n, parsed.costs.r, parsed.costs.p),
            salt_length: parsed.salt.chars().count(),
        })
    }

    fn verify(&self, password: &[u8], encoded: &str, _: &mut Arena) -> bool {
        Self::parse(encoded).is_some_and(|parsed| {
            let computed = parsed.costs.derive(password, parsed.salt.as_bytes());
            computed.is_some_and(|computed| computed.ct_eq(&parsed.hash).into())
        })
    }

    fn must_update(&self, encoded: &str) -> bool {
        Self::parse(encoded)
            .is_none_or(|parsed| parsed.costs != self.costs || parsed.salt.chars().count() < SALT_LENGTH)
    }

    /// scrypt's time is N × r × p: the missing product is spent as lanes of the hasher's own N and r.
    fn harden(&self, password: &[u8], from: u64, to: u64, _: &mut Arena) {
        let lane = (1u64 << self.costs.log_n) * u64::from(self.costs.r);
        let missing = to.saturating_sub(from).min(Bounds::DEFAULT.scrypt_work) / lane;
        if let Ok(p @ 1..) = u32::try_from(missing) {
            std::hint::black_box(Costs { p, ..self.costs }.derive(password, b"equal work"));
        }
    }

    fn work(&self) -> u64 {
        self.costs.work()
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Costs {
    log_n: u8,
    r: u32,
    p: u32,
}

impl Costs {
    fn work(self) -> u64 {
        (1u64 << self.log_n).saturating_mul(self.r.into()).saturating_mul(self.p.into())
    }

    fn bounded(self) -> bool {
        let bounds = Bounds::DEFAULT;
        let memory = (1u64 << self.log_n).saturating_mul(self.r.into()) / 8;
        (1..=32).contains(&self.r)
            && (1..=bounds.lanes).contains(&self.p)
            && memory <= bounds.memory_kib.into()
            && self.work() <= bounds.scrypt_work
    }

    fn derive(self, password: &[u8], salt: &[u8]) -> Option<[u8; OUTPUT]> {
        let params = Params::new(self.log_n, self.r, self.p).ok()?;
        let mut output = [0; OUTPUT];
        scrypt::scrypt(password, salt, &params, &mut output).ok()?;
        Some(output)
    }
}

struct Parsed<'a> {
    costs: Costs,
    salt: &'a str,
    hash: Vec<u8>,
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

const OUTPUT: usize = 64;
