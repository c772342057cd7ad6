//! The accept loop of one listening socket on one core.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::admission::Place;
use crate::endpoint::Endpoint;
use crate::hub::Hub;
use crate::listener::Bound;
use crate::socket::Socket;
use crate::{Drained, PeerAddress};

/// Accepts connections, counts them, and sees each to its end.
pub(crate) struct Acceptor {
    socket: AsyncFd<Bound>,
    endpoint: Arc<Endpoint>,
    connections: JoinSet<()>,
    counts: Drained,
}

impl Acceptor {
    /// Registers the socket with the runtime this is called on.
    pub(crate) fn new(socket: Bound, endpoint: Arc<Endpoint>) -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "its unsafe successor asks that the descriptor stays open while registered: `Bound` owns its \
                      descriptor for life. tokio's listeners cannot wait for a connection without accepting it"
        )]
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Self { socket, endpoint, connections: JoinSet::new(), counts: Drained::default() })
    }

    /// Accepts until the server drains, then finishes what it has.
    pub(crate) async fn run(mut self) -> Drained {
        let hub = Arc::clone(self.endpoint.hub());
        let mut pause = SHORTEST_PAUSE;
        loop {
            tokio::select! {
                biased;
                () = hub.shutdown.draining() => break,
                Some(ended) = self.connections.join_next() => note(ended),
                accepted = next(&self.socket, &hub) => match accepted {
                    Ok(accepted) => {
                        pause = SHORTEST_PAUSE;
                        self.attend(accepted);
                    }
                    Err(error) if is_of_the_client(&error) => {}
                    Err(error) => {
                        self.back_off(&error, pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        }
        self.drain().await
    }

    fn attend(&mut self, (socket, address, place): Accepted) {
        self.counts.accepted += 1;
        match self.endpoint.attend(socket, address, place) {
            // The box and nothing beside it: the task then fits in 128 bytes, and tasks come in multiples of them.
            Some(serving) => {
                self.connections.spawn(serving);
            }
            None => self.counts.refused += 1,
        }
    }

    /// Waits out a shortage that is not the client's doing: no descriptors, no memory. The idle make room first.
    async fn back_off(&self, error: &io::Error, pause: Duration) {
        let hub = self.endpoint.hub();
        tracing::warn!(%error, "cannot accept on {}; trying again", self.socket.get_ref().address());
        let _wanted = hub.pressure.want();
        hub.pressure.press();
        tokio::select! {
            () = sleep(pause) => {}
            () = hub.shutdown.draining() => {}
        }
    }

    /// Takes in what the kernel had accepted for us, closes the socket, and waits for the connections to end.
    async fn drain(mut self) -> Drained {
        let hub = Arc::clone(self.endpoint.hub());
        let deadline = Instant::now() + hub.limits.drain;
        if self.socket.get_ref().close_queue() {
            let rest = self.take_queue(&hub);
            tokio::select! {
                taken = timeout_at(deadline, rest) => if taken.is_err() {
                    tracing::warn!("the drain ended before every queued connection had a place");
                },
                () = hub.shutdown.ended() => {}
            }
        }
        let Self { socket, mut connections, mut counts, .. } = self;
        drop(socket);
        let open = connections.len();
        loop {
            tokio::select! {
                biased;
                ended = connections.join_next() => match ended {
                    Some(ended) => note(ended),
                    None => break,
                },
                () = hub.shutdown.ended() => break,
                () = sleep_until(deadline) => break,
            }
        }
        counts.aborted = u64::try_from(connections.len()).unwrap_or(u64::MAX);
        counts.drained = u64::try_from(open).unwrap_or(u64::MAX) - counts.aborted;
        connections.abort_all();
        counts
    }

    /// Accepts connections until the queue is empty. Their clients may have sent a request already, and a socket
    /// that closes would reset them.
    async fn take_queue(&mut self, hub: &Hub) {
        loop {
            let place = hub.admission.place(&hub.pressure).await;
            match self.socket.get_ref().accept() {
                Ok((socket, address)) => self.attend((socket, address, place)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_the_client(&error) => {}
                Err(_shortage) => {
                    hub.pressure.press();
                    sleep(SHORTEST_PAUSE).await;
                }
            }
        }
    }
}

type Accepted = (Socket, PeerAddress, Place);

/// Waits for a connection, then for a place, and only then takes the connection off the kernel's queue: at the
/// limit, clients wait in that queue in the order they came, and cost this process nothing.
///
/// Cancel safe: accepting itself does not wait.
async fn next(socket: &AsyncFd<Bound>, hub: &Hub) -> io::Result<Accepted> {
    loop {
        let mut ready = socket.readable().await?;
        let place = hub.admission.place(&hub.pressure).await;
        if let Ok(accepted) = ready.try_io(|socket| socket.get_ref().accept()) {
            return accepted.map(|(socket, address)| (socket, address, place));
        }
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

/// Errors that accept(2) reports for one connection that broke before it was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    let Some(number) = error.raw_os_error() else { return false };
    [
        Errno::CONNABORTED,
        Errno::CONNRESET,
        Errno::INTR,
        Errno::PROTO,
        Errno::NETDOWN,
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
        Errno::HOSTDOWN,
        Errno::NOPROTOOPT,
        Errno::PERM,
        Errno::TIMEDOUT,
    ]
    .contains(&Errno::from_raw_os_error(number))
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
