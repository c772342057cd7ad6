//! Every answer carries the sealed headers, whoever made it.

use haechi_test::{Answer, Shot};

use crate::site::{Browser, browser, config, open, over_tls};

const SEALED: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

#[track_caller]
fn sealed(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    for (name, value) in SEALED {
        assert_eq!(answer.header(name), *value, "{name} of a {status}");
        assert_eq!(answer.headers.get_all(*name).iter().count(), 1, "{name} of a {status}");
    }
    let csp = answer.header("content-security-policy");
    for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"] {
        assert!(csp.contains(part), "{part} of a {status}: {csp}");
    }
    assert!(!csp.contains("unsafe-inline") && !csp.contains("unsafe-eval"), "{csp}");
    assert!(answer.header("permissions-policy").contains("camera=()"));
    assert!(answer.header("x-request-id").len() >= 16, "{:?}", answer.headers);
    assert!(!answer.headers.contains_key("server") && !answer.headers.contains_key("x-powered-by"));
}

async fn check(browser: &mut Browser, shot: Shot, status: u16) {
    sealed(&browser.request(shot).await, status);
}

/// asvs_3_4_3, asvs_3_4_4, asvs_3_4_5, asvs_3_4_6, asvs_3_4_8: on pages, refusals, redirects and failures.
#[tokio::test]
async fn every_answer_carries_the_sealed_headers() {
    let mut config = config();
    config.limits.request = std::time::Duration::from_millis(100);
    let (_, mut browser) = open(config).await;
    let get = |path| Shot::new("GET", path);
    check(&mut browser, get("/"), 200).await;
    check(&mut browser, get("/accounts/login"), 200).await;
    check(&mut browser, get("/static/haechi.css"), 200).await;
    check(&mut browser, get("/away"), 303).await;
    check(&mut browser, get("/mine"), 303).await;
    check(&mut browser, get("/nowhere"), 404).await;
    check(&mut browser, get("/static/nothing.css"), 404).await;
    check(
        &mut browser,
        Shot::new("DELETE", "/away").header("sec-fetch-site", "none").body("application/json", "{}"),
        405,
    )
    .await;
    check(&mut browser, get("/").header("host", "evil.example"), 421).await;
    check(&mut browser, Shot::new("POST", "/nothing").header("origin", "https://evil.example"), 403).await;
    check(&mut browser, get("/fail"), 500).await;
    check(&mut browser, get("/panic"), 500).await;
    check(&mut browser, get("/hang"), 503).await;
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_to_wait_with_the_sealed_headers() {
    let mut config = config();
    config.limits.requests_per_minute = 2;
    let (_, mut browser) = open(config).await;
    let mut refused = None;
    for _ in 0..10 {
        let answer = browser.get("/").await;
        refused = refused.or_else(|| (answer.status == 429).then_some(answer));
    }
    let refused = refused.expect("the tenth request of a minute that allows two is refused");
    sealed(&refused, 429);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
}

/// asvs_3_4_1: a year, with subdomains.
#[tokio::test]
async fn browsers_are_told_to_use_tls_only_once_they_came_by_tls() {
    let secure = over_tls().await.get("/").await;
    assert_eq!(secure.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
    assert!(!browser().await.get("/").await.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own_that_no_client_chooses() {
    let mut browser = browser().await;
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let shot = Shot::new("GET", "/").header("x-request-id", "chosen-by-the-client");
        ids.insert(browser.request(shot).await.header("x-request-id").to_owned());
    }
    assert!(ids.len() == 3 && !ids.contains("chosen-by-the-client"), "{ids:?}");
}

#[tokio::test]
async fn a_page_with_a_form_token_is_kept_by_no_cache() {
    let page = browser().await.get("/accounts/login").await;
    assert!(page.header("cache-control").contains("no-store"), "{:?}", page.headers);
}
