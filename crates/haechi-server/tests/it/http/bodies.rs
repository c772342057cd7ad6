//! Request bodies: counted, timed, and never read twice.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::post;
use haechi_server::http::Http;
use http_body::{Body as HttpBody, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::site::{Site, State, read_answer, read_to_close, router, short, statuses};

fn chunk(length: usize) -> String {
    format!("{length:x}\r\n{}\r\n", "x".repeat(length))
}

const NEXT: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn an_unread_body_ends_the_connection_and_is_never_read_as_a_request() {
    let site = Site::start(short()).await;
    for length in [NEXT.len(), 64 * 1024, 3 * 1024 * 1024] {
        let smuggled = NEXT.repeat(length / NEXT.len());
        let request = format!(
            "POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{smuggled}{NEXT}",
            smuggled.len()
        );
        let before = site.hits();
        let answer = site.exchange(request.as_bytes()).await;
        assert_eq!(statuses(&answer), [200], "{length}");
        assert!(answer.contains("connection: close"), "{answer:?}");
        assert_eq!(site.hits(), before + 1);
    }
}

#[tokio::test]
async fn a_chunked_body_above_its_limit_is_a_413_whatever_the_handler_says() {
    let site = Site::start(haechi_server::Limits { body_bytes: 1000, ..short() }).await;
    for path in ["/echo", "/stubborn"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        let fits = format!(
            "{head}{}{}0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            chunk(500),
            chunk(500)
        );
        assert_eq!(statuses(&site.exchange(fits.as_bytes()).await), [200, 200]);
        let above = format!("{head}{}{}0\r\n\r\n{NEXT}", chunk(500), chunk(501));
        assert_eq!(statuses(&site.exchange(above.as_bytes()).await), [413]);
    }
}

/// The words of a handler stand where they say what the server says: a page in the reader's language, for one.
#[tokio::test]
async fn a_handler_may_say_in_its_own_words_that_a_body_is_too_large_and_nothing_else() {
    let state = Arc::new(State::default());
    let http = Http::new(router(Arc::clone(&state))).leave_announced(true);
    let site = Site::serve(http, haechi_server::Limits { body_bytes: 1000, ..short() }, state, None).await;
    let chunked = |path: &str| {
        let chunks = chunk(500) + &chunk(501);
        format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n{NEXT}"
        )
    };
    let announced = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n{}{NEXT}", "x".repeat(1001))
    };
    for (path, own) in [("/outspoken", true), ("/stubborn", false), ("/echo", false)] {
        for request in [chunked(path), announced(path)] {
            let answer = site.exchange(request.as_bytes()).await;
            assert_eq!(statuses(&answer), [413], "one answer, then the end: {answer:?}");
            assert_eq!(answer.ends_with("my own words"), own, "{answer:?}");
            assert!(answer.contains("connection: close\r\n"), "{answer:?}");
        }
    }
    // A body that ends early is no body that is too large.
    let mut ends = site.connect().await;
    ends.write_all(b"POST /outspoken HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc").await.unwrap();
    ends.shutdown().await.unwrap();
    let answer = read_to_close(&mut ends).await;
    assert_eq!(statuses(&answer), [400]);
    assert!(!answer.contains("my own words"));
}

#[tokio::test]
async fn a_route_widens_its_limit_up_to_the_ceiling() {
    let site = Site::start(haechi_server::Limits { body_bytes: 1000, ..short() }).await;
    let post = |path: &str, length: usize| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length))
    };
    for (path, length, expected) in [
        ("/wide", 1001, 200),
        ("/wide", 65_536, 200),
        ("/wide", 65_537, 413),
        ("/stubborn", 1000, 200),
        ("/stubborn", 1001, 413),
    ] {
        let mut stream = site.connect().await;
        stream.write_all(post(path, length).as_bytes()).await.unwrap();
        assert_eq!(statuses(&read_answer(&mut stream).await), [expected], "{path} {length}");
    }
}

#[tokio::test]
async fn a_body_that_stalls_or_drips_or_ends_early_is_refused_whatever_the_handler_says() {
    let site = Site::start(short()).await;
    for path in ["/echo", "/stubborn"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");

        let mut stalls = site.connect().await;
        stalls.write_all(format!("{head}abc").as_bytes()).await.unwrap();
        assert_eq!(statuses(&read_to_close(&mut stalls).await), [408], "{path} stalls");

        let drips = site.connect().await;
        let (mut read, mut write) = drips.into_split();
        write.write_all(head.as_bytes()).await.unwrap();
        let dripping = tokio::spawn(async move {
            while write.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let mut answer = [0; 12];
        let began = Instant::now();
        read.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408", "{path} drips");
        assert!(began.elapsed() < Duration::from_secs(2));
        drop(read);
        dripping.await.unwrap();

        let mut ends = site.connect().await;
        ends.write_all(format!("{head}abc").as_bytes()).await.unwrap();
        ends.shutdown().await.unwrap();
        assert_eq!(statuses(&read_to_close(&mut ends).await), [400], "{path} ends early");
    }
}

#[tokio::test]
async fn a_client_that_expects_100_continue_is_told_to_go_on_when_its_body_is_wanted() {
    let site = Site::start(short()).await;
    let head = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    };
    let mut stream = site.connect().await;
    stream.write_all(head("/echo").as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_eq!(statuses(&answer), [200]);
    assert!(answer.ends_with("abc"));

    let unwanted = site.exchange(head("/deaf").as_bytes()).await;
    assert_eq!(statuses(&unwanted), [200], "{unwanted:?}");
}

#[tokio::test]
async fn a_panic_is_a_500_without_detail_and_the_server_lives() {
    let site = Site::start(short()).await;
    let answer = site.exchange(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(statuses(&answer), [500]);
    assert!(!answer.contains("a panic in a handler"), "{answer:?}");
    let mut stream = site.connect().await;
    stream.write_all(NEXT.as_bytes()).await.unwrap();
    assert_eq!(statuses(&read_answer(&mut stream).await), [200]);
}

/// A request body on its way back, whose end is an end, however it came.
struct Swallowing(Body);

impl HttpBody for Swallowing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx).map(|frame| frame.filter(Result::is_ok))
    }
}

#[tokio::test]
async fn an_answer_that_streams_is_broken_off_with_the_body_it_reads() {
    let mirror = post(|body: Body| async move { Body::new(Swallowing(body)) });
    let http = Http::new(Router::<()>::new().route("/", mirror));
    let site = Site::serve(http, short(), Arc::default(), None).await;
    for (rest, whole) in [("0\r\n\r\n", true), ("zz\r\n", false), ("", false)] {
        let mut stream = site.connect().await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{head}3\r\nabc\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.contains("\r\n\r\n3\r\nabc\r\n") {
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "{answer:?}");
            answer.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        stream.write_all(rest.as_bytes()).await.unwrap();
        answer.push_str(&read_to_close(&mut stream).await);
        assert_eq!(statuses(&answer), [200]);
        assert_eq!(answer.ends_with("abc\r\n0\r\n\r\n"), whole, "after {rest:?}: {answer:?}");
    }
}
