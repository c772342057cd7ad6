//! Work that is done whole or not begun.

use tracing::Instrument as _;

use crate::Result;

/// Runs on a task of its own, which ends even if the visitor hangs up: a change is logged, and its owner told.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work.in_current_span()).await?
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn work_that_was_begun_ends_though_nobody_waits_for_it() {
        let (told, hears) = tokio::sync::oneshot::channel();
        {
            let mut work = pin!(to_the_end(async {
                tokio::task::yield_now().await;
                told.send("done").unwrap();
                Ok(())
            }));
            let begun = std::future::poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx).is_pending()));
            assert!(begun.await);
        }
        assert_eq!(hears.await, Ok("done"), "the visitor has hung up");
    }
}
