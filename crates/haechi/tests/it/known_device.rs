//! A device on which somebody has signed in keeps its own way in, whatever strangers guess.

use haechi::{Site, SiteService};
use haechi_test::Client;

use crate::site::{Browser, PASSWORD, app, production, sign_in, sign_up};

/// A browser in a network of its own.
fn from(service: &SiteService, address: &str) -> Browser {
    Client::new(service.clone(), "https://example.org")
        .always("x-forwarded-proto", "https")
        .always("x-forwarded-for", address)
}

#[tokio::test]
async fn a_known_device_signs_in_after_a_hundred_failures_and_an_unknown_one_does_not() {
    let (_, service) = app().into_service(production()).await.unwrap();
    let mut ada = from(&service, "192.0.2.1");
    sign_up(&mut ada, "ada").await;
    let device = ada.jar().find("__Host-device").unwrap().to_owned();
    for guess in 0..100 {
        let mut stranger = from(&service, &format!("198.51.100.{guess}"));
        assert_eq!(sign_in(&mut stranger, "ada", "a wrong password, guessed").await.status, 422);
    }
    let mut stranger = from(&service, "203.0.113.1");
    let wrong = sign_in(&mut stranger, "ada", "a wrong password, guessed").await;
    let mut stranger = from(&service, "203.0.113.2");
    let right = sign_in(&mut stranger, "ada", PASSWORD).await;
    assert_eq!(right.status, 422, "the password of an unknown device is not looked at any more");
    let names = |answer: &haechi_test::Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        (answer.status, names, answer.body.len())
    };
    assert_eq!(names(&right), names(&wrong), "and the answer does not tell");
    assert!(right.text().contains("Invalid user name or password."));

    let mut home = from(&service, "203.0.113.3");
    home.jar().plant("__Host-device", &device);
    assert_eq!(sign_in(&mut home, "ada", "a wrong password, guessed").await.status, 422);
    assert_eq!(sign_in(&mut home, "ada", PASSWORD).await.status, 303, "the known device signs in");
    assert_eq!(home.get("/mine").await.text(), "ada");
    let mut stranger = from(&service, "203.0.113.4");
    assert_eq!(sign_in(&mut stranger, "ada", PASSWORD).await.status, 422, "which frees no stranger");
}

/// A name that somebody will want can be guessed at before, and the network of whoever takes it may be used up.
#[tokio::test]
async fn a_new_account_is_signed_in_whatever_was_guessed_at_its_name_before() {
    let (_, service) = app().into_service(production()).await.unwrap();
    for guess in 0..104 {
        let mut stranger = from(&service, &format!("198.51.100.{guess}"));
        assert_eq!(sign_in(&mut stranger, "future", "a wrong password, guessed").await.status, 422);
    }
    let mut neighbour = from(&service, "192.0.2.1");
    let mut tried = 0;
    while sign_in(&mut neighbour, &format!("nobody{tried}"), "a wrong password, guessed").await.status != 429
    {
        tried += 1;
    }
    let mut future = from(&service, "192.0.2.1");
    let answer = sign_up(&mut future, "future").await;
    assert_eq!(answer.header("location"), "/");
    assert_eq!(future.get("/mine").await.text(), "future");
    assert!(future.jar().find("__Host-device").is_some());
    let mut elsewhere = from(&service, "203.0.113.9");
    assert_eq!(sign_in(&mut elsewhere, "future", PASSWORD).await.status, 303, "from any device");
}

#[tokio::test]
async fn the_cookie_of_a_device_signs_nobody_in_and_stays_400_days_on_this_host_alone() {
    let (_, service) = app().into_service(production()).await.unwrap();
    let mut ada = from(&service, "192.0.2.1");
    // Longer than what stands in a text of random letters by chance.
    let answer = sign_up(&mut ada, "adalovelace").await;
    let line =
        answer.cookies().into_iter().find(|line| line.starts_with("__Host-device=")).unwrap().to_owned();
    assert!(
        line.ends_with("; Path=/; Max-Age=34560000; Secure; HttpOnly; SameSite=Lax")
            && !line.contains("adalovelace"),
        "{line}"
    );
    let device = ada.jar().find("__Host-device").unwrap().to_owned();
    ada.jar().clear();
    ada.jar().plant("__Host-device", &device);
    assert_eq!(ada.get("/mine").await.status, 303);
    ada.jar().plant("__Host-session", &device);
    assert_eq!(ada.get("/mine").await.status, 303);
}

#[tokio::test]
async fn a_failure_sets_no_cookie_of_a_device() {
    let (_, service) = app().into_service(production()).await.unwrap();
    let mut ada = from(&service, "192.0.2.1");
    sign_up(&mut ada, "ada").await;
    let mut stranger = from(&service, "198.51.100.1");
    let answer = sign_in(&mut stranger, "ada", "a wrong password, guessed").await;
    assert!(answer.cookies().iter().all(|line| !line.contains("device")), "{:?}", answer.cookies());
}

/// How many counters a failure with this cookie begins: a device has one, a network and an account there two.
async fn counters(site: &Site, browser: &mut Browser, cookie: &str) -> i64 {
    async fn rows(site: &Site) -> i64 {
        haechi::sql!("select count(*) from haechi_throttle").scalar(site.db()).await.unwrap()
    }
    browser.jar().plant("__Host-device", cookie);
    let before = rows(site).await;
    assert_eq!(sign_in(browser, "ada", "a wrong password, guessed").await.status, 422);
    rows(site).await - before
}

#[tokio::test]
async fn a_cookie_of_a_device_that_was_changed_or_is_anothers_gives_no_allowance() {
    let (site, service) = app().into_service(production()).await.unwrap();
    let mut ada = from(&service, "192.0.2.1");
    sign_up(&mut ada, "ada").await;
    let ada = ada.jar().find("__Host-device").unwrap().to_owned();
    let mut eve = from(&service, "192.0.2.2");
    sign_up(&mut eve, "eve").await;
    let eve = eve.jar().find("__Host-device").unwrap().to_owned();
    // The counter of failures in a row, which every unknown device shares, begins here.
    sign_in(&mut from(&service, "192.0.2.3"), "ada", "a wrong password, guessed").await;
    let changed = format!("{}{}", if ada.starts_with('B') { 'C' } else { 'B' }, &ada[1..]);
    for (number, cookie) in [eve.as_str(), &changed, "", "x.y:z", &"9".repeat(3_000)].into_iter().enumerate()
    {
        let mut browser = from(&service, &format!("198.51.100.{number}"));
        assert_eq!(counters(&site, &mut browser, cookie).await, 2, "{cookie}");
    }
    assert_eq!(counters(&site, &mut from(&service, "198.51.100.9"), &ada).await, 1, "its own");
}
