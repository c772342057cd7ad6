//! What a real Chromium does with our pages.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use haechi::App;
use haechi::axum::Router;
use haechi::axum::response::Html;
use haechi::axum::routing::get;
use haechi::server::http::Http;
use haechi::server::{Listener, LocalAddress, Server};

use crate::csp::Log;
use crate::site::config;

/// A page into which somebody got a script, and an image of another site.
async fn injected() -> Html<&'static str> {
    Html(
        "<!DOCTYPE html><title>before</title><script>document.title = 'it ran'</script><img src=http://img.invalid/x>",
    )
}

#[tokio::test]
async fn chromium_stops_an_injected_script_and_reports_it() {
    let log = Log::default();
    let _guard = log.start();
    let app = App::new("test").public(Router::new().route("/", get(injected)));
    let (_, service) = app.into_service(config()).await.unwrap();
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let LocalAddress::Tcp(address) = listener.local_addresses()[0].clone() else { panic!("no TCP address") };
    let server = Server::new().listen(listener, Http::new(service)).run();
    let visit = tokio::task::spawn_blocking(move || visit(&format!("http://{address}/")));
    let dom = tokio::select! {
        ended = server => panic!("the server ended: {ended:?}"),
        dom = visit => dom.unwrap(),
    };
    let Some(dom) = dom else {
        assert!(std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "chromium is required");
        println!("skipped: chromium is not installed");
        return;
    };
    assert!(dom.contains("<title>before</title>"), "{dom}");
    let lines = log.lines().join("\n");
    for part in ["script-src-elem", "inline", "http://img.invalid/x"] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
}

/// What Chromium makes of a page, or nothing if it is not installed.
fn visit(address: &str) -> Option<String> {
    let profile = std::env::temp_dir().join(format!("haechi-chromium-{}", std::process::id()));
    let child = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(address)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Its helpers hold the pipe too, so all of them end together.
        .process_group(0)
        .spawn();
    let mut child = child.ok()?;
    let (sender, receiver) = mpsc::channel();
    let mut pipe = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        let mut dom = Vec::new();
        pipe.read_to_end(&mut dom).unwrap_or_default();
        sender.send(dom).unwrap_or_default();
    });
    let dom = receiver.recv_timeout(Duration::from_secs(50));
    Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    child.wait().unwrap();
    std::fs::remove_dir_all(&profile).unwrap_or_default();
    Some(String::from_utf8_lossy(&dom.expect("chromium finishes within 50 s")).into_owned())
}
