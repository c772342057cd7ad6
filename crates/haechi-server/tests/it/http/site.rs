//! A small site on a loopback port, and a client that sends bytes as they are.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{any, get, post};
use haechi_server::http::{Body, Exchange, Http};
use haechi_server::{Connection, Learnt, Limits, Peer, PeerAddress, Protocol, Shutdown, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A running site.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) state: Arc<State>,
}

/// What handlers tell the test and wait for.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) hits: AtomicUsize,
    pub(crate) entered: AtomicUsize,
    pub(crate) go: Notify,
}

/// Limits short enough for a test.
pub(crate) fn short() -> Limits {
    Limits {
        first_byte: Duration::from_millis(300),
        head: Duration::from_millis(300),
        stall: Duration::from_millis(400),
        rate_grace: Duration::from_millis(300),
        keep_alive: Duration::from_millis(400),
        ..Limits::default()
    }
}

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/", any(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/deaf", post(|| async { "not read" }))
        .route("/stubborn", post(stubborn))
        .route("/outspoken", post(outspoken))
        .route("/panic", get(|| async { if true { panic!("a panic in a handler") } }))
        .route("/big", get(|| async { vec![b'x'; 32 * 1024 * 1024] }))
        .route("/peer", get(|axum::Extension(exchange): axum::Extension<Exchange>| async move {
            exchange.peer().address.to_string()
        }))
        .route("/wide", post(|axum::Extension(exchange): axum::Extension<Exchange>, request: axum::extract::Request| async move {
            exchange.limit_body(64 * 1024);
            match axum::body::to_bytes(request.into_body(), usize::MAX).await {
                Ok(body) => body.len().to_string(),
                Err(error) => error.to_string(),
            }
        }))
        .route("/wait", get(|axum::extract::State(state): axum::extract::State<Arc<State>>| async move {
            state.entered.fetch_add(1, Ordering::SeqCst);
            state.go.notified().await;
            "waited"
        }))
        .route("/socket", any(super::upgrade::socket))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&state), count))
        .with_state(state)
}

async fn count(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    state.hits.fetch_add(1, Ordering::SeqCst);
    next.run(request).await
}

/// Says in its own words what the server would say of a body that is too large.
async fn outspoken(request: axum::extract::Request) -> (http::StatusCode, &'static str) {
    match axum::body::to_bytes(request.into_body(), usize::MAX).await {
        Ok(_) => (http::StatusCode::OK, "read"),
        Err(_) => (http::StatusCode::PAYLOAD_TOO_LARGE, "my own words"),
    }
}

/// A handler that takes a broken body for a short one.
async fn stubborn(request: axum::extract::Request) -> String {
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await;
    format!("took {}", body.map_or(0, |body| body.len()))
}

impl Site {
    pub(crate) async fn start(limits: Limits) -> Self {
        let state = Arc::new(State::default());
        let http = Http::new(router(Arc::clone(&state)))
            .allow_host(|host| host != "unknown")
            .body_ceiling(4 * 1024 * 1024);
        Self::serve(http, limits, state, None).await
    }

    pub(crate) async fn serve<P: Protocol>(
        protocol: P,
        limits: Limits,
        state: Arc<State>,
        alpn: Option<&[u8]>,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let tls = alpn.map(|alpn| Tls { alpn: Some(alpn.to_vec()), server_name: None, version: "TLSv1.3" });
        tokio::spawn({
            let shutdown = shutdown.clone();
            async move {
                let protocol = Arc::new(protocol);
                let mut connections = JoinSet::new();
                loop {
                    let accepted = tokio::select! {
                        biased;
                        accepted = listener.accept() => accepted.unwrap(),
                        () = shutdown.ended() => break,
                    };
                    let peer = Peer {
                        address: PeerAddress::Ip(accepted.1),
                        learnt: Learnt::Socket,
                        tls: tls.clone().map(Box::new),
                    };
                    let connection = Connection::new(peer, limits.clone(), shutdown.clone());
                    let protocol = Arc::clone(&protocol);
                    connections.spawn(async move { protocol.serve(accepted.0, connection).await });
                }
            }
        });
        Self { address, shutdown, state }
    }

    pub(crate) fn hits(&self) -> usize {
        self.state.hits.load(Ordering::SeqCst)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends bytes and returns all that comes until the server closes; panics when it does not within 5 s.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may have closed before it took everything.
        let _sent = stream.write_all(bytes).await.is_ok();
        read_to_close(&mut stream).await
    }

    /// Waits until so many handlers of `/wait` were entered.
    pub(crate) async fn entered(&self, count: usize) {
        while self.state.entered.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) async fn read_to_close(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = async {
        let mut buffer = vec![0; 16 * 1024];
        // A reset after the answer is a close as well.
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..read]);
        }
    };
    tokio::time::timeout(Duration::from_secs(8), reading).await.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer whose body is announced by its length.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.lines().next().unwrap().trim().parse::<usize>().unwrap());
            if body.len() >= length {
                return String::from_utf8_lossy(&answer).into_owned();
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await.unwrap() {
            0 => return String::from_utf8_lossy(&answer).into_owned(),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
}

/// Returns the statuses of all answers in a text.
pub(crate) fn statuses(answers: &str) -> Vec<u16> {
    answers
        .match_indices("HTTP/1.")
        .filter_map(|(at, _)| answers.get(at + 9..at + 12)?.parse().ok())
        .collect()
}

/// A plain service: no type of axum is needed.
#[derive(Clone)]
pub(crate) struct Bare;

impl tower_service::Service<http::Request<Body>> for Bare {
    type Response = http::Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        std::future::ready(Ok(http::Response::new("bare".to_owned())))
    }
}
