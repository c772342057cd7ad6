//! A Django site with a user model of its own, made by its migrations, and a haechi site on the same tables.

use std::num::NonZeroUsize;
use std::time::Duration;

use haechi_auth::hash::{Hashers, Pbkdf2, Pbkdf2Digest, PoolSize, Upgrade};
use haechi_auth::{
    Authority, CreateUser, CustomUserTables, DjangoUsers, Error, Fixed, KeyType, ProvedEmailTable,
    ResetTokens, TableUsers, Throttle, UserTable,
};
use haechi_core::{KeyRing, SecretKey, SystemClock, TestClock};
use haechi_db::{Db, Migrations, Options, sql};
use haechi_session::{DatabaseStore, SessionTables, Sessions};

use crate::django::python;
use crate::people::People;
use crate::site::{Browser, PASSWORD, Site, on_postgres_named};

/// As [`People`], and nothing said of the columns that haechi cannot know.
#[derive(Debug)]
struct Hasty;

impl UserTable for Hasty {
    const TABLE: &'static str = People::TABLE;
    const KEY: KeyType = People::KEY;
    const USERNAME: &'static str = "email";
    const EMAIL: Option<&'static str> = None;
    const FIRST_NAME: Option<&'static str> = None;
    const LAST_NAME: Option<&'static str> = None;
    const IS_STAFF: Option<&'static str> = None;
    const IS_ACTIVE: Option<&'static str> = Some("enabled");
    const DATE_JOINED: Option<&'static str> = Some("joined");
}

/// As [`Hasty`], and one of the two said.
#[derive(Debug)]
struct Half;

impl UserTable for Half {
    const TABLE: &'static str = People::TABLE;
    const KEY: KeyType = People::KEY;
    const USERNAME: &'static str = "email";
    const EMAIL: Option<&'static str> = None;
    const FIRST_NAME: Option<&'static str> = None;
    const LAST_NAME: Option<&'static str> = None;
    const IS_STAFF: Option<&'static str> = None;
    const IS_ACTIVE: Option<&'static str> = Some("enabled");
    const DATE_JOINED: Option<&'static str> = Some("joined");
    const FIXED: &'static [(&'static str, Fixed)] = &[("language", Fixed::Text("ko"))];
}

/// Names that the table does not have.
#[derive(Debug)]
struct Misspelt;

impl UserTable for Misspelt {
    const TABLE: &'static str = "accounts_persons";
}

const KEY: &str = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
const NEW: &str = "another horse, another staple";

/// The site of Django on one database.
struct Django<'a>(&'a [&'a str]);

impl Django<'_> {
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Option<String> {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/django/people.py");
        let answer = python(&[&[program], self.0, arguments].concat())?;
        Some(answer.trim().to_owned())
    }

    #[track_caller]
    fn ask(&self, arguments: &[&str]) -> String {
        self.run(arguments).expect("it ran a moment ago")
    }
}

async fn site(db: Db) -> Site {
    let migrations = Migrations::new().with::<SessionTables>().with::<CustomUserTables>();
    migrations.with::<ProvedEmailTable<People>>().apply(&db).await.unwrap();
    let keys = KeyRing::new(SecretKey::shared_with_django(KEY).unwrap());
    let size = PoolSize { threads: NonZeroUsize::MIN, queue: 64 };
    let hashers =
        Hashers::new(Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 1_000)), Vec::new(), Upgrade::Never);
    let (users, throttle) = (TableUsers::<People>::new(db.clone()), Throttle::new(db.clone()));
    let authority = Authority::with(users.clone(), throttle, keys.clone(), hashers, size, SystemClock)
        .unwrap()
        .rights(users)
        .reset_tokens(ResetTokens::shared_with_django(
            keys.clone(),
            Duration::from_secs(259_200),
            jiff::tz::TimeZone::UTC,
        ));
    let sessions = Sessions::new(DatabaseStore::new(db.clone()));
    Site { db, keys, authority, sessions, clock: TestClock::at(0), visits: 0.into() }
}

async fn shared(db: Db, django: &Django<'_>) {
    let ada = django.ask(&["create", "ada@example.com", PASSWORD]);
    let (site, mut browser) = (site(db).await, Browser::default());
    assert!(!site.sign_in(&mut browser, "ada@example.com", "wrong").await);
    assert!(site.sign_in(&mut browser, "ada@example.com", PASSWORD).await);
    let user = site.visit(&mut browser, async |auth| auth.current_user().await.unwrap().unwrap()).await;
    assert_eq!((user.id.to_string(), user.email.as_str()), (ada.clone(), "ada@example.com"));
    assert!(user.is_active && !user.is_superuser && user.date_joined.is_some() && user.last_name.is_empty());
    let held = site.visit(&mut browser, async |auth| auth.permissions().await.unwrap()).await;
    assert_eq!(held, ["accounts.add_person", "accounts.change_person"]);
    assert_eq!(django.ask(&["rights", "ada@example.com"]), held.join(" "));
    assert!(django.ask(&["show", "ada@example.com"]).starts_with(&format!("{ada} en 0 True True")));
    assert_eq!(site.visit(&mut browser, async |auth| auth.devices().await.unwrap().len()).await, 1);

    let changed = site.visit(&mut browser, async |auth| auth.change_password(PASSWORD, NEW).await.unwrap());
    assert!(changed.await);
    assert_eq!(django.ask(&["sign_in", "ada@example.com", PASSWORD]), "None");
    assert_eq!(django.ask(&["sign_in", "ada@example.com", NEW]), ada);
    resets(&site, django).await;
    sign_ups(&site, django).await;

    assert!(site.sign_in(&mut browser, "ada@example.com", PASSWORD).await);
    django.ask(&["disable", "ada@example.com"]);
    assert_eq!(site.name(&mut browser).await, None);
    assert!(!site.sign_in(&mut browser, "ada@example.com", PASSWORD).await);
    assert!(site.authority.security_log().verify().await.unwrap().rows > 3);
    declared(&site.db).await;
}

async fn resets(site: &Site, django: &Django<'_>) {
    let network = haechi_core::ClientIp::from(std::net::Ipv4Addr::new(192, 0, 2, 1)).network();
    let (_, uid, token) = site.authority.reset_link_for("Ada@example.com", network).await.unwrap().remove(0);
    assert_eq!(django.ask(&["check_token", "ada@example.com", &token]), "True");
    let theirs = django.ask(&["token", "ada@example.com"]);
    let reset = site.authority.check_reset(&uid, &theirs).await.unwrap().unwrap();
    assert!(site.authority.set_password(&reset, PASSWORD).await.unwrap());
    assert!(site.authority.check_reset(&uid, &token).await.unwrap().is_none(), "it died with the password");
    assert_eq!(django.ask(&["check_token", "ada@example.com", &token]), "False");
    assert_ne!(django.ask(&["sign_in", "ada@example.com", PASSWORD]), "None");
}

async fn sign_ups(site: &Site, django: &Django<'_>) {
    let new = |username| CreateUser { username, email: username, password: PASSWORD, is_superuser: false };
    let bob = site.authority.create_user(new("bob@example.com")).await.unwrap();
    assert_eq!(django.ask(&["sign_in", "bob@example.com", PASSWORD]), bob.id.to_string());
    assert!(django.ask(&["show", "bob@example.com"]).starts_with(&format!("{} ko -3 True", bob.id)));
    for taken in ["bob@example.com", "Bob@example.com"] {
        let refused = site.authority.create_user(new(taken)).await;
        assert!(matches!(refused, Err(Error::UsernameTaken)), "{taken}: {refused:?}");
    }
    for wrong in ["bob", "a b@example.com", "@", "a@", "\0@example.com", ""] {
        let refused = site.authority.create_user(new(wrong)).await;
        assert!(matches!(refused, Err(Error::InvalidUsername)), "{wrong}: {refused:?}");
    }
    let authority = &site.authority;
    authority.grant(bob.id, "accounts.delete_person").await.unwrap();
    authority.join_group(bob.id, authority.create_group("editors").await.unwrap()).await.unwrap();
    assert_eq!(django.ask(&["rights", "bob@example.com"]), "accounts.change_person accounts.delete_person");
    assert!(authority.revoke(bob.id, "accounts.delete_person").await.unwrap());
    assert!(authority.leave_group(bob.id, authority.create_group("editors").await.unwrap()).await.unwrap());
    assert_eq!(django.ask(&["rights", "bob@example.com"]), "");
}

/// What a declaration says wrongly is found before anybody signs in, and what it leaves out refuses a sign-up.
async fn declared(db: &Db) {
    assert_eq!(TableUsers::<People>::new(db.clone()).misfits().await.unwrap(), [""; 0]);
    let misfits = TableUsers::<Hasty>::new(db.clone()).misfits().await.unwrap();
    let said = "a new account gets no value here; name it in FIXED";
    let mut expected = ["language", "points"].map(|column| format!("accounts_person.{column}: {said}"));
    expected.sort();
    assert_eq!(misfits, expected);
    assert_eq!(TableUsers::<Half>::new(db.clone()).misfits().await.unwrap(), expected[1..]);
    assert!(!TableUsers::<Misspelt>::new(db.clone()).misfits().await.unwrap().is_empty());
    let (keys, throttle) = (KeyRing::new(SecretKey::generate()), Throttle::new(db.clone()));
    let users = TableUsers::<Hasty>::new(db.clone());
    let hasty = Authority::new(users.clone(), throttle, keys).unwrap().rights(users);
    let new = CreateUser { username: "eve@example.com", email: "", password: PASSWORD, is_superuser: false };
    assert!(matches!(hasty.create_user(new).await, Err(Error::IncompleteTable(_))));
    let id = "0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90".parse::<haechi_auth::UserId>().unwrap();
    assert!(matches!(hasty.grant(id, "accounts.add_person").await, Err(Error::NoTable("PERMISSIONS"))));
    assert!(matches!(hasty.join_group(id, 1).await, Err(Error::NoTable("GROUPS"))));
}

#[tokio::test]
async fn a_django_user_model_of_its_own_is_shared_on_sqlite() {
    let folder = std::env::temp_dir().join(format!("haechi-people-{:016x}", rand::random::<u64>()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("site.db");
    let database = ["sqlite3", file.to_str().unwrap(), "-"];
    let django = Django(&database);
    if django.run(&["migrate"]).is_some() {
        let db = Db::connect(&haechi_db::DatabaseUrl::file(file.clone()), Options::default()).await.unwrap();
        shared(db, &django).await;
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_django_user_model_of_its_own_is_shared_on_postgresql() {
    on_postgres_named(async |db, schema, address| {
        let database = ["postgresql", address, schema];
        let django = Django(&database);
        if django.run(&["migrate"]).is_some() {
            shared(db, &django).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_name_is_the_address_where_the_table_has_no_other() {
    let db = Db::memory().await.unwrap();
    let (throttle, keys) = (Throttle::new(db.clone()), KeyRing::new(SecretKey::generate()));
    let django = Authority::new(DjangoUsers::new(db.clone()), throttle.clone(), keys.clone()).unwrap();
    let people = Authority::new(TableUsers::<People>::new(db), throttle, keys).unwrap();
    assert_eq!((django.name_is_email(), people.name_is_email()), (false, true));
}

#[tokio::test]
async fn addresses_are_proved_by_the_users_of_any_table() {
    let db = Db::memory().await.unwrap();
    let migrations = Migrations::new().with::<Own>().with::<CustomUserTables>();
    migrations.with::<ProvedEmailTable<People>>().apply(&db).await.unwrap();
    let id = uuid::Uuid::from_u128(7);
    sql!("insert into accounts_person (id) values ({id})").execute(&db).await.unwrap();
    sql!("insert into haechi_proved_email (user_id, email, proved_at) values ({id}, 'a@example.com', 1)")
        .execute(&db)
        .await
        .unwrap();
    sql!("delete from accounts_person where id = {id}").execute(&db).await.unwrap();
    let rows: i64 = sql!("select count(*) from haechi_proved_email").scalar(&db).await.unwrap();
    assert_eq!(rows, 0, "an address goes with its user, whoever deletes that");
}

/// A table of the application's own.
struct Own;

impl haechi_db::MigrationSet for Own {
    const APP: &'static str = "accounts";
    const MIGRATIONS: &'static [haechi_db::Migration] = &[haechi_db::Migration {
        name: "0001_person",
        sqlite: "create table accounts_person (id char(32) not null primary key)",
        postgres: "create table accounts_person (id uuid not null primary key)",
    }];
}
