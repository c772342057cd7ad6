//! A drain drops no request whose bytes were sent before it.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::site::{Site, read_answer, read_to_close, short, statuses};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn two_hundred_requests_in_flight_are_answered() {
    let site = Site::start(short()).await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut stream = site.connect().await;
        stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        clients.push(stream);
    }
    site.entered(200).await;
    site.shutdown.drain();
    site.state.go.notify_waiters();
    for mut client in clients {
        let answer = read_to_close(&mut client).await;
        assert_eq!(statuses(&answer), [200]);
        assert!(answer.contains("connection: close") && answer.ends_with("waited"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_request_sent_before_the_drain_on_an_idle_connection_is_answered() {
    let site = Site::start(short()).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut stream = site.connect().await;
        stream.write_all(GET).await.unwrap();
        assert_eq!(statuses(&read_answer(&mut stream).await), [200]);
        clients.push(stream);
    }
    for client in &mut clients {
        client.write_all(GET).await.unwrap();
    }
    site.shutdown.drain();
    for client in &mut clients {
        let answer = read_to_close(client).await;
        assert_eq!(statuses(&answer), [200]);
        assert!(answer.contains("connection: close"), "{answer:?}");
    }
}

#[tokio::test]
async fn idle_and_silent_connections_get_a_last_call_and_are_closed() {
    let limits = haechi_server::Limits::default();
    let site = Site::start(limits).await;
    let mut silent = site.connect().await;
    let mut idle = site.connect().await;
    idle.write_all(GET).await.unwrap();
    read_answer(&mut idle).await;
    site.shutdown.drain();
    let closed = async {
        assert_eq!(read_to_close(&mut silent).await, "");
        assert_eq!(read_to_close(&mut idle).await, "");
    };
    tokio::time::timeout(Duration::from_secs(2), closed)
        .await
        .expect("idle connections are closed by a drain");
}

#[tokio::test]
async fn a_request_that_comes_during_the_last_call_is_answered() {
    let site = Site::start(haechi_server::Limits::default()).await;
    let mut idle = site.connect().await;
    idle.write_all(GET).await.unwrap();
    read_answer(&mut idle).await;
    site.shutdown.drain();
    tokio::time::sleep(Duration::from_millis(100)).await;
    idle.write_all(GET).await.unwrap();
    let answer = read_to_close(&mut idle).await;
    assert_eq!(statuses(&answer), [200]);
    assert!(answer.contains("connection: close"), "{answer:?}");
}
