//! What a table of users answers when it does not take an account, or cannot be asked.

use haechi_auth::{DjangoUsers, Error, NewAccount, UserStore};
use haechi_core::Secret;
use haechi_db::{Db, Migration, MigrationSet, Migrations};
use jiff::Timestamp;

use crate::site::Site;

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
