//! Ends and changes by other processes, of which PostgreSQL tells.

use std::sync::{Arc, Weak};
use std::time::Duration;

use haechi_db::{Channel, Db, Listener};
use tokio::task::AbortHandle;

use crate::cache::Cache;
use crate::store::StoreKey;

/// Where the trigger of `0002_told` says the key of a session that ended, moved or changed.
struct SessionChannel;

impl Channel for SessionChannel {
    const NAME: &'static str = "haechi_session";
}

/// Listens for as long as `cache` is there. While it cannot, the cache keeps nothing.
pub(crate) fn listen(cache: &Arc<Cache>, db: &Db) -> Option<AbortHandle> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let (listener, db) = (CacheListener(Arc::downgrade(cache)), db.clone());
    Some(runtime.spawn(async move { listener.listen(&db).await }).abort_handle())
}

struct CacheListener(Weak<Cache>);

impl CacheListener {
    async fn listen(self, db: &Db) {
        let mut said = false;
        loop {
            match db.listen::<SessionChannel>().await {
                Ok(listener) => {
                    said = false;
                    self.forget_what_is_said(listener).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut said, true) {
                        tracing::warn!(%error, "sessions are read from the database each time");
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn forget_what_is_said(&self, mut listener: Listener) {
        if let Some(cache) = self.0.upgrade() {
            cache.trust();
        }
        while let Ok(key) = listener.next().await {
            if let Some(cache) = self.0.upgrade() {
                cache.forget(&StoreKey::new(key));
            }
        }
        self.close();
    }

    fn close(&self) {
        if let Some(cache) = self.0.upgrade() {
            cache.distrust();
        }
    }
}

/// Also where the runtime ends before the process does.
impl Drop for CacheListener {
    fn drop(&mut self) {
        self.close();
    }
}

const RETRY: Duration = Duration::from_secs(30);
