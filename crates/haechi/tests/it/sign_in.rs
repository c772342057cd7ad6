//! Signing in, staying signed in, and its end.

use haechi_test::Shot;

use crate::site::{PASSWORD, browser, sign_in, sign_up};

#[tokio::test]
async fn a_sign_in_gives_the_session_an_id_that_nobody_knew_before() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    let before = browser.jar().find("session").unwrap().to_owned();
    browser.get("/accounts/password/change").await;
    let fields = [("username", "ada"), ("password", PASSWORD)];
    assert_eq!(browser.post_form("/accounts/login", &fields).await.status, 303);
    let after = browser.jar().find("session").unwrap().to_owned();
    assert_ne!(before, after);
    let mut thief = browser.clone();
    thief.jar().plant("session", &before);
    assert_eq!(thief.get("/mine").await.status, 303, "the old id is dead");
}

#[tokio::test]
async fn an_id_that_somebody_planted_is_never_taken_over() {
    let mut browser = browser().await;
    let planted = "A".repeat(43);
    browser.get("/accounts/signup").await;
    // After the page, whose answer removes what is no session.
    browser.jar().plant("session", &planted);
    let fields = [("username", "ada"), ("email", "ada@example.org"), ("password", PASSWORD)];
    assert_eq!(browser.post_form("/accounts/signup", &fields).await.status, 303);
    assert_ne!(browser.jar().find("session"), Some(planted.as_str()));
    browser.jar().plant("session", &planted);
    assert_eq!(browser.get("/mine").await.status, 303);
}

/// asvs_14_3_1, asvs_7_4_1: the store lets go and the browser clears.
#[tokio::test]
async fn a_sign_out_ends_the_session_everywhere_and_clears_the_browser() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    let mut copy = browser.clone();
    assert_eq!(copy.get("/mine").await.text(), "ada");
    browser.get("/accounts/password/change").await;
    browser.jar().plant("draft", "what she wrote");
    let device = browser.jar().find("device").unwrap().to_owned();
    let answer = browser.post_form("/accounts/logout", &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(
        browser.jar().header().as_deref(),
        Some(format!("device={device}").as_str()),
        "the device stays known"
    );
    assert_eq!(copy.get("/mine").await.status, 303, "the id is dead, whoever kept it");
    assert_eq!(browser.get("/mine").await.status, 303);
}

/// asvs_14_3_2: kept by no cache.
#[tokio::test]
async fn a_page_behind_a_session_is_kept_by_no_cache() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    for path in ["/mine", "/careful", "/accounts/devices", "/accounts/password/change", "/moderate"] {
        let page = browser.get(path).await;
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(page.header("vary").contains("Cookie"), "{path}");
    }
}

#[tokio::test]
async fn a_link_signs_nobody_out() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    assert_eq!(browser.get("/accounts/logout").await.status, 405);
    assert_eq!(browser.get("/mine").await.text(), "ada");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_page() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    // Tokens are masked anew for each page.
    let masked = |text: &str| -> String {
        let rest = |part: &str| part.split_once("value=\"").unwrap().1.split_once('"').unwrap().1.to_owned();
        let mut parts = text.split("name=\"csrf_token\"");
        let first = parts.next().unwrap().to_owned();
        parts.map(rest).fold(first, |page, part| page + &part)
    };
    let mut pages = Vec::new();
    for name in ["ada", "nobody"] {
        let answer = sign_in(&mut browser, name, "not the password at all").await;
        assert_eq!(answer.status, 422);
        pages.push(masked(&answer.text()).replace(&format!("\"{name}\""), "NAME"));
    }
    assert_eq!(pages[0], pages[1]);
    assert!(pages[0].contains("Invalid user name or password."));
}

#[tokio::test]
async fn guessing_is_slowed_and_the_page_says_when_to_come_back() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    let mut slowed = None;
    for guess in 0..20 {
        let answer = sign_in(&mut browser, "ada", &format!("wrong password number {guess}")).await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("guesses faster than the wait are slowed");
    assert!(slowed.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(slowed.text().contains("Too many attempts"));
}

/// asvs_14_2_1: no secret is taken from an address.
#[tokio::test]
async fn a_sign_in_takes_its_fields_from_the_form_and_never_from_the_address() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    let target = format!("/accounts/login?username=ada&password={}", PASSWORD.replace(' ', "+"));
    browser.request(Shot::new("GET", &target)).await;
    assert_eq!(browser.get("/mine").await.status, 303);
    browser.get("/accounts/login").await;
    assert_eq!(browser.post_form(&target, &[]).await.status, 400);
    assert_eq!(browser.get("/mine").await.status, 303);
}

#[tokio::test]
async fn what_a_visitor_typed_is_shown_as_text() {
    let mut browser = browser().await;
    let answer = sign_in(&mut browser, "\"><script>alert(1)</script>", "x").await;
    assert!(!answer.text().contains("<script>alert"), "{}", answer.text());
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    let mut other = browser.clone();
    other.jar().clear();
    assert_eq!(sign_in(&mut other, "ada", PASSWORD).await.status, 303);
    browser.get("/accounts/password/change").await;
    let new = "another walk along the sea";
    let wrong = [("old_password", "not my password now"), ("new_password", new)];
    assert_eq!(browser.post_form("/accounts/password/change", &wrong).await.status, 422);
    let right = [("old_password", PASSWORD), ("new_password", new)];
    assert_eq!(browser.post_form("/accounts/password/change", &right).await.status, 303);
    assert_eq!(browser.get("/mine").await.text(), "ada");
    assert_eq!(other.get("/mine").await.status, 303);
    assert_eq!(sign_in(&mut other, "ada", PASSWORD).await.status, 422);
    assert_eq!(sign_in(&mut other, "ada", new).await.status, 303);
}

/// What is wrong with each field, all at once; that a name is taken only as often as its allowance lets it.
#[tokio::test]
async fn a_form_with_several_mistakes_names_them_all() {
    let mut browser = browser().await;
    sign_up(&mut browser, "ada").await;
    browser.jar().clear();
    for (name, said) in [("ADA", "This name is taken."), ("a b", "Use letters, digits"), ("eve", "")] {
        browser.get("/accounts/signup").await;
        let fields = [("username", name), ("email", "none"), ("password", "short")];
        let answer = browser.post_form("/accounts/signup", &fields).await;
        let text = answer.text();
        assert_eq!(answer.status, 422);
        assert!(text.contains(said) && text.contains("not an e-mail address"), "{name}: {text}");
        assert!(text.contains("too short"), "{name}: {text}");
        assert_eq!(text.contains("wrong_username"), !said.is_empty(), "{name}: {text}");
    }
    let mut told = 0;
    // Waits double: however slow this machine is, one of these comes too early.
    for _ in 0..30 {
        let fields = [("username", "ada"), ("email", ""), ("password", "short")];
        let answer = browser.post_form("/accounts/signup", &fields).await;
        assert_eq!(answer.status, 422);
        if !answer.text().contains("This name is taken.") {
            break;
        }
        told += 1;
    }
    assert!((1..20).contains(&told), "{told}");
    let fields = [("username", "eve"), ("email", ""), ("password", PASSWORD)];
    assert_eq!(browser.post_form("/accounts/signup", &fields).await.status, 303, "no sign-up was used up");
}

/// A person who uses no mouse, or sees no page, is where the mistake is and hears what it is.
#[tokio::test]
async fn after_a_mistake_the_first_wrong_field_has_the_focus_and_its_words() {
    #[track_caller]
    fn check(page: &str, name: &str, described_by: &str, focus: bool) {
        let field = page.split("<input ").find(|field| field.starts_with(&format!("id=\"id_{name}\"")));
        let field = field.unwrap().split('>').next().unwrap();
        assert!(field.contains(&format!("aria-describedby=\"{described_by}\"")), "{field}");
        assert_eq!(field.contains(" autofocus"), focus, "{field}");
        for id in described_by.split(' ') {
            assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}: {page}");
        }
        assert_eq!(page.matches(" autofocus").count(), 1, "{page}");
    }
    let mut browser = browser().await;
    browser.get("/accounts/signup").await;
    let fields = [("username", "ada"), ("email", "none"), ("password", "short")];
    let page = browser.post_form("/accounts/signup", &fields).await.text();
    check(&page, "email", "wrong_email", true);
    check(&page, "password", "wrong_password hint_password", false);
    let page = sign_in(&mut browser, "ada", "not the password at all").await.text();
    check(&page, "username", "wrong_sign_in", false);
    check(&page, "password", "wrong_sign_in", true);
}

#[tokio::test]
async fn a_weak_password_is_refused_beside_its_field() {
    let mut browser = browser().await;
    for (password, said) in [
        ("short", "too short"),
        ("adalovelace adalovelace 1815", "too close"),
        ("passwordpassword", "too common"),
    ] {
        browser.get("/accounts/signup").await;
        let fields = [("username", "adalovelace"), ("email", "ada@example.org"), ("password", password)];
        let answer = browser.post_form("/accounts/signup", &fields).await;
        assert_eq!(answer.status, 422, "{password}");
        assert!(answer.text().contains(said), "{password}: {}", answer.text());
        assert!(!answer.text().contains(&format!("value=\"{password}\"")), "{password} is sent back");
    }
}
