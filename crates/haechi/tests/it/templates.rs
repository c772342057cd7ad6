//! What pages see, and pages that the site replaces.

use haechi::axum::Router;
use haechi::axum::routing::get;
use haechi::{Config, Site, View, context};
use haechi_test::Client;

use crate::site::{Browser, app, config, production, sign_up};

async fn open(config: Config, address: &str) -> (Site, Browser) {
    let buttons = get(|| async { View::new("buttons.html", context! {}) });
    let app =
        app().templates(haechi::embed!("tests/templates")).public(Router::new().route("/buttons", buttons));
    let (site, service) = app.into_service(config).await.unwrap();
    (
        site,
        Client::new(service, address)
            .always("x-forwarded-proto", "https")
            .always("x-forwarded-for", "192.0.2.7"),
    )
}

#[tokio::test]
async fn a_page_shows_a_button_only_to_those_who_may() {
    // On disk and reloaded, and embedded as a server has it.
    for (config, address) in [(config(), "http://localhost"), (production(), "https://example.org")] {
        let (site, mut browser) = open(config, address).await;
        let mut shows = async || browser.get("/buttons").await.text();
        assert!(!shows().await.contains("Moderate"), "nobody may");
        sign_up(&mut browser, "ada").await;
        let mut shows = async || browser.get("/buttons").await.text();
        assert!(!shows().await.contains("Moderate"), "a member may not");
        site.authority().grant(1, "board.other").await.unwrap();
        assert!(!shows().await.contains("Moderate"));
        site.authority().grant(1, "board.moderate").await.unwrap();
        let page = shows().await;
        assert!(page.contains("Moderate") && !page.contains("everything"), "{page}");
        site.authority().revoke(1, "board.moderate").await.unwrap();
        assert!(!shows().await.contains("Moderate"), "from the next page on");
        haechi::sql!("update auth_user set is_superuser = {yes}", yes = true)
            .execute(site.db())
            .await
            .unwrap();
        assert!(shows().await.contains("Moderate"), "a superuser may");
    }
}

#[tokio::test]
async fn a_site_replaces_a_page_of_accounts_by_its_name() {
    let (_, mut browser) = open(config(), "http://localhost").await;
    let page = browser.get("/accounts/login").await;
    assert!(
        page.text().contains("The site's own sign-in page") && page.form_token().is_some(),
        "{}",
        page.text()
    );
    assert!(browser.get("/accounts/signup").await.text().contains("<h1>Sign up</h1>"), "the others stay");
}
