//! Events that a stranger can repeat at will, told apart from their first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// Remembers what was logged a moment ago, on this machine.
///
/// The security log is a chain: each row waits for the one before. A client that is told to wait and asks a thousand
/// times a minute all the same must not write a thousand rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats {
    /// By the hash of the event: a stranger chooses how long a name is.
    until: Arc<Mutex<HashMap<[u8; 32], i64>>>,
}

impl Repeats {
    /// Returns whether `event` was not seen before in the stretch that ends at `until`, and begins one if so.
    pub(crate) fn is_first(&self, event: &str, now: i64, until: i64) -> bool {
        let event = Sha256::digest(event.as_bytes()).into();
        let mut seen = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&event).is_some_and(|end| now < *end) {
            return false;
        }
        if seen.len() >= MOST {
            seen.retain(|_, end| now < *end);
        }
        // Where too many are remembered, an event is logged twice rather than not at all.
        if seen.len() < MOST {
            seen.insert(event, until);
        }
        true
    }
}

const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_first_once_a_stretch_and_memory_is_bounded() {
        let repeats = Repeats::default();
        let first = |event: &str, now| repeats.is_first(event, now, now + 10);
        assert!(first("a", 100) && !first("a", 109) && first("b", 109) && first("a", 110));
        for number in 0..2 * MOST {
            assert!(first(&number.to_string(), 200));
        }
        assert_eq!(repeats.until.lock().unwrap().len(), MOST);
        assert!(first("c", 210) && !first("c", 219), "room again when the stretches have ended");
    }
}
