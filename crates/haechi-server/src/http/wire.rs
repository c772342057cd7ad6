//! What the parts of one HTTP connection know of each other: its transport, its exchanges and its supervisor.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use tokio::time::Instant;

use super::framing::{Broken, Framing};
use super::rate::{Rate, Verdict, Window};
use crate::{Connection, Limits, Peer, Shutdown};

/// The shared state of a connection. Nothing in it holds the connection's place in the server's count.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) peer: Arc<Peer>,
    pub(super) limits: Arc<Limits>,
    pub(super) shutdown: Shutdown,
    /// Exchanges whose answer has not been handed over whole.
    open: AtomicUsize,
    /// Requests that have begun.
    served: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` on HTTP/2.
    framing: Option<Framing>,
    head_since: Option<Instant>,
    idle_since: Instant,
    /// Bytes written since `idle_since`.
    idle_written: u64,
    blocked_since: Option<Instant>,
    window: Window,
    phase: Phase,
    /// Whether unread bytes of a body are to be taken off the socket before it is closed.
    linger: bool,
    /// Whether the connection ends because its peer reads too slowly.
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    supervisor: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Http,
    Upgraded,
    Closed,
    /// The supervisor is gone: reads and writes fail.
    Cut,
}

/// Why a connection is ended by its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    Head,
    Idle,
    Reader,
}

impl Wire {
    pub(super) fn new(connection: &Connection, framing: Option<Framing>) -> Arc<Self> {
        Arc::new(Self {
            peer: Arc::clone(connection.peer()),
            limits: Arc::clone(connection.limits()),
            shutdown: connection.shutdown().clone(),
            open: AtomicUsize::new(0),
            served: AtomicU64::new(0),
            state: Mutex::new(State {
                framing,
                head_since: None,
                idle_since: Instant::now(),
                idle_written: 0,
                blocked_since: None,
                window: Window::default(),
                phase: Phase::Http,
                linger: false,
                reset: false,
                reader: None,
                writer: None,
                supervisor: None,
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rate(&self) -> Rate {
        Rate { minimum: self.limits.minimum_rate, window: self.limits.rate_grace }
    }

    /// Begins an exchange and returns its number, from 1.
    pub(super) fn begin(self: &Arc<Self>) -> (u64, Open) {
        self.open.fetch_add(1, Ordering::AcqRel);
        (self.served.fetch_add(1, Ordering::AcqRel) + 1, Open(Arc::clone(self)))
    }

    /// Returns how many requests have begun.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Acquire)
    }

    /// Returns how many exchanges are being answered.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Returns whether the connection has had all the requests it may have.
    pub(super) fn is_used_up(&self) -> bool {
        self.served.load(Ordering::Acquire) >= self.limits.requests_per_connection
    }

    /// Returns whether HTTP/1 is spoken, and HTTP still.
    pub(super) fn is_one(&self) -> bool {
        let state = self.state();
        state.framing.is_some() && state.phase == Phase::Http
    }

    /// Returns what the framing found in this request.
    pub(super) fn broken(&self, request: u64) -> Option<Broken> {
        let state = self.state();
        state.framing.as_ref()?.broken().filter(|broken| broken.request == request)
    }

    /// Asks for the unread rest of a body to be read off before the socket closes: a close with bytes unread is a
    /// reset, which can overtake the answer.
    pub(super) fn linger(&self) {
        self.state().linger = true;
    }

    pub(super) fn lingers(&self) -> bool {
        self.state().linger
    }

    /// What follows on this connection is not HTTP.
    pub(super) fn upgrade(&self) {
        let mut state = self.state();
        state.phase = Phase::Upgraded;
        if let Some(framing) = &mut state.framing {
            framing.stop();
        }
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.state().phase == Phase::Upgraded
    }

    /// Makes every further read and write fail, in whatever task the transport has gone to.
    pub(super) fn cut(&self) {
        let mut state = self.state();
        state.phase = Phase::Cut;
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Notes that the transport is being dropped; `true` asks for a reset.
    pub(super) fn closed(&self) -> bool {
        let mut state = self.state();
        state.phase = Phase::Closed;
        let (supervisor, reset) = (state.supervisor.take(), state.reset);
        drop(state);
        supervisor.into_iter().for_each(Waker::wake);
        reset
    }

    /// Returns whether the transport was dropped, and wakes the caller when it is or when its deadline moves.
    pub(super) fn poll_closed(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        state.supervisor = Some(cx.waker().clone());
        state.phase == Phase::Closed
    }

    /// Notes bytes on their way in.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        let Some(framing) = &mut state.framing else { return };
        framing.feed(bytes);
        if !framing.in_head() {
            state.head_since = None;
        } else if state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// Notes a read that has to wait; `false` when the connection was cut.
    pub(super) fn read_waits(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        if state.phase == Phase::Upgraded {
            state.reader = Some(cx.waker().clone());
        }
        state.phase != Phase::Cut
    }

    /// Notes bytes that the socket took; `false` when they came too slowly.
    pub(super) fn wrote(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut state = self.state();
        state.idle_written = state.idle_written.saturating_add(bytes);
        state.window.moved(bytes);
        match state.blocked_since.take() {
            None => state.phase != Phase::Cut,
            Some(since) => {
                state.phase != Phase::Cut
                    && state.window.waited(since.elapsed(), self.rate()) != Verdict::TooSlow
            }
        }
    }

    /// Notes a write that has to wait; `false` when the connection was cut.
    pub(super) fn write_waits(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        if state.blocked_since.is_none() {
            state.blocked_since = Some(Instant::now());
        }
        if state.phase == Phase::Upgraded {
            state.writer = Some(cx.waker().clone());
            state.supervisor.take().into_iter().for_each(Waker::wake);
        }
        state.phase != Phase::Cut
    }

    /// Returns when the connection has to end if nothing moves, and why.
    pub(super) fn deadline(&self) -> Option<(Instant, Late)> {
        let state = self.state();
        if let Some(since) = state.blocked_since {
            let left = state.window.left(self.rate());
            // A window that ended well during this wait is judged again when the wait ends.
            let judged = since.elapsed() >= left;
            let allowed = if judged { self.limits.stall } else { self.limits.stall.min(left) };
            return Some((since + allowed, Late::Reader));
        }
        if state.phase != Phase::Http || self.open() > 0 {
            return None;
        }
        if let Some(since) = state.head_since {
            // While the request before is answered, the next head may wait in hyper's buffer.
            return Some((since.max(state.idle_since) + self.limits.head, Late::Head));
        }
        let first = state.framing.is_none() && self.served.load(Ordering::Acquire) == 0;
        let allowed = if first { self.limits.head } else { self.limits.keep_alive };
        Some((state.idle_since + allowed, Late::Idle))
    }

    /// Judges a deadline that has passed; `true` ends the connection.
    pub(super) fn is_late(&self, late: Late, now: Instant) -> bool {
        let mut state = self.state();
        match late {
            Late::Head => true,
            Late::Idle => {
                // On HTTP/2 an answer of one piece is no open exchange any more while its bytes still go out.
                let asked =
                    u128::from(self.limits.minimum_rate) * (now - state.idle_since).as_millis() / 1000;
                let moves = u128::from(state.idle_written) >= asked.max(1);
                state.idle_since = now;
                state.idle_written = 0;
                !moves
            }
            Late::Reader => {
                let Some(since) = state.blocked_since else { return false };
                let wait = now - since;
                state.reset = wait >= self.limits.stall
                    // A copy: this wait is noted when it ends.
                    || Window::clone(&state.window).waited(wait, self.rate()) == Verdict::TooSlow;
                state.reset
            }
        }
    }

    /// Returns whether what hyper knows of the connection may go: no byte of a message is outstanding.
    pub(super) fn rests(&self) -> bool {
        self.idle_since().is_some() && self.state().framing.as_ref().is_some_and(Framing::is_between)
    }

    /// Returns since when the connection idles between two requests.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        let idle = self.open() == 0 && state.head_since.is_none() && state.blocked_since.is_none();
        (idle && state.phase == Phase::Http).then_some(state.idle_since)
    }
}

/// An exchange that is being answered; dropping it ends the exchange.
#[derive(Debug)]
pub(super) struct Open(Arc<Wire>);

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.idle_since = Instant::now();
        state.idle_written = 0;
        drop(state);
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}
