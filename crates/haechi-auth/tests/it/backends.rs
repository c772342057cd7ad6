//! Ways to check credentials besides the password table: who is asked, and who has the last word.

use std::time::Duration;

use haechi_auth::hash::Upgrade;
use haechi_auth::{
    AuthBackend, CreateUser, Credentials, DjangoUsers, Error, ResetTokens, StoreFuture, UserStore, Verdict,
};
use haechi_core::{KeyRing, SecretKey, TestClock};
use haechi_db::sql;

use crate::site::{Browser, PASSWORD, Site, authority, hashers};

/// A directory that accepts one password for every account, or refuses one for all.
#[derive(Debug)]
struct Directory {
    users: DjangoUsers,
    accepts: &'static str,
    refuses: &'static str,
}

impl AuthBackend for Directory {
    fn authenticate<'a>(&'a self, credentials: &'a Credentials) -> StoreFuture<'a, Verdict> {
        Box::pin(async move {
            if credentials.password == self.refuses {
                return Ok(Verdict::Refuse);
            }
            if credentials.password != self.accepts {
                return Ok(Verdict::Pass);
            }
            let account = self.users.by_username(&credentials.username).await?;
            Ok(account.map_or(Verdict::Pass, Verdict::Accept))
        })
    }
}

async fn site() -> Site {
    let site = Site::with_alice().await;
    let directory =
        |accepts, refuses| Directory { users: DjangoUsers::new(site.db.clone()), accepts, refuses };
    let authority =
        site.authority.clone().backend(directory("first", "never")).backend(directory("never", "unused"));
    Site { authority, ..site }
}

#[tokio::test]
async fn backends_are_asked_in_their_order_until_one_decides() {
    let site = site().await;
    for (password, signed_in) in [(PASSWORD, true), ("first", true), ("never", false), ("other", false)] {
        let seen = site.sign_in(&mut Browser::default(), "alice", password).await;
        assert_eq!(seen, signed_in, "{password}");
    }
}

/// asvs_7_4_2: a directory that still knows an account does not revive it.
#[tokio::test]
async fn asvs_7_4_2_an_inactive_account_stays_out_whoever_accepts_it() {
    let site = site().await;
    assert!(site.sign_in(&mut Browser::default(), "alice", "first").await);
    sql!("update auth_user set is_active = {off}", off = false).execute(&site.db).await.unwrap();
    for password in ["first", PASSWORD] {
        assert!(!site.sign_in(&mut Browser::default(), "alice", password).await, "{password}");
    }
}

#[tokio::test]
async fn reset_links_live_as_long_as_the_neighbours() {
    let site = Site::with_alice().await;
    let two_days = Duration::from_secs(2 * 86_400);
    let tokens = ResetTokens::shared_with_django(site.keys.clone(), two_days, 0);
    let authority = site.authority.clone().reset_tokens(tokens);
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
