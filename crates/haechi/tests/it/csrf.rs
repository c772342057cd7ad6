//! What another site makes a visitor's browser send does not reach a handler.

use haechi::axum::Router;
use haechi::axum::routing::{get, post};
use haechi::{App, Auth, danger};
use haechi_test::{Client, Shot};

use crate::site::{Browser, app, browser, config, sign_up};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const HERE: &str = "http://localhost";

/// A request that this site's own page sends, but for the token.
fn own(method: &str, path: &str, content_type: &str, body: String) -> Shot {
    let shot = Shot::new(method, path).header("sec-fetch-site", "same-origin").header("origin", HERE);
    shot.body(content_type, body)
}

fn part(name: &str, value: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

async fn check(browser: &mut Browser, shot: Shot, expected: u16) {
    let seen = format!("{shot:?}");
    let answer = browser.request(shot).await;
    assert_eq!(answer.status, expected, "{seen}\n{}", answer.text());
    assert_eq!(answer.text().contains("did it"), expected == 200, "{seen}");
}

/// A token that the site gave to somebody else.
async fn of_somebody_else(browser: &Browser) -> String {
    let mut other = browser.clone();
    other.jar().clear();
    other.get("/accounts/login").await;
    other.token().unwrap().to_owned()
}

#[tokio::test]
async fn every_kind_of_form_needs_the_token_whatever_its_handler_reads() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let token = browser.token().unwrap().to_owned();
    let foreign = of_somebody_else(&browser).await;
    for path in ["/nothing", "/request"] {
        for wrong in ["", "x", &foreign, &token[1..]] {
            check(&mut browser, own("POST", path, FORM, format!("csrf_token={wrong}&a=1")), 403).await;
            check(&mut browser, own("POST", path, MULTIPART, part("csrf_token", wrong) + "--b--\r\n"), 403)
                .await;
        }
        for content_type in [FORM, MULTIPART, "text/plain", ""] {
            check(&mut browser, own("POST", path, content_type, "a=1".to_owned()), 403).await;
            let with_header =
                own("POST", path, content_type, "a=1".to_owned()).header("x-csrf-token", &token);
            check(&mut browser, with_header, 200).await;
            let with_foreign =
                own("POST", path, content_type, "a=1".to_owned()).header("x-csrf-token", &foreign);
            check(&mut browser, with_foreign, 403).await;
        }
        check(&mut browser, own("POST", path, FORM, format!("a=1&csrf_token={token}")), 200).await;
    }
}

#[tokio::test]
async fn a_multipart_form_begins_with_its_token() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let token = browser.token().unwrap().to_owned();
    let first = part("csrf_token", &token) + &part("file", "x") + "--b--\r\n";
    check(&mut browser, own("POST", "/request", MULTIPART, first), 200).await;
    let last = part("file", "x") + &part("csrf_token", &token) + "--b--\r\n";
    check(&mut browser, own("POST", "/request", MULTIPART, last), 403).await;
}

#[tokio::test]
async fn a_method_of_scripts_is_checked_as_a_form_is() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let token = browser.token().unwrap().to_owned();
    for method in ["PUT", "PATCH", "DELETE"] {
        check(&mut browser, own(method, "/nothing", FORM, "a=1".to_owned()), 403).await;
        check(&mut browser, own(method, "/nothing", FORM, format!("csrf_token={token}")), 200).await;
        for site in ["cross-site", "same-site"] {
            check(&mut browser, Shot::new(method, "/nothing").header("sec-fetch-site", site), 403).await;
        }
    }
}

#[tokio::test]
async fn another_origin_is_refused_even_with_the_right_token() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let token = browser.token().unwrap().to_owned();
    let with = |name: &str, value: &str| {
        Shot::new("POST", "/nothing").header("x-csrf-token", &token).header(name, value).body(FORM, "a=1")
    };
    for site in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
        check(&mut browser, with("sec-fetch-site", site), 403).await;
        // The browser's word stands above an origin that looks right.
        check(&mut browser, with("sec-fetch-site", site).header("origin", HERE), 403).await;
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://localhost:1",
        "https://localhost",
        "",
    ] {
        check(&mut browser, with("origin", origin), 403).await;
        check(&mut browser, with("origin", origin).header("sec-fetch-site", "same-origin"), 403).await;
    }
    check(&mut browser, with("origin", HERE), 200).await;
    check(&mut browser, with("origin", HERE).header("origin", HERE), 403).await;
}

#[tokio::test]
async fn a_request_with_cookies_and_no_word_of_its_origin_is_refused() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    check(&mut browser, Shot::new("POST", "/json").body("application/json", "{}"), 403).await;
    // Abused by nobody: a program without credentials asks for itself.
    check(&mut browser, Shot::new("POST", "/json").body("application/json", "{}").without_cookies(), 200)
        .await;
}

/// asvs_3_5_2: what a script sends is refused from elsewhere.
#[tokio::test]
async fn json_needs_no_token_from_here_and_is_refused_from_elsewhere() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    check(&mut browser, own("POST", "/json", "application/json", "{}".to_owned()), 200).await;
    let foreign = Shot::new("POST", "/json").body("application/json", "{}");
    check(&mut browser, foreign.clone().header("origin", "https://evil.example"), 403).await;
    check(&mut browser, foreign.header("sec-fetch-site", "cross-site").header("origin", HERE), 403).await;
    // JSON in the clothes of a form, which needs no preflight.
    let disguised = own("POST", "/json", "text/plain;x=application/json", "{}".to_owned());
    check(&mut browser, disguised, 403).await;
}

#[tokio::test]
async fn a_token_dies_with_the_session_it_was_made_for() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let before = browser.token().unwrap().to_owned();
    sign_up(&mut browser, "ada").await;
    let body = |token: &str| format!("csrf_token={token}");
    check(&mut browser, own("POST", "/nothing", FORM, body(&before)), 403).await;
    browser.get("/accounts/password/change").await;
    let ada = browser.token().unwrap().to_owned();
    check(&mut browser, own("POST", "/nothing", FORM, body(&ada)), 200).await;
    let mut other = browser.clone();
    other.jar().clear();
    sign_up(&mut other, "bob").await;
    check(&mut other, own("POST", "/nothing", FORM, body(&ada)), 403).await;
}

/// A basket that is filled in another tab, or by the very page that shows the form.
#[tokio::test]
async fn a_form_outlives_the_beginning_of_a_session_in_which_nobody_signed_in() {
    async fn fill(auth: Auth) -> haechi::Result<&'static str> {
        auth.session().insert("basket", &1).await?;
        Ok("filled")
    }
    let shop = Router::new().route("/basket", get(fill));
    let (_, service) = app().public(shop).into_service(config()).await.unwrap();
    let mut browser = Browser::new(service, HERE);
    browser.get("/accounts/login").await;
    let token = browser.token().unwrap().to_owned();
    assert_eq!(browser.get("/basket").await.cookies().len(), 1, "a session begins");
    check(&mut browser, own("POST", "/nothing", FORM, format!("csrf_token={token}")), 200).await;
    let mut other = browser.clone();
    other.jar().clear();
    other.get("/basket").await;
    check(&mut other, own("POST", "/nothing", FORM, format!("csrf_token={token}")), 403).await;
}

/// A session in a cookie is another text after each write, and its forms are those of the same sign-in all the same.
#[tokio::test]
async fn a_form_outlives_the_writes_of_a_session_that_is_kept_in_a_cookie() {
    let mut config = config();
    config.session.store = haechi::config::SessionPlace::Cookie;
    let (_, mut browser) = crate::site::open(config).await;
    browser.get("/accounts/login").await;
    let before = browser.token().unwrap().to_owned();
    sign_up(&mut browser, "ada").await;
    check(&mut browser, own("POST", "/nothing", FORM, format!("csrf_token={before}")), 403).await;
    browser.get("/accounts/password/change").await;
    let token = browser.token().unwrap().to_owned();
    let first = browser.jar().find("session").unwrap().to_owned();
    browser.get("/grow-old").await;
    assert_ne!(browser.jar().find("session").unwrap(), first);
    check(&mut browser, own("POST", "/nothing", FORM, format!("csrf_token={token}")), 200).await;
    let mut other = browser.clone();
    other.jar().clear();
    sign_up(&mut other, "bob").await;
    check(&mut other, own("POST", "/nothing", FORM, format!("csrf_token={token}")), 403).await;
}

#[tokio::test]
async fn a_sign_in_that_another_site_sends_is_refused() {
    let mut browser = browser().await;
    sign_up(&mut browser, "mallory").await;
    let mut victim = browser.clone();
    victim.jar().clear();
    let body = format!("username=mallory&password={}", crate::site::PASSWORD.replace(' ', "+"));
    let forged = Shot::new("POST", "/accounts/login").body(FORM, body.clone());
    check(&mut victim, forged.clone().header("origin", "https://evil.example"), 403).await;
    // Neither can a sibling host that plants the visitor's cookie.
    let token = of_somebody_else(&browser).await;
    let planted = forged.header("sec-fetch-site", "same-site").header("x-csrf-token", &token);
    check(&mut victim, planted, 403).await;
    assert_eq!(victim.get("/mine").await.status, 303);
}

#[tokio::test]
async fn a_cookie_that_somebody_planted_does_not_choose_the_token_of_a_session() {
    let mut attacker = browser().await;
    attacker.get("/accounts/login").await;
    let (cookie, token) =
        (attacker.jar().find("form").unwrap().to_owned(), attacker.token().unwrap().to_owned());
    let mut victim = attacker.clone();
    victim.jar().clear();
    sign_up(&mut victim, "ada").await;
    victim.jar().plant("form", &cookie);
    check(&mut victim, own("POST", "/nothing", FORM, format!("csrf_token={token}")), 403).await;
}

#[tokio::test]
async fn the_page_of_a_refusal_says_what_a_person_can_do() {
    let mut browser = browser().await;
    let shot =
        Shot::new("POST", "/nothing").header("origin", "https://evil.example").header("accept", "text/html");
    let page = browser.request(shot).await.text();
    assert!(page.contains("reload the page") && !page.contains("evil.example"), "{page}");
}

#[tokio::test]
async fn each_page_masks_its_token_anew() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let one = browser.token().unwrap().to_owned();
    browser.get("/accounts/login").await;
    assert_ne!(Some(one.as_str()), browser.token());
    check(&mut browser, own("POST", "/nothing", FORM, format!("csrf_token={one}")), 200).await;
}

#[tokio::test]
async fn a_body_goes_on_whole_after_its_token_was_read() {
    let mut browser = browser().await;
    browser.get("/accounts/login").await;
    let token = browser.token().unwrap().to_owned();
    let body = format!("csrf_token={token}&text={}", "x".repeat(100_000));
    let answer = browser.request(own("POST", "/bytes", FORM, body.clone())).await;
    assert_eq!(answer.text(), body);
    let parts = part("csrf_token", &token) + &part("file", &"y".repeat(100_000)) + "--b--\r\n";
    let answer = browser.request(own("POST", "/bytes", MULTIPART, parts.clone())).await;
    assert_eq!(answer.text(), parts);
}

/// asvs_3_5_1: a reason that is given for one route holds for no other.
#[tokio::test]
async fn a_route_beside_an_exempt_pattern_keeps_its_check() {
    let routes = |paths: &[&str]| {
        paths.iter().fold(Router::new(), |router, path| router.route(path, post(|| async { "did it" })))
    };
    let exempt = routes(&["/hook/{id}", "/files/{*rest}"]);
    let app = App::new("x")
        .public(danger::without_csrf(exempt, "signed by the sender"))
        .body_limit("/hook/{id}", 100);
    let (_, service) =
        app.public(routes(&["/hook/settings", "/files/list"])).into_service(config()).await.unwrap();
    let mut elsewhere = Client::new(service, HERE);
    let mut send = async |path: &str, length: usize| {
        // Another server, which says nothing of where it comes from.
        let shot = Shot::new("POST", path).header("content-length", &length.to_string());
        elsewhere.request(shot.body(FORM, "a".repeat(length))).await.status.as_u16()
    };
    for (path, length, expected) in [
        ("/hook/settings", 1, 403),
        ("/files/list", 1, 403),
        ("/hook/7", 100, 200),
        ("/hook/7", 101, 413),
        ("/files/a/b", 101, 200),
    ] {
        assert_eq!(send(path, length).await, expected, "{path} {length}");
    }
}
