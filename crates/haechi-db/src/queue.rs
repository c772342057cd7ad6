//! A bounded line of callers before a few connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{Error, ErrorKind, Result};

/// First come, first served; at most `limit` may wait, each for at most `patience`.
pub(crate) struct Queue {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    limit: usize,
    patience: Duration,
}

/// A place at the front; the next caller comes when it is dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

impl Queue {
    pub(crate) fn new(places: usize, limit: usize, patience: Duration) -> Queue {
        Queue { places: Arc::new(Semaphore::new(places)), waiting: AtomicUsize::new(0), limit, patience }
    }

    pub(crate) async fn enter(&self) -> Result<Turn> {
        if let Ok(turn) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = Waiting::enter(&self.waiting, self.limit)?;
        match timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => Err(Error::new(ErrorKind::Closed)),
            Err(_) => Err(Error::new(ErrorKind::Busy)),
        }
    }
}

/// Counts a waiting caller for as long as it waits, even if it is cancelled.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize, limit: usize) -> Result<Waiting<'a>> {
        let before = count.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(count);
        if before < limit { Ok(waiting) } else { Err(Error::new(ErrorKind::Busy)) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
