//! What ends a connection from outside hyper: its deadlines, a drain, and the need for its place.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::LAST_CALL;
use super::wire::{Late, Wire};
use crate::Connection;

type Signal<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// How a connection ended.
pub(super) enum End<T> {
    /// hyper is done with it.
    Done(T),
    /// It was idle and is to be closed.
    Closed,
    /// It has idled long enough to do without hyper's buffers; pressure on it is listened for.
    Resting,
    /// A request's head did not end in time; nothing is being answered or written.
    LateHead,
    /// Another deadline passed.
    Late(io::Error),
}

/// Watches one connection beside hyper, in the same task.
///
/// It holds one timer, which is only ever set to an earlier time: a request that is answered at once costs none.
/// Dropping it cuts the transport, wherever an upgrade took it.
pub(super) struct Supervisor<'a> {
    connection: &'a Connection,
    wire: Arc<Wire>,
    draining: Option<Signal<'a>>,
    drained: Option<Instant>,
    pressed: Option<Signal<'a>>,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// What is to happen at the next deadline.
#[derive(Clone, Copy)]
enum Next {
    Judge(Late),
    LastCall,
    /// Begin to listen for pressure and to rest: not at once, since most connections idle for milliseconds.
    Listen,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(connection: &'a Connection, wire: Arc<Wire>) -> Self {
        Self { connection, wire, draining: None, drained: None, pressed: None, sleep: None }
    }

    /// Returns whether the server drains.
    pub(super) fn is_draining(&self) -> bool {
        self.drained.is_some()
    }

    /// Looks at the connection after hyper did.
    pub(super) fn poll<T>(&mut self, cx: &mut Context<'_>) -> Poll<End<T>> {
        self.poll_draining(cx);
        loop {
            let idle = self.wire.idle_since();
            if idle.is_none() {
                self.pressed = None;
            } else if self.pressed.as_mut().is_some_and(|pressed| pressed.as_mut().poll(cx).is_ready()) {
                tracing::debug!(peer = %self.wire.peer.address, "idle connection closed for want of places");
                return Poll::Ready(End::Closed);
            }
            let Some((deadline, next)) = self.next(idle) else { return Poll::Pending };
            if Instant::now() < deadline {
                ready!(self.poll_sleep(cx, deadline));
                continue;
            }
            match next {
                Next::Listen => {
                    self.pressed = Some(Box::pin(self.connection.pressed()));
                    if self.wire.rests() {
                        return Poll::Ready(End::Resting);
                    }
                }
                Next::LastCall => return Poll::Ready(End::Closed),
                Next::Judge(late) if !self.wire.is_late(late, Instant::now()) => {}
                Next::Judge(Late::Idle) => return Poll::Ready(End::Closed),
                Next::Judge(late) => {
                    tracing::info!(peer = %self.wire.peer.address, ?late, "connection closed at its deadline");
                    return Poll::Ready(match late {
                        Late::Head => End::LateHead,
                        Late::Idle | Late::Reader => End::Late(io::ErrorKind::TimedOut.into()),
                    });
                }
            }
        }
    }

    /// Waits until the transport of an upgraded connection is dropped.
    ///
    /// # Errors
    ///
    /// When its peer does not read what is written.
    pub(super) async fn upgraded(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            if self.wire.poll_closed(cx) {
                return Poll::Ready(Ok(()));
            }
            match ready!(self.poll::<()>(cx)) {
                End::Late(error) => Poll::Ready(Err(error)),
                End::Done(()) | End::Closed | End::Resting | End::LateHead => Poll::Ready(Ok(())),
            }
        })
        .await
    }

    fn poll_draining(&mut self, cx: &mut Context<'_>) {
        if self.drained.is_none() {
            let connection = self.connection;
            let draining = self.draining.get_or_insert_with(|| Box::pin(connection.draining()));
            if draining.as_mut().poll(cx).is_ready() {
                self.drained = Some(Instant::now());
                self.draining = None;
            }
        }
    }

    fn next(&self, idle: Option<Instant>) -> Option<(Instant, Next)> {
        let judged = self.wire.deadline().map(|(deadline, late)| (deadline, Next::Judge(late)));
        let last_call = idle.and(self.drained).map(|drained| (drained + LAST_CALL, Next::LastCall));
        let listen = idle
            .filter(|_| self.pressed.is_none() && self.drained.is_none())
            .map(|since| (since + RESTLESS, Next::Listen));
        [judged, last_call, listen].into_iter().flatten().min_by_key(|(deadline, _)| *deadline)
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        // One that comes too early costs a look; one that is moved at every request costs a lock each time.
        if sleep.is_elapsed() || deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        self.wire.cut();
    }
}

/// How long a connection idles before it listens for pressure and rests.
const RESTLESS: Duration = Duration::from_millis(500);
