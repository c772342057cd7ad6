//! Sessions read a moment ago, so that a page with twenty pictures asks the store once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::limits::seconds;
use crate::store::{Record, StoreKey};

/// A small cache that answers for [`Limits::cache`](crate::Limits::cache) at most.
///
/// Ending or writing a session on this machine forgets it at once. A load that began before that must not put the
/// old state back, so a generation is counted: what was read under an older one is not kept.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    generation: u64,
    entries: HashMap<StoreKey, (i64, Record)>,
}

impl Cache {
    pub(crate) fn generation(&self) -> u64 {
        self.lock().generation
    }

    pub(crate) fn find(&self, key: &StoreKey, now: i64, keep: Duration) -> Option<Record> {
        let inner = self.lock();
        let (read, record) = inner.entries.get(key)?;
        // A clock that was set back must not prolong the answer.
        (0..seconds(keep)).contains(&(now - read)).then(|| record.clone())
    }

    pub(crate) fn keep(&self, key: &StoreKey, record: &Record, now: i64, read_in: u64) {
        let mut inner = self.lock();
        if inner.generation != read_in {
            return;
        }
        if inner.entries.len() >= MOST {
            inner.entries.clear();
        }
        inner.entries.insert(key.clone(), (now, record.clone()));
    }

    pub(crate) fn forget(&self, key: &StoreKey) {
        let mut inner = self.lock();
        inner.generation += 1;
        inner.entries.remove(key);
    }

    pub(crate) fn forget_all(&self) {
        let mut inner = self.lock();
        inner.generation += 1;
        inner.entries.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MOST: usize = 10_000;
