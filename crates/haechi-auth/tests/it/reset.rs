//! Links in mails: a password set anew, an address proved.

use std::net::IpAddr;
use std::time::Duration;

use haechi_auth::{Error, User};
use haechi_core::{ClientIp, ClientNetwork};
use haechi_db::sql;

use crate::site::{Browser, PASSWORD, Site};

const NEW: &str = "another horse, another staple";

fn network(address: &str) -> ClientNetwork {
    ClientIp::from(address.parse::<IpAddr>().unwrap()).network()
}

async fn links(site: &Site, email: &str) -> Vec<(User, String, String)> {
    site.visit(&mut Browser::default(), async |auth| auth.reset_link_for(email).await.unwrap()).await
}

/// asvs_6_4_3, asvs_7_4_3: a link sets one password and ends every session; it signs nobody in.
#[tokio::test]
async fn asvs_6_4_3_a_link_sets_one_password_and_ends_every_session() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    let (user, uid, token) = links(&site, "ALICE@example.com").await.remove(0);
    assert_eq!((user.email.as_str(), uid.as_str()), ("alice@example.com", "MQ"));
    let first = site.authority.check_reset(&uid, &token).await.unwrap().unwrap();
    let second = site.authority.check_reset(&uid, &token).await.unwrap().unwrap();
    assert_eq!(first.user().username, "alice");
    let mut mail = Browser::default();
    assert!(site.visit(&mut mail, async |auth| auth.set_password(&first, NEW).await.unwrap()).await);
    assert_eq!(site.sessions.list("1").await.unwrap().len(), 0);
    assert_eq!((site.name(&mut browser).await, site.name(&mut mail).await), (None, None));
    assert!(!site.authority.set_password(&second, PASSWORD).await.unwrap(), "two at once: one wins");
    assert!(site.authority.check_reset(&uid, &token).await.unwrap().is_none(), "used");
    assert!(site.sign_in(&mut browser, "alice", NEW).await);
}

#[tokio::test]
async fn forged_old_and_foreign_links_are_nothing() {
    let site = Site::with_alice().await;
    site.create("bob").await.unwrap();
    let mut found = links(&site, "alice@example.com").await;
    let (_, uid, token) = found.remove(0);
    let (_, other, _) = found.remove(0);
    for (uid, token) in [
        (other.as_str(), token.as_str()),
        ("", &token),
        ("%", &token),
        ("Og", &token),
        ("OTk5", &token),
        (&uid, ""),
        (&uid, "bxodq8-45c87b294a6c19aa2386943d2b7f1d03"),
    ] {
        assert!(site.authority.check_reset(uid, token).await.unwrap().is_none(), "{uid} {token}");
    }
    site.clock.advance(Duration::from_secs(3_601));
    assert!(site.authority.check_reset(&uid, &token).await.unwrap().is_none(), "too old");
}

#[tokio::test]
async fn only_active_users_with_a_password_are_written_to() {
    let (site, on) = (Site::with_alice().await, true);
    for nobody in ["", "mallory@example.com", "alice@example.com\0", "alice@example.com ", "%"] {
        assert!(links(&site, nobody).await.is_empty(), "{nobody}");
    }
    // What compares as equal gets a link for the address that is stored, and not for the one that was typed.
    let (user, ..) = links(&site, "ALICE@Example.com").await.remove(0);
    assert_eq!(user.email, "alice@example.com");
    sql!("update auth_user set is_active = not {on}").execute(&site.db).await.unwrap();
    assert!(links(&site, "alice@example.com").await.is_empty());
    sql!("update auth_user set is_active = {on}").execute(&site.db).await.unwrap();
    site.set_column(&haechi_auth::hash::unusable()).await;
    assert!(links(&site, "alice@example.com").await.is_empty());
}

/// asvs_6_3_8: an address that exists and one that does not are counted and answered alike, with as many statements.
#[tokio::test]
async fn asvs_6_3_8_known_and_unknown_addresses_cost_the_same() {
    let site = Site::with_alice().await;
    for (email, from) in [("alice@example.com", "192.0.2.1"), ("nobody@example.com", "192.0.2.2")] {
        let ask = || site.authority.reset_link_for(email, network(from));
        let (answer, statements) = haechi_db::count_statements(ask()).await;
        assert_eq!((answer.is_ok(), statements), (true, 3), "{email}");
        for _ in 0..2 {
            assert!(ask().await.is_ok());
        }
        assert!(matches!(ask().await, Err(Error::Throttled { .. })), "{email}");
    }
}

/// asvs_9_2_1: a token of one purpose proves one address for three days.
#[tokio::test]
async fn asvs_9_2_1_an_address_is_proved_for_three_days() {
    let site = Site::with_alice().await;
    let alice = site.create("alicia").await.unwrap();
    let token = site.authority.email_token(&alice);
    assert_eq!(site.authority.verify_email(&token).await.unwrap().map(|user| user.id), Some(alice.id));
    let (_, _, reset) = links(&site, "alice@example.com").await.remove(0);
    for wrong in ["", "x", &reset, &format!("{token}x"), &token[1..]] {
        assert!(site.authority.verify_email(wrong).await.unwrap().is_none(), "{wrong}");
    }
    site.clock.advance(Duration::from_secs(3 * 86_400));
    assert!(site.authority.verify_email(&token).await.unwrap().is_some());
    site.clock.advance(Duration::from_secs(1));
    assert!(site.authority.verify_email(&token).await.unwrap().is_none(), "too old");
    let token = site.authority.email_token(&alice);
    sql!("update auth_user set email = 'new@example.com'").execute(&site.db).await.unwrap();
    assert!(site.authority.verify_email(&token).await.unwrap().is_none(), "another address now");
}
