//! How long a raw stream may be without a byte.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::Limits;

/// The idle deadline of a stream: a byte in either direction moves it.
///
/// Bytes only note the time. A timer that fires looks at that note and goes back to sleep if it came too early,
/// so that a busy stream pays for no timer at all.
#[derive(Debug)]
pub(crate) struct Idle {
    allowed: Duration,
    /// Until when the first byte must have come; `None` once it has.
    first: Option<Instant>,
    last: Instant,
    /// Until when what is being read must be complete, whatever drips in.
    whole: Option<Instant>,
    reading: Timer,
    writing: Timer,
}

impl Idle {
    pub(crate) fn new(limits: &Limits) -> Self {
        let now = Instant::now();
        Self {
            allowed: limits.stall,
            first: now.checked_add(limits.first_byte),
            last: now,
            whole: None,
            reading: Timer::default(),
            writing: Timer::default(),
        }
    }

    /// Allows this much time without a byte from now on, for the first byte as well.
    pub(crate) fn allow(&mut self, allowed: Duration) {
        self.allowed = allowed;
        self.first = None;
        self.last = Instant::now();
    }

    /// Sets the deadline by which the next reads must be complete; keeps an earlier call's where asked to.
    pub(crate) fn complete_within(&mut self, within: Option<Duration>, earlier: Earlier) {
        let kept = if earlier == Earlier::Keep { self.whole } else { None };
        self.whole = kept.or_else(|| Instant::now().checked_add(within?));
    }

    /// Returns whether the deadline for the whole has passed.
    pub(crate) fn is_past_whole(&self) -> bool {
        self.whole.is_some_and(|whole| Instant::now() >= whole)
    }

    pub(crate) fn was_read(&mut self) {
        self.first = None;
        self.last = Instant::now();
    }

    pub(crate) fn was_written(&mut self) {
        self.last = Instant::now();
    }

    /// Completes when a read has waited too long.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.first.or_else(|| self.last.checked_add(self.allowed));
        let deadline = idle.into_iter().chain(self.whole).min();
        self.reading.poll(cx, deadline)
    }

    /// Completes when a write has waited too long.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.last.checked_add(self.allowed);
        self.writing.poll(cx, deadline)
    }
}

/// What becomes of a deadline that an earlier call set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    Keep,
    Replace,
}

/// A timer that is made when something first has to wait.
#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Completes at the deadline; never without one (it lies beyond what the clock can hold).
    fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else { return Poll::Pending };
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if deadline <= sleep.deadline() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}
