//! What the authority of a site promises besides signing in.

use std::time::Duration;

use haechi_auth::hash::Upgrade;
use haechi_auth::{CreateUser, Error, ResetTokens};
use haechi_core::{KeyRing, SecretKey, TestClock};
use haechi_db::sql;

use crate::site::{Browser, PASSWORD, Site, authority, hashers};

#[tokio::test]
async fn reset_links_live_as_long_as_the_neighbours() {
    let site = Site::with_alice().await;
    let two_days = Duration::from_secs(2 * 86_400);
    let tokens = ResetTokens::shared_with_django(site.keys.clone(), two_days, jiff::tz::TimeZone::UTC);
    let authority = site.authority.clone().reset_tokens(tokens);
    let told = (site.authority.reset_lifetime(), authority.reset_lifetime());
    assert_eq!(told, (Duration::from_secs(3_600), two_days));
    let (_, uid, token) = authority.reset_links("alice@example.com").await.unwrap().remove(0);
    site.clock.advance(two_days);
    assert!(authority.check_reset(&uid, &token).await.unwrap().is_some());
    site.clock.advance(Duration::from_secs(1));
    assert!(authority.check_reset(&uid, &token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_table_that_fails_is_no_name_that_is_taken() {
    let (db, clock) = (haechi_db::Db::memory().await.unwrap(), TestClock::at(1_700_000_000));
    let keys = KeyRing::new(SecretKey::generate());
    let authority = authority(&db, keys, clock, hashers(Upgrade::AtLogin));
    let new = CreateUser { username: "bob", email: "", password: PASSWORD, is_superuser: false };
    assert!(matches!(authority.create_user(new).await, Err(Error::Database(_))));
}

/// asvs_16_3_1: what ended nothing is no event.
#[tokio::test]
async fn asvs_16_3_1_ending_other_devices_is_logged_where_there_were_some() {
    let (site, mut here, mut there) = (Site::with_alice().await, Browser::default(), Browser::default());
    site.sign_in(&mut here, "alice", PASSWORD).await;
    let ends = async || -> i64 {
        sql!("select count(*) from haechi_security_log where event = 'session end'")
            .scalar(&site.db)
            .await
            .unwrap()
    };
    assert_eq!(site.visit(&mut here, async |auth| auth.end_other_devices().await.unwrap()).await, 0);
    assert_eq!(ends().await, 0);
    site.sign_in(&mut there, "alice", PASSWORD).await;
    assert_eq!(site.visit(&mut here, async |auth| auth.end_other_devices().await.unwrap()).await, 1);
    assert_eq!(ends().await, 1);
}

#[tokio::test]
async fn a_group_is_left_once() {
    let site = Site::with_alice().await;
    let group = site.authority.create_group("moderators").await.unwrap();
    site.authority.join_group(1, group).await.unwrap();
    assert!(site.authority.leave_group(1, group).await.unwrap());
    assert!(!site.authority.leave_group(1, group).await.unwrap());
}
