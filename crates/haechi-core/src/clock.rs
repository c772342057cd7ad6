//! Time as an argument: nothing in haechi asks the system what time it is but through a [`Clock`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time.
///
/// Expiry, throttles and signatures are tested with a [`TestClock`]; a server runs on the [`SystemClock`].
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the time now.
    fn now(&self) -> SystemTime;

    /// Returns the whole seconds since 1970-01-01 00:00 UTC; a time before that is negative.
    fn unix(&self) -> i64 {
        unix_seconds(self.now())
    }
}

/// Returns the whole seconds from 1970-01-01 00:00 UTC to `time`, rounded down.
#[must_use]
pub fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            -whole - i64::from(before.subsec_nanos() > 0)
        }
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is told otherwise; clones share one time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use haechi_core::{Clock, TestClock};
///
/// let clock = TestClock::at(1_700_000_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.unix(), 1_700_000_060);
/// ```
#[derive(Debug, Clone)]
pub struct TestClock {
    now: Arc<Mutex<SystemTime>>,
}

impl TestClock {
    /// Makes a clock that shows `unix` seconds since 1970; a negative number counts as 0.
    #[must_use]
    pub fn at(unix: i64) -> Self {
        Self { now: Arc::new(Mutex::new(from_unix(unix))) }
    }

    /// Sets the time, forwards or back.
    pub fn set(&self, unix: i64) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = from_unix(unix);
    }

    /// Moves the time forwards.
    pub fn advance(&self, by: Duration) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_unix(unix: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(unix).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_1970() {
        #[track_caller]
        fn check(time: SystemTime, expected: i64) {
            assert_eq!(unix_seconds(time), expected);
        }
        check(UNIX_EPOCH, 0);
        check(UNIX_EPOCH + Duration::from_millis(1999), 1);
        check(UNIX_EPOCH - Duration::from_secs(5), -5);
        check(UNIX_EPOCH - Duration::from_millis(4500), -5);
    }

    #[test]
    fn clones_of_a_test_clock_share_their_time() {
        let clock = TestClock::at(10);
        let other = clock.clone();
        clock.set(50);
        other.advance(Duration::from_secs(5));
        assert_eq!(clock.unix(), 55);
    }

    #[test]
    fn the_system_clock_moves() {
        assert!(SystemClock.unix() > 1_700_000_000);
    }
}
