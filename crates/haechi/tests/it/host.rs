//! The site answers for its own names only.

use haechi_test::{Client, Shot};

use crate::site::{app, browser, over_tls, production};

#[tokio::test]
async fn a_foreign_host_is_misdirected() {
    let mut browser = browser().await;
    for host in
        ["evil.example", "localhost.evil.example", "localhost@evil.example", "127.0.0.1.evil.example", ""]
    {
        let answer = browser.request(Shot::new("GET", "/").header("host", host)).await;
        assert!(answer.status == 421 || answer.status == 400, "{host}: {}", answer.status);
        assert!(!answer.text().contains("home"), "{host}");
    }
    for host in ["localhost", "localhost:8888", "127.0.0.1:1", "[::1]:8888"] {
        assert_eq!(browser.request(Shot::new("GET", "/").header("host", host)).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn two_hosts_are_no_host() {
    let shot = Shot::new("GET", "/").header("host", "localhost").header("host", "evil.example");
    assert_ne!(browser().await.request(shot).await.status, 200);
}

#[tokio::test]
async fn the_names_of_this_machine_are_foreign_in_production() {
    let mut browser = over_tls().await;
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(browser.request(Shot::new("GET", "/").header("host", "localhost")).await.status, 421);
}

#[tokio::test]
async fn a_host_that_a_stranger_forwards_is_not_believed() {
    let mut browser = browser().await;
    let shot = Shot::new("GET", "/mine").header("x-forwarded-host", "evil.example");
    let answer = browser.request(shot).await;
    assert_eq!(answer.header("location"), "/accounts/login?next=%2Fmine");
}

#[tokio::test]
async fn a_proxy_cannot_forward_a_foreign_host() {
    let (_, service) = app().into_service(production()).await.unwrap();
    let mut browser = Client::new(service, "https://example.org").always("x-forwarded-proto", "https");
    let shot = Shot::new("GET", "/").header("x-forwarded-host", "evil.example");
    assert_eq!(browser.request(shot).await.status, 421);
}
