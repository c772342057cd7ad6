//! The security log: what is in it, and that a change of it shows.

use haechi_auth::{
    Broken, Credentials, Error, SecurityEntry, SecurityEvent, SecurityLog, UserTables, Verified,
};
use haechi_core::{KeyRing, SecretKey, base64url};
use haechi_db::{Db, Migration, MigrationSet, Migrations, sql};

use crate::site::{Browser, PASSWORD, Site, on_postgres_db};

async fn eventful() -> (Site, SecurityLog) {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    assert!(!site.sign_in(&mut browser, "alice", "hunter2hunter2").await);
    assert!(site.sign_in(&mut browser, "alice", PASSWORD).await);
    let new = "another horse, another staple";
    assert!(site.visit(&mut browser, async |auth| auth.change_password(PASSWORD, new).await.unwrap()).await);
    site.visit(&mut browser, async |auth| auth.logout().await.unwrap()).await;
    let log = SecurityLog::new(site.db.clone(), site.keys.clone());
    (site, log)
}

/// asvs_16_2_1, asvs_16_3_1, asvs_16_2_5: what, who, when and from where, and no secret.
#[tokio::test]
async fn asvs_16_3_1_sign_ins_failures_changes_and_ends_are_logged() {
    let (site, log) = eventful().await;
    let rows: Vec<(String, Option<String>, i64, String, String)> =
        sql!("select event, user_id, at, account, network from haechi_security_log order by id")
            .all(&site.db)
            .await
            .unwrap();
    let events: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1.as_deref())).collect();
    assert_eq!(
        events,
        [
            ("failure", None),
            ("sign-in", Some("1")),
            ("password change", Some("1")),
            ("session end", Some("1"))
        ]
    );
    assert!(rows.iter().all(|row| row.2 == 1_700_000_000 && row.4.ends_with("/32")), "{rows:?}");
    assert_eq!(rows[0].3, rows[1].3, "the same name");
    assert!(!format!("{rows:?}").contains("alice"));
    assert_eq!(log.verify().await.unwrap().rows, 4);
}

/// asvs_16_4_2: a row that was changed, removed, put in or moved is found.
#[tokio::test]
async fn asvs_16_4_2_a_change_of_the_log_is_found() {
    for (change, at) in [(0, 2), (1, 2), (2, 1), (3, 4), (4, 1), (5, 3)] {
        let (site, log) = eventful().await;
        let db = &site.db;
        let changed = match change {
            0 => sql!("update haechi_security_log set network = '' where id = 2").execute(db).await,
            1 => sql!("delete from haechi_security_log where id = 2").execute(db).await,
            2 => sql!("update haechi_security_log set at = 5 where id = 1").execute(db).await,
            3 => sql!("delete from haechi_security_log where id = 4").execute(db).await,
            4 => sql!("delete from haechi_security_log where id > 0").execute(db).await,
            _ => sql!("update haechi_security_log set user_id = '2' where id = 3").execute(db).await,
        };
        assert!(changed.unwrap() > 0);
        let found = log.verify().await;
        assert!(matches!(found, Err(Broken::Row { at: row }) if row == at), "{change}: {found:?}");
    }
}

/// asvs_16_5_3: a sign-in that cannot be logged does not happen.
#[tokio::test]
async fn asvs_16_5_3_a_log_that_fails_lets_nobody_in() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    sql!("delete from haechi_security_head where id = 1").execute(&site.db).await.unwrap();
    let right = Credentials { username: "alice".to_owned(), password: PASSWORD.to_owned() };
    site.visit(&mut browser, async |auth| {
        let user = auth.authenticate(&right).await.unwrap().unwrap();
        assert!(auth.login(user).await.is_err());
    })
    .await;
    assert_eq!((site.name(&mut browser).await, browser.cookie), (None, None));
}

/// asvs_16_3_1, asvs_16_3_2, asvs_16_3_3: throttle, denial, reset and e-mail, each with its network and its request.
#[tokio::test]
async fn asvs_16_3_2_throttles_denials_resets_and_addresses_are_logged_with_their_request() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    let wrong = Credentials { username: "alice".to_owned(), password: "wrong".to_owned() };
    site.sign_in(&mut browser, "alice", PASSWORD).await;
    site.visit(&mut browser, async |auth| {
        let auth = auth.clone().request("0123456789abcdef01234567");
        assert!(!auth.require_permission("board.moderate").await.unwrap());
        assert!(!auth.require_permission("board.moderate").await.unwrap(), "logged once a minute");
        assert!(!auth.confirm("wrong").await.unwrap());
        let user = auth.current_user().await.unwrap().unwrap();
        let token = site.authority.email_token(&user);
        assert!(auth.verify_email(&token).await.unwrap().is_some());
        assert!(auth.verify_email("x").await.unwrap().is_none());
        let (_, uid, token) = auth.reset_link_for("alice@example.com").await.unwrap().remove(0);
        assert!(auth.reset_link_for("nobody@example.com").await.unwrap().is_empty());
        let reset = site.authority.check_reset(&uid, &token).await.unwrap().unwrap();
        assert!(auth.set_password(&reset, "another horse, another staple").await.unwrap());
        for _ in 0..4 {
            assert!(auth.authenticate(&wrong).await.unwrap().is_none());
        }
        for _ in 0..3 {
            assert!(matches!(auth.authenticate(&wrong).await, Err(Error::Throttled { .. })));
        }
    })
    .await;
    let rows: Vec<(String, Option<String>, String, String)> =
        sql!("select event, user_id, network, request from haechi_security_log where id > 1 order by id")
            .all(&site.db)
            .await
            .unwrap();
    let events: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1.as_deref())).collect();
    let failure = ("failure", None);
    assert_eq!(
        events,
        [
            ("denial", Some("1")),
            ("failure", Some("1")),
            ("e-mail verified", Some("1")),
            ("reset requested", None),
            ("reset requested", None),
            ("reset used", Some("1")),
            failure,
            failure,
            failure,
            failure,
            ("throttle", None),
        ]
    );
    assert!(rows.iter().all(|row| row.2.ends_with("/32") && row.3 == "0123456789abcdef01234567"), "{rows:?}");
    assert_eq!(site.authority.security_log().verify().await.unwrap().rows, 12);
}

/// Each row waits for the one before: names that nobody has, each for the first time, must not fill the log.
#[tokio::test]
async fn a_network_that_tries_name_after_name_writes_ten_rows_of_throttles_and_keeps_no_name() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.visit(&mut browser, async |auth| {
        let mut throttled = 0;
        for number in 0..60 {
            let username = format!("nobody{number}{}", "x".repeat(10_000));
            let wrong = Credentials { username, password: "wrong".to_owned() };
            throttled += u32::from(matches!(auth.authenticate(&wrong).await, Err(Error::Throttled { .. })));
        }
        assert!(throttled > 20, "{throttled}");
    })
    .await;
    let rows = sql!(i64, "select count(*) from haechi_security_log where event = 'throttle'");
    assert_eq!(rows.one(&site.db).await.unwrap(), 10);
}

/// Whoever hangs up before the answer has guessed all the same.
#[tokio::test]
async fn a_guess_whose_visitor_hangs_up_is_logged() {
    let (site, mut browser) = (Site::with_alice().await, Browser::default());
    site.visit(&mut browser, async |auth| {
        let wrong = Credentials { username: "alice".to_owned(), password: "wrong".to_owned() };
        {
            let mut guess = std::pin::pin!(auth.authenticate(&wrong));
            let begun =
                std::future::poll_fn(|cx| std::task::Poll::Ready(guess.as_mut().poll(cx).is_pending()));
            assert!(begun.await, "the answer takes longer");
        }
        let rows = || async {
            let rows = sql!(i64, "select count(*) from haechi_security_log where event = 'failure'");
            rows.one(&site.db).await.unwrap()
        };
        let start = std::time::Instant::now();
        while rows().await == 0 {
            assert!(start.elapsed() < std::time::Duration::from_secs(10), "a guess without a trace");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// asvs_16_4_2: rows in another order, put in beside the chain, or cut off with the head set back.
#[tokio::test]
async fn asvs_16_4_2_reordered_added_and_cut_rows_are_found() {
    let (site, log) = eventful().await;
    let (db, whole) = (&site.db, log.verify().await.unwrap());
    assert_eq!(log.verify_since(&whole).await.unwrap(), whole);
    assert_eq!(whole.to_string().parse(), Ok(whole.clone()));
    for [from, to] in [[2, 100], [3, 2], [100, 3]] {
        sql!("update haechi_security_log set id = {to} where id = {from}").execute(db).await.unwrap();
    }
    assert!(matches!(log.verify().await, Err(Broken::Row { at: 2 })), "two rows changed places");

    let (site, log) = eventful().await;
    for stray in [0, 5, 9] {
        sql!(
            "insert into haechi_security_log (id, at, event, user_id, account, network, request, mac)
             values ({stray}, 1, 'sign-in', '1', '', '', '', '')"
        )
        .execute(&site.db)
        .await
        .unwrap();
        assert!(matches!(log.verify().await, Err(Broken::Row { at: 5 })), "{stray}");
        sql!("delete from haechi_security_log where id = {stray}").execute(&site.db).await.unwrap();
    }

    let (site, log) = eventful().await;
    let kept = log.verify().await.unwrap();
    let mac: String =
        sql!("select mac from haechi_security_log where id = 2").scalar(&site.db).await.unwrap();
    sql!("delete from haechi_security_log where id > 2").execute(&site.db).await.unwrap();
    assert!(matches!(log.verify().await, Err(Broken::Row { .. })), "cut, the head as it was");
    let rows = 2;
    sql!("update haechi_security_head set log_rows = {rows}, mac = {mac} where id = 1")
        .execute(&site.db)
        .await
        .unwrap();
    assert_eq!(log.verify().await.unwrap().rows, 2, "cut with the head set back looks whole by itself");
    assert!(
        matches!(log.verify_since(&kept).await, Err(Broken::Cut { at: 4 })),
        "but not to who kept the end"
    );
    let mut browser = Browser::default();
    for _ in 0..3 {
        site.sign_in(&mut browser, "alice", "another horse, another staple").await;
    }
    assert!(
        matches!(log.verify_since(&kept).await, Err(Broken::Cut { at: 4 })),
        "nor when it has grown again"
    );
}

/// The log as it was when a user's key could be a number only.
struct Before;

impl MigrationSet for Before {
    const APP: &'static str = UserTables::APP;
    const MIGRATIONS: &'static [Migration] = UserTables::MIGRATIONS.split_at(4).0;
}

async fn upgraded(db: Db) {
    Migrations::new().with::<Before>().apply(&db).await.unwrap();
    let keys = KeyRing::new(SecretKey::generate());
    let row = b"1:110:17000000007:Some(1)7:sign-in0:12:192.0.2.7/320:0:";
    let mac = base64url::encode(keys.mac("haechi.auth.security_log.row", row));
    let (at, user) = (1_700_000_000_i64, 1_i64);
    sql!(
        "insert into haechi_security_log (id, at, event, user_id, account, network, request, mac)
         values (1, {at}, 'sign-in', {user}, '', '192.0.2.7/32', '', {mac})"
    )
    .execute(&db)
    .await
    .unwrap();
    sql!("update haechi_security_head set log_rows = 1, mac = {mac} where id = 1")
        .execute(&db)
        .await
        .unwrap();
    Migrations::new().with::<UserTables>().apply(&db).await.unwrap();
    let log = SecurityLog::new(db.clone(), keys);
    assert_eq!(log.verify().await.unwrap().rows, 1);
    let user = Some("0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90".parse().unwrap());
    let entry = SecurityEntry { event: SecurityEvent::SignIn, at, user, name: "", network: "", request: "" };
    log.append(entry).await.unwrap();
    assert_eq!(log.verify().await.unwrap().rows, 2);
    let users: Vec<(String,)> =
        sql!("select user_id from haechi_security_log order by id").all(&db).await.unwrap();
    assert_eq!([users[0].0.as_str(), &users[1].0], ["1", "0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90"]);
}

#[tokio::test]
async fn a_log_from_before_uuids_is_whole_afterwards() {
    upgraded(Db::memory().await.unwrap()).await;
    on_postgres_db(upgraded).await;
}

#[test]
fn the_end_of_a_log_is_read_as_it_was_printed() {
    for wrong in ["", "4", "4:", "x:y", "-1:", ":", "4:abc", "0:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
    {
        assert!(wrong.parse::<Verified>().is_err(), "{wrong}");
    }
    assert_eq!("0:".parse(), Ok(Verified { rows: 0, mac: String::new() }));
}
