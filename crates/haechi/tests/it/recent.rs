//! Routes that need a password given a moment ago.

use haechi_test::{Answer, Shot};

use crate::site::{Browser, PASSWORD, browser, config, open, sign_up};

/// A browser whose user signed in an hour ago.
async fn an_hour_later() -> Browser {
    grown_old(browser().await).await
}

async fn grown_old(mut browser: Browser) -> Browser {
    sign_up(&mut browser, "ada").await;
    assert_eq!(browser.get("/careful").await.text(), "ada", "a fresh sign-in is recent");
    assert_eq!(browser.get("/grow-old").await.text(), "an hour later");
    browser
}

async fn confirm(browser: &mut Browser, password: &str, next: &str) -> Answer {
    browser.get("/accounts/confirm").await;
    browser.post_form("/accounts/confirm", &[("password", password), ("next", next)]).await
}

/// asvs_7_5_3, asvs_7_5_1: a route can ask for the password again.
#[tokio::test]
async fn an_old_session_gives_its_password_again_and_comes_back() {
    let mut browser = an_hour_later().await;
    assert_eq!(browser.get("/mine").await.text(), "ada", "the session itself is good");
    let answer = browser.get("/careful?a=1").await;
    assert_eq!(answer.header("location"), "/accounts/confirm?next=%2Fcareful%3Fa%3D1");
    let page = browser.follow(&answer).await;
    assert!(page.text().contains("value=\"/careful?a=1\""), "{}", page.text());
    let before = browser.jar().find("session").unwrap().to_owned();
    let answer =
        browser.post_form("/accounts/confirm", &[("password", PASSWORD), ("next", "/careful?a=1")]).await;
    assert_eq!(answer.header("location"), "/careful?a=1");
    assert_eq!(browser.follow(&answer).await.text(), "ada");
    assert_ne!(browser.jar().find("session"), Some(before.as_str()), "the rise of rights gives a new id");
    browser.jar().plant("session", &before);
    assert_eq!(browser.get("/careful").await.header("location"), "/accounts/login?next=%2Fcareful");
}

#[tokio::test]
async fn a_wrong_password_confirms_nothing() {
    let mut browser = an_hour_later().await;
    let answer = confirm(&mut browser, "not the password at all", "/careful").await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("That is not your password."), "{}", answer.text());
    assert_eq!(browser.get("/careful").await.status, 303);
}

/// asvs_6_3_4: the page that asks again is throttled as the sign-in is.
#[tokio::test]
async fn confirming_by_guesses_is_throttled() {
    let (site, browser) = open(config()).await;
    let mut browser = grown_old(browser).await;
    let mut slowed = None;
    for guess in 0..20 {
        let answer = confirm(&mut browser, &format!("wrong password number {guess}"), "/careful").await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("guesses are slowed");
    assert!(slowed.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(slowed.text().contains("Too many attempts"), "{}", slowed.text());
    let later = site.clock().unix() + 600;
    haechi::sql!("update haechi_throttle set allowed_at = {later}").execute(site.db()).await.unwrap();
    assert_eq!(confirm(&mut browser, PASSWORD, "/careful").await.status, 429, "the right one waits as well");
    assert_eq!(browser.get("/careful").await.status, 303);
}

#[tokio::test]
async fn confirming_never_leads_to_another_site() {
    for next in ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"] {
        let mut browser = an_hour_later().await;
        let answer = confirm(&mut browser, PASSWORD, next).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{next}");
    }
}

#[tokio::test]
async fn what_was_posted_is_not_kept_and_its_sender_is_told_and_comes_back_to_the_form() {
    #[track_caller]
    fn check(answer: &Answer, expected: &str) {
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, expected));
    }
    let mut browser = an_hour_later().await;
    browser.get("/accounts/login").await;
    browser.get("/accounts/devices").await;
    let token = browser.token().unwrap().to_owned();
    let post = |referer: &str| {
        let shot = Shot::new("POST", "/careful").header("sec-fetch-site", "same-origin");
        let shot = if referer.is_empty() { shot } else { shot.header("referer", referer) };
        shot.body("application/x-www-form-urlencoded", format!("csrf_token={token}&secret=typed"))
    };
    let answer = browser.request(post("http://localhost/form?a=1")).await;
    check(&answer, "/accounts/confirm?next=%2Fform%3Fa%3D1");
    let page = browser.follow(&answer).await.text();
    assert!(page.contains("What you sent was not kept.") && !page.contains("typed"), "{page}");
    for referer in [
        "https://evil.example/form",
        "http://localhost.evil.example/",
        "nonsense",
        "http://localhost//evil.example",
        "",
    ] {
        check(&browser.request(post(referer)).await, "/accounts/confirm");
    }
    let answer = confirm(&mut browser, PASSWORD, "/careful").await;
    browser.follow(&answer).await;
    browser.get("/accounts/devices").await;
    let token = browser.token().unwrap().to_owned();
    let again = Shot::new("POST", "/careful").header("sec-fetch-site", "same-origin");
    let again = again.body("application/x-www-form-urlencoded", format!("csrf_token={token}"));
    assert_eq!(browser.request(again).await.text(), "did it");
}

#[tokio::test]
async fn a_visitor_signs_in_first_and_confirms_nothing() {
    let mut browser = browser().await;
    assert_eq!(browser.get("/careful").await.header("location"), "/accounts/login?next=%2Fcareful");
    assert_eq!(
        browser.get("/accounts/confirm").await.header("location"),
        "/accounts/login?next=%2Faccounts%2Fconfirm"
    );
}
