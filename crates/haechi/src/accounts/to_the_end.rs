//! Work that is done whole or not begun.

use tracing::Instrument as _;

use crate::Result;

/// Runs on a task of its own, which ends even if the visitor hangs up: a change is logged, and its owner told.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work.in_current_span()).await?
}
