//! How fast a body or a response must move.

use std::time::Duration;

/// A minimum rate, asked for in every window of time that was spent waiting for the peer.
///
/// An average over the whole transfer would let a client that sent a megabyte at once drip for an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) minimum: u32,
    pub(super) window: Duration,
}

/// What a window says about its transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The window has not ended.
    Open,
    /// Enough bytes moved; the next window begins.
    Enough,
    /// Too few bytes moved.
    TooSlow,
}

impl Rate {
    /// Judges a window in which `bytes` moved while `waited` was spent waiting for the peer.
    pub(super) fn check(self, bytes: u64, waited: Duration) -> Verdict {
        if waited < self.window {
            return Verdict::Open;
        }
        let asked = u128::from(self.minimum) * waited.as_millis() / 1000;
        if u128::from(bytes) >= asked { Verdict::Enough } else { Verdict::TooSlow }
    }
}

/// The window that a transfer is in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    bytes: u64,
    waited: Duration,
}

impl Window {
    /// Notes bytes that moved.
    pub(super) fn moved(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Notes a wait that ended, and judges; after a verdict of enough the next window has begun.
    pub(super) fn waited(&mut self, wait: Duration, rate: Rate) -> Verdict {
        self.waited = self.waited.saturating_add(wait);
        let verdict = rate.check(self.bytes, self.waited);
        if verdict == Verdict::Enough {
            *self = Self::default();
        }
        verdict
    }

    /// Returns how much longer the peer may be waited for until the window has to be judged.
    pub(super) fn left(&self, rate: Rate) -> Duration {
        rate.window.saturating_sub(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { minimum: 240, window: Duration::from_secs(5) };

    #[track_caller]
    fn check(bytes: u64, millis: u64, expected: Verdict) {
        assert_eq!(
            RATE.check(bytes, Duration::from_millis(millis)),
            expected,
            "{bytes} bytes in {millis} ms"
        );
    }

    #[test]
    fn a_window_is_judged_when_it_ends() {
        check(0, 0, Verdict::Open);
        check(0, 4_999, Verdict::Open);
        check(1_199, 5_000, Verdict::TooSlow);
        check(1_200, 5_000, Verdict::Enough);
        check(100, 5_000, Verdict::TooSlow);
        check(2_399, 10_000, Verdict::TooSlow);
        check(2_400, 10_000, Verdict::Enough);
        check(u64::MAX, u64::MAX, Verdict::Enough);
    }

    #[test]
    fn a_burst_does_not_pay_for_a_drip() {
        let mut window = Window::default();
        window.moved(1_000_000);
        assert_eq!(window.waited(Duration::from_secs(5), RATE), Verdict::Enough);
        window.moved(100);
        assert_eq!(window.left(RATE), Duration::from_secs(5));
        assert_eq!(window.waited(Duration::from_secs(5), RATE), Verdict::TooSlow);
    }
}
