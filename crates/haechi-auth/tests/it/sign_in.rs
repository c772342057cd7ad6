//! From an empty SQLite database to a user who is signed in, and every way that must not lead there.

use std::time::Duration;

use haechi_auth::hash::{Upgrade, unusable};
use haechi_auth::{Auth, Credentials, Error};
use haechi_core::{KeyRing, SecretKey, TestClock};
use haechi_db::sql;

use crate::site::{Browser, PASSWORD, Site, authority, hashers};

#[tokio::test]
async fn a_user_signs_in_is_known_and_signs_out() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    assert_eq!(site.name(&mut browser).await, None);
    assert!(site.sign_in(&mut browser, "alice", PASSWORD).await);
    assert_eq!(site.name(&mut browser).await.as_deref(), Some("alice"));
    let mut thief = Browser { cookie: browser.cookie.clone() };
    site.visit(&mut browser, async |auth| auth.logout().await.unwrap()).await;
    assert_eq!(browser.cookie, None);
    assert_eq!(site.name(&mut thief).await, None, "the copied cookie is dead");
    let last: Option<jiff::Timestamp> =
        sql!("select last_login from auth_user").scalar(&site.db).await.unwrap();
    assert_eq!(last.map(jiff::Timestamp::as_second), Some(1_700_000_000));
}

/// asvs_6_3_2: a fresh database has no account.
#[tokio::test]
async fn asvs_6_3_2_there_are_no_default_accounts() {
    let site = Site::new().await;
    for (username, password) in [("admin", "admin"), ("", ""), ("root", "root"), ("alice", PASSWORD)] {
        assert!(!site.sign_in(&mut Browser::default(), username, password).await, "{username}");
    }
}

#[tokio::test]
async fn wrong_credentials_sign_nobody_in() {
    let site = Site::with_alice().await;
    let long = "x".repeat(100_000);
    let rows = [
        ("alice", "wrong"),
        ("alice", ""),
        ("Alice", PASSWORD),
        ("alice ", PASSWORD),
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("alice\0", PASSWORD),
        ("alice' --", PASSWORD),
        ("alice", &long),
        (&long, PASSWORD),
        ("%", PASSWORD),
    ];
    for (username, password) in rows {
        assert!(!site.sign_in(&mut Browser::default(), username, password).await, "{username:.20}");
    }
    for column in ["", "!", &unusable(), "pbkdf2_sha256$x$y", "argon2$foo", PASSWORD] {
        site.set_column(column).await;
        assert!(!site.sign_in(&mut Browser::default(), "alice", PASSWORD).await, "{column}");
        assert!(!site.sign_in(&mut Browser::default(), "alice", column).await, "{column}");
    }
}

/// asvs_7_4_2: an account that is switched off or removed is nobody from its next request on.
#[tokio::test]
async fn asvs_7_4_2_an_inactive_or_deleted_user_is_nobody_at_once() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    sql!("update auth_user set is_active = {off}", off = false).execute(&site.db).await.unwrap();
    assert_eq!(site.name(&mut browser).await, None);
    assert!(!site.sign_in(&mut Browser::default(), "alice", PASSWORD).await);
    sql!("update auth_user set is_active = {on}", on = true).execute(&site.db).await.unwrap();
    assert_eq!(
        site.name(&mut browser).await.as_deref(),
        Some("alice"),
        "the session was kept, as Django does"
    );
    sql!("delete from auth_user").execute(&site.db).await.unwrap();
    assert_eq!(site.name(&mut browser).await, None);
}

/// asvs_6_2_10: a password does not wear out; nobody is made to change it.
#[tokio::test]
async fn asvs_6_2_10_a_password_is_good_for_years() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    for _ in 0..3 {
        site.clock.advance(Duration::from_secs(400 * 86_400));
        assert!(site.sign_in(&mut browser, "alice", PASSWORD).await);
        assert_eq!(site.name(&mut browser).await.as_deref(), Some("alice"));
    }
}

/// asvs_6_2_2, asvs_6_2_3, asvs_7_4_3: the old password is asked for; the other sessions end, this one stays.
#[tokio::test]
async fn asvs_7_4_3_a_changed_password_ends_the_other_sessions() {
    let (site, mut here, mut there) = (Site::with_alice().await, Browser::default(), Browser::default());
    site.sign_in(&mut here, "alice", PASSWORD).await;
    site.sign_in(&mut there, "alice", PASSWORD).await;
    let before = here.cookie.clone();
    let new = "another horse, another staple";
    assert!(!site.visit(&mut here, async |auth| auth.change_password("wrong", new).await.unwrap()).await);
    assert_eq!(site.name(&mut there).await.as_deref(), Some("alice"));
    assert!(site.visit(&mut here, async |auth| auth.change_password(PASSWORD, new).await.unwrap()).await);
    assert_ne!(here.cookie, before, "a new id");
    assert_eq!(site.name(&mut here).await.as_deref(), Some("alice"));
    assert_eq!(site.name(&mut there).await, None);
    assert!(!site.sign_in(&mut there, "alice", PASSWORD).await);
    assert!(site.sign_in(&mut there, "alice", new).await);
    let nobody =
        site.visit(&mut Browser::default(), async |auth| auth.change_password(PASSWORD, new).await).await;
    assert!(matches!(nobody, Err(Error::NotSignedIn)));
}

/// A password that Django changed (only the column differs) ends our sessions as well.
#[tokio::test]
async fn a_password_changed_by_somebody_else_ends_every_session() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    site.set_column(&unusable()).await;
    assert_eq!(site.name(&mut browser).await, None);
    assert_eq!(site.sessions.list("1").await.unwrap().len(), 0, "the row is gone, not only ignored");
}

/// Whoever knew the old password may have left it there, for the owner's next sign-in in the same browser.
#[tokio::test]
async fn what_was_left_under_another_password_is_gone_at_a_sign_in() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.create("bob").await.unwrap();
    let leave = async |auth: &Auth| auth.session().insert("draft", "left").await.unwrap();
    let draft = async |auth: &Auth| auth.session().get::<String>("draft").await.unwrap();
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    site.visit(&mut browser, leave).await;
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    assert_eq!(site.visit(&mut browser, draft).await.as_deref(), Some("left"), "the same password keeps it");
    let column: String =
        sql!("select password from auth_user where username = 'bob'").scalar(&site.db).await.unwrap();
    site.set_column(&column).await;
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    assert_eq!(site.visit(&mut browser, draft).await, None);
    assert_eq!(site.name(&mut browser).await.as_deref(), Some("alice"));
    let mut visitor = Browser::default();
    site.visit(&mut visitor, leave).await;
    site.sign_in(&mut visitor, "alice", PASSWORD).await;
    assert_eq!(site.visit(&mut visitor, draft).await.as_deref(), Some("left"), "a visitor keeps a basket");
    site.sign_in(&mut visitor, "bob", PASSWORD).await;
    assert_eq!(site.visit(&mut visitor, draft).await, None, "of another user nothing is kept");
}

#[tokio::test]
async fn a_rotated_key_keeps_sessions_alive_and_a_foreign_key_does_not() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    let (old, before) = (site.keys.signing().clone(), browser.cookie.clone());
    let clock = TestClock::at(1_700_000_000);
    let ring = KeyRing::new(SecretKey::generate());
    let rotated = Site {
        authority: authority(
            &site.db,
            ring.clone().with_fallback(old),
            clock.clone(),
            hashers(Upgrade::Never),
        ),
        ..site
    };
    assert_eq!(rotated.name(&mut browser).await.as_deref(), Some("alice"));
    assert_ne!(browser.cookie, before, "a new id, and the hash rewritten under the new key");
    let settled =
        Site { authority: authority(&rotated.db, ring, clock.clone(), hashers(Upgrade::Never)), ..rotated };
    assert_eq!(settled.name(&mut browser).await.as_deref(), Some("alice"));
    let foreign = KeyRing::new(SecretKey::generate());
    let other =
        Site { authority: authority(&settled.db, foreign, clock, hashers(Upgrade::Never)), ..settled };
    assert_eq!(other.name(&mut browser).await, None);
}

/// asvs_11_2_2: an old hash is rewritten at login, and the login survives it.
#[tokio::test]
async fn asvs_11_2_2_an_old_hash_is_rewritten_at_login() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    let old = "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=";
    site.set_column(old).await;
    assert!(!site.sign_in(&mut browser, "alice", "wrong").await);
    assert_eq!(site.column().await, old);
    assert!(site.sign_in(&mut browser, "alice", "password").await);
    assert!(site.column().await.starts_with("argon2$argon2id$v=19$m=64,t=1,p=1$"));
    assert_eq!(site.name(&mut browser).await.as_deref(), Some("alice"));
}

#[tokio::test]
async fn names_are_unique_and_of_plain_characters() {
    let site = Site::with_alice().await;
    assert!(matches!(site.create("alice").await, Err(Error::UsernameTaken)));
    assert!(site.create("\u{d574}\u{ce58}").await.is_ok());
    for name in ["", "a b", "a<b", "a'b", "a\nb", "a\0", &"x".repeat(151)] {
        assert!(matches!(site.create(name).await, Err(Error::InvalidUsername)), "{name}");
    }
}

/// asvs_14_2_6: no password, hash or id in what is printed.
#[tokio::test]
async fn asvs_14_2_6_debug_shows_no_secret() {
    let site = Site::with_alice().await;
    let credentials = Credentials { username: "alice".to_owned(), password: PASSWORD.to_owned() };
    let shown = site
        .visit(&mut Browser::default(), async |auth| {
            let user = auth.authenticate(&credentials).await.unwrap().unwrap();
            format!("{credentials:?} {user:?} {auth:?} {:?}", site.authority)
        })
        .await;
    let column = site.column().await;
    assert!(!shown.contains(PASSWORD) && !shown.contains(column.rsplit('$').next().unwrap()), "{shown}");
}

/// asvs_6_3_1: the throttle stands in front of every password, right or wrong, at sign-in and at change.
#[tokio::test]
async fn asvs_6_3_1_a_throttled_network_is_refused_even_with_the_right_password() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    let wrong = Credentials { username: "alice".to_owned(), password: "wrong".to_owned() };
    let right = Credentials { password: PASSWORD.to_owned(), ..wrong.clone() };
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    site.visit(&mut browser, async |auth| {
        for _ in 0..5 {
            assert!(auth.authenticate(&wrong).await.unwrap().is_none());
        }
        assert!(matches!(auth.authenticate(&right).await, Err(Error::Throttled { .. })));
        let change = auth.change_password(PASSWORD, "another horse, another staple").await;
        assert!(matches!(change, Err(Error::Throttled { .. })));
    })
    .await;
    assert!(site.sign_in(&mut Browser::default(), "alice", PASSWORD).await, "from elsewhere it works");
}
