//! Who may say whose connection it is.

use std::time::Duration;

use haechi_server::{Limits, Listener};
use tokio::io::AsyncWriteExt;

use crate::running::{Running, ask, patience, rest, whoami};

const V1: &[u8] = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 80\r\nrest";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xcb\0\x71\x07\xc0\0\x02\x01\x12\x67\0\x50\x04\0\0rest";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0rest";

fn behind(proxies: &str, limits: Limits) -> Running {
    let listener = Listener::bind("127.0.0.1:0").unwrap().proxies([proxies.parse().unwrap()]);
    Running::on(listener, limits, whoami)
}

/// Expects this answer to these bytes; `{me}` stands for the client's own address.
async fn check(proxies: &str, bytes: &[u8], expected: &str) {
    let server = behind(proxies, Limits::default());
    let client = server.connect().await;
    let expected = expected.replace("{me}", &client.local_addr().unwrap().to_string());
    assert_eq!(ask(client, bytes).await, expected, "{} from {proxies}", bytes.escape_ascii());
}

#[tokio::test]
async fn a_named_proxy_says_who_the_client_is() {
    check("127.0.0.0/8", V1, "203.0.113.7:4711 ProxyProtocol(1)\nrest").await;
    check("127.0.0.0/8", V2, "203.0.113.7:4711 ProxyProtocol(2)\nrest").await;
    check("127.0.0.1", LOCAL, "{me} ProxyProtocol(2)\nrest").await;
    check("127.0.0.1", b"PROXY UNKNOWN\r\nrest", "{me} ProxyProtocol(1)\nrest").await;
}

#[tokio::test]
async fn a_named_proxy_without_a_header_is_closed() {
    let server = behind("127.0.0.1", Limits::default());
    let mut client = server.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = rest(&mut client).await;
    assert!(answer.is_empty() || answer == "<ConnectionReset>", "{answer}");
}

#[tokio::test]
async fn from_everyone_else_a_header_is_data() {
    for header in [V1, V2] {
        let told = format!("{{me}} Socket\n{}", String::from_utf8_lossy(header));
        if header == V1 {
            check("10.0.0.0/8", header, &told).await;
        }
    }
    let server = behind("10.0.0.0/8", Limits::default());
    let mut client = server.connect().await;
    client.write_all(&V2[..14]).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(rest(&mut client).await.contains(" Socket\n\r\n"));
}

#[tokio::test]
async fn a_header_may_come_in_pieces_and_must_come_in_time() {
    let server = behind("127.0.0.1", Limits { handshake: Duration::from_millis(300), ..Limits::default() });
    let mut client = server.connect().await;
    for piece in V1.chunks(7) {
        client.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, "203.0.113.7:4711 ProxyProtocol(1)\nrest");
    let mut slow = server.connect().await;
    slow.write_all(&V1[..20]).await.unwrap();
    assert_eq!(rest(&mut slow).await, "");
}

#[tokio::test]
async fn a_proxys_clients_are_counted_by_network_and_the_proxy_is_not() {
    let server = behind("127.0.0.1", Limits { connections_per_network: 2, ..Limits::default() });
    let mut held = Vec::new();
    for (client, served) in [("7", true), ("7", true), ("7", false), ("8", true), ("7", false)] {
        let mut stream = server.connect().await;
        let header = format!("PROXY TCP4 203.0.113.{client} 192.0.2.1 4711 80\r\n");
        stream.write_all(header.as_bytes()).await.unwrap();
        let mut first = [0];
        let length = patience(tokio::io::AsyncReadExt::read(&mut stream, &mut first)).await.unwrap_or(0);
        assert_eq!(length == 1, served, "203.0.113.{client}");
        held.push(stream);
    }
}
