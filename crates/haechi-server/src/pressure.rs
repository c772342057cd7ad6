//! The wish that idle connections leave, because others wait for their places or descriptors.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Wakes idle connections one at a time, the one that has idled longest first.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    idle: AtomicUsize,
    wanting: AtomicUsize,
    // Serves its waiters first in, first out: who began to wait first has idled longest.
    leave: Notify,
}

impl Pressure {
    /// Asks the connection that has idled longest to close; returns `false` when none is idle.
    pub(crate) fn press(&self) -> bool {
        let idle = self.idle.load(Ordering::Acquire) > 0;
        if idle {
            self.leave.notify_one();
        }
        idle
    }

    /// Notes, until the guard is dropped, that an accept loop wants a place or a descriptor.
    pub(crate) fn want(&self) -> impl Drop + '_ {
        Counted::new(&self.wanting)
    }

    /// Returns whether somebody waits for what a closing connection would give back.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanting.load(Ordering::Acquire) > 0
    }

    /// Completes when this connection, which counts as idle meanwhile, shall close.
    pub(crate) async fn pressed(&self) {
        let _idle = Counted::new(&self.idle);
        self.leave.notified().await;
    }
}

/// Counts until dropped, so that a cancelled wait is counted rightly.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn the_longest_idle_connection_leaves_first() {
        let pressure = Pressure::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut oldest = pin!(pressure.pressed());
        let mut youngest = pin!(pressure.pressed());
        assert!(oldest.as_mut().poll(&mut context).is_pending());
        assert!(youngest.as_mut().poll(&mut context).is_pending());

        assert!(pressure.press());
        assert!(youngest.as_mut().poll(&mut context).is_pending());
        assert!(oldest.as_mut().poll(&mut context).is_ready());
        assert!(pressure.press());
        assert!(youngest.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn pressure_on_nobody_is_not_kept_for_a_later_connection() {
        let pressure = Pressure::default();
        assert!(!pressure.press());
        let mut later = pin!(pressure.pressed());
        assert!(later.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[test]
    fn a_connection_that_stops_idling_passes_the_request_on() {
        let pressure = Pressure::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut next = pin!(pressure.pressed());
        {
            let mut busy_again = pin!(pressure.pressed());
            assert!(busy_again.as_mut().poll(&mut context).is_pending());
            assert!(next.as_mut().poll(&mut context).is_pending());
            assert!(pressure.press());
        }
        assert!(next.as_mut().poll(&mut context).is_ready());
        assert!(!pressure.press());
    }
}
