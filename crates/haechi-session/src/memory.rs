//! Sessions in the memory of the program, for tests and development.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::SessionCache;
use crate::store::{At, Record, Saved, SessionStore, StoreFuture, StoreKey, Which, Write};

/// Keeps sessions until the program ends.
#[derive(Debug, Default)]
pub struct MemoryStore {
    sessions: Mutex<HashMap<StoreKey, Record>>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, HashMap<StoreKey, Record>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, write: Write<'_>) -> Saved {
        let mut sessions = self.lock();
        let (old, key) = match write.at {
            At::New(key) => (Some(Record::default()), key),
            At::Same(key) => (sessions.remove(key), key),
            At::Moved(from, to) => (sessions.remove(from), to),
        };
        let Some(Record { mut values, .. }) = old else { return Saved::Gone };
        write.changes.apply(&mut values);
        sessions.insert(key.clone(), Record { values, ..write.record.clone() });
        Saved::Stored
    }
}

impl SessionStore for MemoryStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { Ok(self.lock().get(key).cloned()) })
    }

    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        Box::pin(async move { Ok(self.write(write)) })
    }

    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            let mut sessions = self.lock();
            let before = sessions.len();
            sessions.retain(|key, record| match which {
                Which::One(ended) => key != ended,
                Which::OfUser { user, but } => record.user.as_deref() != Some(user) || Some(key) == but,
                Which::ExpiredBefore(time) => record.expires >= time,
            });
            Ok(u64::try_from(before - sessions.len()).unwrap_or(u64::MAX))
        })
    }

    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        Box::pin(async move {
            let sessions = self.lock();
            let mut list: Vec<_> = sessions
                .iter()
                .filter(|(_, record)| record.user.as_deref() == Some(user))
                .map(|(key, record)| (key.clone(), record.clone()))
                .collect();
            list.sort_by_key(|(_, record)| std::cmp::Reverse(record.seen));
            Ok(list)
        })
    }

    fn cache(&self) -> SessionCache {
        SessionCache::none()
    }
}
