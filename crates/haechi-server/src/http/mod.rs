//! HTTP/1.1 and HTTP/2 for any [`tower_service::Service`], such as axum's `Router`.
//!
//! The parser is hyper's. What this module adds is all that stands between a parser and the open internet: what a request
//! head must be (`gate`, `framing`), how long, how slow and how large each part may be (`wire`, [`Body`]), and how
//! a connection ends.
//!
//! # Connections
//!
//! Nothing of hyper is built before the first byte of a connection is there. A connection idles for
//! [`Limits::keep_alive`](crate::Limits) at most, less when the server is out of places. One that has idled for half a second gives
//! hyper's buffers back: what it costs then is little more than a silent one. Once upgraded (WebSocket), reads have no
//! deadline, since a silent WebSocket is normal: the application sends pings. Writes keep theirs.
//!
//! # Answers of the server itself
//!
//! A [`Refusal`] passes through [`Http::render`] and closes the connection. A head that does not end in time is answered 408, bytes
//! that cannot be parsed as a request 400, 414 or 431. Where such bytes arrive while the answer before is still on its way out, hyper's
//! own bare answer is sent instead, with no fields but the date and a length of 0: an answer of ours could cut into that one.

mod answer;
mod body;
mod exchange;
mod framing;
mod gate;
mod host;
mod one;
mod rate;
mod redirect;
mod refusal;
mod service;
mod streams;
mod supervisor;
mod transport;
mod two;
mod wire;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};
use tower_service::Service;

pub use self::body::{Body, BodyError};
pub use self::exchange::Exchange;
pub use self::redirect::HttpsRedirect;
pub use self::refusal::Refusal;
use crate::{Connection, Protocol};

/// Any error, as tower writes it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// HTTP as a [`Protocol`], answered by a service.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use haechi_server::http::Http;
///
/// let http = Http::new(Router::<()>::new().route("/", get(|| async { "hello" })))
///     .allow_host(|host| host == "example.org" || host == "localhost");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Http<S> {
    service: S,
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    allow_host: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    render: Arc<dyn Fn(Refusal) -> Response<Bytes> + Send + Sync>,
    prior_knowledge: bool,
    body_ceiling: u64,
    leave_announced: bool,
}

impl<S> Http<S> {
    /// Returns HTTP that is answered by `service`.
    ///
    /// The service is cloned for every request.
    pub fn new(service: S) -> Self {
        let settings = Settings {
            allow_host: Arc::new(|_| true),
            render: Arc::new(|refusal| refusal.plain()),
            prior_knowledge: false,
            body_ceiling: 0,
            leave_announced: false,
        };
        Self { service, settings: Arc::new(settings) }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }

    /// Answers 421 to requests for hosts that `allow` does not know. It is given the host without its port, spelt as the client did.
    ///
    /// Without it every host that is well formed passes.
    pub fn allow_host(self, allow: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.allow_host = Arc::new(allow))
    }

    /// Renders the server's own refusals, in place of [`Refusal::plain`].
    pub fn render(self, render: impl Fn(Refusal) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.render = Arc::new(render))
    }

    /// Speaks HTTP/2 with clients that begin with its preface without TLS. Off by default: only proxies do that.
    pub fn prior_knowledge(self, speak: bool) -> Self {
        self.set(|settings| settings.prior_knowledge = speak)
    }

    /// Sets the most that [`Exchange::limit_body`] can allow; [`Limits::body_bytes`](crate::Limits) if that is more.
    ///
    /// A request that announces more is answered 413 before the service sees it. One that announces less than this and more than
    /// its limit at the time of its first read is answered 413 then.
    pub fn body_ceiling(self, bytes: u64) -> Self {
        self.set(|settings| settings.body_ceiling = bytes)
    }

    /// Hands requests whose bodies announce more than is allowed to the service all the same, for it to answer 413 in its
    /// own words and the client's language. Off by default.
    ///
    /// # Security
    ///
    /// Nothing of such a body can be read: the first read is an error, and no other answer than 413 stands then. A service
    /// that acts without reading is protected no more, so its own guard must refuse what announces too much.
    pub fn leave_announced(self, leave: bool) -> Self {
        self.set(|settings| settings.leave_announced = leave)
    }
}

impl<S: fmt::Debug> fmt::Debug for Http<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("service", &self.service).finish_non_exhaustive()
    }
}

impl<S, B> Protocol for Http<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn alpn(&self) -> Vec<Vec<u8>> {
        vec![b"h2".to_vec(), b"http/1.1".to_vec()]
    }

    fn serve<T>(&self, stream: T, connection: Connection) -> impl Future<Output = io::Result<()>> + Send
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // In a box that goes when the first byte is there, as hyper comes in one only then.
        let silence = Box::pin(silence(stream, connection, self.settings.prior_knowledge));
        async move {
            let spoken = match silence.await? {
                Some(opened) => self.speak(opened),
                None => return Ok(()),
            };
            spoken.await
        }
    }
}

impl<S, B> Http<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    /// Speaks the version of HTTP that ALPN or the preface has chosen.
    fn speak<'a, T>(&'a self, opened: Opened<T>) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Opened { stream, first, connection } = opened;
        let alpn = connection.peer().tls.as_ref().and_then(|tls| tls.alpn.as_deref());
        let two = match alpn {
            Some(protocol) => protocol == b"h2",
            None => self.settings.prior_knowledge && first[..] == *PREFACE,
        };
        if two {
            Box::pin(two::serve(self.clone(), stream, first, connection))
        } else {
            Box::pin(one::serve(self, stream, first, connection))
        }
    }
}

/// A connection whose client has said something.
struct Opened<T> {
    stream: T,
    first: Bytes,
    connection: Connection,
}

/// Waits for the first bytes of a connection; `None` when it ends or shall end before.
///
/// With `whole_preface` set it waits on until the bytes are an HTTP/2 preface or cannot be one.
#[expect(clippy::manual_async_fn, reason = "an async fn keeps room for its arguments twice")]
fn silence<T>(
    mut stream: T,
    connection: Connection,
    whole_preface: bool,
) -> impl Future<Output = io::Result<Option<Opened<T>>>> + Send
where
    T: AsyncRead + Unpin + Send,
{
    async move {
        let mut read = Vec::new();
        let reading = poll_fn(|cx| {
            loop {
                // On the stack of the poll, not in the future: the future is what a silent client costs.
                let mut space = [const { MaybeUninit::<u8>::uninit() }; FIRST_READ];
                let most = if whole_preface { PREFACE.len() - read.len() } else { FIRST_READ };
                let mut buffer = ReadBuf::uninit(&mut space[..most]);
                ready!(Pin::new(&mut stream).poll_read(cx, &mut buffer))?;
                let end = buffer.filled().is_empty();
                read.extend_from_slice(buffer.filled());
                let undecided = whole_preface && read.len() < PREFACE.len() && PREFACE.starts_with(&read);
                if end || !undecided {
                    return Poll::Ready(Ok(Bytes::from(std::mem::take(&mut read))));
                }
            }
        });
        let first: io::Result<Bytes> = tokio::select! {
            biased;
            first = reading => first,
            () = connection.pressed() => return Ok(None),
            () = late(&connection) => return Ok(None),
        };
        let first = first?;
        Ok((!first.is_empty()).then_some(Opened { stream, first, connection }))
    }
}

/// Completes when a first byte is late: after its deadline, or a last call after the drain began.
async fn late(connection: &Connection) {
    // One timer for both: this future is what a silent client costs.
    let mut timer = pin!(sleep_until(Instant::now() + connection.limits().first_byte));
    tokio::select! {
        () = timer.as_mut() => return,
        () = connection.shutdown().draining() => {}
    }
    let deadline = timer.deadline().min(Instant::now() + LAST_CALL);
    timer.as_mut().reset(deadline);
    timer.await;
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FIRST_READ: usize = 1024;

/// How long an idle connection is kept after the drain began: the client may have sent a request that has not come yet.
const LAST_CALL: Duration = Duration::from_millis(500);
