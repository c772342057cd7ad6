//! HTTP/2: prior knowledge, TLS with curl, floods, and panics that stay in their stream.

use std::sync::Arc;
use std::time::Duration;

use haechi_server::http::{Http, HttpsRedirect};
use haechi_server::{Certificate, Limits, Listener, LocalAddress, Server, Shutdown};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::site::{Bare, Site, State, router, short, statuses};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PING: u8 = 6;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// END_STREAM and END_HEADERS.
const WHOLE: u8 = 5;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// GET of a path on host `a`, in HPACK without compression.
fn get(path: &str) -> Vec<u8> {
    request(0x82, path)
}

fn post(path: &str) -> Vec<u8> {
    request(0x83, path)
}

fn request(method: u8, path: &str) -> Vec<u8> {
    let mut block = vec![method, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend_from_slice(path.as_bytes());
    block.extend_from_slice(&[0x01, 1, b'a']);
    block
}

struct Client(TcpStream);

impl Client {
    async fn connect(site: &Site) -> Self {
        let mut stream = site.connect().await;
        stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
        Self(stream)
    }

    async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// Returns the next frame; `None` when the server closed.
    async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        let reading = async {
            self.0.read_exact(&mut head).await.ok()?;
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            Some((head[3], head[4], stream, payload))
        };
        tokio::time::timeout(Duration::from_secs(5), reading).await.expect("a frame or the end")
    }

    /// Reads to the end and returns whether the server said GOAWAY, with its error code.
    async fn goaway(&mut self) -> Option<u8> {
        let mut code = None;
        while let Some((kind, _, _, payload)) = self.next().await {
            if kind == GOAWAY {
                code = Some(payload[7]);
            }
        }
        code
    }
}

async fn site(limits: Limits) -> Site {
    let state = Arc::new(State::default());
    Site::serve(Http::new(router(Arc::clone(&state))).prior_knowledge(true), limits, state, None).await
}

#[tokio::test]
async fn prior_knowledge_is_off_until_asked_for() {
    let off = Site::start(short()).await;
    let answer = off.exchange(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    assert_eq!(statuses(&answer), [400], "{answer:?}");
    assert!(answer.ends_with("\r\n\r\n400 Bad Request\n"), "{answer:?}");
    let mut on = Client::connect(&site(short()).await).await;
    assert_eq!(on.next().await.unwrap().0, SETTINGS);
}

#[tokio::test]
async fn a_panic_ends_its_stream_and_no_other() {
    let site = site(Limits::default()).await;
    let mut client = Client::connect(&site).await;
    client.send(&frame(HEADERS, WHOLE, 1, &get("/wait"))).await;
    client.send(&frame(HEADERS, WHOLE, 3, &get("/panic"))).await;
    site.entered(1).await;
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let (kind, _, stream, payload) = client.next().await.unwrap();
        if kind == HEADERS {
            answers.push(stream);
            // 0x8e is `:status: 500` and 0x88 `:status: 200` in the static table.
            assert!(payload.contains(if stream == 3 { &0x8e } else { &0x88 }), "{payload:x?}");
            site.state.go.notify_one();
        }
    }
    assert_eq!(answers, [3, 1]);
}

/// What the server does with a request on stream 1: an answer, or the stream or the connection broken off.
async fn broken_off(site: &Site, fields: &[(&[u8], &[u8])]) -> bool {
    let mut block = get("/");
    for (name, value) in fields {
        block.extend([&[0x00, u8::try_from(name.len()).unwrap()], *name].concat());
        block.extend([&[u8::try_from(value.len()).unwrap()], *value].concat());
    }
    let mut client = Client::connect(site).await;
    client.send(&frame(HEADERS, WHOLE, 1, &block)).await;
    while let Some((kind, ..)) = client.next().await {
        match kind {
            HEADERS => return false,
            RST_STREAM | GOAWAY => return true,
            _ => {}
        }
    }
    true
}

/// asvs_4_2_3, asvs_4_2_4: RFC 9113 section 8.2. A proxy that turns such a field into a line of HTTP/1.1 sends another request.
#[tokio::test]
async fn asvs_4_2_4_no_field_of_http_2_can_become_a_line_or_a_framing_of_http_1() {
    let site = site(Limits::default()).await;
    let rows: &[(&[u8], &[u8], bool)] = &[
        (b"x-plain", b"value", true),
        (b"te", b"trailers", true),
        (b"connection", b"close", false),
        (b"keep-alive", b"timeout=5", false),
        (b"proxy-connection", b"keep-alive", false),
        (b"transfer-encoding", b"chunked", false),
        (b"upgrade", b"h2c", false),
        (b"te", b"gzip", false),
        (b"x", b"a\r\nhost: evil", false),
        (b"x", b"a\nhost: evil", false),
        (b"x", b"a\rb", false),
        (b"x", b"a\0b", false),
        (b"x\r\nhost", b"evil", false),
        (b"x y", b"a", false),
        (b"x:", b"a", false),
        (b"", b"a", false),
        (b"X-Upper", b"a", false),
        (b":path", b"/other", false),
        (b":status", b"200", false),
        (b":unknown", b"a", false),
    ];
    let mut expected = 0;
    for (name, value, passes) in rows {
        let shown = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        assert_eq!(broken_off(&site, &[(name, value)]).await, !passes, "{shown:?}");
        expected += usize::from(*passes);
    }
    assert_eq!(site.hits(), expected, "no handler saw one that is refused");
}

/// asvs_4_2_3: what a handler sets for HTTP/1.1 is not sent.
#[tokio::test]
async fn asvs_4_2_3_no_answer_of_http_2_has_a_field_of_the_connection() {
    async fn talkative() -> ([(&'static str, &'static str); 4], &'static str) {
        ([("connection", "close"), ("keep-alive", "1"), ("upgrade", "h2c"), ("x-plain", "1")], "said")
    }
    let router = axum::Router::<()>::new().route("/", axum::routing::get(talkative));
    let http = Http::new(router).prior_knowledge(true);
    let site = Site::serve(http, Limits::default(), Arc::default(), None).await;
    let url = format!("http://{}/", site.address);
    let Some(answer) = curl(&["-si", "--http2-prior-knowledge", &url]).await else { return };
    let answer = answer.to_lowercase();
    assert!(answer.starts_with("http/2 200") && answer.contains("x-plain: 1"), "{answer}");
    for field in ["connection:", "keep-alive:", "upgrade:", "transfer-encoding:"] {
        assert!(!answer.contains(field), "{answer}");
    }
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let site = site(Limits::default()).await;
    let mut client = Client::connect(&site).await;
    let mut flood = Vec::new();
    for stream in (1..2001).step_by(2) {
        flood.extend(frame(HEADERS, WHOLE, stream, &get("/wait")));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    client.send(&flood).await;
    assert_eq!(client.goaway().await, Some(0xb), "ENHANCE_YOUR_CALM");
    assert!(site.hits() <= 200, "{} handlers ran", site.hits());
}

#[tokio::test]
async fn a_continuation_flood_ends_the_connection() {
    let site = site(Limits::default()).await;
    let mut client = Client::connect(&site).await;
    let mut flood = frame(HEADERS, 0, 1, &get("/"));
    let piece = [0x00, 1, b'x', 1, b'y'].repeat(200);
    for _ in 0..2000 {
        flood.extend(frame(CONTINUATION, 0, 1, &piece));
    }
    client.send(&flood).await;
    client.goaway().await;
    assert_eq!(site.hits(), 0);
}

#[tokio::test]
async fn a_connection_without_a_stream_obeys_keep_alive_and_the_first_request_its_deadline() {
    let site = site(short()).await;
    let mut silent = Client::connect(&site).await;
    silent.goaway().await;
    let mut idle = Client::connect(&site).await;
    idle.send(&frame(HEADERS, WHOLE, 1, &get("/"))).await;
    idle.goaway().await;
    assert_eq!(site.hits(), 1);
}

#[tokio::test]
async fn a_drain_says_goaway_and_answers_what_it_has() {
    let site = site(Limits::default()).await;
    let mut client = Client::connect(&site).await;
    client.send(&frame(HEADERS, WHOLE, 1, &get("/wait"))).await;
    site.entered(1).await;
    site.shutdown.drain();
    let (mut goaway, mut answered) = (false, false);
    while let Some((kind, flags, _, payload)) = client.next().await {
        match kind {
            GOAWAY if !goaway => {
                goaway = true;
                site.state.go.notify_one();
            }
            // PING without ACK.
            6 if flags == 0 => {
                client.send(&frame(6, 1, 0, &payload)).await;
            }
            HEADERS => answered = true,
            _ => {}
        }
    }
    assert!(goaway && answered);
}

#[tokio::test]
async fn a_body_that_stalls_ends_its_stream_and_no_other() {
    let site = site(short()).await;
    let mut client = Client::connect(&site).await;
    client.send(&frame(HEADERS, WHOLE, 1, &get("/wait"))).await;
    client.send(&frame(HEADERS, END_HEADERS, 3, &post("/echo"))).await;
    client.send(&frame(DATA, 0, 3, b"begun")).await;
    site.entered(1).await;
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let (kind, _, stream, payload) = client.next().await.unwrap();
        if kind == HEADERS {
            answers.push(stream);
            let text = String::from_utf8_lossy(&payload);
            // 408 is in no table: HPACK writes it out, or in its Huffman code.
            let late = text.contains("408") || payload.windows(3).any(|code| code == [0x68, 0x0f, 0x7f]);
            assert_eq!(late, stream == 3, "{payload:x?}");
            site.state.go.notify_one();
        }
    }
    assert_eq!(answers, [3, 1]);
}

/// Sends `begin`, then `flood` over and over without a look at the answers, until the server has ended the connection;
/// another client is served meanwhile.
async fn check_flood(limits: Limits, begin: &[u8], flood: &[u8]) {
    let site = site(limits).await;
    let mut client = Client::connect(&site).await;
    client.send(begin).await;
    let flood = flood.repeat(1000);
    let flooding = async { while client.send(&flood).await {} };
    let served = async {
        let answer = site.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert_eq!(statuses(&answer), [200]);
    };
    let both = async { tokio::join!(flooding, served) };
    tokio::time::timeout(Duration::from_secs(5), both).await.expect("the flood ends");
}

#[tokio::test]
async fn floods_of_frames_that_ask_for_an_answer_end_the_connection() {
    check_flood(short(), &[], &frame(SETTINGS, 0, 0, &[])).await;
    check_flood(short(), &[], &frame(PING, 0, 0, &[0; 8])).await;
}

#[tokio::test]
async fn a_flood_of_empty_data_ends_the_connection() {
    let site = site(Limits::default()).await;
    let mut client = Client::connect(&site).await;
    client.send(&frame(HEADERS, END_HEADERS, 1, &post("/echo"))).await;
    client.send(&frame(DATA, 0, 1, &[]).repeat(1000)).await;
    assert_eq!(client.goaway().await, Some(0xb), "ENHANCE_YOUR_CALM");
}

#[tokio::test]
async fn a_stream_ends_with_its_connection() {
    struct Held(Arc<Notify>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (entered, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let held = {
        let (entered, ended) = (Arc::clone(&entered), Arc::clone(&ended));
        move || async move {
            let _held = Held(ended);
            entered.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let http =
        Http::new(axum::Router::<()>::new().route("/", axum::routing::get(held))).prior_knowledge(true);
    let site = Site::serve(http, Limits::default(), Arc::default(), None).await;
    let mut client = Client::connect(&site).await;
    client.send(&frame(HEADERS, WHOLE, 1, &get("/"))).await;
    entered.notified().await;
    site.shutdown.end();
    let ended = tokio::time::timeout(Duration::from_secs(5), ended.notified());
    ended.await.expect("the handler is dropped with its connection");
}

/// Runs curl and returns what it printed; `None` when there is none.
async fn curl(arguments: &[&str]) -> Option<String> {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let run =
        tokio::task::spawn_blocking(move || std::process::Command::new("curl").args(arguments).output());
    match run.await.unwrap() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) if std::env::var_os("HAECHI_REQUIRE_ALL").is_some() => panic!("curl is required: {error}"),
        Err(_) => {
            println!("skipped: no curl");
            None
        }
    }
}

#[tokio::test]
async fn curl_speaks_http_2_over_tls_and_plain_http_is_redirected() {
    let directory = std::env::temp_dir().join(format!("haechi-http-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let certificate = Certificate::development(directory.join("certificate.pem")).unwrap();
    let service = Bare;
    let listener = Listener::bind("127.0.0.1:0").unwrap().tls(certificate);
    let listener = listener.on_plain(Http::new(HttpsRedirect::to_port(8443)));
    let LocalAddress::Tcp(address) = listener.local_addresses()[0].clone() else { panic!("not TCP") };
    let shutdown = Shutdown::new();
    let server = Server::new().shutdown(shutdown.clone()).listen(listener, Http::new(service));
    let running = tokio::spawn(server.run());
    let (secure, plain) = (format!("https://{address}/"), format!("http://{address}/a?b"));
    for (version, expected) in [("--http2", "bare 2 200"), ("--http1.1", "bare 1.1 200")] {
        let arguments = ["-sk", version, "-w", " %{http_version} %{http_code}", &secure];
        if let Some(printed) = curl(&arguments).await {
            assert_eq!(printed, expected);
        }
    }
    if let Some(printed) =
        curl(&["-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", &plain]).await
    {
        assert_eq!(printed, "308 https://127.0.0.1:8443/a?b");
    }
    shutdown.drain();
    running.await.unwrap().unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}
