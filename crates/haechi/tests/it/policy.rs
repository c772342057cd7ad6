//! Who may reach a route.

use std::time::Duration;

use haechi::axum::Router;
use haechi::axum::routing::{any, get};
use haechi_test::Shot;

use crate::site::{Browser, PASSWORD, app, browser, config, open, sign_in, sign_up};

#[tokio::test]
async fn a_visitor_is_sent_to_the_sign_in_page_and_back() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    let answer = browser.get("/mine?page=2").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/accounts/login?next=%2Fmine%3Fpage%3D2")
    );
    let page = browser.follow(&answer).await;
    assert!(page.text().contains("/mine?page=2"), "{}", page.text());
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/mine?page=2")];
    let answer = browser.post_form("/accounts/login", &fields).await;
    assert_eq!(answer.header("location"), "/mine?page=2");
    assert_eq!(browser.follow(&answer).await.text(), "ada");
}

#[tokio::test]
async fn a_visitor_reaches_no_handler_of_a_member_by_any_method() {
    let mut browser = browser().await;
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        let shot = Shot::new(method, "/mine").header("sec-fetch-site", "none").body("application/json", "{}");
        let answer = browser.request(shot).await;
        assert!(answer.status == 303 || answer.status == 405, "{method}: {}", answer.status);
        // Its handler asks for no user: the policy alone stands before it.
        let shot = Shot::new(method, "/bare").header("sec-fetch-site", "none").body("application/json", "{}");
        assert_eq!(browser.request(shot).await.status, 303, "{method}");
    }
}

/// A fallback is a handler: of a nested router, with and without routes beside it, and of the methods of a route.
#[tokio::test]
async fn a_visitor_reaches_no_fallback_of_members() {
    let secret = || async { "secret" };
    let nested = move |path: &str| {
        let beside = Router::new().route("/page", get(secret)).fallback(secret);
        Router::new()
            .nest(&format!("{path}/beside"), beside)
            .nest(&format!("{path}/alone"), Router::new().fallback_service(any(secret)))
            .route(&format!("{path}/methods"), get(secret).fallback(secret))
    };
    let site = app()
        .public(nested("/open"))
        .signed_in(nested("/in"))
        .permission("board.moderate", nested("/may"))
        .recent(Duration::from_secs(900), nested("/now"));
    let (_, service) = site.into_service(config()).await.unwrap();
    let mut visitor = Browser::new(service, "http://localhost");
    let mut member = visitor.clone();
    sign_up(&mut member, "ada").await;
    for (root, for_members) in [("/open", 200), ("/in", 200), ("/may", 403), ("/now", 200)] {
        for path in ["/beside/page", "/beside/x", "/beside/x/y", "/alone/x", "/alone/x/y", "/methods"] {
            for method in ["GET", "DELETE"] {
                if (method, path) == ("DELETE", "/beside/page") {
                    continue;
                }
                let path = format!("{root}{path}");
                let shot = || {
                    Shot::new(method, &path).header("sec-fetch-site", "none").body("application/json", "{}")
                };
                let answer = visitor.request(shot()).await;
                let (status, shown) = (answer.status, answer.text().contains("secret"));
                assert_eq!(
                    (status == 200, shown),
                    (root == "/open", root == "/open"),
                    "{method} {path} {status}"
                );
                let answer = member.request(shot()).await;
                assert_eq!(answer.status, for_members, "{method} {path}");
            }
        }
    }
    // What belongs to nobody is not there, and asks nobody who they are.
    for path in ["/", "/in", "/in/x", "/nothing-here", "/beside/x"] {
        let status = visitor.get(path).await.status;
        assert_eq!(status, if path == "/" { 200 } else { 404 }, "{path}");
    }
}

#[tokio::test]
async fn a_permission_is_asked_for_and_a_member_without_it_is_refused() {
    let mut browser = browser().await;
    assert_eq!(browser.get("/moderate").await.status, 303);
    sign_up(&mut browser, "ada").await;
    assert_eq!(browser.get("/mine").await.text(), "ada");
    let answer = browser.get("/moderate").await;
    assert_eq!(answer.status, 403);
    assert!(!answer.text().contains("moderated"));
}

#[tokio::test]
async fn a_superuser_has_every_permission() {
    let (site, mut browser) = open(config()).await;
    sign_up(&mut browser, "ada").await;
    haechi::sql!("update auth_user set is_superuser = {yes}", yes = true).execute(site.db()).await.unwrap();
    assert_eq!(browser.get("/moderate").await.text(), "moderated");
}

#[tokio::test]
async fn a_user_who_was_made_inactive_is_nobody_at_the_next_request() {
    let (site, mut browser) = open(config()).await;
    sign_up(&mut browser, "ada").await;
    haechi::sql!("update auth_user set is_active = {no}", no = false).execute(site.db()).await.unwrap();
    assert_eq!(browser.get("/mine").await.status, 303);
    assert_eq!(sign_in(&mut browser, "ada", PASSWORD).await.status, 422);
}

#[tokio::test]
async fn next_never_leads_to_another_site() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "/x\r\nSet-Cookie: a=1",
        "///evil.example",
        "http:evil.example",
    ] {
        browser.jar().clear();
        browser.get("/accounts/login").await;
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
        let answer = browser.post_form("/accounts/login", &fields).await;
        // Not even encoded, so that a browser reads it as ours: a proxy might decode it first.
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{next:?}");
        assert!(answer.cookies().iter().all(|cookie| !cookie.starts_with("a=1")), "{next:?}");
    }
}
