//! The security log: what is in it, and that a change of it shows.

use haechi_auth::{Broken, SecurityLog};
use haechi_db::sql;

use crate::site::{Browser, PASSWORD, Site};

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
    let rows: Vec<(String, Option<i64>, i64, String, String)> =
        sql!("select event, user_id, at, account, network from haechi_security_log order by id")
            .all(&site.db)
            .await
            .unwrap();
    let events: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1)).collect();
    assert_eq!(
        events,
        [("failure", None), ("sign-in", Some(1)), ("password change", Some(1)), ("session end", Some(1))]
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
            _ => sql!("update haechi_security_log set user_id = 2 where id = 3").execute(db).await,
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
    let right = haechi_auth::Credentials { username: "alice".to_owned(), password: PASSWORD.to_owned() };
    site.visit(&mut browser, async |auth| {
        let user = auth.authenticate(&right).await.unwrap().unwrap();
        assert!(auth.login(user).await.is_err());
    })
    .await;
    assert_eq!((site.name(&mut browser).await, browser.cookie), (None, None));
}
