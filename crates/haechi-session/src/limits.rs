//! How long a session lasts.

use std::time::Duration;

use crate::Record;

/// The lifetimes of sessions. A session ends at the earlier of its idle and its absolute limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Without use, for a session that ends with the browser: one hour.
    pub idle: Duration,
    /// From sign-in on, whatever the use: 24 hours.
    pub absolute: Duration,
    /// Without use, where the user chose to stay signed in: 14 days.
    pub remembered_idle: Duration,
    /// From sign-in on, where the user chose to stay signed in: 30 days, the most that NIST allows.
    pub remembered_absolute: Duration,
    /// How stale the stored time of last use may be: a minute, and a quarter of the idle limit at most. Less would write at every
    /// request.
    pub touch: Duration,
    /// How long a process may answer from memory: 5 seconds, on PostgreSQL. On SQLite nothing is kept.
    ///
    /// An end in this process counts at once. One by another process, on this machine or elsewhere, counts when the
    /// server's word of it arrives, mostly within milliseconds, and after this time if the network swallows it. While a
    /// process has no connection on which it would be told, it keeps nothing.
    pub cache: Duration,
    /// The most bytes a session's values may take: 64 KiB.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const HOUR: u64 = 3_600;
        Self {
            idle: Duration::from_secs(HOUR),
            absolute: Duration::from_secs(24 * HOUR),
            remembered_idle: Duration::from_secs(14 * 24 * HOUR),
            remembered_absolute: Duration::from_secs(30 * 24 * HOUR),
            touch: Duration::from_secs(60),
            cache: Duration::from_secs(5),
            bytes: 65_536,
        }
    }
}

impl Limits {
    /// Marks `record` as used at `now` and moves its end; returns the age of its cookie, `None` for one that ends with the
    /// browser.
    pub(crate) fn use_at(&self, record: &mut Record, now: i64) -> Option<Duration> {
        let (idle, absolute) = match record.remembered {
            true => (self.remembered_idle, self.remembered_absolute),
            false => (self.idle, self.absolute),
        };
        record.seen = now;
        let last = record.created.saturating_add(seconds(absolute));
        record.expires = now.saturating_add(seconds(idle)).min(last);
        let left = last.saturating_sub(now);
        // The cookie lasts for as long as use may prolong the session, which only the store knows of.
        record.remembered.then(|| Duration::from_secs(left.try_into().unwrap_or(0)))
    }

    /// Returns after how many seconds without a write a use is written down.
    pub(crate) fn touch_after(&self, remembered: bool) -> i64 {
        let idle = if remembered { self.remembered_idle } else { self.idle };
        match self.touch {
            Duration::MAX => i64::MAX,
            touch => seconds(touch.min(idle / 4)),
        }
    }
}

pub(crate) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
