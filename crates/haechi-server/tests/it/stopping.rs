//! The end of a server: drain, deadline, signals.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use haechi_server::{Limits, Stream};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::child::Child;
use crate::running::{Running, echo, patience, rest};

#[tokio::test]
async fn a_drain_lets_open_connections_end_and_takes_no_more() {
    let server = Running::start(Limits::default(), echo);
    let mut open = server.connect().await;
    open.write_all(b"x").await.unwrap();
    open.read_exact(&mut [0]).await.unwrap();
    let address = server.address;
    server.shutdown.drain();
    patience(async { while tokio::net::TcpStream::connect(address).await.is_ok() {} }).await;
    open.write_all(b"still here").await.unwrap();
    open.shutdown().await.unwrap();
    assert_eq!(rest(&mut open).await, "still here");
    let counts = server.ended().await;
    assert!(counts.drained >= 1 && counts.aborted == 0, "{counts:?}");
}

#[tokio::test]
async fn a_drain_serves_what_the_kernel_had_accepted() {
    // This runtime has one thread: nothing is accepted before the test waits, so all ten stand in the kernel's queue.
    let server = Running::start(Limits::default(), echo);
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = std::net::TcpStream::connect(server.address).unwrap();
        client.write_all(b"sent before the signal").unwrap();
        clients.push(client);
    }
    server.shutdown.drain();
    let answers = tokio::task::spawn_blocking(move || {
        clients
            .into_iter()
            .map(|mut client| {
                client.shutdown(std::net::Shutdown::Write).unwrap();
                let mut answer = String::new();
                client.read_to_string(&mut answer).map(|_| answer).unwrap_or_else(|error| error.to_string())
            })
            .collect::<Vec<_>>()
    });
    let answers = patience(answers).await.unwrap();
    assert_eq!(answers, ["sent before the signal"; 10]);
    let counts = server.ended().await;
    assert_eq!((counts.accepted, counts.aborted), (10, 0));
}

#[tokio::test]
async fn a_drain_has_a_deadline() {
    let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
    let server = Running::start(limits, echo);
    let mut stuck = server.connect().await;
    stuck.write_all(b"x").await.unwrap();
    stuck.read_exact(&mut [0]).await.unwrap();
    let counts = server.drain().await;
    assert_eq!((counts.drained, counts.aborted), (0, 1));
    assert!(patience(stuck.read(&mut [0])).await.map_or(true, |length| length == 0));
}

#[tokio::test]
async fn a_service_is_told_of_the_drain() {
    async fn polite(mut stream: Stream) -> io::Result<()> {
        stream.write_all(b"x").await?;
        stream.connection().draining().await;
        stream.write_all(b"bye").await
    }
    let server = Running::start(Limits::default(), polite);
    let mut client = server.connect().await;
    client.read_exact(&mut [0]).await.unwrap();
    server.shutdown.drain();
    assert_eq!(rest(&mut client).await, "bye");
    assert_eq!(server.ended().await.drained, 1);
}

#[tokio::test]
async fn the_end_cuts_every_connection_at_once() {
    let server = Running::start(Limits::default(), echo);
    let mut open = server.connect().await;
    open.write_all(b"x").await.unwrap();
    open.read_exact(&mut [0]).await.unwrap();
    server.shutdown.end();
    assert_eq!(server.ended().await.aborted, 1);
}

#[test]
fn sigterm_drains_and_a_second_signal_ends_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut child = Child::start("hello_socket", &[]);
        let mut silent = std::net::TcpStream::connect(child.address).unwrap();
        assert!(child.line().starts_with("Connected to "));
        let start = Instant::now();
        child.signal(signal);
        // Still served while it drains.
        silent.write_all(b"late").unwrap();
        let mut answer = String::new();
        silent.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "Hello, client!");
        drop(silent);
        assert_eq!(child.code(), Some(0), "{signal:?}");
        assert!(start.elapsed() < Duration::from_secs(8));

        let mut child = Child::start("hello_socket", &[]);
        let _silent = std::net::TcpStream::connect(child.address).unwrap();
        assert!(child.line().starts_with("Connected to "));
        child.signal(signal);
        // The drain has begun when nobody is let in any more.
        while std::net::TcpStream::connect(child.address).is_ok() {}
        let start = Instant::now();
        child.signal(Signal::TERM);
        assert_eq!(child.code(), Some(0), "{signal:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "the first-byte deadline would take ten");
    }
}
