//! What fails, fails for itself, and tells a stranger nothing.

use haechi::Error;
use haechi::axum::Router;
use haechi::axum::response::{IntoResponse, Response};
use haechi::axum::routing::get;
use haechi_test::Shot;

use crate::csp::Log;
use crate::site::{Browser, app, browser, config, open, sign_up};

/// asvs_16_5_4: the last handler of all.
#[tokio::test]
async fn a_panic_is_an_answer_with_an_id_and_others_go_on() {
    let mut browser = browser().await;
    let mut other = browser.clone();
    let (broken, fine) = tokio::join!(browser.get("/panic"), other.get("/"));
    assert_eq!((broken.status.as_u16(), fine.text().as_str()), (500, "home"));
    let id = broken.header("x-request-id").to_owned();
    assert!(broken.text().contains(&id), "{}", broken.text());
    assert!(!broken.text().contains("secret detail"), "{}", broken.text());
    assert_eq!(browser.get("/").await.text(), "home");
}

/// asvs_16_5_1, asvs_13_4_2: the id and nothing of the cause.
#[tokio::test]
async fn a_failure_shows_its_id_and_nothing_of_its_cause() {
    let mut browser = browser().await;
    for accept in ["text/html", "application/json", "text/plain", "*/*"] {
        let answer = browser.request(Shot::new("GET", "/fail").header("accept", accept)).await;
        assert_eq!(answer.status, 500);
        assert!(answer.text().contains(answer.header("x-request-id")), "{accept}: {}", answer.text());
        assert!(!answer.text().contains("secret detail"), "{accept}: {}", answer.text());
    }
}

/// asvs_16_3_4: whoever reports the id of their page leads to what happened.
#[tokio::test]
async fn asvs_16_3_4_what_nobody_expected_is_logged_under_the_id_that_the_page_shows() {
    let log = Log::default();
    let _guard = log.start();
    let mut browser = browser().await;
    for (path, cause) in
        [("/fail", "the secret detail of a failure"), ("/panic", "the secret detail of a panic")]
    {
        let answer = browser.get(path).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(answer.status == 500 && answer.text().contains(&id), "{path}: {}", answer.text());
        let lines = log.of("haechi::failure");
        let line =
            lines.iter().find(|line| line.contains(&id)).unwrap_or_else(|| panic!("{path}: {lines:?}"));
        assert!(line.contains("\"level\":\"ERROR\"") && line.contains(cause), "{line}");
    }
    browser.get("/").await;
    assert_eq!(log.of("haechi::failure").len(), 2, "what is expected is no failure");
}

#[tokio::test]
async fn a_handler_that_never_ends_is_ended_by_the_deadline() {
    let mut config = config();
    config.limits.request = std::time::Duration::from_millis(50);
    let (_, mut browser) = open(config).await;
    let answer = browser.get("/hang").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "5");
    assert!(answer.text().contains(answer.header("x-request-id")));
}

#[tokio::test]
async fn a_panic_signs_nobody_out() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.get("/panic").await;
    assert_eq!(browser.get("/mine").await.text(), "ada");
}

#[tokio::test]
async fn the_configuration_prints_no_secret() {
    let mut config = config();
    config.mail = haechi::Secret::new("smtp://ada:hunter2@mail.example".to_owned());
    config.database.url = Some(haechi::Secret::new("sqlite::memory:".to_owned()));
    let shown = format!("{config:?} {config:#?}");
    for secret in ["hunter2", "kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E", ":memory:"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    config.mail = haechi::Secret::new("console".to_owned());
    let (site, service) = app().into_service(config).await.unwrap();
    let shown = format!("{site:?} {service:?}");
    assert!(!shown.contains("kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E"), "{shown}");
}

#[tokio::test]
async fn an_address_that_is_not_there_shows_nothing_of_what_was_asked() {
    let mut browser = browser().await;
    let answer = browser
        .request(Shot::new("GET", "/%3Cscript%3Ealert(1)%3C/script%3E").header("accept", "text/html"))
        .await;
    assert_eq!(answer.status, 404);
    assert!(!answer.text().contains("alert(1)"), "{}", answer.text());
}

#[tokio::test]
async fn a_place_where_the_defences_could_not_hold_is_not_built() {
    let mut config = config();
    config.bind = vec!["0.0.0.0:80".to_owned()];
    let error = haechi::App::new("x").public(Router::new()).into_service(config).await.err().unwrap();
    assert!(error.to_string().contains("allowed_hosts"), "{error}");
}

/// asvs_15_3_5, asvs_2_2_1: each value is of its type, or the request is refused.
#[tokio::test]
async fn what_an_extractor_refuses_gets_the_page_of_every_refusal() {
    use haechi::axum::routing::post;
    let routes = Router::new()
        .route("/posts/{id}", get(|haechi::Path(id): haechi::Path<i64>| async move { id.to_string() }))
        .route("/list", get(|haechi::Query(list): haechi::Query<List>| async move { list.page.to_string() }))
        .route("/json", post(|haechi::Json(list): haechi::Json<List>| async move { list.page.to_string() }))
        .route("/misfit", get(|_: axum::extract::Path<i64>| async {}));
    let (_, service) = haechi::App::new("x").public(routes).into_service(config()).await.unwrap();
    let mut browser = haechi_test::Client::new(service, "http://localhost");
    assert_eq!(browser.get("/posts/7").await.text(), "7");
    assert_eq!(browser.get("/list?page=7").await.text(), "7");
    let json = |kind: &str, body: &str| {
        Shot::new("POST", "/json").header("sec-fetch-site", "same-origin").body(kind, body.to_owned())
    };
    for (shot, status) in [
        (Shot::new("GET", "/posts/abc"), 400),
        (Shot::new("GET", "/posts/7;select"), 400),
        (Shot::new("GET", "/posts/99999999999999999999"), 400),
        (Shot::new("GET", "/posts/%FF"), 400),
        (Shot::new("GET", "/list"), 400),
        (Shot::new("GET", "/list?page=-1"), 400),
        (json("application/json", "{"), 400),
        (json("application/json", "{\"page\":\"x\"}"), 422),
        (json("application/xml", "<page/>"), 415),
        (Shot::new("GET", "/misfit"), 500),
    ] {
        let answer = browser.request(shot.header("accept", "text/html")).await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{text}");
        assert!(text.starts_with("<!doctype html>"), "{status}: {text}");
        assert!(text.contains(answer.header("x-request-id")), "{status}: {text}");
        // Its digits may spell anything.
        let text = text.replace(answer.header("x-request-id"), "");
        for inner in ["i64", "u32", "parse", "deserialize", "Path", "select", "abc", "page="] {
            assert!(!text.contains(inner), "{status} shows {inner}: {text}");
        }
    }
}

#[derive(Debug, serde::Deserialize)]
struct List {
    page: u32,
}

#[derive(haechi::Model)]
#[model(table = "note")]
struct Note {
    #[model(key)]
    id: i64,
    title: String,
}

#[derive(haechi::FilterSet)]
#[filterset(model = Note, sort(id), per_page = 20, max_per_page = 50)]
struct NoteFilter {
    #[filter(contains)]
    title: String,
}

#[tokio::test]
async fn a_parameter_that_is_not_declared_is_a_bad_request() {
    let routes = Router::new().route("/notes", get(|_: haechi::Filter<NoteFilter>| async { "listed" }));
    let (_, service) = haechi::App::new("x").public(routes).into_service(config()).await.unwrap();
    let mut browser = haechi_test::Client::new(service, "http://localhost");
    for fine in ["/notes", "/notes?title__contains=%27%3B--", "/notes?sort=-id&page=2"] {
        assert_eq!(browser.get(fine).await.text(), "listed", "{fine}");
    }
    for payload in ["id%3B--", "1%27or%271", "(select%201)", "-", "pages=1"] {
        for place in ["sort=", "page=", "per_page=", "id=", ""] {
            let answer = browser.get(&format!("/notes?{place}{payload}")).await;
            assert_eq!(answer.status, 400, "{place}{payload}: {}", answer.text());
        }
    }
    assert_eq!(browser.get("/notes?sort=id&sort=id").await.status, 400);
}

#[tokio::test]
async fn a_refusal_is_a_page_of_the_site_in_the_language_of_its_reader() {
    let mut browser = browser().await;
    let ask = |path: &str, language: &str| {
        Shot::new("GET", path).header("accept", "text/html").header("accept-language", language)
    };
    for (path, status, korean, english) in [
        ("/nowhere", 404, "페이지를 찾을 수 없습니다", "There is no page at this address."),
        ("/fail", 500, "문제가 생겼습니다", "The site could not answer."),
        ("/panic", 500, "문제가 생겼습니다", "The site could not answer."),
    ] {
        for (language, lang, sentence) in [("ko-KR,ko;q=0.9", "ko", korean), ("fr", "en", english)] {
            let answer = browser.request(ask(path, language)).await;
            let text = answer.text();
            assert_eq!(answer.status, status, "{text}");
            assert!(text.contains(&format!("<html lang=\"{lang}\">")) && text.contains(sentence), "{text}");
            assert!(text.contains("href=\"/\"") && text.contains(answer.header("x-request-id")), "{text}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    for (language, lang, sentence, message) in [
        ("ko", "ko", "이 양식을 받을 수 없습니다", "한 가지 주소만"),
        ("fr", "en", "This form could not be accepted", "reload the page"),
    ] {
        let form = || {
            Shot::new("POST", "/nothing").header("accept", "text/html").header("accept-language", language)
        };
        browser.get("/accounts/login").await;
        // By the guard, and by the step behind the session that misses the token.
        for shot in
            [form().header("origin", "https://evil.example"), form().header("sec-fetch-site", "same-origin")]
        {
            let answer = browser.request(shot).await;
            let text = answer.text();
            assert_eq!(answer.status, 403, "{text}");
            assert!(text.contains(&format!("<html lang=\"{lang}\">")), "{text}");
            assert!(text.contains(sentence) && text.contains(message), "{text}");
            assert!(text.contains("href=\"/\"") && text.contains(answer.header("x-request-id")), "{text}");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    let foreign = ask("/", "ko").header("host", "evil.example");
    let text = browser.request(foreign).await.text();
    assert!(text.contains("<h1>Wrong address</h1>") && !text.contains("test"), "the site is named: {text}");
    let json =
        Shot::new("GET", "/nowhere").header("accept", "application/json").header("accept-language", "ko");
    assert!(browser.request(json).await.text().contains("\"title\":\"Not found\""));
}

/// A message, a session and a form have a cookie each.
#[tokio::test]
async fn a_refusal_keeps_every_cookie_of_the_answer() {
    async fn refuse() -> Response {
        let mut response = Error::not_found().into_response();
        for cookie in ["a=1", "b=2"] {
            response.headers_mut().append("set-cookie", cookie.parse().unwrap());
        }
        response
    }
    let routes = Router::new().route("/refuse", get(refuse));
    let (_, service) = app().public(routes).into_service(config()).await.unwrap();
    let mut browser = Browser::new(service, "http://localhost");
    let answer = browser.get("/refuse").await;
    assert_eq!((answer.status.as_u16(), answer.cookies()), (404, vec!["a=1", "b=2"]));
}
