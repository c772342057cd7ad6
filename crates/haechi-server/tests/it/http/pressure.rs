//! Idle connections make room for others.

use std::sync::Arc;
use std::time::Duration;

use haechi_server::Limits;
use haechi_server::http::Http;
use tokio::io::AsyncWriteExt;

use super::site::{Bare, State, read_answer, router, statuses};
use crate::running::{Running, patience, rest};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn an_idle_kept_alive_connection_leaves_when_another_waits_for_its_place() {
    // Nothing else would end the first one in less than a minute.
    let server = Running::start(Limits { connections: 1, ..Limits::default() }, Http::new(Bare));
    let mut idle = server.connect().await;
    idle.write_all(GET).await.unwrap();
    assert_eq!(statuses(&read_answer(&mut idle).await), [200]);
    let mut waiting = server.connect().await;
    waiting.write_all(GET).await.unwrap();
    assert_eq!(statuses(&patience(read_answer(&mut waiting)).await), [200]);
    assert_eq!(rest(&mut idle).await, "", "closed in an orderly way");
}

#[tokio::test]
async fn a_connection_that_is_being_answered_stays_however_many_wait() {
    let state = Arc::new(State::default());
    let http = Http::new(router(Arc::clone(&state)));
    let server = Running::start(Limits { connections: 1, ..Limits::default() }, http);
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut waiting = server.connect().await;
    waiting.write_all(GET).await.unwrap();
    // Longer than a connection idles before it listens for pressure.
    let early = tokio::time::timeout(Duration::from_millis(900), read_answer(&mut waiting)).await;
    assert!(early.is_err(), "served beside the only connection there may be: {early:?}");
    state.go.notify_one();
    assert_eq!(statuses(&read_answer(&mut busy).await), [200]);
    assert_eq!(statuses(&patience(read_answer(&mut waiting)).await), [200]);
}
