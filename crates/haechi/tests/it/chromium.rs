//! What a real Chromium does with our pages.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use haechi::App;
use haechi::axum::Router;
use haechi::axum::extract::Path;
use haechi::axum::response::Html;
use haechi::axum::routing::get;
use haechi::csp::{Csp, Directive, Origin, Source};
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

type Seen = Arc<Mutex<Vec<String>>>;

fn bind() -> (Listener, String) {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let LocalAddress::Tcp(address) = listener.local_addresses()[0].clone() else { panic!("no TCP address") };
    (listener, format!("http://{address}"))
}

fn origin(address: &str) -> Source {
    Source::Origin(Origin::parse(address).unwrap())
}

/// A site with a page for one partner and a page for nobody; whoever shows one asks for its picture.
fn framed(partner: &str, seen: &Seen) -> App {
    let (partner, seen) = (origin(partner), seen.clone());
    let page = |name: &'static str| get(move || async move { Html(format!("<img src=/seen/{name}>")) });
    let picture = get(move |Path(name): Path<String>| async move { seen.lock().unwrap().push(name) });
    let routes = Router::new()
        .route("/widget", page("widget"))
        .route("/private", page("private"))
        .route("/seen/{name}", picture);
    App::new("framed")
        .public(routes)
        .csp_for("/widget", move |csp| csp.widen(Directive::FrameAncestors, partner, "the partner shows it"))
}

/// A site that frames both pages of the other.
fn framing(other: &str) -> App {
    let page = format!("<iframe src={other}/widget></iframe><iframe src={other}/private></iframe>");
    let routes = Router::new().route("/", get(|| async { Html(page) }));
    App::new("framing").public(routes).csp(Csp::strict().widen(Directive::Frame, origin(other), "a widget"))
}

#[tokio::test]
async fn chromium_shows_a_page_in_the_frame_of_its_partner_and_of_nobody_else() {
    let ((ours, our), (partner, partners), (other, others)) = (bind(), bind(), bind());
    let seen = Seen::default();
    let mut servers = tokio::task::JoinSet::new();
    for (listener, app) in
        [(ours, framed(&partners, &seen)), (partner, framing(&our)), (other, framing(&our))]
    {
        let (_, service) = app.into_service(config()).await.unwrap();
        servers.spawn(Server::new().listen(listener, Http::new(service)).run());
    }
    for (visitor, expected) in [(others, vec![]), (partners, vec!["widget"])] {
        seen.lock().unwrap().clear();
        let Some(dom) = tokio::task::spawn_blocking(move || visit(&visitor)).await.unwrap() else {
            assert!(std::env::var_os("HAECHI_REQUIRE_ALL").is_none(), "chromium is required");
            println!("skipped: chromium is not installed");
            return;
        };
        assert!(dom.contains("/private"), "{dom}");
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}

/// What Chromium makes of a page, or nothing if it is not installed.
fn visit(address: &str) -> Option<String> {
    let port = address.rsplit(':').next().unwrap_or_default().trim_end_matches('/');
    let profile = std::env::temp_dir().join(format!("haechi-chromium-{}-{port}", std::process::id()));
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
