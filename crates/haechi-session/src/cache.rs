//! Sessions read a moment ago, so that a page with twenty pictures asks the store once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use haechi_db::Db;
use tokio::task::AbortHandle;

use crate::limits::seconds;
use crate::listener;
use crate::store::{Record, StoreKey};

/// Whether what a store said may be said again for a moment, and who says it.
///
/// # Security
/// All that read one store in one process should share one cache: an end by any of them counts at once for each.
#[derive(Clone, Debug)]
pub struct SessionCache(Option<Arc<Cache>>);

impl SessionCache {
    /// Nothing is kept: the store is as near as a cache, or others end sessions in it without telling.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// A cache of its own.
    #[must_use]
    pub fn own() -> Self {
        Self(Some(Arc::default()))
    }

    /// The cache that this process has for the store at `place`; who names the same place gets the same one.
    #[must_use]
    pub fn of_process(place: &str) -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|(_, cache)| cache.strong_count() > 0);
        let known = shared.iter().find(|(known, _)| known == place);
        if let Some(cache) = known.and_then(|(_, cache)| cache.upgrade()) {
            return Self(Some(cache));
        }
        let cache = Arc::default();
        shared.push((place.to_owned(), Arc::downgrade(&cache)));
        Self(Some(cache))
    }

    /// The cache that this process has for a PostgreSQL, which tells it of what other processes do. It keeps nothing
    /// while nobody would tell.
    pub(crate) fn notified(server: &str) -> Self {
        let cache = Self::of_process(&format!("told by {server}"));
        if let Some(cache) = &cache.0 {
            cache.need_listener();
        }
        cache
    }

    /// Sees to it that `db` tells, where that is needed.
    pub(crate) fn listen(&self, db: &Db) {
        if let Some(cache) = &self.0 {
            Cache::listen(cache, db);
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.0.as_ref().map_or(0, |cache| cache.generation())
    }

    pub(crate) fn find(&self, key: &StoreKey, now: i64, keep: Duration) -> Option<Record> {
        self.0.as_ref()?.find(key, now, keep)
    }

    pub(crate) fn keep(&self, key: &StoreKey, record: &Record, now: i64, read_in: u64) {
        if let Some(cache) = &self.0 {
            cache.keep(key, record, now, read_in);
        }
    }

    pub(crate) fn forget(&self, key: &StoreKey) {
        if let Some(cache) = &self.0 {
            cache.forget(key);
        }
    }

    pub(crate) fn forget_all(&self) {
        if let Some(cache) = &self.0 {
            cache.forget_all();
        }
    }
}

/// The one thing that two sites in a process share: what the one ends, the other must not serve for five seconds more.
static SHARED: Mutex<Vec<(String, Weak<Cache>)>> = Mutex::new(Vec::new());

/// A small cache that answers for [`Limits::cache`](crate::Limits::cache) at most.
///
/// Ending or writing a session on this machine forgets it at once. A load that began before that must not put the
/// old state back, so a generation is counted: what was read under an older one is not kept.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    inner: Mutex<Inner>,
    listening: Mutex<Listening>,
}

#[derive(Debug, Default)]
struct Inner {
    generation: u64,
    /// Nothing is kept, for nobody would tell when it is wrong.
    distrusted: bool,
    entries: HashMap<StoreKey, (i64, Record)>,
}

/// Who listens to what other processes do.
#[derive(Debug, Default)]
enum Listening {
    #[default]
    NotNeeded,
    Needed(Option<AbortHandle>),
}

impl Cache {
    fn need_listener(&self) {
        let mut listening = self.listening();
        if matches!(*listening, Listening::NotNeeded) {
            *listening = Listening::Needed(None);
            self.distrust();
        }
    }

    fn listen(cache: &Arc<Self>, db: &Db) {
        if let Listening::Needed(listening) = &mut *cache.listening()
            && listening.as_ref().is_none_or(AbortHandle::is_finished)
        {
            *listening = listener::listen(cache, db);
        }
    }

    /// From here on every end is told of. What began to be read before is not kept.
    pub(crate) fn trust(&self) {
        let mut inner = self.lock();
        inner.generation += 1;
        inner.distrusted = false;
    }

    /// Forgets all, and keeps nothing more.
    pub(crate) fn distrust(&self) {
        let mut inner = self.lock();
        inner.distrusted = true;
        inner.entries.clear();
    }

    fn generation(&self) -> u64 {
        self.lock().generation
    }

    fn find(&self, key: &StoreKey, now: i64, keep: Duration) -> Option<Record> {
        let inner = self.lock();
        let (read, record) = inner.entries.get(key)?;
        // A clock that was set back must not prolong the answer.
        (0..seconds(keep)).contains(&(now - read)).then(|| record.clone())
    }

    fn keep(&self, key: &StoreKey, record: &Record, now: i64, read_in: u64) {
        let mut inner = self.lock();
        if inner.generation != read_in || inner.distrusted {
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

    fn forget_all(&self) {
        let mut inner = self.lock();
        inner.generation += 1;
        inner.entries.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listening(&self) -> MutexGuard<'_, Listening> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With nobody who would read it, nobody listens for it.
impl Drop for Cache {
    fn drop(&mut self) {
        if let Listening::Needed(Some(listening)) = &*self.listening() {
            listening.abort();
        }
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

    /// Who would be told of nothing keeps nothing, not even what it began to read before somebody told.
    #[test]
    fn a_cache_that_needs_to_be_told_keeps_only_what_is_read_while_somebody_tells() {
        let shared = SessionCache::notified("a server of this test");
        let cache = shared.0.as_ref().unwrap();
        let kept = |read_in| {
            cache.keep(&key(1), &Record::default(), 100, read_in);
            cache.find(&key(1), 100, KEEP).is_some()
        };
        let begun = cache.generation();
        assert!(!kept(begun));
        cache.trust();
        assert!(!kept(begun));
        assert!(kept(cache.generation()));
        // Another site of the process comes, which takes nothing from the first.
        drop(SessionCache::notified("a server of this test"));
        assert!(cache.find(&key(1), 100, KEEP).is_some());
        cache.distrust();
        assert!(cache.find(&key(1), 100, KEEP).is_none());
        assert!(!kept(cache.generation()));
        let begun = cache.generation();
        cache.trust();
        assert!(cache.find(&key(1), 100, KEEP).is_none(), "what was kept before may have ended");
        assert!(!kept(begun));
    }

    /// What one of them ends or keeps counts for the other, also after a time in which nobody was there.
    #[test]
    fn a_place_has_one_cache_whoever_was_there_before() {
        let place = "a place of this test";
        drop(SessionCache::of_process(place));
        let (one, other) = (SessionCache::of_process(place), SessionCache::of_process(place));
        other.forget(&key(9));
        one.keep(&key(1), &Record::default(), 100, other.generation());
        assert!(other.find(&key(1), 100, KEEP).is_some());
        other.forget(&key(1));
        assert!(one.find(&key(1), 100, KEEP).is_none());
        assert!(SessionCache::of_process("another place").find(&key(1), 100, KEEP).is_none());
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
