//! The cookies' attributes.

use crate::site::{browser, over_tls, sign_up};

#[track_caller]
fn check(line: &str, name: &str, attributes: &[&str]) {
    let mut parts = line.split("; ");
    assert!(parts.next().unwrap().starts_with(&format!("{name}=")), "{line}");
    let mut seen: Vec<&str> = parts.filter(|part| !part.starts_with("Max-Age=")).collect();
    seen.sort_unstable();
    assert_eq!(seen, attributes, "{line}");
}

/// asvs_3_3_1, asvs_3_3_2, asvs_3_3_3, asvs_3_3_4: bound to host, TLS, this site and HTTP.
#[tokio::test]
async fn in_production_every_cookie_is_of_this_host_alone() {
    let mut browser = over_tls().await;
    let page = browser.get("/accounts/signup").await;
    let signed_up = sign_up(&mut browser, "ada").await;
    let attributes = ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"];
    assert!(!page.cookies().is_empty() && !signed_up.cookies().is_empty());
    check(page.cookies()[0], "__Host-form", &attributes);
    for line in page.cookies().into_iter().chain(signed_up.cookies()) {
        check(line, line.split('=').next().unwrap(), &attributes);
        assert!(line.starts_with("__Host-"), "{line}");
    }
    assert!(signed_up.cookies().iter().any(|line| line.starts_with("__Host-session=")));
}

#[tokio::test]
async fn on_a_developers_machine_cookies_travel_without_tls_and_no_script_reads_them() {
    let mut browser = browser().await;
    let page = browser.get("/accounts/signup").await;
    let attributes = ["HttpOnly", "Path=/", "SameSite=Lax"];
    check(page.cookies()[0], "form", &attributes);
    let signed_up = sign_up(&mut browser, "ada").await;
    let session =
        signed_up.cookies().into_iter().find(|line| line.starts_with("session=")).unwrap().to_owned();
    check(&session, "session", &attributes);
    assert!(!session.contains("Max-Age"), "a session ends with the browser unless its user chose otherwise");
}

#[tokio::test]
async fn a_cookie_of_a_sibling_host_is_not_the_session() {
    let mut browser = over_tls().await;
    sign_up(&mut browser, "ada").await;
    let id = browser.jar().find("__Host-session").unwrap().to_owned();
    browser.jar().clear();
    browser.jar().plant("session", &id);
    assert_eq!(browser.get("/mine").await.status, 303);
}

#[tokio::test]
async fn a_visitor_who_only_reads_gets_no_cookie() {
    let mut browser = browser().await;
    assert!(browser.get("/").await.cookies().is_empty());
    assert!(browser.get("/static/haechi.css").await.cookies().is_empty());
}

#[tokio::test]
async fn who_stays_signed_in_has_a_cookie_that_outlives_the_browser() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    browser.get("/accounts/login").await;
    let fields = [("username", "ada"), ("password", crate::site::PASSWORD), ("remember", "on")];
    let answer = browser.post_form("/accounts/login", &fields).await;
    let session = answer.cookies().into_iter().find(|line| line.starts_with("session=")).unwrap().to_owned();
    assert!(session.contains("Max-Age=2592000"), "for as long as use may prolong it: {session}");
}
