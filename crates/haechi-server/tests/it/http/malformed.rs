//! Bytes in, status and a closed connection out; what follows on the same connection is never read as a request.

use std::sync::Arc;

use haechi_server::http::Http;

use super::site::{Site, State, router, short, statuses};

/// A second request on the same connection, which must stay unanswered.
const NEXT: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[track_caller]
fn check_answer(request: &str, answer: &str, expected: u16) {
    let shown = &request[..request.len().min(200)];
    assert_eq!(statuses(answer), [expected], "{shown:?} was answered {answer:?}");
    let lower = answer.to_ascii_lowercase();
    for detail in ["hyper", "haechi", "panick", "src/", "length and", "fields\n"] {
        assert!(!lower.contains(detail), "{shown:?} tells {detail:?}: {answer:?}");
    }
    assert!(lower.contains("connection: close\r\n"), "{shown:?}: {answer:?}");
}

async fn check(rows: &[(&str, u16)]) {
    let site = Site::start(short()).await;
    for (request, expected) in rows {
        let answer = site.exchange(format!("{request}{NEXT}").as_bytes()).await;
        check_answer(request, &answer, *expected);
    }
    assert_eq!(site.hits(), 0, "a handler saw a malformed request");
}

/// asvs_4_2_1: one length, one end, no second reading.
#[tokio::test]
async fn a_head_that_is_malformed_is_refused_and_ends_the_connection() {
    check(&[
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400),
        ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("\x16\x03\x01\x02\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417),
    ])
    .await;
}

#[tokio::test]
async fn one_host_is_asked_for_and_the_target_agrees_with_it() {
    let mut rows: Vec<(String, u16)> = vec![
        ("GET / HTTP/1.1\r\n\r\n".into(), 400),
        ("GET / HTTP/1.0\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: unknown\r\n\r\n".into(), 421),
        ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET http://unknown/ HTTP/1.1\r\nHost: unknown\r\n\r\n".into(), 421),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET http://u:p@a/ HTTP/1.1\r\nHost: u:p@a\r\n\r\n".into(), 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET foo HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET ://x/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n".into(), 501),
    ];
    for host in [
        "", "a b", "u@h", "u:p@h", "a,b", "a, b", "[::1", "::1", "[]", "h:abc", "h:", "h:99999", "<script>",
        "h/x", "h?x", "h#x", "h%41", "h\\x", "h'", "..", "*", "a;b", "(a)", "h\x01",
    ] {
        rows.push((format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400));
    }
    let rows: Vec<(&str, u16)> = rows.iter().map(|(request, status)| (request.as_str(), *status)).collect();
    check(&rows).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let many = |count: usize| "X: y\r\n".repeat(count);
    check(&[
        (&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", many(100)), 431),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", many(100_000)), 431),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(65_000)), 431),
        (&format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "y".repeat(1_000_000)), 431),
        (
            &format!(
                "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
                format!("X: {}\r\n", "y".repeat(1000)).repeat(33)
            ),
            431,
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_announced_body_above_the_ceiling_is_refused_at_once() {
    check(&[
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4194305\r\n\r\n", 413),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", 413),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4194305\r\n\r\n", 413),
    ])
    .await;
}

#[tokio::test]
async fn a_broken_body_is_a_400_whatever_the_handler_says() {
    let site = Site::start(short()).await;
    for chunks in [
        "x\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3;a=\0\r\nabc\r\n0\r\n\r\n",
        "3;a=\x0b\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "10000000000000000\r\nabc\r\n",
        "FFFFFFFFFFFFFFFFF\r\nabc\r\n",
    ] {
        for path in ["/echo", "/stubborn"] {
            let request =
                format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            let answer = site.exchange(format!("{request}{NEXT}").as_bytes()).await;
            check_answer(&request, &answer, 400);
        }
    }
    let zeros = format!("{}3\r\nabc\r\n0\r\n\r\n", "0".repeat(5000));
    let extension = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(65_000));
    for chunks in [zeros, extension] {
        let request =
            format!("POST /stubborn HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        check_answer(&request, &site.exchange(format!("{request}{NEXT}").as_bytes()).await, 400);
    }
}

#[tokio::test]
async fn what_is_well_formed_is_answered_and_the_connection_stays() {
    let site = Site::start(short()).await;
    let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET /?a=b HTTP/1.1\r\nhost:a:80\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ];
    let answers = site.exchange(requests.concat().as_bytes()).await;
    assert_eq!(statuses(&answers), [200; 8], "{answers:?}");
    assert_eq!(answers.matches("connection: close").count(), 1);
    assert_eq!(answers.matches("\r\n\r\nabc").count(), 2);
}

#[tokio::test]
async fn every_refusal_is_rendered_as_the_application_asks() {
    let state = Arc::new(State::default());
    let http = Http::new(router(Arc::clone(&state))).render(|refusal| {
        let mut response = refusal.plain().map(|_| "rendered".into());
        response.headers_mut().insert("x-sealed", http::HeaderValue::from_static("yes"));
        response
    });
    let site = Site::serve(http, short(), state, None).await;
    for (request, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: ", 408),
        ("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n", 500),
    ] {
        let answer = site.exchange(request.as_bytes()).await;
        // The same bytes behind a request that is answered, on the same connection.
        let behind = site.exchange(format!("{NEXT}{request}").as_bytes()).await;
        let (before, behind) = behind.split_at(behind.rfind("HTTP/1.1 ").unwrap());
        assert_eq!(statuses(before), [200], "{request:?}: {before:?}");
        check_answer(request, behind, expected);
        assert!(
            behind.contains("x-sealed: yes\r\n") && behind.ends_with("rendered"),
            "{request:?}: {behind:?}"
        );
        check_answer(request, &answer, expected);
        assert!(answer.contains("x-sealed: yes\r\n") && answer.contains("date: "), "{request:?}: {answer:?}");
        assert!(
            answer.contains("content-length: 8\r\n") && answer.ends_with("\r\n\r\nrendered"),
            "{answer:?}"
        );
    }
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    check_answer("a head of 64 KiB", &site.exchange(long.as_bytes()).await, 431);
}
