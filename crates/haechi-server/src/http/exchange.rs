//! What a handler can learn and ask of the connection that its request came on.

use std::fmt;
use std::sync::Arc;

use super::body::BodyState;
use super::wire::Wire;
use crate::Peer;

/// One request on its connection. It is the only extension that the server puts on a request.
///
/// # Examples
///
/// ```
/// use haechi_server::http::{Body, Exchange};
///
/// fn address(request: &http::Request<Body>) -> Option<String> {
///     let exchange = request.extensions().get::<Exchange>()?;
///     Some(exchange.peer().address.to_string())
/// }
/// ```
#[derive(Clone)]
pub struct Exchange {
    pub(super) wire: Arc<Wire>,
    pub(super) body: Option<Arc<BodyState>>,
    pub(super) ceiling: u64,
}

impl Exchange {
    /// Returns who is at the other end of the connection. Behind a proxy that is the proxy.
    pub fn peer(&self) -> &Arc<Peer> {
        &self.wire.peer
    }

    /// Sets how many bytes the body of this request may have, in place of [`Limits::body_bytes`](crate::Limits).
    ///
    /// It counts from the next read of the body on, and never goes above
    /// [`Http::body_ceiling`](crate::http::Http::body_ceiling).
    pub fn limit_body(&self, bytes: u64) {
        if let Some(body) = &self.body {
            body.set_limit(bytes.min(self.ceiling));
        }
    }

    /// Completes when the server drains.
    ///
    /// A WebSocket handler awaits it beside its messages, closes with code 1001, and ends; what it has not ended by
    /// [`Limits::drain`](crate::Limits) is cut.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn draining(&self) {
        self.wire.shutdown.draining().await;
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("peer", &self.wire.peer).finish_non_exhaustive()
    }
}
