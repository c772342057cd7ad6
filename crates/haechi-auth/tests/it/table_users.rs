//! What a table of users answers when it does not take an account, or cannot be asked.

use haechi_auth::{DjangoUsers, Error, NewAccount, UserStore, UserTables};
use haechi_core::Secret;
use haechi_db::{Db, Migration, MigrationSet, Migrations, sql};
use haechi_session::SessionTables;
use jiff::Timestamp;

use crate::site::{Site, on_postgres_db};

fn account(username: &str, email: &str) -> NewAccount {
    NewAccount {
        username: username.to_owned(),
        email: email.to_owned(),
        password: Secret::new("!".to_owned()),
        is_superuser: false,
        date_joined: Timestamp::UNIX_EPOCH,
    }
}

/// Two sign-ups at once both found the name free: the table decides.
#[tokio::test]
async fn a_table_tells_a_name_that_is_taken_from_an_address() {
    let site = Site::with_alice().await;
    Migrations::new().with::<OneUserAnAddress>().apply(&site.db).await.unwrap();
    let users = DjangoUsers::new(site.db);
    let name = users.create(account("alice", "another@example.com")).await;
    assert!(matches!(name, Err(Error::UsernameTaken)), "{name:?}");
    let address = users.create(account("bob", "alice@example.com")).await;
    assert!(matches!(address, Err(Error::EmailTaken)), "{address:?}");
    assert!(users.create(account("bob", "bob@example.com")).await.is_ok());
}

#[tokio::test]
async fn a_table_that_cannot_be_asked_does_not_say_that_there_is_nobody() {
    let users = DjangoUsers::new(Db::memory().await.unwrap());
    assert!(matches!(users.by_id(1.into()).await, Err(Error::Database(_))));
    assert!(matches!(users.by_username("alice").await, Err(Error::Database(_))));
    assert!(matches!(users.by_email("alice@example.com").await, Err(Error::Database(_))));
    assert!(matches!(users.create(account("alice", "")).await, Err(Error::Database(_))));
}

async fn passwords_of_one_kind(db: Db) {
    Migrations::new().with::<SessionTables>().with::<UserTables>().apply(&db).await.unwrap();
    let users = DjangoUsers::new(db.clone());
    let prefix = "pbkdf2_sha256$20000$";
    assert_eq!(users.hashed(prefix).await.unwrap(), (0, 0));
    for (number, password) in
        ["pbkdf2_sha256$20000$a$b", "pbkdf2_sha256$200000$a$b", "pbkdf2_sha1$20000$a$b", "!unusable", ""]
            .into_iter()
            .enumerate()
    {
        let password = Secret::new(password.to_owned());
        users.create(NewAccount { password, ..account(&format!("user{number}"), "") }).await.unwrap();
    }
    assert_eq!(users.hashed(prefix).await.unwrap(), (4, 1));
    assert_eq!(users.hashed("pbkdf2").await.unwrap(), (4, 3), "what is no kind is a beginning");
}

#[tokio::test]
async fn passwords_of_one_kind_are_counted() {
    passwords_of_one_kind(Db::memory().await.unwrap()).await;
    on_postgres_db(passwords_of_one_kind).await;
}

async fn two_names_that_differ_in_case_only(db: Db) {
    let all = Migrations::new().with::<SessionTables>().with::<UserTables>();
    all.apply(&db).await.unwrap();
    Migrations::new().with::<Earlier>().apply(&db).await.unwrap();
    let error = all.apply(&db).await.unwrap_err();
    let cure = UserTables::cure(&error).expect("a person is told what to mend");
    assert!(cure.contains("lower(username)"), "{cure}");
    let left: i64 = sql!("select count(*) from auth_user").scalar(&db).await.unwrap();
    assert_eq!(left, 2, "nothing is lost");
    sql!("update auth_user set username = 'ada2' where username = 'ada'").execute(&db).await.unwrap();
    assert_eq!(all.apply(&db).await.unwrap().len(), 1);
    let other = Migrations::new().with::<OneUserAnAddress>().apply(&db).await.unwrap_err();
    assert_eq!(UserTables::cure(&other), None, "another migration's fault");
    let namesake = Migrations::new().with::<Namesake>().apply(&db).await.unwrap_err();
    assert_eq!(UserTables::cure(&namesake), None, "another app's migration of that name");
}

/// Accounts of before names were unique but for case are neither changed nor removed.
#[tokio::test]
async fn names_that_differ_in_case_only_stand_in_the_way_of_their_index_and_a_person_is_told() {
    two_names_that_differ_in_case_only(Db::memory().await.unwrap()).await;
    on_postgres_db(two_names_that_differ_in_case_only).await;
}

struct Namesake;

impl MigrationSet for Namesake {
    const APP: &'static str = "namesake";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0006_username_case",
        sqlite: "create index nothing on nowhere (nobody)",
        postgres: "create index nothing on nowhere (nobody)",
    }];
}

/// The tables as they were before `0006_username_case`, with two such names in them.
struct Earlier;

impl Earlier {
    const TEXT: &'static str = "drop index haechi_auth_user_username_case;
        delete from haechi_migrations where name = '0006_username_case';
        insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
        values ('!', false, 'Ada', '', '', '', false, true, '2026-01-01 00:00:00'),
        ('!', false, 'ada', '', '', '', false, true, '2026-01-01 00:00:00')";
}

impl MigrationSet for Earlier {
    const APP: &'static str = "earlier";
    const MIGRATIONS: &'static [Migration] =
        &[Migration { name: "0001_earlier", sqlite: Self::TEXT, postgres: Self::TEXT }];
}

/// What a site may add to Django's table.
struct OneUserAnAddress;

impl MigrationSet for OneUserAnAddress {
    const APP: &'static str = "site";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_one_user_an_address",
        sqlite: "create unique index one_user_an_address on auth_user (email)",
        postgres: "create unique index one_user_an_address on auth_user (email)",
    }];
}
