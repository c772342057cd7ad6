//! The device page.

use std::collections::BTreeMap;

use haechi::Config;
use haechi_test::Answer;

use crate::site::{PASSWORD, browser, open, sign_in, sign_up};

/// The handles that a page offers to end.
fn handles(page: &Answer) -> Vec<String> {
    let text = page.text();
    let values = text.split("name=\"end\" value=\"").skip(1).filter_map(|rest| rest.split('"').next());
    values.filter(|value| *value != "others").map(str::to_owned).collect()
}

#[tokio::test]
async fn a_person_sees_every_device_and_ends_one() {
    let mut desk = browser()
        .await
        .always("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    sign_up(&mut desk, "ada").await;
    let mut phone = desk.clone();
    phone.jar().clear();
    assert_eq!(sign_in(&mut phone, "ada", PASSWORD).await.status, 303);
    let page = desk.get("/accounts/devices").await;
    assert!(page.text().contains("Firefox, Linux") && page.text().contains("this one"), "{}", page.text());
    let before = handles(&page);
    assert_eq!(before.len(), 2);
    let other = handles(&page).into_iter().find(|handle| {
        let row = page.text().split("<tr>").find(|row| row.contains(handle)).unwrap().to_owned();
        !row.contains("this one")
    });
    let answer = desk.post_form("/accounts/devices", &[("end", &other.unwrap())]).await;
    assert_eq!(answer.header("location"), "/accounts/devices");
    let page = desk.follow(&answer).await;
    assert!(page.text().contains("Signed out there."), "{}", page.text());
    assert_eq!(handles(&page).len(), 1);
    assert_eq!(phone.get("/mine").await.status, 303);
    assert_eq!(desk.get("/mine").await.text(), "ada");
}

#[tokio::test]
async fn a_person_ends_all_other_devices() {
    let mut desk = browser().await;
    sign_up(&mut desk, "ada").await;
    let mut phone = desk.clone();
    phone.jar().clear();
    sign_in(&mut phone, "ada", PASSWORD).await;
    desk.get("/accounts/devices").await;
    desk.post_form("/accounts/devices", &[("end", "others")]).await;
    assert_eq!(phone.get("/mine").await.status, 303);
    assert_eq!(desk.get("/mine").await.text(), "ada");
}

#[tokio::test]
async fn ending_this_device_signs_out() {
    let mut desk = browser().await;
    sign_up(&mut desk, "ada").await;
    let here = handles(&desk.get("/accounts/devices").await).remove(0);
    let answer = desk.post_form("/accounts/devices", &[("end", &here)]).await;
    assert!(answer.header("clear-site-data").contains("storage"));
    assert_eq!(desk.get("/mine").await.status, 303);
}

#[tokio::test]
async fn a_site_whose_sessions_are_cookies_says_that_it_cannot_list_them() {
    let mut config = Config::parse("[session]\nstore = \"cookie\"", &BTreeMap::new()).unwrap();
    config.database = crate::site::config().database;
    config.secret_key = crate::site::config().secret_key;
    let (_, mut desk) = open(config).await;
    sign_up(&mut desk, "ada").await;
    let page = desk.get("/accounts/devices").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("cannot list them one by one") && handles(&page).is_empty(),
        "{}",
        page.text()
    );
    assert!(!page.text().contains("value=\"others\""), "nothing is offered that cannot be done");
    for end in ["others", "0123456789abcdef0123456789abcdef", ""] {
        let answer = desk.post_form("/accounts/devices", &[("end", end)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/accounts/devices"), "{end}");
    }
    assert_eq!(desk.get("/mine").await.text(), "ada");
    let mut phone = desk.clone();
    let new = "a longer walk by the sea";
    desk.get("/accounts/password/change").await;
    let change = [("old_password", PASSWORD), ("new_password", new)];
    assert_eq!(desk.post_form("/accounts/password/change", &change).await.status, 303);
    assert_eq!(desk.get("/mine").await.text(), "ada");
    assert_eq!(phone.get("/mine").await.status, 303, "as the page says, a changed password ends the others");
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let mut ada = browser().await;
    sign_up(&mut ada, "ada").await;
    let handle = handles(&ada.get("/accounts/devices").await).remove(0);
    let mut eve = ada.clone();
    eve.jar().clear();
    sign_up(&mut eve, "eve").await;
    let seen = handles(&eve.get("/accounts/devices").await);
    assert!(seen.len() == 1 && seen[0] != handle, "{seen:?}");
    eve.post_form("/accounts/devices", &[("end", &handle)]).await;
    assert_eq!(ada.get("/mine").await.text(), "ada");
}

#[tokio::test]
async fn the_handle_of_a_session_opens_none() {
    let mut ada = browser().await;
    sign_up(&mut ada, "ada").await;
    let handle = handles(&ada.get("/accounts/devices").await).remove(0);
    ada.jar().clear();
    ada.jar().plant("session", &handle);
    assert_eq!(ada.get("/mine").await.status, 303);
}

#[tokio::test]
async fn a_browser_that_calls_itself_a_script_is_shown_as_text() {
    let mut ada = browser().await.always("user-agent", "<script>alert(1)</script>");
    sign_up(&mut ada, "ada").await;
    let page = ada.get("/accounts/devices").await;
    assert!(!page.text().contains("<script>alert"), "{}", page.text());
}
