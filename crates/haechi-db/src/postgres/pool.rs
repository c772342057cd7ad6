//! The connections that wait for work, and the line before them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{task::AbortHandle, time::timeout};
use tokio_postgres::Client;

use super::{
    address::{self, Address},
    failure,
    lease::Lease,
    patience,
    patience::Wait,
    prepared::PreparedStatements,
};
use crate::{
    Error, Options, Result,
    queue::{Queue, Turn},
};

/// A pool: who has a turn takes the connection that was used last, or makes one.
pub(super) struct Pool {
    queue: Queue,
    shared: Arc<Shared>,
    wait_timeout: Duration,
    max_lifetime: Duration,
    patience: Duration,
}

/// What a connection needs that is out on lease.
pub(super) struct Shared {
    pub(super) address: Address,
    /// What starts a transaction.
    pub(super) begin: String,
    #[expect(clippy::vec_box, reason = "a connection is large, and moves between here and its leases")]
    idle: Mutex<Vec<Box<Connection>>>,
}

impl Pool {
    pub(super) fn new(address: Address, options: &Options) -> Pool {
        let queue = Queue::new(options.connections.max(1), options.queue, options.wait_timeout);
        let shared =
            Shared { begin: address::begin(address.prepared, options), address, idle: Mutex::default() };
        Pool {
            queue,
            shared: Arc::new(shared),
            wait_timeout: options.wait_timeout,
            max_lifetime: options.max_lifetime,
            patience: patience(options),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.shared.address
    }

    /// Waits in line and takes a connection.
    pub(super) async fn take(&self) -> Result<Lease> {
        let turn = self.queue.enter().await?;
        while let Some(connection) = self.shared.pop() {
            if !connection.client.is_closed() && connection.born.elapsed() < self.max_lifetime {
                return Ok(self.lease(connection, turn));
            }
        }
        // In a box: it is rare, and its future several times as large as that of a statement, which is moved about.
        let connection = Box::pin(self.connect()).await?;
        Ok(self.lease(connection, turn))
    }

    fn lease(&self, connection: Box<Connection>, turn: Turn) -> Lease {
        Lease::new(connection, turn, Arc::clone(&self.shared))
    }

    /// Whatever keeps a connection from being made is not the fault of who asks for one.
    async fn connect(&self) -> Result<Box<Connection>> {
        let wait = Wait::new();
        match timeout(self.wait_timeout, self.shared.address.connect(wait.clone(), self.patience)).await {
            Ok(Ok((client, driver))) => {
                let prepared = PreparedStatements::default();
                Ok(Box::new(Connection { client, driver, born: Instant::now(), prepared, wait }))
            }
            Ok(Err(error)) => Err(failure::connecting(&error)),
            Err(_) => Err(Error::unavailable()),
        }
    }
}

impl Shared {
    fn pop(&self) -> Option<Box<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes a connection back that is in a known state.
    pub(super) fn give_back(&self, connection: Box<Connection>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

/// A connection, with what was prepared on it.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) prepared: PreparedStatements,
    pub(super) wait: Wait,
    driver: AbortHandle,
    born: Instant,
}

impl Connection {
    /// Closes the socket without a word: the server may not be listening any more.
    pub(super) fn discard(&self) {
        self.driver.abort();
    }
}
