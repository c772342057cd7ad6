//! HTTP/1 connections.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tower_service::Service;

use super::framing::Framing;
use super::refusal::{Refusal, written};
use super::supervisor::{End, Supervisor};
use super::transport::Transport;
use super::wire::Wire;
use super::{Body, BoxError, Http};
use crate::{Connection, Limits};

/// Serves one connection that speaks HTTP/1.
pub(super) async fn serve<S, B, T>(
    http: &Http<S>,
    stream: T,
    first: Bytes,
    connection: Connection,
) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let wire = Wire::new(&connection, Some(Framing::new(connection.limits().head_bytes)));
    let transport = Transport::new(stream, first, Arc::clone(&wire));
    let mut supervisor = Supervisor::new(&connection, Arc::clone(&wire));
    // hyper lives in a box of its own, which goes while the connection rests.
    let mut speaking = Box::pin(speak(http, transport, &wire, &mut supervisor));
    loop {
        let Some(resting) = speaking.await? else { return Ok(()) };
        let Some(transport) = rest(resting, &mut supervisor).await? else { return Ok(()) };
        speaking = Box::pin(speak(http, transport.renewed(), &wire, &mut supervisor));
    }
}

/// Answers requests until the connection ends or rests; returns the transport of one that rests.
async fn speak<S, B, T>(
    http: &Http<S>,
    transport: Transport<T>,
    wire: &Arc<Wire>,
    supervisor: &mut Supervisor<'_>,
) -> io::Result<Option<Transport<T>>>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // hyper keeps room for the future while it idles: a box is all that stays.
    let service = service_fn(|request| Box::pin(http.clone().answer(Arc::clone(wire), request)));
    let mut hyper = builder(&wire.limits).serve_connection(TokioIo::new(transport), service).with_upgrades();
    let mut closing = false;
    let end = poll_fn(|cx| {
        if let Poll::Ready(ended) = Pin::new(&mut hyper).poll(cx) {
            return Poll::Ready(End::Done(ended));
        }
        let polled = supervisor.poll(cx);
        // Only while a request is answered: on an idle connection hyper would close at once, on top of a request
        // that is still in the kernel's buffer.
        if supervisor.is_draining() && wire.open() > 0 && !closing {
            closing = true;
            Pin::new(&mut hyper).graceful_shutdown();
            cx.waker().wake_by_ref();
        }
        polled
    });
    match end.await {
        End::Done(_) if wire.is_upgraded() => Box::pin(supervisor.upgraded()).await.map(|()| None),
        End::Done(ended) => {
            if let Some(parts) = hyper.into_parts() {
                let mut transport = parts.io.into_inner();
                if let Some(status) = transport.refused(&ended) {
                    let refusal = Refusal::new(status, "not a request that can be parsed");
                    Box::pin(refuse(http, &mut transport, wire, refusal, LINGER)).await?;
                } else if wire.lingers() {
                    Box::pin(linger(&mut transport, LINGER)).await;
                }
            }
            ended.map(|()| None).map_err(io::Error::other)
        }
        // Bytes in hyper's buffer would have begun a request, and a connection with one does not rest.
        End::Resting => Ok(hyper
            .into_parts()
            .filter(|parts| parts.read_buf.is_empty())
            .map(|parts| parts.io.into_inner())),
        End::LateHead => {
            if let Some(parts) = hyper.into_parts() {
                let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "the head did not end in time");
                Box::pin(refuse(http, &mut parts.io.into_inner(), wire, refusal, LATE_LINGER)).await?;
            }
            Ok(None)
        }
        End::Closed => Ok(None),
        End::Late(error) => Err(error),
    }
}

/// Waits for a further request without hyper; `None` when the connection ends before.
async fn rest<T>(
    mut transport: Transport<T>,
    supervisor: &mut Supervisor<'_>,
) -> io::Result<Option<Transport<T>>>
where
    T: AsyncRead + Unpin,
{
    let more = poll_fn(|cx| {
        if let Poll::Ready(more) = transport.poll_more(cx) {
            return Poll::Ready(more);
        }
        supervisor.poll::<()>(cx).map(|end| match end {
            End::Late(error) => Err(error),
            End::Done(()) | End::Closed | End::Resting | End::LateHead => Ok(false),
        })
    });
    let more: io::Result<bool> = more.await;
    Ok(more?.then_some(transport))
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes.max(SMALLEST_BUFFER));
    // Asking for hyper's own default would cost a heap allocation for each request.
    if limits.head_fields != HYPER_FIELDS {
        builder.max_headers(limits.head_fields);
    }
    // No `header_read_timeout`: hyper's runs while a kept-alive connection idles, the wire's from a head's first byte.
    builder
}

/// Writes a refusal in hyper's place and ends the connection.
async fn refuse<S, T>(
    http: &Http<S>,
    transport: &mut Transport<T>,
    wire: &Wire,
    refusal: Refusal,
    longest: Duration,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (status, reason) = (refusal.status().as_u16(), refusal.reason());
    tracing::info!(peer = %wire.peer.address, status, reason, "request refused");
    let bytes = written((http.settings.render)(refusal), SystemTime::now());
    let stream = transport.inner();
    let writing = async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await
    };
    timeout(wire.limits.stall, writing).await.map_err(|_| io::ErrorKind::TimedOut)??;
    linger(stream, longest).await;
    Ok(())
}

/// Reads what the client still sends, so that the close is no reset that overtakes the answer.
async fn linger(mut stream: impl AsyncRead + Unpin, longest: Duration) {
    let reading = async {
        let mut buffer = vec![0; 8 * 1024];
        let mut left = LINGER_BYTES;
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            left = match left.checked_sub(read) {
                Some(left) => left,
                None => return,
            };
        }
    };
    if timeout(longest, reading).await.is_err() {
        tracing::debug!("a client kept on sending after its answer");
    }
}

const LINGER: Duration = Duration::from_secs(2);
/// A client whose head is late has had its time: just enough for the answer to arrive.
const LATE_LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 1024 * 1024;

/// hyper accepts no smaller one.
const SMALLEST_BUFFER: usize = 8 * 1024;
const HYPER_FIELDS: usize = 100;
