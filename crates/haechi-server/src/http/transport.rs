//! The byte stream under hyper: it gives back what was peeked at and notes what moves.

use std::any::Any;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::StatusCode;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::FIRST_READ;
use super::wire::Wire;
use crate::socket::Socket;

/// A stream with the bytes that were already read from it, watched by its [`Wire`].
#[derive(Debug)]
pub(super) struct Transport<S: 'static> {
    inner: S,
    /// Given back once, then empty.
    first: Bytes,
    wire: Arc<Wire>,
    /// Requests that had begun when hyper last had nothing left to write.
    served: u64,
    /// What hyper answered, without the service, to bytes that are no request. It was not sent: see `one`.
    refused: Option<StatusCode>,
}

impl<S> Transport<S> {
    pub(super) fn new(inner: S, first: Bytes, wire: Arc<Wire>) -> Self {
        if let Some(socket) = socket_of(&inner)
            && let Err(error) = SockRef::from(socket).set_tcp_notsent_lowat(UNSENT)
        {
            tracing::debug!(%error, "the socket takes more than a reader may be behind");
        }
        let served = wire.served();
        Self { inner, first, wire, served, refused: None }
    }
}

impl<S: AsyncRead + Unpin> Transport<S> {
    /// Waits, without hyper, for the first bytes of a further request; `false` at the end of the connection.
    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [const { MaybeUninit::uninit() }; FIRST_READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
        self.first = Bytes::copy_from_slice(buffer.filled());
        Poll::Ready(Ok(!self.first.is_empty()))
    }
}

impl<S> Transport<S> {
    /// Returns the transport for another hyper to begin on.
    pub(super) fn renewed(mut self) -> Self {
        self.served = self.wire.served();
        self
    }

    /// Returns what a hyper that ended so would have answered by itself.
    pub(super) fn refused(&self, ended: &hyper::Result<()>) -> Option<StatusCode> {
        // An HTTP/2 preface is one of the bytes that hyper closes on without an answer.
        let silently = ended.as_ref().is_err_and(hyper::Error::is_parse) && self.is_untouched();
        self.refused.or_else(|| silently.then_some(StatusCode::BAD_REQUEST))
    }

    fn is_untouched(&self) -> bool {
        self.wire.served() == self.served && self.wire.is_one()
    }

    pub(super) fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Takes the place of the socket for an answer that hyper writes by itself; `false` for all other bytes.
    ///
    /// While hyper has not called the service since its last answer went out whole, whatever it writes is such an
    /// answer. Before, it may be the rest of that one.
    fn holds_back(&mut self, bytes: &[u8]) -> bool {
        if self.refused.is_none() && self.is_untouched() {
            self.refused = bytes.get(9..12).and_then(|status| StatusCode::from_bytes(status).ok());
        }
        self.refused.is_some()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Transport<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.first.has_remaining() {
            let given = this.first.split_to(this.first.len().min(buffer.remaining()));
            buffer.put_slice(&given);
            this.wire.received(&given);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => this.wire.received(&buffer.filled()[before..]),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending if this.wire.read_waits(cx) => return Poll::Pending,
            Poll::Pending => return Poll::Ready(Err(cut())),
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.holds_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let polled = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.wrote(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if slices.iter().find(|slice| !slice.is_empty()).is_some_and(|slice| this.holds_back(slice)) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let polled = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.wrote(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(cx);
        // hyper flushes when its own buffer is empty: with no exchange open, every answer went out whole.
        if matches!(polled, Poll::Ready(Ok(()))) && this.wire.open() == 0 {
            this.served = this.wire.served();
        }
        this.waited(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refused.is_some() {
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.waited(cx, polled)
    }
}

impl<S> Transport<S> {
    fn wrote(&self, cx: &Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(bytes)) if !self.wire.wrote(bytes) => Poll::Ready(Err(cut())),
            Poll::Pending if !self.wire.write_waits(cx) => Poll::Ready(Err(cut())),
            polled => polled,
        }
    }

    fn waited(&self, cx: &Context<'_>, polled: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        match polled {
            Poll::Pending if !self.wire.write_waits(cx) => Poll::Ready(Err(cut())),
            polled => polled,
        }
    }
}

impl<S> Drop for Transport<S> {
    fn drop(&mut self) {
        if self.wire.closed()
            && let Some(socket) = socket_of(&self.inner)
            // Without it the kernel goes on to feed a slow reader from its own memory after the close.
            && let Err(error) = SockRef::from(socket).set_linger(Some(Duration::ZERO))
        {
            tracing::debug!(%error, "a connection closes in its own time");
        }
    }
}

/// Returns the TCP socket under a stream of this crate's own accept loop.
fn socket_of<S: 'static>(stream: &S) -> Option<&Socket> {
    let stream: &dyn Any = stream;
    let tls = || stream.downcast_ref::<Box<TlsStream<Socket>>>().map(|tls| tls.get_ref().0);
    stream.downcast_ref().or_else(tls).filter(|socket| matches!(socket, Socket::Tcp(_)))
}

/// Bytes that may wait in the kernel for a reader: beyond the autotuned window it would be megabytes, and a slow reader would be
/// noticed only when they are full.
const UNSENT: u32 = 128 * 1024;

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the peer reads too slowly, or the server ends")
}
