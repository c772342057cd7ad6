//! WebSocket over axum's `ws`.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::Response;
use haechi_server::http::Exchange;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::site::{Site, read_answer, read_to_close, short, statuses};

/// Echoes messages until the server drains, then closes with code 1001.
pub(crate) async fn socket(
    axum::Extension(exchange): axum::Extension<Exchange>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        loop {
            let message = tokio::select! {
                message = socket.recv() => message,
                () = exchange.draining() => {
                    let frame = axum::extract::ws::CloseFrame { code: 1001, reason: "".into() };
                    let _gone = socket.send(Message::Close(Some(frame))).await.is_err();
                    return;
                }
            };
            match message {
                Some(Ok(message @ Message::Text(_))) => socket.send(message).await.unwrap(),
                Some(Ok(_)) => {}
                _ => return,
            }
        }
    })
}

fn request(key: &str) -> String {
    format!(
        "GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{key}\r\n"
    )
}

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
/// A masked text frame "hi".
const HI: &[u8] = &[0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];

#[tokio::test]
async fn a_websocket_opens_idles_past_every_deadline_and_closes_with_1001_on_drain() {
    let site = Site::start(short()).await;
    let mut stream = site.connect().await;
    stream.write_all(request(KEY).as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert_eq!(statuses(&answer), [101], "{answer:?}");
    // RFC 6455 section 1.3 gives the answer to this key.
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer:?}");

    let mut silent = [0; 1];
    let quiet = tokio::time::timeout(Duration::from_millis(1200), stream.read(&mut silent)).await;
    assert!(quiet.is_err(), "an idle WebSocket was ended");
    stream.write_all(HI).await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(echo, [0x81, 2, b'h', b'i']);

    site.shutdown.drain();
    let mut close = [0; 4];
    stream.read_exact(&mut close).await.unwrap();
    assert_eq!(close, [0x88, 2, 3, 0xe9]);
    site.shutdown.end();
    read_to_close(&mut stream).await;
}

#[tokio::test]
async fn a_websocket_key_that_is_not_sixteen_bytes_is_refused() {
    let site = Site::start(short()).await;
    for key in [
        "",
        "Sec-WebSocket-Key: x\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ] {
        let answer = site.exchange(request(key).as_bytes()).await;
        assert_eq!(statuses(&answer), [400], "{key:?} {answer:?}");
    }
    assert_eq!(site.hits(), 0);
}

#[tokio::test]
async fn the_end_of_the_server_cuts_a_websocket_that_does_not_close() {
    let site = Site::start(short()).await;
    let mut stream = site.connect().await;
    stream.write_all(request(KEY).as_bytes()).await.unwrap();
    read_answer(&mut stream).await;
    site.shutdown.end();
    read_to_close(&mut stream).await;
}
