//! A small site with a route of every kind, and browsers that visit it.

use std::time::Duration;

use haechi::axum::body::Bytes;
use haechi::axum::extract::Request;
use haechi::axum::routing::{any, get, post};
use haechi::axum::{Json, Router};
use haechi::{
    Accounts, App, Auth, Config, CurrentUser, Error, LocalPath, Secret, Site, SiteService, redirect,
};
use haechi_test::{Answer, Client};

pub(crate) type Browser = Client<SiteService>;

pub(crate) const PASSWORD: &str = "a long walk by the river";

/// Settings that touch neither disk nor network.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.database.url = Some(Secret::new("sqlite::memory:".to_owned()));
    config.secret_key = Some(Secret::new("kx7Vb2qYt9LmR4sWz8NcDf5GhJ3pQa6E-test-only".to_owned()));
    config.limits.requests_per_minute = 100_000;
    config
}

/// A site behind a proxy that speaks TLS, as it stands in production.
pub(crate) fn production() -> Config {
    let mut config = config();
    config.bind = vec!["unix:site.sock".to_owned()];
    config.allowed_hosts = vec!["example.org".to_owned()];
    config.trusted_proxies = vec!["10.0.0.1".to_owned()];
    config
}

pub(crate) fn app() -> App {
    let public = Router::new()
        .route("/", get(|| async { "home" }))
        .route("/grow-old", get(grow_old))
        .route("/away", get(|| async { redirect(LocalPath::root()) }))
        .route("/fail", get(fail))
        .route("/panic", get(panics))
        .route("/hang", get(std::future::pending::<()>))
        .route("/nothing", any(|| async { "did it" }))
        .route("/request", post(|_: Request| async { "did it" }))
        .route("/bytes", post(|body: Bytes| async move { body }))
        .route("/json", any(|Json(_): Json<serde_json::Value>| async { "did it" }));
    let members =
        Router::new().route("/mine", get(mine).post(mine)).route("/bare", any(|| async { "did it" }));
    let careful = Router::new().route("/careful", get(mine).post(|| async { "did it" }));
    let moderators = Router::new().route("/moderate", get(|| async { "moderated" }));
    App::new("test")
        .public(public)
        .signed_in(members)
        .permission("board.moderate", moderators)
        .recent(Duration::from_secs(900), careful)
        .accounts(Accounts::default())
}

/// Makes the sign-in of this session an hour old.
async fn grow_old(auth: Auth) -> haechi::Result<&'static str> {
    let proved: Option<i64> = auth.session().get("_haechi_proved_at").await?;
    let proved = proved.expect("somebody is signed in");
    auth.session().insert("_haechi_proved_at", &(proved - 3_600)).await?;
    Ok("an hour later")
}

async fn fail() -> haechi::Result<&'static str> {
    Err(Error::from(std::io::Error::other("the secret detail of a failure")))
}

async fn panics() -> &'static str {
    panic!("the secret detail of a panic")
}

async fn mine(user: CurrentUser) -> String {
    user.username.clone()
}

/// Opens a site and a browser on it.
pub(crate) async fn open(config: Config) -> (Site, Browser) {
    let (site, service) = app().into_service(config).await.unwrap();
    (site, Client::new(service, "http://localhost"))
}

/// Opens a site as a developer has it.
pub(crate) async fn browser() -> Browser {
    open(config()).await.1
}

/// Opens a site as the world sees it: https behind a proxy.
pub(crate) async fn over_tls() -> Browser {
    let (_, service) = app().into_service(production()).await.unwrap();
    Client::new(service, "https://example.org")
        .always("x-forwarded-proto", "https")
        .always("x-forwarded-for", "192.0.2.7")
}

/// Makes an account and stays signed in.
pub(crate) async fn sign_up(browser: &mut Browser, username: &str) -> Answer {
    browser.get("/accounts/signup").await;
    let email = format!("{username}@example.org");
    let fields = [("username", username), ("email", &email), ("password", PASSWORD)];
    let answer = browser.post_form("/accounts/signup", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer
}

/// Signs in; the answer tells whether it went well.
pub(crate) async fn sign_in(browser: &mut Browser, username: &str, password: &str) -> Answer {
    browser.get("/accounts/login").await;
    browser.post_form("/accounts/login", &[("username", username), ("password", password)]).await
}
