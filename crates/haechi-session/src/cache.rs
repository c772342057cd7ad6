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

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(5);

    fn key(number: usize) -> StoreKey {
        StoreKey::new(number.to_string())
    }

    #[test]
    fn an_entry_answers_for_its_time_and_never_before_it() {
        let cache = Cache::default();
        cache.keep(&key(1), &Record::default(), 100, cache.generation());
        for (now, found) in [(99, false), (100, true), (104, true), (105, false), (i64::MAX, false)] {
            assert_eq!(cache.find(&key(1), now, KEEP).is_some(), found, "at {now}");
        }
        assert!(cache.find(&key(2), 100, KEEP).is_none());
    }

    #[test]
    fn what_was_read_before_an_end_is_not_kept_and_what_is_read_after_it_is() {
        let cache = Cache::default();
        for forget in [|cache: &Cache| cache.forget(&key(9)), Cache::forget_all] {
            let before = cache.generation();
            forget(&cache);
            cache.keep(&key(1), &Record::default(), 100, before);
            assert!(cache.find(&key(1), 100, KEEP).is_none());
            cache.keep(&key(1), &Record::default(), 100, cache.generation());
            assert!(cache.find(&key(1), 100, KEEP).is_some());
            cache.forget(&key(1));
            assert!(cache.find(&key(1), 100, KEEP).is_none());
        }
    }

    #[test]
    fn memory_is_bounded() {
        let cache = Cache::default();
        for number in 0..MOST {
            cache.keep(&key(number), &Record::default(), 100, 0);
        }
        assert!(cache.find(&key(0), 100, KEEP).is_some(), "nothing is dropped while there is room");
        cache.keep(&key(MOST), &Record::default(), 100, 0);
        assert!(cache.lock().entries.len() <= MOST);
        assert!(cache.find(&key(MOST), 100, KEEP).is_some());
    }
}
