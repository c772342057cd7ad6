//! Proving an e-mail address, and signing up with somebody else's.

use haechi::Site;
use haechi_core::{Purpose, Signer, base64url};
use haechi_test::Answer;

use crate::outbox::{Outbox, link, site_with};
use crate::site::{Browser, PASSWORD, sign_up};

async fn is_confirmed(browser: &mut Browser) -> bool {
    let page = browser.get("/accounts/devices").await.text();
    assert_ne!(page.contains("· confirmed"), page.contains("not confirmed yet"), "{page}");
    page.contains("· confirmed")
}

/// Opens the link of a mail, and presses the button of its page.
async fn prove(browser: &mut Browser, link: &str) -> Answer {
    let moved = browser.get(link).await;
    if moved.status == 303 {
        browser.follow(&moved).await;
    }
    browser.post_form("/accounts/email/confirm", &[]).await
}

async fn sign_up_with(browser: &mut Browser, username: &str, email: &str) -> Answer {
    browser.jar().clear();
    browser.get("/accounts/signup").await;
    let fields = [("username", username), ("email", email), ("password", PASSWORD)];
    browser.post_form("/accounts/signup", &fields).await
}

#[tokio::test]
async fn a_sign_up_sends_a_link_that_proves_the_address_once() {
    let outbox = Outbox::new("proof");
    let (site, mut ada) = site_with(&outbox.0).await;
    sign_up(&mut ada, "ada").await;
    assert!(!is_confirmed(&mut ada).await);
    let mail = outbox.read(&site).await;
    assert!(
        mail.contains("To: ada@example.org\n") && mail.contains("Subject: Confirm your address"),
        "{mail}"
    );
    let link = link(&mail);
    let mut reader = ada.clone();
    reader.jar().clear();
    let moved = reader.get(&link).await;
    assert_eq!(moved.header("location"), "/accounts/email/confirm", "the token leaves the address");
    let page = reader.follow(&moved).await;
    let token = link.split('/').nth(3).unwrap();
    assert!(page.text().contains("ada@example.org") && !page.text().contains(token), "{}", page.text());
    assert!(!is_confirmed(&mut ada).await, "a scanner of mails that opens the link proves nothing");
    let answer = reader.post_form("/accounts/email/confirm", &[]).await;
    assert_eq!(answer.status, 303);
    assert!(is_confirmed(&mut ada).await);
    assert_eq!(reader.get("/mine").await.status, 303, "the link signs nobody in");
    assert_eq!(reader.get(&link).await.status, 422, "the link is used up");
    assert_eq!(reader.post_form("/accounts/email/confirm", &[]).await.status, 422);
    assert_eq!(
        events(&site, "e-mail verified").await,
        1,
        "the log holds the proof, once, and no opening of the link"
    );
}

/// How often something stands in the security log, with the request that did it.
async fn events(site: &Site, event: &str) -> i64 {
    let logged = haechi::sql!(
        "select count(*) from haechi_security_log where event = {event} and length(request) = 24"
    );
    logged.scalar(site.db()).await.unwrap()
}

#[tokio::test]
async fn a_reset_that_is_asked_for_is_logged_with_its_request() {
    let outbox = Outbox::new("reset-logged");
    let (site, mut stranger) = site_with(&outbox.0).await;
    stranger.get("/accounts/password/reset").await;
    let answer = stranger.post_form("/accounts/password/reset", &[("email", "nobody@example.org")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(events(&site, "reset requested").await, 1);
}

/// A link as the site makes it, for another user, address or time.
fn forged(site: &Site, purpose: Purpose, user: i64, email: &str, age: i64) -> String {
    let value = base64url::encode(format!("{user}:{email}"));
    let token = Signer::new(site.keys().clone(), purpose).sign_at(&value, site.clock().unix() - age);
    format!("/accounts/email/{token}/")
}

#[tokio::test]
async fn a_link_is_bound_to_its_address_its_user_and_three_days() {
    const EMAIL: Purpose = Purpose::new("haechi.auth.email");
    const DEVICE: Purpose = Purpose::new("haechi.auth.known_device");
    const DAY: i64 = 86_400;
    let outbox = Outbox::new("bound");
    let (site, mut ada) = site_with(&outbox.0).await;
    sign_up(&mut ada, "ada").await;
    let own = link(&outbox.read(&site).await);
    let rows = [
        (forged(&site, EMAIL, 1, "ada@example.org", 3 * DAY + 60), 422),
        (forged(&site, EMAIL, 1, "eve@example.org", 0), 422),
        (forged(&site, EMAIL, 2, "ada@example.org", 0), 422),
        (forged(&site, DEVICE, 1, "ada@example.org", 0), 422),
        (own.replacen("/email/", "/email/x", 1), 422),
        ("/accounts/email/%00/".to_owned(), 422),
        (format!("/accounts/email/{}/", "9".repeat(4_000)), 422),
        (forged(&site, EMAIL, 1, "ada@example.org", 3 * DAY - 60), 303),
    ];
    for (link, expected) in rows {
        assert_eq!(ada.get(&link).await.status, expected, "{link}");
    }
    haechi::sql!("update auth_user set email = 'new@example.org'").execute(site.db()).await.unwrap();
    assert_eq!(prove(&mut ada, &own).await.status, 422, "the address changed meanwhile");
    assert!(!is_confirmed(&mut ada).await);
}

#[tokio::test]
async fn a_proof_ends_with_a_change_of_the_address() {
    let outbox = Outbox::new("moved");
    let (site, mut ada) = site_with(&outbox.0).await;
    sign_up(&mut ada, "ada").await;
    let link = link(&outbox.read(&site).await);
    prove(&mut ada, &link).await;
    assert!(is_confirmed(&mut ada).await);
    haechi::sql!("update auth_user set email = 'new@example.org'").execute(site.db()).await.unwrap();
    assert!(!is_confirmed(&mut ada).await);
}

#[tokio::test]
async fn a_stranger_with_an_address_in_use_learns_nothing_and_its_owner_is_told() {
    let outbox = Outbox::new("in-use");
    let (site, mut browser) = site_with(&outbox.0).await;
    sign_up(&mut browser, "ada").await;
    let link_of_ada = link(&outbox.read(&site).await);
    prove(&mut browser, &link_of_ada).await;
    outbox.empty(&site).await;

    let free = sign_up_with(&mut browser, "mallory1", "free@example.org").await;
    let free_devices = browser.get("/accounts/devices").await.text();
    outbox.empty(&site).await;
    let used = sign_up_with(&mut browser, "mallory2", "ADA@example.org").await;
    let used_devices = browser.get("/accounts/devices").await.text();
    let names = |answer: &Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
    assert_eq!((used.status, used.header("location")), (free.status, free.header("location")));
    assert_eq!(names(&used), names(&free));
    for page in [free_devices, used_devices] {
        assert!(page.contains("not confirmed yet"), "{page}");
    }
    let mail = outbox.read(&site).await;
    assert!(mail.contains("To: ada@example.org\n") && mail.contains("Your own account is ada."), "{mail}");
    assert!(!mail.contains("/accounts/email/") && !mail.contains("mallory"), "{mail}");
}

#[tokio::test]
async fn a_stranger_who_came_first_keeps_nobody_from_their_own_address() {
    let outbox = Outbox::new("squat");
    let (site, mut browser) = site_with(&outbox.0).await;
    sign_up_with(&mut browser, "mallory", "ada@example.org").await;
    outbox.empty(&site).await;
    sign_up_with(&mut browser, "ada", "ada@example.org").await;
    let link_of_ada = link(&outbox.read(&site).await);
    prove(&mut browser, &link_of_ada).await;
    assert!(is_confirmed(&mut browser).await);
    outbox.empty(&site).await;
    browser.jar().clear();
    browser.get("/accounts/password/reset").await;
    browser.post_form("/accounts/password/reset", &[("email", "ada@example.org")]).await;
    let mail = outbox.read(&site).await;
    assert!(mail.contains("new password for ada at"), "the reset is for who proved the address: {mail}");
}

#[tokio::test]
async fn links_on_request_are_limited_and_the_page_says_so_in_the_language_of_its_reader() {
    let outbox = Outbox::new("links");
    let (site, browser) = site_with(&outbox.0).await;
    let mut ada = browser.always("accept-language", "ko");
    sign_up(&mut ada, "ada").await;
    let mut last = None;
    // Waits double: however slow this machine is, one of these comes too early.
    for _ in 0..20 {
        ada.get("/accounts/devices").await;
        let answer = ada.post_form("/accounts/email", &[]).await;
        if answer.status == 429 {
            last = Some(answer);
            break;
        }
    }
    let last = last.expect("links are limited");
    assert!(
        last.text().contains("시도가 너무 많습니다") && !last.header("retry-after").is_empty(),
        "{}",
        last.text()
    );
    assert!(outbox.read(&site).await.contains("Subject:"));
}

#[tokio::test]
async fn who_has_to_wait_reads_a_page_in_their_language() {
    let outbox = Outbox::new("wait");
    let (_, browser) = site_with(&outbox.0).await;
    for (language, said) in [("en", "Too many attempts"), ("ko", "시도가 너무 많습니다")] {
        let mut browser = browser.clone().always("accept-language", language);
        let mut slowed = None;
        for _ in 0..20 {
            browser.get("/accounts/password/reset").await;
            let fields = [("email", "nobody@example.org")];
            let answer = browser.post_form("/accounts/password/reset", &fields).await;
            if answer.status == 429 {
                slowed = Some(answer.text());
                break;
            }
        }
        let page = slowed.expect("reset mails are limited");
        assert!(page.contains(said) && page.contains("<main"), "{page}");
        let mut slowed = None;
        for number in 0..30 {
            let answer = sign_up_with(&mut browser, &format!("{language}{number}"), "").await;
            if answer.status == 429 {
                slowed = Some(answer.text());
                break;
            }
        }
        let page = slowed.expect("sign-ups are limited");
        assert!(page.contains(said) && page.contains("<main"), "{page}");
    }
}

/// asvs_6_3_7: a change that a thief made does not stay unnoticed; an address that nobody proved gets no mail of it.
#[tokio::test]
async fn asvs_6_3_7_a_changed_password_is_told_to_the_proved_address() {
    let outbox = Outbox::new("notice");
    let (site, mut ada) = site_with(&outbox.0).await;
    sign_up(&mut ada, "ada").await;
    let proof = link(&outbox.read(&site).await);
    outbox.empty(&site).await;
    let (first, second) = ("another walk along the sea", "a third walk over the hills");
    change(&mut ada, PASSWORD, first).await;
    assert_eq!(outbox.read(&site).await, "", "the address may be a stranger's");
    assert_eq!(prove(&mut ada, &proof).await.status, 303);
    change(&mut ada, first, second).await;
    let mail = outbox.read(&site).await;
    assert!(
        mail.contains("To: ada@example.org\n") && mail.contains("Subject: Your password at test"),
        "{mail}"
    );
    assert!(mail.contains("http://localhost/accounts/password/reset"), "{mail}");
    assert!(!mail.contains(first) && !mail.contains(second), "{mail}");
    outbox.empty(&site).await;
    ada.get("/accounts/password/change").await;
    let wrong = [("old_password", "not my password now"), ("new_password", first)];
    assert_eq!(ada.post_form("/accounts/password/change", &wrong).await.status, 422);
    assert_eq!(outbox.read(&site).await, "");
}

async fn change(browser: &mut Browser, old: &str, new: &str) {
    browser.get("/accounts/password/change").await;
    let fields = [("old_password", old), ("new_password", new)];
    assert_eq!(browser.post_form("/accounts/password/change", &fields).await.status, 303);
}
