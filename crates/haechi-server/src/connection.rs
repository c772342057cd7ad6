//! What the accept loop hands to a protocol beside the stream.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::admission::Place;
use crate::hub::Hub;
use crate::{Limits, Peer, Shutdown};

/// A connection's share of the server: its limits, its peer, and the two requests the server can make of it.
///
/// Dropping it gives its place in the connection count back.
#[derive(Debug)]
pub struct Connection {
    peer: Arc<Peer>,
    hub: Arc<Hub>,
    _place: Option<Place>,
}

impl Connection {
    /// Returns a connection outside any server and uncounted, for a program with an accept loop of its own or
    /// for the test of a protocol.
    pub fn new(peer: Peer, limits: Limits, shutdown: Shutdown) -> Self {
        let hub = Hub::new(Arc::new(limits), shutdown);
        Self { peer: Arc::new(peer), hub: Arc::new(hub), _place: None }
    }

    pub(crate) fn placed(peer: Arc<Peer>, hub: Arc<Hub>, place: Place) -> Self {
        Self { peer, hub, _place: Some(place) }
    }

    /// Returns who is at the other end.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Returns the limits of the server.
    pub fn limits(&self) -> &Arc<Limits> {
        &self.hub.limits
    }

    pub(crate) fn shutdown(&self) -> &Shutdown {
        &self.hub.shutdown
    }

    /// Completes when the server drains: finish what is being answered, then close.
    ///
    /// A connection may begin when the drain has begun already: it stood in the kernel's queue, with its first
    /// request perhaps. Read what is there before you leave, or that request is lost.
    ///
    /// The future borrows nothing, so that a service can await it beside a read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, and completes at once every time after the drain began.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + use<> {
        let shutdown = self.hub.shutdown.clone();
        async move { shutdown.draining().await }
    }

    /// Returns whether the server drains.
    pub fn is_draining(&self) -> bool {
        self.hub.shutdown.is_draining()
    }

    /// Returns whether another connection waits for this one's place.
    pub(crate) fn is_wanted(&self) -> bool {
        self.hub.pressure.is_wanted()
    }

    /// Completes when the server needs this connection's place or descriptor: close.
    ///
    /// Await it only while the connection is idle between two requests. Whoever awaits it first is asked first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a request made of a wait that was dropped goes to the next idle connection.
    pub fn pressed(&self) -> impl Future<Output = ()> + Send {
        self.hub.pressure.pressed()
    }
}

/// What is spoken on an accepted connection: HTTP, or any protocol on raw bytes.
///
/// Every `async fn(Stream) -> io::Result<()>` is one: see [`Stream`](crate::Stream).
pub trait Protocol: Send + Sync + 'static {
    /// Returns the protocol names to offer by ALPN in a TLS handshake, the preferred one first.
    ///
    /// The default offers none, as fits a protocol that has no registered name.
    fn alpn(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Speaks the protocol until the connection ends.
    ///
    /// # Errors
    ///
    /// An error is logged with the peer's address at debug level; it never ends the server.
    fn serve<S>(&self, stream: S, connection: Connection) -> impl Future<Output = io::Result<()>> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static;
}
