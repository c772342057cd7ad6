//! The connections that wait for work, and the line before them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{task::AbortHandle, time::timeout};
use tokio_postgres::Client;

use super::{
    address::{self, Address},
    failure,
    lease::Lease,
    patience,
    patience::{Wait, Watch, looks},
    prepared::PreparedStatements,
};
use crate::{
    Error, ErrorKind, Options, Result,
    queue::{Queue, Turn},
};

/// A pool: who has a turn takes the connection that was used last, or makes one.
pub(super) struct Pool {
    queue: Queue,
    shared: Arc<Shared>,
    wait_timeout: Duration,
    /// How many looks of the watch a connection may be used.
    max_lifetime: u64,
    watch: Watch,
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
    /// # Errors
    /// Fails if no thread can be started.
    pub(super) fn new(address: Address, options: &Options) -> Result<Pool> {
        let queue = Queue::new(options.connections.max(1), options.queue, options.wait_timeout);
        let shared =
            Shared { begin: address::begin(address.prepared, options), address, idle: Mutex::default() };
        let watch = Watch::start(patience(options)).map_err(|_| {
            Error::new(ErrorKind::Configuration("no thread can be started to watch postgres"))
        })?;
        Ok(Pool {
            queue,
            shared: Arc::new(shared),
            wait_timeout: options.wait_timeout,
            max_lifetime: looks(options.max_lifetime),
            watch,
        })
    }

    pub(super) fn address(&self) -> &Address {
        &self.shared.address
    }

    /// Waits in line and takes a connection.
    pub(super) async fn take(&self) -> Result<Lease> {
        let turn = self.queue.enter().await?;
        while let Some(connection) = self.shared.pop() {
            if !connection.client.is_closed() && self.watch.now() - connection.born < self.max_lifetime {
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
        match timeout(self.wait_timeout, self.shared.address.connect()).await {
            Ok(Ok((client, driver))) => {
                let (prepared, wait) = (PreparedStatements::default(), self.watch.over(driver.clone()));
                Ok(Box::new(Connection { client, driver, born: self.watch.now(), prepared, wait }))
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
    /// By the clock of the watch.
    born: u64,
}

impl Connection {
    /// Closes the socket without a word: the server may not be listening any more.
    pub(super) fn discard(&self) {
        self.driver.abort();
    }
}
