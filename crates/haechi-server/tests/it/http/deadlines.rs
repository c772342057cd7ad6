//! What is slow, silent or idle is closed; what moves is not.

use std::time::{Duration, Instant};

use haechi_server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::site::{Site, read_answer, read_to_close, short, statuses};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends `bytes`, then nothing, and checks when the connection is closed.
async fn check(site: &Site, bytes: &[u8], answers: &[u16], within: std::ops::Range<u64>) {
    let began = Instant::now();
    let found = site.exchange(bytes).await;
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap();
    assert_eq!(statuses(&found), answers, "{found:?}");
    assert!(within.contains(&millis), "{:?} closed after {millis} ms", String::from_utf8_lossy(bytes));
}

/// asvs_15_2_2: a slow client gives its place back.
#[tokio::test]
async fn each_wait_for_a_client_has_its_deadline() {
    let site = Site::start(Limits { first_byte: Duration::from_millis(200), ..short() }).await;
    check(&site, b"", &[], 200..1000).await;
    check(&site, b"G", &[408], 300..1200).await;
    check(&site, b"GET / HTTP/1.1\r\nHost: a\r\nX: y", &[408], 300..1200).await;
    check(&site, GET, &[200], 400..1300).await;
    let half = [GET, b"GET / HTTP/1.1\r\nHo"].concat();
    check(&site, &half, &[200, 408], 300..1200).await;
}

#[tokio::test]
async fn a_head_that_drips_is_closed_at_its_deadline() {
    let site = Site::start(short()).await;
    let began = Instant::now();
    let (mut read, mut write) = site.connect().await.into_split();
    let dripping = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX: ".iter().chain(std::iter::repeat(&b'y')) {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = String::new();
    let _reset = read.read_to_string(&mut answer).await.is_err();
    assert_eq!(statuses(&answer), [408]);
    assert!((300..1500).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    drop(read);
    dripping.await.unwrap();
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_closed() {
    let site = Site::start(short()).await;
    let mut stream = site.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let began = Instant::now();
    let mut read = 0;
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
        read += bytes;
    }
    assert!(read < 32 * 1024 * 1024, "all of it came");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_slow_handler_is_not_the_clients_fault() {
    let site = Site::start(short()).await;
    let mut stream = site.connect().await;
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo").await.unwrap();
    site.entered(1).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    site.state.go.notify_one();
    assert_eq!(statuses(&read_answer(&mut stream).await), [200]);
    stream.write_all(b"st: a\r\n\r\n").await.unwrap();
    assert_eq!(statuses(&read_answer(&mut stream).await), [200]);
}

#[tokio::test]
async fn a_connection_ends_after_its_last_request() {
    let site = Site::start(Limits { requests_per_connection: 3, ..short() }).await;
    let answers = site.exchange(&GET.repeat(5)).await;
    assert_eq!(statuses(&answers), [200; 3]);
    assert_eq!(answers.matches("connection: close").count(), 1);
    let mut stream = site.connect().await;
    stream.write_all(GET).await.unwrap();
    read_answer(&mut stream).await;
    stream.write_all(GET).await.unwrap();
    stream.write_all(GET).await.unwrap();
    assert!(read_to_close(&mut stream).await.contains("connection: close"));
}

/// Waits until a connection that was answered has given hyper's memory back: nothing outside shows it.
const RESTED: Duration = Duration::from_millis(800);

#[tokio::test]
async fn a_connection_that_rested_is_served_as_before() {
    let site = Site::start(Limits::default()).await;
    let mut stream = site.connect().await;
    for _ in 0..2 {
        stream.write_all(GET).await.unwrap();
        assert_eq!(statuses(&read_answer(&mut stream).await), [200]);
        tokio::time::sleep(RESTED).await;
    }
    // In pieces, with a body, and the next request right behind it.
    stream.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Le").await.unwrap();
    stream.write_all(b"ngth: 3\r\n\r\nab").await.unwrap();
    tokio::time::sleep(RESTED).await;
    stream.write_all(b"c").await.unwrap();
    assert!(read_answer(&mut stream).await.ends_with("\r\n\r\nabc"));
    tokio::time::sleep(RESTED).await;
    stream.write_all(&[GET, b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", GET].concat()).await.unwrap();
    assert_eq!(statuses(&read_to_close(&mut stream).await), [200, 400]);
    assert_eq!(site.hits(), 4);
}

#[tokio::test]
async fn a_connection_that_rested_is_refused_and_closed_as_before() {
    for (bytes, expected) in [(&b"G@T / HTTP/1.1\r\n\r\n"[..], [200, 400]), (b"GET / HT", [200, 408])] {
        let site = Site::start(Limits { head: Duration::from_millis(300), ..Limits::default() }).await;
        let mut stream = site.connect().await;
        stream.write_all(GET).await.unwrap();
        let first = read_answer(&mut stream).await;
        tokio::time::sleep(RESTED).await;
        stream.write_all(bytes).await.unwrap();
        assert_eq!(statuses(&(first + &read_to_close(&mut stream).await)), expected);
    }
    let site = Site::start(Limits { keep_alive: Duration::from_millis(900), ..Limits::default() }).await;
    check(&site, GET, &[200], 850..1500).await;
}
