//! The content security policy: where it reports to, and who may widen it.

use std::io;
use std::sync::{Arc, Mutex};

use haechi::App;
use haechi::axum::Router;
use haechi::axum::routing::get;
use haechi::csp::{Csp, Directive, Origin, Source};
use haechi_test::{Client, Shot};

use crate::site::{Browser, browser, config, over_tls, production};

const PATH: &str = "/-/csp-report";
const OLD: &str = "application/csp-report";
const LIST: &str = "application/reports+json";
const REPORT: &str = r#"{"csp-report":{"document-uri":"http://localhost/a?token=x","effective-directive":"img-src","blocked-uri":"https://evil.example/b"}}"#;

/// What the log says while a test runs.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn start(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let log = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::set_default(log)
    }

    /// The lines about reports.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.of("haechi::csp")
    }

    /// The lines of one target.
    pub(crate) fn of(&self, target: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let target = format!("\"target\":\"{target}\"");
        text.lines().filter(|line| line.contains(&target)).map(str::to_owned).collect()
    }
}

/// What Chromium sends beside a report.
fn report(content_type: &str, body: impl Into<bytes::Bytes>) -> Shot {
    Shot::new("POST", PATH)
        .header("origin", "http://localhost")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "no-cors")
        .header("sec-fetch-dest", "report")
        .body(content_type, body)
}

async fn check(browser: &mut Browser, shot: Shot, expected: u16) {
    let seen = format!("{shot:.200?}");
    let answer = browser.request(shot).await;
    assert_eq!(answer.status, expected, "{seen}\n{}", answer.text());
    assert!(answer.cookies().is_empty(), "{seen}");
}

#[tokio::test]
async fn a_report_of_either_kind_is_logged_without_its_query() {
    let log = Log::default();
    let _guard = log.start();
    let mut browser = browser().await;
    check(&mut browser, report(OLD, REPORT), 204).await;
    let list = r#"[{"type":"csp-violation","body":{"documentURL":"http://localhost/a?token=x","effectiveDirective":"img-src","blockedURL":"https://evil.example/b"}},{"type":"deprecation","body":{}}]"#;
    check(&mut browser, report(&format!("{LIST}; charset=utf-8"), list), 204).await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        assert!(line.contains("https://evil.example/b") && line.contains("img-src"), "{line}");
        assert!(!line.contains("token"), "{line}");
    }
}

#[tokio::test]
async fn a_forged_line_break_in_a_report_stays_on_its_line() {
    let log = Log::default();
    let _guard = log.start();
    let forged =
        r#"{"csp-report":{"blocked-uri":"x\r\n{\"level\":\"INFO\",\"user\":\"admin\"}\u001b[2J\u2028"}}"#;
    check(&mut browser().await, report(OLD, forged), 204).await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.lines().all(|line| line.starts_with("{\"timestamp\"")), "{text}");
    assert!(!text.contains(['\r', '\u{1b}', '\u{2028}']), "{text}");
    assert_eq!(log.lines().len(), 1);
}

#[tokio::test]
async fn what_is_no_report_is_refused_and_not_logged() {
    let log = Log::default();
    let _guard = log.start();
    let mut browser = browser().await;
    for content_type in ["", "application/json", "text/plain", "application/x-www-form-urlencoded"] {
        check(&mut browser, report(content_type, REPORT), 415).await;
    }
    for body in ["", "not json", "{}", "null", "{\"csp-report\":", "\u{0}", "csrf_token=x"] {
        check(&mut browser, report(OLD, body), 400).await;
        check(&mut browser, report(LIST, body), 400).await;
    }
    let long = format!(r#"{{"csp-report":{{"blocked-uri":"{}"}}}}"#, "a".repeat(16 * 1024));
    check(&mut browser, report(OLD, long), 413).await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        check(&mut browser, Shot::new(method, PATH).header("sec-fetch-site", "none"), 405).await;
    }
    assert_eq!(log.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_flood_of_reports_writes_few_lines_and_meets_the_rate_limit() {
    let log = Log::default();
    let _guard = log.start();
    let mut config = config();
    config.limits.requests_per_minute = 30;
    let (_, mut browser) = crate::site::open(config).await;
    let one = r#"{"type":"csp-violation","body":{"blockedURL":"a"}}"#;
    let list = format!("[{}]", [one; 20].join(","));
    let mut refused = 0;
    for _ in 0..40 {
        let answer = browser.request(report(LIST, list.clone())).await;
        refused += usize::from(answer.status == 429);
    }
    assert!((5..=10).contains(&refused), "{refused}");
    let lines = log.lines().len();
    assert!((60..=65).contains(&lines), "{lines}");
}

/// The CSRF check is off for this one address: whoever sends there reads no session and changes none.
#[tokio::test]
async fn a_report_reads_no_session_and_no_other_address_is_exempt() {
    let mut browser = browser().await;
    crate::site::sign_up(&mut browser, "ada").await;
    check(&mut browser, report(OLD, REPORT), 204).await;
    check(&mut browser, Shot::new("POST", PATH).body(OLD, REPORT), 204).await;
    assert_eq!(browser.get("/mine").await.text(), "ada");
    for path in ["/-/csp-report/", "//-/csp-report", "/-/CSP-report", "/-/csp%2dreport", "/nothing"] {
        let answer = browser.request(Shot::new("POST", path).body(OLD, REPORT)).await;
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[tokio::test]
async fn every_answer_names_where_to_report() {
    let secure = over_tls().await.get("/").await;
    let csp = secure.header("content-security-policy");
    assert!(csp.ends_with("report-uri /-/csp-report; report-to csp"), "{csp}");
    assert_eq!(secure.header("reporting-endpoints"), "csp=\"/-/csp-report\"");
    let plain = browser().await.get("/nowhere").await;
    let csp = plain.header("content-security-policy");
    assert!(csp.ends_with("report-uri /-/csp-report"), "{csp}");
    let own = App::new("test").csp(Csp::strict().report_to("/own"));
    let (_, service) = own.into_service(production()).await.unwrap();
    let mut own = Client::new(service, "https://example.org").always("x-forwarded-proto", "https");
    assert!(own.get("/").await.header("content-security-policy").contains("report-uri /own;"));
}

fn atlas() -> App {
    let routes = Router::new()
        .route("/", get(|| async { "home" }))
        .route("/map/{id}", get(|| async { "map" }).post(|| async { "moved" }))
        .route("/map/new", get(|| async { "new" }))
        .route("/broken/{id}", get(|| async { haechi::Result::<()>::Err(haechi::Error::not_found()) }));
    let tiles = || Source::Origin(Origin::parse("https://tiles.example").unwrap());
    App::new("atlas")
        .public(routes)
        .csp(Csp::strict().widen(Directive::Image, Source::Data, "charts"))
        .csp_for("/map/{id}", move |csp| csp.widen(Directive::Image, tiles(), "the tiles of the map"))
        .csp_for("/broken/{id}", move |csp| csp.widen(Directive::Image, tiles(), "never seen"))
}

#[tokio::test]
async fn a_policy_is_widened_for_the_route_that_says_so_and_for_no_other() {
    let (_, service) = atlas().into_service(config()).await.unwrap();
    let mut browser = Client::new(service, "http://localhost");
    for (path, expected) in [
        ("/", "img-src 'self' data:"),
        ("/map/7", "img-src 'self' data: https://tiles.example"),
        ("/map/new", "img-src 'self' data:"),
        ("/map/7/x", "img-src 'self' data:"),
        ("/broken/7", "img-src 'self' data:"),
        ("/static/haechi.css", "img-src 'self' data:"),
    ] {
        let answer = browser.get(path).await;
        let csp = answer.header("content-security-policy");
        assert_eq!(csp.split("; ").find(|part| part.starts_with("img-src")), Some(expected), "{path}");
        assert!(csp.contains("script-src 'none'") && csp.contains("object-src 'none'"), "{csp}");
        assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_route_that_names_who_may_frame_it_does_not_forbid_it_as_well() {
    let partner = || Source::Origin(Origin::parse("https://partner.example").unwrap());
    let app =
        atlas().csp_for("/map/new", move |csp| csp.widen(Directive::FrameAncestors, partner(), "a widget"));
    let (_, service) = app.into_service(config()).await.unwrap();
    let mut browser = Client::new(service, "http://localhost");
    for (path, ancestors, options) in [
        ("/map/new", "frame-ancestors https://partner.example", None),
        ("/map/7", "frame-ancestors 'none'", Some("DENY")),
        ("/", "frame-ancestors 'none'", Some("DENY")),
        ("/nowhere", "frame-ancestors 'none'", Some("DENY")),
    ] {
        let answer = browser.get(path).await;
        let csp = answer.header("content-security-policy");
        assert!(csp.split("; ").any(|part| part == ancestors), "{path}: {csp}");
        let found = answer.headers.get("x-frame-options").map(|value| value.to_str().unwrap());
        assert_eq!(found, options, "{path}");
    }
    for (method, path, mode, dest, status) in [
        ("GET", "/map/new", "navigate", "iframe", 200),
        ("GET", "/map/new", "navigate", "document", 200),
        ("GET", "/map/new", "no-cors", "image", 403),
        ("GET", "/map/new", "cors", "empty", 403),
        ("POST", "/map/new", "navigate", "iframe", 403),
        ("GET", "/map/7", "navigate", "iframe", 403),
        ("GET", "/map/new/", "navigate", "iframe", 403),
        ("GET", "/", "navigate", "iframe", 403),
    ] {
        let shot = Shot::new(method, path)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", dest);
        assert_eq!(browser.request(shot).await.status, status, "{method} {path} {mode} {dest}");
    }
}

#[tokio::test]
async fn a_policy_for_a_route_that_is_not_there_is_refused_at_start() {
    for app in [atlas().csp_for("/maps/{id}", |csp| csp), atlas().csp_for("/map/{id}", |_| Csp::strict())] {
        let error = app.into_service(config()).await.err().unwrap().to_string();
        assert!(error.contains("csp_for names the route /map"), "{error}");
    }
}
