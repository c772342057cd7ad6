//! The body of a request: counted, timed, and never short without an error that lasts.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::rate::{Rate, Verdict, Window};
use super::refusal::Refusal;
use super::wire::Wire;

/// The body of a request.
///
/// # Security
///
/// A body that breaks — malformed, over its limit, stalled, too slow, or cut off — ends in an error, and the server
/// remembers it: whatever the handler then answers, the client gets 400, 408 or 413 and the connection ends. The handler's
/// own answer goes out only if it says the same. A handler that takes a broken body for a short one can therefore do harm of its own, but cannot confirm it.
pub struct Body {
    incoming: Incoming,
    /// `None` when the request has no body.
    exchange: Option<Arc<BodyState>>,
    wire: Arc<Wire>,
    read: u64,
    waiting_since: Option<Instant>,
    window: Window,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What outlives a body: the server asks it when the handler has answered.
#[derive(Debug)]
pub(super) struct BodyState {
    request: u64,
    broken: AtomicU8,
    ended: AtomicBool,
    dropped: AtomicBool,
    limit: AtomicU64,
}

/// Why a body ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// Its chunks are malformed, or the client went away.
    Broken,
    /// It is longer than its limit.
    TooLarge,
    /// No byte came for [`Limits::stall`](crate::Limits).
    Stalled,
    /// It came at less than [`Limits::minimum_rate`](crate::Limits).
    TooSlow,
}

impl BodyError {
    const ALL: [Self; 4] = [Self::Broken, Self::TooLarge, Self::Stalled, Self::TooSlow];

    /// Returns the status that the server answers with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Stalled | Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Broken => "request body is malformed or was cut off",
            Self::TooLarge => "request body is above its limit",
            Self::Stalled => "request body stalled",
            Self::TooSlow => "request body came too slowly",
        }
    }

    pub(super) fn refusal(self) -> Refusal {
        Refusal::new(self.status(), self.reason())
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for BodyError {}

impl BodyState {
    pub(super) fn new(request: u64, limit: u64) -> Self {
        Self {
            request,
            broken: AtomicU8::new(0),
            ended: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
            limit: AtomicU64::new(limit),
        }
    }

    pub(super) fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Ordering::Release);
    }

    /// Returns how the body broke.
    pub(super) fn error(&self) -> Option<BodyError> {
        let code = usize::from(self.broken.load(Ordering::Acquire));
        BodyError::ALL.get(code.checked_sub(1)?).copied()
    }

    /// Returns whether the handler let go of the body before its end.
    pub(super) fn is_abandoned(&self) -> bool {
        self.dropped.load(Ordering::Acquire) && !self.ended.load(Ordering::Acquire)
    }

    fn fail(&self, error: BodyError) -> BodyError {
        let code = BodyError::ALL.iter().position(|known| *known == error).map_or(0, |at| at + 1);
        // The first error stays: what follows it is its consequence.
        let code = u8::try_from(code).unwrap_or(u8::MAX);
        match self.broken.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => error,
            Err(_) => self.error().unwrap_or(error),
        }
    }
}

impl Body {
    pub(super) fn new(incoming: Incoming, exchange: Option<Arc<BodyState>>, wire: Arc<Wire>) -> Self {
        Self {
            incoming,
            exchange,
            wire,
            read: 0,
            waiting_since: None,
            window: Window::default(),
            timer: None,
        }
    }

    fn rate(&self) -> Rate {
        Rate { minimum: self.wire.limits.minimum_rate, window: self.wire.limits.rate_grace }
    }

    /// Judges a frame that came; `Err` breaks the body.
    fn came(&mut self, state: &BodyState, bytes: usize) -> Result<(), BodyError> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.read = self.read.saturating_add(bytes);
        if self.read > state.limit.load(Ordering::Acquire) {
            return Err(BodyError::TooLarge);
        }
        self.window.moved(bytes);
        if let Some(since) = self.waiting_since.take()
            && self.window.waited(since.elapsed(), self.rate()) == Verdict::TooSlow
        {
            return Err(BodyError::TooSlow);
        }
        Ok(())
    }

    /// Judges a wait, and wakes the task when it has to be judged again.
    fn waits(&mut self, cx: &mut Context<'_>) -> Result<(), BodyError> {
        let (stall, rate) = (self.wire.limits.stall, self.rate());
        loop {
            let now = Instant::now();
            let since = *self.waiting_since.get_or_insert(now);
            let waited = now - since;
            if waited >= stall {
                return Err(BodyError::Stalled);
            }
            let left = self.window.left(rate);
            if waited >= left {
                // A copy: this wait is noted when it ends.
                let mut window = self.window;
                if window.waited(waited, rate) == Verdict::TooSlow {
                    return Err(BodyError::TooSlow);
                }
            }
            let deadline = since + if waited < left { stall.min(left) } else { stall };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
        }
    }

    fn poll_counted(
        &mut self,
        cx: &mut Context<'_>,
        state: &BodyState,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let announced = self.incoming.size_hint().exact().unwrap_or(0);
        if self.read.saturating_add(announced) > state.limit.load(Ordering::Acquire) {
            return Poll::Ready(Some(Err(BodyError::TooLarge)));
        }
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if self.wire.broken(state.request).is_some() {
            return Poll::Ready(Some(Err(BodyError::Broken)));
        }
        match polled {
            Poll::Pending => match self.waits(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Some(Err(error))),
            },
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Poll::Ready(Some(self.came(state, bytes).map(|()| frame)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(BodyError::Broken))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(state) = this.exchange.clone() else { return Poll::Ready(None) };
        if let Some(error) = state.error() {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = this.poll_counted(cx, &state);
        match polled {
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(state.fail(error)))),
            Poll::Ready(None) => {
                state.ended.store(true, Ordering::Release);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                if this.incoming.is_end_stream() {
                    state.ended.store(true, Ordering::Release);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.exchange.is_none() || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("read", &self.read).finish_non_exhaustive()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(state) = &self.exchange {
            if self.incoming.is_end_stream() && state.error().is_none() {
                state.ended.store(true, Ordering::Release);
            }
            state.dropped.store(true, Ordering::Release);
        }
    }
}
