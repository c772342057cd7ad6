//! How many statements a piece of work ran: the number that shows an N+1.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

tokio::task_local! {
    static STATEMENTS: Arc<AtomicU64>;
}

/// Runs the work and returns its result with the number of statements that it ran.
///
/// Only what the builder and [`sql!`](macro@crate::sql) ran in the same task counts, not `begin` and `commit`. A test that
/// holds the number down keeps a list from asking once a row:
///
/// ```
/// # async fn page() {}
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let ((), statements) = haechi_db::count_statements(page()).await;
/// assert!(statements <= 3);
/// # });
/// ```
pub async fn count_statements<F: Future>(work: F) -> (F::Output, u64) {
    let counter = Arc::new(AtomicU64::new(0));
    let output = STATEMENTS.scope(Arc::clone(&counter), work).await;
    let counted = counter.load(Ordering::Relaxed);
    // Work that is counted inside other counted work counts there too.
    if let Ok(outer) = STATEMENTS.try_with(Arc::clone) {
        outer.fetch_add(counted, Ordering::Relaxed);
    }
    (output, counted)
}

pub(crate) fn note() {
    // Outside of counted work there is nothing to note.
    if let Ok(counter) = STATEMENTS.try_with(Arc::clone) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
