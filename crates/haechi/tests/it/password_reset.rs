//! A new password by mail: once, within its time, and without telling a stranger who has an account.

use haechi_test::Answer;

use crate::outbox::{Outbox, link, site_with};
use crate::site::{Browser, PASSWORD, app, production, sign_in, sign_up};

const NEW: &str = "another walk along the sea";

async fn ask(browser: &mut Browser, email: &str) -> Answer {
    browser.get("/accounts/password/reset").await;
    browser.post_form("/accounts/password/reset", &[("email", email)]).await
}

/// asvs_6_3_6, asvs_6_4_1: a link of a mail sets a password once and signs nobody in.
#[tokio::test]
async fn a_link_sets_a_new_password_once_and_ends_every_session() {
    let outbox = Outbox::new("once");
    let (site, mut ada) = site_with(&outbox.0).await;
    sign_up(&mut ada, "ada").await;
    let mut visitor = ada.clone();
    visitor.jar().clear();
    assert_eq!(ask(&mut visitor, "ADA@example.org").await.status, 200);
    let mail = outbox.read(&site).await;
    assert!(mail.contains("To: ada@example.org\n") && mail.contains("ada at test"), "{mail}");
    let link = link(&mail);
    let moved = visitor.get(&link).await;
    let place = moved.header("location").to_owned();
    assert!(place.ends_with("/set-password/"), "the token leaves the address: {place}");
    let form = visitor.follow(&moved).await;
    assert!(form.status == 200 && !form.text().contains(link.rsplit('/').nth(1).unwrap()));
    assert_eq!(visitor.post_form(&place, &[("new_password", "short")]).await.status, 422);
    let done = visitor.post_form(&place, &[("new_password", NEW)]).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/accounts/login"));
    assert!(visitor.follow(&done).await.text().contains("Your new password is set."));
    assert_eq!(ada.get("/mine").await.status, 303, "who held the account before holds nothing");
    assert_eq!(sign_in(&mut visitor, "ada", PASSWORD).await.status, 422);
    assert_eq!(sign_in(&mut visitor, "ada", NEW).await.status, 303);
    visitor.jar().clear();
    assert_eq!(visitor.get(&link).await.status, 422, "the link is used up");
    assert_eq!(visitor.get(&place).await.status, 422);
}

/// Whoever guesses on while the owner sets a new password does not keep the owner out with it.
#[tokio::test]
async fn who_sets_a_password_by_a_link_signs_in_with_it_whatever_is_guessed_meanwhile() {
    let outbox = Outbox::new("guessed");
    let mut config = production();
    config.mail = haechi::Secret::new(format!("file:{}", outbox.0.display()));
    let (site, service) = app().into_service(config).await.unwrap();
    let from = |address: &str| {
        let browser = Browser::new(service.clone(), "https://example.org");
        browser.always("x-forwarded-proto", "https").always("x-forwarded-for", address)
    };
    sign_up(&mut from("192.0.2.1"), "ada").await;
    outbox.empty(&site).await;
    let mut ada = from("192.0.2.2");
    ask(&mut ada, "ada@example.org").await;
    let mail = outbox.read(&site).await;
    let (_, link) = mail.rsplit_once("https://example.org").unwrap();
    let moved = ada.get(link.split_whitespace().next().unwrap()).await;
    let place = moved.header("location").to_owned();
    ada.get(&place).await;
    assert_eq!(ada.post_form(&place, &[("new_password", NEW)]).await.status, 303);
    for guess in 0..104 {
        let mut stranger = from(&format!("198.51.100.{guess}"));
        assert_eq!(sign_in(&mut stranger, "ada", "a wrong password, guessed").await.status, 422);
    }
    assert_eq!(sign_in(&mut from("203.0.113.9"), "ada", NEW).await.status, 422, "no stranger's device");
    assert_eq!(sign_in(&mut ada, "ada", NEW).await.status, 303);
}

/// Strangers who enter the address before its owner does, more of them than are looked at.
#[tokio::test]
async fn a_link_goes_to_who_proved_the_address_however_many_entered_it_before() {
    let outbox = Outbox::new("squatters");
    let (site, mut browser) = site_with(&outbox.0).await;
    for number in 0..12 {
        let username = format!("squat.{number}");
        let new = haechi::CreateUser {
            username: &username,
            email: "ada@example.org",
            password: PASSWORD,
            is_superuser: false,
        };
        site.authority().create_user(new).await.unwrap();
    }
    ask(&mut browser, "ada@example.org").await;
    let mail = outbox.read(&site).await;
    assert!(!mail.contains("squat."), "a stranger's name is no text of ours: {mail}");
    outbox.empty(&site).await;
    sign_up(&mut browser, "ada").await;
    let proof = link(&outbox.read(&site).await);
    outbox.empty(&site).await;
    let moved = browser.get(&proof).await;
    let place = moved.header("location").to_owned();
    browser.get(&place).await;
    assert_eq!(browser.post_form(&place, &[]).await.status, 303);
    browser.jar().clear();
    ask(&mut browser, "ada@example.org").await;
    let mail = outbox.read(&site).await;
    assert!(mail.contains("for ada at test"), "{mail}");
    outbox.empty(&site).await;
    browser.get("/accounts/signup").await;
    let fields = [("username", "eve"), ("email", "ada@example.org"), ("password", PASSWORD)];
    assert_eq!(browser.post_form("/accounts/signup", &fields).await.status, 303);
    assert!(outbox.read(&site).await.contains("You have an account"), "the owner is told");
}

#[tokio::test]
async fn a_reset_tells_nobody_who_has_an_account() {
    let outbox = Outbox::new("nobody");
    let (site, mut browser) = site_with(&outbox.0).await;
    sign_up(&mut browser, "ada").await;
    outbox.empty(&site).await;
    browser.jar().clear();
    let shown = |answer: &Answer| answer.text().split("<main").nth(1).unwrap().to_owned();
    let unknown = ask(&mut browser, "nobody@example.org").await;
    assert_eq!(outbox.read(&site).await, "");
    let known = ask(&mut browser, "ada@example.org").await;
    assert_eq!(shown(&known), shown(&unknown));
    assert_eq!(known.headers.keys().collect::<Vec<_>>(), unknown.headers.keys().collect::<Vec<_>>());
    assert!(!outbox.read(&site).await.is_empty());
}

#[tokio::test]
async fn a_link_that_was_changed_or_belongs_to_another_opens_nothing() {
    let outbox = Outbox::new("changed");
    let (site, mut browser) = site_with(&outbox.0).await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    sign_up(&mut browser, "bob").await;
    browser.jar().clear();
    ask(&mut browser, "ada@example.org").await;
    let link = link(&outbox.read(&site).await);
    let token = link.rsplit('/').nth(1).unwrap();
    for wrong in [
        format!("/accounts/reset/Mg/{token}/"),
        format!("/accounts/reset/MQ/{}/", &token[..token.len() - 1]),
        "/accounts/reset/MQ/set-password/".to_owned(),
        format!("/accounts/reset/%00/{token}/"),
        format!("/accounts/reset/{}/{token}/", "9".repeat(60)),
    ] {
        let answer = browser.get(&wrong).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(!answer.text().contains("new_password"), "{wrong}");
    }
    browser.get("/accounts/login").await;
    let forged = browser.post_form("/accounts/reset/MQ/set-password/", &[("new_password", NEW)]).await;
    assert_eq!(forged.status, 422);
    assert_eq!(sign_in(&mut browser, "ada", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn mails_for_one_address_are_limited() {
    let outbox = Outbox::new("limited");
    let (site, mut browser) = site_with(&outbox.0).await;
    sign_up(&mut browser, "ada").await;
    outbox.empty(&site).await;
    browser.jar().clear();
    // A machine that is slower than the wait gets some more through.
    let mut asked = 1;
    while ask(&mut browser, "ada@example.org").await.status != 429 {
        asked += 1;
        assert!(asked < 20, "nobody was told to wait");
    }
    assert!(outbox.read(&site).await.matches("Subject:").count() <= asked);
}

#[tokio::test]
async fn what_is_typed_into_the_form_begins_no_header_of_a_mail() {
    let outbox = Outbox::new("header");
    let (site, mut browser) = site_with(&outbox.0).await;
    let email = "ada@example.org\r\nBcc: eve@example.org";
    browser.get("/accounts/signup").await;
    let fields = [("username", "ada"), ("email", email), ("password", PASSWORD)];
    let answer = browser.post_form("/accounts/signup", &fields).await;
    assert!(answer.status == 422 && answer.text().contains("not an e-mail address"), "{}", answer.text());
    browser.jar().clear();
    ask(&mut browser, email).await;
    assert!(!outbox.read(&site).await.contains("Bcc"));
}

#[tokio::test]
async fn the_file_of_mails_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let outbox = Outbox::new("mode");
    let (site, mut browser) = site_with(&outbox.0).await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    ask(&mut browser, "ada@example.org").await;
    outbox.read(&site).await;
    assert_eq!(std::fs::metadata(&outbox.0).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_mail_speaks_the_language_of_the_page() {
    let outbox = Outbox::new("korean");
    let (site, browser) = site_with(&outbox.0).await;
    let mut browser = browser.always("accept-language", "ko-KR,ko;q=0.9");
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    let page = ask(&mut browser, "ada@example.org").await;
    assert!(page.text().contains("비밀번호 재설정") && page.text().contains("lang=\"ko\""));
    assert!(outbox.read(&site).await.contains("비밀번호 재설정을 요청했습니다"));
}
