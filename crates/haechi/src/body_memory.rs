//! The memory that the bodies of requests may take, all together.
//!
//! A form is read whole before its handler sees it. Two hundred that send two megabytes each at the same moment would cost what
//! the machine does not have; here the next one waits, unread, until there is room.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use haechi_core::Denial;
use haechi_server::http::BodyError;
use http::{Request, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The memory for all bodies that are being read or answered. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct BodyMemory {
    free: Arc<Semaphore>,
    all: u32,
}

/// What one request holds of it, until it is dropped with the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl BodyMemory {
    /// Makes room for `bytes` in all.
    pub(crate) fn new(bytes: u64) -> Self {
        let kib = u32::try_from(bytes / KIB).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(kib).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(permits)), all: kib }
    }

    /// Lets a request read its body only as far as there is memory for it, and `most` bytes of it.
    ///
    /// # Security
    ///
    /// The first 64 KiB need no room: a sign-in or a comment never waits for somebody's uploads, and who announces
    /// much and sends less than that takes nothing from anybody. Beyond them the whole announced length is taken at once, or as
    /// much as the route takes where none is announced, for bodies that each held half and waited for the other half would
    /// wait for ever. Who sends more than 64 KiB slowly holds that room until the body's deadline: 32 such requests of 2 MiB let
    /// other large bodies wait, and ten seconds later be told to come back.
    pub(crate) fn meter(&self, request: Request<Body>, most: u64) -> (Request<Body>, Room) {
        let room = Room::default();
        let announced = request.body().size_hint().upper();
        if announced.is_some_and(|length| length <= FREE.min(most)) {
            return (request, room);
        }
        let kib = announced.unwrap_or(most).min(most).div_ceil(KIB);
        // A body larger than all the room has it alone.
        let needed = u32::try_from(kib).unwrap_or(u32::MAX).min(self.all);
        let held = room.clone();
        let metered = request.map(|body| {
            Body::new(Metered { body, seen: 0, most, needed, free: self.free.clone(), held, waiting: None })
        });
        (metered, room)
    }
}

/// A body that asks for room once it is large.
struct Metered {
    body: Body,
    seen: u64,
    most: u64,
    needed: u32,
    free: Arc<Semaphore>,
    held: Room,
    waiting: Option<BoxFuture<'static, Result<OwnedSemaphorePermit, NoRoom>>>,
}

impl Metered {
    fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<Result<(), NoRoom>> {
        let Metered { free, needed, waiting, held, .. } = self;
        let waiting = waiting.get_or_insert_with(|| {
            let (free, needed) = (free.clone(), *needed);
            Box::pin(async move {
                let room = tokio::time::timeout(LONGEST_WAIT, free.acquire_many_owned(needed)).await;
                room.ok().and_then(Result::ok).ok_or(NoRoom)
            })
        });
        let permit = ready!(waiting.as_mut().poll(context))?;
        *held.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        Poll::Ready(Ok(()))
    }

    fn has_room(&self) -> bool {
        self.held.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl http_body::Body for Metered {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.seen >= FREE && !self.has_room() {
            ready!(self.poll_room(context))?;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let read = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
        self.seen = self.seen.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if self.seen > self.most {
            return Poll::Ready(Some(Err(BodyError::TooLarge.into())));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// There was no room for a body in time.
#[derive(Debug)]
struct NoRoom;

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory was free for a body in time; limits.bodies_bytes is all that there is")
    }
}

impl std::error::Error for NoRoom {}

/// What a body that could not be read means for its sender: it was broken, or there was no room for it.
pub(crate) fn refusal(error: &(dyn std::error::Error + 'static)) -> Denial {
    let denial = match causes(error).any(<dyn std::error::Error>::is::<NoRoom>) {
        true => Denial::new(StatusCode::SERVICE_UNAVAILABLE, "body", "no-room").retry_after(RETRY),
        false => Denial::new(status(error).unwrap_or(StatusCode::BAD_REQUEST), "body", "broken"),
    };
    denial.detail(error.to_string()).close()
}

/// How the server answers a body that broke, if this is why something could not be read. An answer of the same status goes
/// out in place of the server's own.
pub(crate) fn status(error: &(dyn std::error::Error + 'static)) -> Option<StatusCode> {
    causes(error).find_map(|cause| Some(cause.downcast_ref::<BodyError>()?.status()))
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// What a request may send without asking for room.
const FREE: u64 = 64 * KIB;
const KIB: u64 = 1_024;
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use http_body_util::BodyExt;

    use super::*;

    fn request(bytes: usize) -> Request<Body> {
        let frames: Vec<Result<Bytes, std::convert::Infallible>> =
            vec![b'a'; bytes].chunks(16_384).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Request::new(Body::from_stream(futures_util::stream::iter(frames)))
    }

    async fn read(request: Request<Body>) -> Result<usize, axum::Error> {
        request.into_body().collect().await.map(|body| body.to_bytes().len())
    }

    /// Whatever server stands below, and whether a length was announced or not.
    #[tokio::test]
    async fn no_more_is_read_than_the_route_takes() {
        let memory = BodyMemory::new(8 * 1_024 * KIB);
        for (bytes, most, expected) in [
            (1_000, 1_000, true),
            (1_001, 1_000, false),
            (100_000, 100_000, true),
            (100_001, 100_000, false),
            (70_000, 1_000, false),
            (0, 0, true),
            (1, 0, false),
        ] {
            let (body, _room) = memory.meter(request(bytes), most);
            match read(body).await {
                Ok(length) => assert!(expected && length == bytes, "{bytes} of {most}"),
                Err(error) => {
                    assert!(!expected, "{bytes} of {most}: {error}");
                    assert_eq!(refusal(&error).status(), StatusCode::PAYLOAD_TOO_LARGE);
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_waits_for_room_and_a_small_one_does_not() {
        // Room for eight of a route that takes a MiB, none of which announces a length.
        let memory = BodyMemory::new(8 * 1_024 * KIB);
        let mut held = Vec::new();
        for _ in 0..8 {
            let (large, room) = memory.meter(request(1_000_000), 1_024 * KIB);
            assert_eq!(read(large).await.unwrap(), 1_000_000);
            held.push(room);
        }
        let (small, _room) = memory.meter(request(60_000), 1_024 * KIB);
        assert_eq!(read(small).now_or_never().unwrap().unwrap(), 60_000);
        let (next, _room) = memory.meter(request(1_000_000), 1_024 * KIB);
        let next = tokio::spawn(read(next));
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        held.pop();
        assert_eq!(next.await.unwrap().unwrap(), 1_000_000);
    }

    #[tokio::test]
    async fn without_an_announced_length_room_is_taken_for_what_the_route_takes() {
        for (mib, kib) in [(1, 1_024), (2, 2_048), (16, 16_384), (128, 65_536)] {
            let memory = BodyMemory::new(64 * 1_024 * KIB);
            let (metered, _room) = memory.meter(request(100_000), mib * 1_024 * KIB);
            read(metered).await.unwrap();
            assert_eq!(65_536 - memory.free.available_permits(), kib, "{mib} MiB");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_is_told_to_come_back() {
        let memory = BodyMemory::new(KIB);
        let (first, _room) = memory.meter(request(1_000_000), u64::MAX);
        assert!(read(first).await.is_ok());
        let (second, _other) = memory.meter(request(1_000_000), u64::MAX);
        let refused = refusal(&read(second).await.unwrap_err());
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let broken = refusal(&std::io::Error::other("cut off"));
        assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn room_is_given_back_with_the_answer_whatever_became_of_the_body() {
        let memory = BodyMemory::new(KIB);
        for _ in 0..3 {
            let (large, room) = memory.meter(request(1_000_000), u64::MAX);
            let mut body = large.into_body();
            for _ in 0..6 {
                assert!(body.frame().await.unwrap().is_ok());
            }
            drop(body);
            assert_eq!(memory.free.available_permits(), 0);
            drop(room);
            assert_eq!(memory.free.available_permits(), 1);
        }
    }
}
