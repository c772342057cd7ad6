//! Bounded reads, in size and in time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use haechi_server::{Connection, Learnt, Limits, Peer, PeerAddress, Shutdown, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

fn pair(buffer: usize) -> (DuplexStream, Stream) {
    let (client, server) = tokio::io::duplex(buffer);
    let address = PeerAddress::Ip(SocketAddr::from(([192, 0, 2, 1], 7)));
    let peer = Peer { address, learnt: Learnt::Socket, tls: None };
    (client, Stream::new(server, Connection::new(peer, Limits::default(), Shutdown::new())))
}

/// Sends the pieces one by one, ends, and expects these lines and then this end.
async fn check_lines(pieces: &[&[u8]], lines: &[&str], end: Result<(), io::ErrorKind>) {
    let (mut client, mut stream) = pair(64);
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    let sent = pieces.clone();
    let client = tokio::spawn(async move {
        for piece in sent {
            if client.write_all(&piece).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    let mut read = Vec::new();
    let ended = loop {
        match stream.read_line(8).await {
            Ok(Some(line)) => read.push(line),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.kind()),
        }
    };
    drop(stream);
    client.await.unwrap();
    assert_eq!((read, ended), (lines.iter().map(|line| (*line).to_owned()).collect(), end), "{pieces:?}");
}

#[tokio::test]
async fn lines_end_with_lf_or_crlf_and_have_a_maximum_length() {
    use io::ErrorKind::{InvalidData, UnexpectedEof};
    check_lines(&[b"one\ntwo\r\nthree\n"], &["one", "two", "three"], Ok(())).await;
    check_lines(&[b"on", b"e\r", b"\ntw", b"o\n"], &["one", "two"], Ok(())).await;
    check_lines(&[b"\n\r\n\n"], &["", "", ""], Ok(())).await;
    check_lines(&[b"12345678\n12345678\r\n"], &["12345678", "12345678"], Ok(())).await;
    check_lines(&[b"a\rb\n"], &["a\rb"], Ok(())).await;
    check_lines(&[], &[], Ok(())).await;
    // A client that hopes for a longer line: whole, in pieces, never ending.
    check_lines(&[b"123456789\n"], &[], Err(InvalidData)).await;
    check_lines(&[b"ok\n", b"12345678", b"9"], &["ok"], Err(InvalidData)).await;
    check_lines(&[&[b'x'; 10_000]], &[], Err(InvalidData)).await;
    // Half a command must not be carried out.
    check_lines(&[b"ok\nDELETE 1"], &["ok"], Err(UnexpectedEof)).await;
    check_lines(&[b"\xff\xfe\n"], &[], Err(InvalidData)).await;
}

#[tokio::test]
async fn reads_of_every_kind_follow_each_other_without_a_lost_byte() {
    let (mut client, mut stream) = pair(64);
    client.write_all(b"HELLO 5\r\nworld+rest of it").await.unwrap();
    drop(client);
    assert_eq!(stream.read_line(80).await.unwrap().unwrap(), "HELLO 5");
    assert_eq!(stream.read_exact_within(5, Duration::from_secs(1)).await.unwrap(), b"world");
    assert_eq!(stream.read_up_to(1).await.unwrap(), b"+");
    let mut some = [0; 4];
    stream.read_exact(&mut some).await.unwrap();
    assert_eq!(&some, b"rest");
    assert_eq!(stream.read_up_to(100).await.unwrap(), b" of it");
    assert!(stream.read_up_to(100).await.unwrap().is_empty());
    assert_eq!(stream.read_line(80).await.unwrap(), None);
}

#[tokio::test]
async fn a_dropped_read_loses_no_byte() {
    let (mut client, mut stream) = pair(64);
    client.write_all(b"half a ").await.unwrap();
    tokio::select! {
        biased;
        line = stream.read_line(80) => panic!("{line:?}"),
        () = tokio::task::yield_now() => {}
    }
    client.write_all(b"line\n").await.unwrap();
    assert_eq!(stream.read_line(80).await.unwrap().unwrap(), "half a line");
}

#[tokio::test]
async fn an_exact_read_fails_when_the_stream_ends_before() {
    let (mut client, mut stream) = pair(64);
    client.write_all(b"abc").await.unwrap();
    drop(client);
    let error = stream.read_exact_within(1 << 40, Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(error.to_string().contains("after 3 of"), "{error}");
}

/// Expects an operation to time out after exactly so many seconds of a clock that only waiting moves.
async fn check_timeout<T>(expected: u64, operation: impl Future<Output = io::Result<T>>) {
    let start = Instant::now();
    assert_eq!(operation.await.err().map(|error| error.kind()), Some(io::ErrorKind::TimedOut));
    assert_eq!(start.elapsed().as_secs(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_times_out_at_the_first_byte() {
    let (_client, mut stream) = pair(64);
    check_timeout(10, stream.read_up_to(1)).await;
    let (_client, mut stream) = pair(64);
    stream.set_idle(Duration::from_secs(300));
    check_timeout(300, stream.read_up_to(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_times_out() {
    let (_client, mut stream) = pair(64);
    check_timeout(10, stream.write_all(&[0; 1000])).await;
}

#[tokio::test(start_paused = true)]
async fn a_byte_now_and_then_does_not_keep_a_line_open() {
    let (mut client, mut stream) = pair(64);
    let drip = tokio::spawn(async move {
        while client.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(3)).await;
        }
    });
    check_timeout(10, stream.read_line(1000)).await;
    check_timeout(2, stream.read_exact_within(1000, Duration::from_secs(2))).await;
    drop(stream);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_byte_in_either_direction_moves_the_idle_deadline() {
    let (mut client, mut stream) = pair(64);
    client.write_all(b"x").await.unwrap();
    stream.read_up_to(1).await.unwrap();
    let start = Instant::now();
    for _ in 0..5 {
        tokio::select! {
            read = stream.read_up_to(1) => panic!("{read:?}"),
            () = sleep(Duration::from_secs(8)) => stream.write_all(b"news").await.unwrap(),
        }
    }
    check_timeout(10, stream.read_up_to(1)).await;
    assert_eq!(start.elapsed().as_secs(), 50);
}
