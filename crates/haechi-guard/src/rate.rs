//! Slows down who asks too often.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use haechi_core::{Denial, Guard, Head};
use http::StatusCode;

/// So many requests in a period, with bursts; one requester never uses up another's share.
///
/// The generic cell rate algorithm: each key has one number, the time at which its allowance would be whole again. A key whose allowance is whole
/// is forgotten.
///
/// # Security
///
/// Bounds memory to about 100,000 keys. When that many different keys are active at once the oldest shard is not emptied for new ones: a
/// new key is then refused, since whoever can appear under so many addresses must not thereby free an address that is being limited.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use haechi_guard::RateLimit;
///
/// let limit = RateLimit::new(2, Duration::from_secs(60));
/// let now = SystemTime::now();
/// assert!(limit.take("a", now).is_ok() && limit.take("a", now).is_ok());
/// assert_eq!(limit.take("a", now), Err(Duration::from_secs(30)));
/// assert!(limit.take("b", now).is_ok());
/// ```
#[derive(Debug)]
pub struct RateLimit {
    /// Nanoseconds that one request costs.
    cost: u64,
    /// Nanoseconds that may be owed.
    burst: u64,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

/// Hash of a key → when its allowance is whole again, in nanoseconds since 1970.
type Shard = HashMap<u64, u64>;

impl RateLimit {
    /// Allows `requests` at once and the same number in each `period`; zero counts as one.
    #[must_use]
    pub fn new(requests: u32, period: Duration) -> Self {
        let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        let cost = (period / u64::from(requests.max(1))).max(1);
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            cost,
            burst: cost.saturating_mul(u64::from(requests.max(1))),
            hasher: RandomState::new(),
            shards,
        }
    }

    /// Takes one request from the allowance of a key.
    ///
    /// # Errors
    ///
    /// How long to wait until one is free again; a refused request takes nothing.
    pub fn take(&self, key: impl std::hash::Hash, now: SystemTime) -> Result<(), Duration> {
        // A random key of SipHash: nobody can choose addresses that share a number with a victim.
        let hash = self.hasher.hash_one(key);
        let now = nanoseconds(now);
        let shard = usize::try_from(hash % SHARDS).unwrap_or_default();
        let mut shard = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let whole = shard.get(&hash).copied().unwrap_or(now).clamp(now, now.saturating_add(self.burst));
        let next = whole.saturating_add(self.cost);
        let over = next.saturating_sub(now).saturating_sub(self.burst);
        if over > 0 {
            return Err(Duration::from_nanos(over));
        }
        if shard.len() >= MOST_KEYS && !shard.contains_key(&hash) {
            shard.retain(|_, whole| *whole > now);
            if shard.len() >= MOST_KEYS {
                return Err(Duration::from_nanos(self.cost));
            }
        }
        shard.insert(hash, next);
        Ok(())
    }
}

/// Limits requests for each client network: an IPv4 address or an IPv6 /64.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use haechi_guard::Rate;
///
/// let guard = Rate::per_network(600, Duration::from_secs(60));
/// ```
#[derive(Debug)]
pub struct Rate {
    limit: RateLimit,
}

impl Rate {
    /// Allows so many requests at once, and the same number in each period.
    #[must_use]
    pub fn per_network(requests: u32, period: Duration) -> Self {
        Self { limit: RateLimit::new(requests, period) }
    }
}

impl Guard for Rate {
    fn name(&self) -> &'static str {
        "rate"
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        let network = head.client.network();
        self.limit.take(network, head.now).map_err(|wait| {
            Denial::new(StatusCode::TOO_MANY_REQUESTS, "rate", "network")
                .detail(network.to_string())
                .retry_after(wait)
        })
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

const SHARDS: u64 = 64;
const MOST_KEYS: usize = 1600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Row, outcome};

    fn at(seconds: f64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(seconds)
    }

    /// 3 a minute: each costs 20 seconds. asvs_2_4_1.
    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let limit = RateLimit::new(3, Duration::from_secs(60));
        let wait = |seconds| Err(Duration::from_secs(seconds));
        for (second, expected) in [
            (0.0, Ok(())),
            (0.0, Ok(())),
            (0.0, Ok(())),
            (0.0, wait(20)),
            (5.0, wait(15)),
            (19.0, wait(1)),
            (20.0, Ok(())),
            (20.0, wait(20)),
            (60.0, Ok(())),
            (60.0, Ok(())),
            (60.0, wait(20)),
            (1000.0, Ok(())),
            (1000.0, Ok(())),
            (1000.0, Ok(())),
            (1000.0, wait(20)),
        ] {
            assert_eq!(limit.take("k", at(second)), expected, "at {second}");
        }
    }

    #[test]
    fn a_clock_that_jumps_back_locks_nobody_out_for_longer_than_a_period() {
        let limit = RateLimit::new(2, Duration::from_secs(60));
        assert_eq!(limit.take("k", at(1_000_000.0)), Ok(()));
        assert_eq!(limit.take("k", at(0.0)), Err(Duration::from_secs(30)));
        assert_eq!(RateLimit::new(0, Duration::ZERO).take("k", at(0.0)), Ok(()));
        assert_eq!(RateLimit::new(1, Duration::MAX).take("k", UNIX_EPOCH - Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_a_flood_frees_nobody() {
        let limit = RateLimit::new(1, Duration::from_secs(60));
        assert_eq!(limit.take("victim of the limit", at(0.0)), Ok(()));
        let passed = (0..200_000_u32).filter(|key| limit.take(key, at(0.0)).is_ok()).count();
        let kept: usize = limit.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        let most = MOST_KEYS * usize::try_from(SHARDS).unwrap();
        assert!(kept <= most && passed < most, "{kept} keys kept");
        assert!(limit.take("victim of the limit", at(0.0)).is_err());
        // What is whole again is forgotten, and makes room.
        assert!((0..1000_u32).all(|key| limit.take(("later", key), at(60.0)).is_ok()));
    }

    #[test]
    fn a_flood_does_not_take_the_rest_of_anybodys_allowance() {
        let limit = RateLimit::new(2, Duration::from_secs(60));
        assert_eq!(limit.take("was here before", at(0.0)), Ok(()));
        let full =
            |limit: &RateLimit| limit.shards.iter().all(|shard| shard.lock().unwrap().len() >= MOST_KEYS);
        let mut keys = 0..200_000_u32;
        while !full(&limit) && !keys.is_empty() {
            for key in keys.by_ref().take(10_000) {
                let _taken = limit.take(key, at(0.0));
            }
        }
        assert!(full(&limit));
        assert_eq!(limit.take("was here before", at(0.0)), Ok(()));
    }

    #[test]
    fn one_network_never_uses_up_anothers_share() {
        let guard = Rate::per_network(2, Duration::from_secs(10));
        #[track_caller]
        fn check(guard: &Rate, client: &str, second: f64, expected: &str) {
            let row = Row::get("/").client(client).after(second);
            assert_eq!(row.resolved(|head| outcome(guard.check(head))), expected);
        }
        check(&guard, "192.0.2.1", 0.0, "pass");
        check(&guard, "192.0.2.1", 0.0, "pass");
        check(&guard, "192.0.2.1", 0.0, "429 network");
        check(&guard, "192.0.2.2", 0.0, "pass");
        check(&guard, "192.0.2.1", 5.0, "pass");
        check(&guard, "2001:db8::1", 0.0, "pass");
        check(&guard, "2001:db8::2", 0.0, "pass");
        // A customer has a whole /64 to choose from.
        check(&guard, "2001:db8::3", 0.0, "429 network");
        check(&guard, "2001:db8:0:1::1", 0.0, "pass");
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let guard = Rate::per_network(1, Duration::from_millis(1500));
        let row = Row::get("/");
        assert!(row.resolved(|head| guard.check(head)).is_ok());
        let denial = row.resolved(|head| guard.check(head)).unwrap_err();
        assert_eq!(denial.retry_after_seconds(), Some(2));
    }
}
