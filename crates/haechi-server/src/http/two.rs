//! HTTP/2 connections.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::streams::{Spawner, Streams};
use super::supervisor::{End, Supervisor};
use super::transport::Transport;
use super::wire::Wire;
use super::{Body, BoxError, Http};
use crate::{Connection, Limits};

/// Serves one connection that speaks HTTP/2.
pub(super) async fn serve<S, B, T>(
    http: Http<S>,
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
    let wire = Wire::new(&connection, None);
    let transport = TokioIo::new(Transport::new(stream, first, Arc::clone(&wire)));
    let answering = Arc::clone(&wire);
    let service = service_fn(move |request| http.clone().answer(Arc::clone(&answering), request));
    let streams = Streams::default();
    let mut hyper =
        pin!(builder(connection.limits(), streams.spawner()).serve_connection(transport, service));

    let mut supervisor = Supervisor::new(&connection, Arc::clone(&wire));
    let mut closing = false;
    let end = poll_fn(|cx| {
        if let Poll::Ready(ended) = hyper.as_mut().poll(cx) {
            return Poll::Ready(End::Done(ended));
        }
        let polled = supervisor.poll(cx);
        // GOAWAY names no last stream until the client has seen it: requests on their way are answered.
        if (supervisor.is_draining() || wire.is_used_up()) && !closing {
            closing = true;
            hyper.as_mut().graceful_shutdown();
            cx.waker().wake_by_ref();
        }
        polled
    });
    match end.await {
        End::Done(ended) => ended.map_err(io::Error::other),
        End::Closed | End::Resting | End::LateHead => Ok(()),
        End::Late(error) => Err(error),
    }
}

fn builder(limits: &Limits, spawner: Spawner) -> http2::Builder<Spawner> {
    let mut builder = http2::Builder::new(spawner);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.h2_streams)
        .max_pending_accept_reset_streams(limits.h2_resets)
        .max_local_error_reset_streams(limits.h2_resets)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(limits.stall * 2)
        .keep_alive_timeout(limits.stall);
    builder
}

/// Envoy's edge profile: what one client can make the server hold.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const SEND_BUFFER: usize = 64 * 1024;
