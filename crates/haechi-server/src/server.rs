//! The server: listeners and what is spoken on them, under one set of limits.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::accept::Acceptor;
use crate::endpoint::{Endpoint, Serve};
use crate::hub::Hub;
use crate::listener::Bound;
use crate::{Certificate, Limits, Listener, Protocol, Runtime, Shutdown};

/// Listeners, each with its protocol, under one set of limits and one shutdown.
///
/// # Examples
///
/// ```no_run
/// use haechi_server::{Listener, Server, Stream};
///
/// async fn echo(mut stream: Stream) -> std::io::Result<()> {
///     loop {
///         let bytes = stream.read_up_to(4096).await?;
///         if bytes.is_empty() {
///             return Ok(());
///         }
///         stream.write_all(&bytes).await?;
///     }
/// }
///
/// # async fn example() -> std::io::Result<()> {
/// Server::new().listen(Listener::bind("localhost:7000")?, echo).run().await?;
/// # Ok(()) }
/// ```
#[must_use = "a server does nothing until it is run"]
pub struct Server {
    limits: Limits,
    shutdown: Option<Shutdown>,
    runtime: Runtime,
    listeners: Vec<(Listener, Arc<dyn Serve>)>,
}

impl Server {
    /// Returns a server with the default limits, no listener, and a shutdown on signals.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            shutdown: None,
            runtime: Runtime::MultiThread,
            listeners: Vec::new(),
        }
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what ends the server, in the place of [`Shutdown::on_signals`].
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = Some(shutdown);
        self
    }

    /// Sets how connections are spread over the cores; see [`Runtime`].
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// Speaks a protocol on a listener.
    pub fn listen(mut self, listener: Listener, protocol: impl Protocol) -> Self {
        self.listeners.push((listener, Arc::new(protocol)));
        self
    }

    /// Accepts and serves until the shutdown, then drains; returns what became of the connections.
    ///
    /// Neither a failing service nor a shortage of descriptors or memory ends it.
    ///
    /// # Errors
    ///
    /// Before the first connection only: when there is no listener, when a development certificate would be shown to other
    /// machines, or when sockets or signals cannot be registered with the runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the listeners and every connection at once, without a drain.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O and time drivers enabled.
    pub async fn run(self) -> io::Result<Drained> {
        self.check()?;
        let shutdown = match self.shutdown {
            Some(shutdown) => shutdown,
            None => Shutdown::on_signals()?,
        };
        let hub = Arc::new(Hub::new(Arc::new(self.limits), shutdown));
        let certificates: Vec<_> =
            self.listeners.iter().filter_map(|(listener, _)| listener.certificate.clone()).collect();
        let mut sockets = Vec::new();
        for (listener, protocol) in self.listeners {
            let Listener { sockets: bound, certificate, proxies, on_plain } = listener;
            let hub = Arc::clone(&hub);
            let endpoint = Endpoint::new(protocol, certificate.as_ref(), proxies, on_plain, hub)?;
            let endpoint = Arc::new(endpoint);
            sockets.extend(bound.into_iter().map(|socket| (socket, Arc::clone(&endpoint))));
        }
        let renewal = renew(certificates)?;
        let counts = async {
            match self.runtime {
                Runtime::MultiThread => serve(sockets).await,
                Runtime::PerCore => serve_per_core(sockets, &hub.shutdown).await,
            }
        };
        tokio::select! {
            counts = counts => counts,
            never = renewal => match never {},
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.listeners.is_empty() {
            let message = "the server listens nowhere: add `.listen(Listener::bind(…)?, protocol)`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        for (listener, _) in &self.listeners {
            let development = listener.certificate.as_ref().is_some_and(Certificate::is_development);
            let reachable = listener.sockets.iter().find(|socket| !socket.address().is_local());
            if let (true, Some(reachable)) = (development, reachable) {
                let message = format!(
                    "the development certificate is for this machine only, and {} can be reached from others: listen on \
                     localhost, or use `Certificate::files`",
                    reachable.address()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
        Ok(())
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listeners: Vec<_> = self.listeners.iter().map(|(listener, _)| listener).collect();
        f.debug_struct("Server")
            .field("limits", &self.limits)
            .field("runtime", &self.runtime)
            .field("listeners", &listeners)
            .finish_non_exhaustive()
    }
}

/// What became of the connections of a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were accepted in all.
    pub accepted: u64,
    /// Of these, how many were closed at once because their network held as many as it may.
    pub refused: u64,
    /// Connections that were open when the drain began and came to their own end.
    pub drained: u64,
    /// Connections that were still open at its deadline, or at the second signal, and were cut.
    pub aborted: u64,
}

impl std::ops::AddAssign for Drained {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.drained += other.drained;
        self.aborted += other.aborted;
    }
}

type Sockets = Vec<(Bound, Arc<Endpoint>)>;

/// Runs one accept loop for each socket on the current runtime.
async fn serve(sockets: Sockets) -> io::Result<Drained> {
    let mut acceptors = JoinSet::new();
    for (socket, endpoint) in sockets {
        acceptors.spawn(Acceptor::new(socket, endpoint)?.run());
    }
    let mut counts = Drained::default();
    while let Some(ended) = acceptors.join_next().await {
        counts += ended.map_err(io::Error::other)?;
    }
    Ok(counts)
}

/// Runs the accept loops on this runtime and, for every further core, on a thread with a runtime of its own.
async fn serve_per_core(sockets: Sockets, shutdown: &Shutdown) -> io::Result<Drained> {
    // The threads end with this future, even when it is dropped.
    let _end = EndOnDrop(shutdown.clone());
    let mut cores = Vec::new();
    for core in 1..thread::available_parallelism().map_or(1, usize::from) {
        let siblings: Vec<_> = sockets
            .iter()
            .map(|(socket, endpoint)| Ok((socket.sibling()?, Arc::clone(endpoint))))
            .collect::<io::Result<_>>()?;
        let (finished, counts) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name(format!("haechi-core-{core}")).spawn(move || {
            let counts = runtime.block_on(serve(siblings));
            if finished.send(counts).is_err() {
                tracing::debug!("core {core} ended after the server");
            }
        })?;
        cores.push(counts);
    }
    let mut counts = serve(sockets).await?;
    for core in cores {
        counts += core.await.map_err(io::Error::other)??;
    }
    Ok(counts)
}

struct EndOnDrop(Shutdown);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Reads certificates again on `SIGHUP` and when their files change.
fn renew(certificates: Vec<Certificate>) -> io::Result<impl Future<Output = std::convert::Infallible>> {
    let mut hangup = if certificates.is_empty() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let Some(hangup) = &mut hangup else { return std::future::pending().await };
        let mut look = interval(LOOK);
        loop {
            let asked = tokio::select! {
                _ = look.tick() => false,
                _ = hangup.recv() => true,
            };
            for certificate in &certificates {
                let renewed =
                    if asked { certificate.reload().map(|()| true) } else { certificate.reload_if_changed() };
                match renewed {
                    Ok(true) => tracing::info!(?certificate, "certificate read again"),
                    Ok(false) => {}
                    Err(error) => tracing::error!(%error, "the certificate in use stays"),
                }
            }
        }
    })
}

const LOOK: Duration = Duration::from_secs(10);
