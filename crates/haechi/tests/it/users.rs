//! A table of users that is the application's own.

use haechi::{
    Accounts, App, Fixed, KeyType, Membership, Migration, MigrationSet, Secret, UserTable, axum::Router,
    axum::routing::get,
};
use haechi_test::Client;

use crate::site::{Browser, PASSWORD, config, production};

/// People with a UUID each, who sign in with their e-mail address.
#[derive(Debug)]
struct People;

impl UserTable for People {
    const TABLE: &'static str = "person";
    const KEY: KeyType = KeyType::Uuid;
    const USERNAME: &'static str = "email";
    const EMAIL: Option<&'static str> = None;
    const FIRST_NAME: Option<&'static str> = None;
    const LAST_NAME: Option<&'static str> = None;
    const IS_STAFF: Option<&'static str> = None;
    const LAST_LOGIN: Option<&'static str> = None;
    const DATE_JOINED: Option<&'static str> = None;
    const PERMISSIONS: Option<Membership> = Membership::of("person_permission", "person_id", "permission_id");
    const FIXED: &'static [(&'static str, Fixed)] = &[("language", Fixed::Text("ko"))];
}

/// The same table, of which a column was forgotten.
#[derive(Debug)]
struct Forgetful;

impl UserTable for Forgetful {
    const TABLE: &'static str = People::TABLE;
    const KEY: KeyType = People::KEY;
    const USERNAME: &'static str = "email";
    const EMAIL: Option<&'static str> = None;
    const FIRST_NAME: Option<&'static str> = None;
    const LAST_NAME: Option<&'static str> = None;
    const IS_STAFF: Option<&'static str> = None;
    const LAST_LOGIN: Option<&'static str> = None;
    const DATE_JOINED: Option<&'static str> = None;
}

struct Tables;

impl MigrationSet for Tables {
    const APP: &'static str = "people";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_person",
        sqlite: "create table person (id char(32) not null primary key, email varchar(254) not null unique,
            password varchar(128) not null, is_active bool not null, is_superuser bool not null,
            language varchar(8) not null);
            create table person_permission (person_id char(32) not null, permission_id integer not null)",
        postgres: "create table person (id uuid not null primary key, email varchar(254) not null unique,
            password varchar(128) not null, is_active bool not null, is_superuser bool not null,
            language varchar(8) not null);
            create table person_permission (person_id uuid not null, permission_id integer not null)",
    }];
}

fn app() -> App {
    App::new("test")
        .migrations(Tables)
        .accounts(Accounts::default())
        .public(Router::new().route("/", get(|| async { "home" })))
        .permission("board.moderate", Router::new().route("/moderate", get(|| async { "moderated" })))
}

fn browse(service: haechi::SiteService) -> Browser {
    Client::new(service, "http://localhost")
}

#[tokio::test]
async fn people_of_a_table_of_its_own_sign_up_in_and_out() {
    let (site, service) = app().users(People).into_service(config()).await.unwrap();
    let mut ada = browse(service);
    let page = ada.get("/accounts/signup").await;
    assert!(
        !page.text().contains("name=\"username\"") && page.text().contains("name=\"email\""),
        "{}",
        page.text()
    );
    let new = [("email", " ada@example.com "), ("password", PASSWORD)];
    assert_eq!(ada.post_form("/accounts/signup", &new).await.status, 303);
    assert_eq!(ada.get("/moderate").await.status, 403);
    let devices = ada.get("/accounts/devices").await;
    assert!(devices.text().contains("ada@example.com") && devices.text().contains("not confirmed yet"));
    let id: haechi::UserId = haechi::sql!("select id from person").scalar(site.db()).await.unwrap();
    site.authority().grant(id, "board.moderate").await.unwrap();
    assert_eq!(ada.get("/moderate").await.text(), "moderated");

    let mut eve = ada.clone();
    eve.jar().clear();
    for (email, said) in
        [("ADA@example.com", "This address is taken."), ("ada", "This is not an e-mail address.")]
    {
        eve.get("/accounts/signup").await;
        let refused = eve.post_form("/accounts/signup", &[("email", email), ("password", PASSWORD)]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains(said), "{}", refused.text());
    }
    ada.get("/accounts/devices").await;
    assert_eq!(ada.post_form("/accounts/logout", &[]).await.status, 303);
    assert!(ada.get("/accounts/login").await.text().contains("E-mail"));
    let known = [("username", "ada@example.com"), ("password", PASSWORD)];
    assert_eq!(ada.post_form("/accounts/login", &known).await.status, 303);
    assert_eq!(ada.get("/moderate").await.text(), "moderated");
}

#[tokio::test]
async fn a_table_that_is_not_what_is_said_of_it_does_not_start() {
    let refused = app().users(Forgetful).into_service(config()).await.unwrap_err().to_string();
    assert!(refused.contains("person.language: a new account gets no value here"), "{refused}");
    let mut config = production();
    config.database.url = Some(Secret::new("sqlite::memory:".to_owned()));
    let without = App::new("test").users(People).into_service(config).await;
    assert!(without.is_err(), "a table that is missing");
}
