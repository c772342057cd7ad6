//! The connection that a raw service speaks on.
//!
//! A service is a plain function. Every read is bounded in size and in time.
//!
//! ```
//! use std::io;
//!
//! use haechi_server::Stream;
//!
//! async fn greet(mut stream: Stream) -> io::Result<()> {
//!     while let Some(name) = stream.read_line(80).await? {
//!         stream.write_all(format!("Hello, {name}!\n").as_bytes()).await?;
//!     }
//!     Ok(())
//! }
//! ```

use std::fmt;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::idle::{Earlier, Idle};
use crate::{Connection, Peer, Protocol};

/// A buffered, bounded stream of bytes over TCP, a Unix socket or TLS.
///
/// # Deadlines
///
/// The first byte must come within [`Limits::first_byte`](crate::Limits); after that, a read or write may wait for
/// [`Limits::stall`](crate::Limits) without a byte in either direction, then it fails with
/// [`io::ErrorKind::TimedOut`]. [`set_idle`](Self::set_idle) changes that.
///
/// # The end
///
/// When the service returns `Ok`, the server ends the connection in an orderly way: what was written arrives, then the end
/// does (with TLS, `close_notify` before it). When it returns an error, the connection is cut.
pub struct Stream {
    /// `None` only while it is dropped. In a box, since futures keep more than one copy of what they are given.
    inner: Option<Box<Inner<dyn Transport>>>,
    shared: Arc<Shared>,
}

impl Stream {
    /// Wraps a transport, for a protocol that begins as something else, such as HTTP.
    pub fn new<S>(transport: S, connection: Connection) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self {
            inner: Some(Box::new(Inner {
                buffer: BytesMut::new(),
                idle: Idle::new(connection.limits()),
                transport,
            })),
            shared: Arc::new(Shared { connection, home: Mutex::default() }),
        }
    }

    /// Returns who is at the other end, and how that was learnt.
    pub fn peer(&self) -> &Peer {
        self.shared.connection.peer()
    }

    /// Returns this connection's share of the server: its limits, and whether the server drains.
    pub fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// Allows this much time without a byte in either direction, from now on and for the first byte as well.
    ///
    /// A service whose clients may stay silent for long, such as a chat, sets it to what fits.
    pub fn set_idle(&mut self, allowed: Duration) {
        self.inner().idle.allow(allowed);
    }

    /// Returns what the next read brings, at most `max` bytes; nothing at the end of the stream.
    ///
    /// No more than 8 KiB come at once.
    ///
    /// # Errors
    ///
    /// Those of the connection, and [`io::ErrorKind::TimedOut`] after silence.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no byte is lost.
    pub async fn read_up_to(&mut self, max: usize) -> io::Result<Vec<u8>> {
        self.inner().idle.complete_within(None, Earlier::Replace);
        if self.inner().buffer.is_empty() && max > 0 {
            self.fill(max).await?;
        }
        Ok(self.inner().take(max))
    }

    /// Returns the next line without its end (LF or CRLF); `None` at the end of the stream.
    ///
    /// A line that has begun must end within [`Limits::head`](crate::Limits), so that a client cannot hold the connection by a
    /// byte now and then.
    ///
    /// # Errors
    ///
    /// Besides those of the connection: [`io::ErrorKind::InvalidData`] for a line longer than `max` bytes or not in UTF-8,
    /// [`io::ErrorKind::UnexpectedEof`] when the stream ends inside a line (half a command is not a command), and
    /// [`io::ErrorKind::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the beginning of a line stays for the next call.
    pub async fn read_line(&mut self, max: usize) -> io::Result<Option<String>> {
        let mut searched = 0;
        loop {
            let head = self.shared.connection.limits().head;
            let inner = self.inner();
            if let Some(end) = inner.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = inner.take(searched + end + 1);
                inner.idle.complete_within(None, Earlier::Replace);
                return text_of(&line[..line.len() - 1], max).map(Some);
            }
            searched = inner.buffer.len();
            if without_return(&inner.buffer).len() > max {
                return Err(too_long(max));
            }
            let within = if searched == 0 { None } else { Some(head) };
            inner.idle.complete_within(within, Earlier::Keep);
            if self.fill(CHUNK).await? == 0 {
                let early = || ended_early(format!("the stream ended inside a line, after {searched} bytes"));
                return if searched == 0 { Ok(None) } else { Err(early()) };
            }
        }
    }

    /// Returns exactly `length` bytes, which must all have come within this time.
    ///
    /// Memory grows with what arrives, not with what was announced.
    ///
    /// # Errors
    ///
    /// Besides those of the connection: [`io::ErrorKind::UnexpectedEof`] when the stream ends before, and
    /// [`io::ErrorKind::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what has come stays for the next call.
    pub async fn read_exact_within(&mut self, length: usize, within: Duration) -> io::Result<Vec<u8>> {
        self.inner().idle.complete_within(Some(within), Earlier::Replace);
        loop {
            let came = self.inner().buffer.len();
            if came >= length {
                self.inner().idle.complete_within(None, Earlier::Replace);
                return Ok(self.inner().take(length));
            }
            if self.fill(length - came).await? == 0 {
                return Err(ended_early(format!("the stream ended after {came} of {length} bytes")));
            }
        }
    }

    /// Writes all the bytes and hands them to the kernel.
    ///
    /// # Errors
    ///
    /// Those of the connection, and [`io::ErrorKind::TimedOut`] when the peer takes nothing for too long.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: if dropped, some of the bytes may have been written. End the connection then.
    pub fn write_all(&mut self, mut bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send {
        std::future::poll_fn(move |cx| {
            while !bytes.is_empty() {
                let written = ready!(Pin::new(&mut *self).poll_write(cx, bytes))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                bytes = &bytes[written..];
            }
            // Over TLS the last records may wait in memory until a flush.
            Pin::new(&mut *self).poll_flush(cx)
        })
    }

    /// Ends this side of the conversation: the peer reads the end after what was written. It can still be read from.
    ///
    /// A service that returns `Ok` need not call it.
    ///
    /// # Errors
    ///
    /// Those of the connection, and [`io::ErrorKind::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: call it again to go on.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        AsyncWriteExt::shutdown(self).await
    }

    fn fill(&mut self, max: usize) -> impl Future<Output = io::Result<usize>> {
        std::future::poll_fn(move |cx| self.inner().poll_fill(cx, max))
    }

    fn inner(&mut self) -> &mut Inner<dyn Transport> {
        self.inner.as_mut().expect("a stream has its transport until it is dropped")
    }
}

/// The transport and what is kept beside it.
struct Inner<T: ?Sized> {
    buffer: BytesMut,
    idle: Idle,
    transport: T,
}

impl Inner<dyn Transport> {
    /// Reads into the buffer by way of the stack: a stream that waits holds no read buffer.
    fn poll_fill(&mut self, cx: &mut Context<'_>, max: usize) -> Poll<io::Result<usize>> {
        let mut chunk = [MaybeUninit::uninit(); CHUNK];
        let mut chunk = ReadBuf::uninit(&mut chunk[..max.min(CHUNK)]);
        ready!(self.poll_transport(cx, &mut chunk))?;
        self.buffer.extend_from_slice(chunk.filled());
        Poll::Ready(Ok(chunk.filled().len()))
    }

    fn poll_transport(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Without this look, a peer that drips a byte now and then would never meet a deadline for the whole.
        if self.idle.is_past_whole() {
            return Poll::Ready(Err(timed_out("what was awaited did not end in time")));
        }
        match Pin::new(&mut self.transport).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                self.idle.was_read();
                Poll::Ready(read)
            }
            Poll::Pending => {
                ready!(self.idle.poll_read(cx));
                Poll::Ready(Err(timed_out("no byte came in time")))
            }
        }
    }

    fn poll_written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.idle.was_written();
            return written;
        }
        ready!(self.idle.poll_write(cx));
        Poll::Ready(Err(timed_out("the peer took no byte in time")))
    }

    /// Takes bytes off the buffer, and gives the memory of an empty buffer back.
    fn take(&mut self, max: usize) -> Vec<u8> {
        let taken = self.buffer.split_to(max.min(self.buffer.len())).to_vec();
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        taken
    }

    fn transport(&mut self) -> Pin<&mut dyn Transport> {
        Pin::new(&mut self.transport)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.get_mut().inner();
        if stream.buffer.is_empty() {
            stream.idle.complete_within(None, Earlier::Replace);
            return stream.poll_transport(cx, buffer);
        }
        let length = buffer.remaining().min(stream.buffer.len());
        buffer.put_slice(&stream.buffer[..length]);
        stream.buffer.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut().inner();
        let written = stream.transport().poll_write(cx, bytes);
        stream.poll_written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut().inner();
        let written = stream.transport().poll_write_vectored(cx, slices);
        stream.poll_written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.transport.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut().inner();
        let flushed = stream.transport().poll_flush(cx);
        stream.poll_written(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut().inner();
        let ended = stream.transport().poll_shutdown(cx);
        stream.poll_written(cx, ended)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        *self.shared.home.lock().unwrap_or_else(PoisonError::into_inner) = self.inner.take();
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("connection", &self.shared.connection).finish_non_exhaustive()
    }
}

impl<F, Answer> Protocol for F
where
    F: Fn(Stream) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = io::Result<()>> + Send,
{
    fn serve<S>(&self, stream: S, connection: Connection) -> impl Future<Output = io::Result<()>> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Stream::new(stream, connection);
        Answering { shared: Arc::clone(&stream.shared), answer: self(stream), closing: None }
    }
}

pin_project! {
    /// A service at work, then the end of its connection. By hand, since an async block that awaits what it captured
    /// keeps room for it twice, and that is what a silent client costs.
    struct Answering<F> {
        #[pin]
        answer: F,
        shared: Arc<Shared>,
        closing: Option<Closing>,
    }
}

type Closing = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

impl<F: Future<Output = io::Result<()>>> Future for Answering<F> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        if let Some(closing) = this.closing {
            return closing.as_mut().poll(cx);
        }
        ready!(this.answer.poll(cx))?;
        let returned = this.shared.home.lock().unwrap_or_else(PoisonError::into_inner).take();
        match returned {
            Some(inner) => {
                let closing = this.closing.insert(Box::pin(close(inner, Arc::clone(this.shared))));
                closing.as_mut().poll(cx)
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

/// What a stream and the server around it share.
struct Shared {
    connection: Connection,
    /// Where the stream leaves its transport when the service lets go of it, so that the server can end it well.
    home: Mutex<Option<Box<Inner<dyn Transport>>>>,
}

trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for S {}

/// Ends the conversation, then reads on for a moment: closing a socket with unread bytes resets it, and a reset can
/// destroy an answer on its way.
async fn close(mut inner: Box<Inner<dyn Transport>>, shared: Arc<Shared>) -> io::Result<()> {
    let connection = &shared.connection;
    let mut transport = inner.transport();
    let ended = timeout(connection.limits().stall, transport.shutdown()).await;
    ended.map_err(|_| timed_out("the peer took no byte in time"))??;
    if connection.is_wanted() {
        return Ok(());
    }
    let drain = async {
        let mut unread = [0; 512];
        let mut left = LINGER_READS;
        while left > 0 && transport.read(&mut unread).await.is_ok_and(|length| length > 0) {
            left -= 1;
        }
    };
    // A peer that neither reads nor closes has had its moment: nothing is lost by closing now.
    if timeout(LINGER, drain).await.is_err() {
        tracing::trace!(peer = %connection.peer().address, "closed before the peer did");
    }
    Ok(())
}

fn text_of(line: &[u8], max: usize) -> io::Result<String> {
    let line = without_return(line);
    if line.len() > max {
        return Err(too_long(max));
    }
    String::from_utf8(line.to_vec()).map_err(|source| io::Error::new(io::ErrorKind::InvalidData, source))
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn too_long(max: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a line is longer than {max} bytes"))
}

fn ended_early(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

fn timed_out(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, message)
}

const CHUNK: usize = 8 * 1024;
const LINGER: Duration = Duration::from_secs(1);
const LINGER_READS: usize = 512;
