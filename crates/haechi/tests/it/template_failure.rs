//! What is shown of a template that fails: all of it to its developer, nothing to anybody else.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::OnceLock;

use haechi::axum::Router;
use haechi::axum::routing::get;
use haechi::{App, Config, Embedded, View, context};
use haechi_test::{Client, Shot};

use crate::site::{Browser, config, production};

const BAD: &str = "<p>fine</p>\n<a href=\"/{{ name }}?{{ name.nothing.at_all }}\">secret line</a>\n";

/// The templates of this test, on disk as a developer has them.
fn folder() -> &'static str {
    static FOLDER: OnceLock<String> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("haechi-template-failure-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("bad.html"), BAD).unwrap();
        std::fs::write(path.join("changing.html"), "one").unwrap();
        path.to_str().unwrap().to_owned()
    })
}

fn names() -> Vec<Cow<'static, str>> {
    vec!["bad.html".into(), "changing.html".into()]
}

fn read(name: &str) -> Option<Cow<'static, [u8]>> {
    let text = if name == "bad.html" { BAD } else { "one" };
    Some(text.as_bytes().into())
}

async fn open(config: Config) -> Browser {
    let routes = Router::new()
        .route("/bad", get(|| async { View::new("bad.html", context! { name => "<Ada>" }) }))
        .route("/changing", get(|| async { View::new("changing.html", context! {}) }));
    let app = App::new("test").templates(Embedded::new(folder(), names, read)).public(routes);
    let https = !config.allowed_hosts.is_empty();
    let (_, service) = app.into_service(config).await.unwrap();
    if !https {
        return Client::new(service, "http://localhost");
    }
    Client::new(service, "https://example.org").always("x-forwarded-proto", "https")
}

async fn ask(browser: &mut Browser, path: &str, accept: &str) -> (u16, String) {
    let answer = browser.request(Shot::new("GET", path).header("accept", accept)).await;
    (answer.status.as_u16(), answer.text())
}

#[tokio::test]
async fn a_template_that_fails_shows_its_developer_the_place_and_a_hint() {
    let mut browser = open(config()).await;
    let (status, text) = ask(&mut browser, "/bad", "text/plain").await;
    assert_eq!(status, 500);
    let expected = "bad.html:2:29: [render] ";
    assert!(text.starts_with(expected), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "  2 │ <a href=\"/{{ name }}?{{ name.nothing.at_all }}\">secret line</a>");
    assert!(lines[2].starts_with("    │                             ^^^^^^^^^^^^^^^ "), "{text}");
    assert!(lines[2].contains("check the spelling"), "{text}");
    let (status, html) = ask(&mut browser, "/bad", "text/html").await;
    assert_eq!(status, 500);
    assert!(html.contains("bad.html:2:29") && html.contains("&lt;a href=&#34;"), "{html}");
    assert!(!html.contains("secret line</a>"), "{html}");
}

/// asvs_13_4_2, asvs_15_2_3: the page for developers does not exist in production.
#[tokio::test]
async fn a_template_that_fails_in_production_shows_nothing_of_itself() {
    let mut browser = open(production()).await;
    for accept in ["text/html", "text/plain", "application/json"] {
        let (status, text) = ask(&mut browser, "/bad", accept).await;
        assert_eq!(status, 500, "{text}");
        for part in ["bad.html", "secret line", "nothing", "undefined", "2:29", "Ada"] {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_saved_broken_shows_its_problem_at_the_next_request() {
    let mut browser = open(config()).await;
    assert_eq!(ask(&mut browser, "/changing", "text/html").await, (200, "one".to_owned()));
    std::fs::write(PathBuf::from(folder()).join("changing.html"), "<a title={{ n }} href={{ link }}>")
        .unwrap();
    let (status, html) = ask(&mut browser, "/changing", "text/html").await;
    assert_eq!(status, 500);
    assert!(html.contains("changing.html:1:26: [unquoted]") && html.contains("^^^^ quote it"), "{html}");
    std::fs::write(PathBuf::from(folder()).join("changing.html"), "mended").unwrap();
    assert_eq!(ask(&mut browser, "/changing", "text/html").await, (200, "mended".to_owned()));
}
