//! Sign-up counts by itself: what uses it up leaves sign-in alone, and the other way round.

use haechi::SiteService;
use haechi_test::Client;

use crate::site::{Browser, PASSWORD, app, production, sign_in, sign_up};

fn from(service: &SiteService, address: &str) -> Browser {
    Client::new(service.clone(), "https://example.org")
        .always("x-forwarded-proto", "https")
        .always("x-forwarded-for", address)
}

/// Asks for a name that is taken until the answer is to wait; returns how often it was asked.
async fn use_up(browser: &mut Browser) -> usize {
    let fields = [("username", "ada"), ("email", ""), ("password", PASSWORD)];
    for asked in 1..30 {
        browser.get("/accounts/signup").await;
        let answer = browser.post_form("/accounts/signup", &fields).await;
        if answer.status == 429 {
            return asked;
        }
        assert_eq!(answer.status, 422);
    }
    panic!("nobody stops it");
}

/// asvs_2_4_1, asvs_6_3_1: one allowance for each action.
#[tokio::test]
async fn sign_ups_that_are_used_up_leave_sign_in_alone() {
    let (_, service) = app().into_service(production()).await.unwrap();
    assert_eq!(sign_up(&mut from(&service, "192.0.2.1"), "ada").await.status, 303);
    let mut here = from(&service, "192.0.2.9");
    let asked = use_up(&mut here).await;
    assert!((3..=11).contains(&asked), "{asked}");
    assert_eq!(
        sign_in(&mut from(&service, "192.0.2.9"), "ada", PASSWORD).await.status,
        303,
        "from the same network"
    );
    let elsewhere = sign_up(&mut from(&service, "198.51.100.1"), "bob").await;
    assert_eq!(elsewhere.status, 303, "and sign-up elsewhere");
}

#[tokio::test]
async fn sign_ins_that_are_used_up_leave_sign_up_alone() {
    let (_, service) = app().into_service(production()).await.unwrap();
    assert_eq!(sign_up(&mut from(&service, "192.0.2.1"), "ada").await.status, 303);
    let mut waits = false;
    for _ in 0..10 {
        let answer = sign_in(&mut from(&service, "192.0.2.9"), "ada", "a wrong password, guessed").await;
        waits |= answer.status == 429;
    }
    assert!(waits);
    assert_eq!(sign_in(&mut from(&service, "192.0.2.9"), "ada", PASSWORD).await.status, 429);
    assert_eq!(sign_up(&mut from(&service, "192.0.2.9"), "bob").await.status, 303);
}
