//! The security log of the built board, and the command that verifies it.

use haechi::db::{Db, Options};
use haechi::sql;

use crate::server::Server;

/// asvs_16_3_1, asvs_16_3_2: what happened over HTTP is in the chain with the id that the answer carries.
#[tokio::test]
async fn asvs_16_3_2_the_board_logs_who_was_kept_out_and_its_command_verifies_the_chain() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let refused = ada.get("/moderation").expect(403);
    let mut stranger = server.visitor();
    // Five, and then as many as a slow machine needs to be faster than the wait.
    let mut wrong =
        || stranger.submit("/accounts/login", &[("username", "ada"), ("password", "wrong")]).status;
    let throttled = (0..20).map(|_| wrong()).position(|status| status == 429);
    let failures = throttled.filter(|before| *before >= 5).expect("five wrong passwords and then a wait");
    let (code, text) = server.command(&["log", "verify"]);
    assert_eq!(code, Some(0), "{text}");
    let end = text.lines().last().unwrap().to_owned();
    let file = format!("sqlite:{}", server.database().display());
    let db = Db::connect(&file.parse().unwrap(), Options::default()).await.unwrap();
    let rows: Vec<(String, String, String)> =
        sql!("select event, network, request from haechi_security_log order by id").all(&db).await.unwrap();
    let events: Vec<_> = rows.iter().map(|row| row.0.as_str()).collect();
    let expected = [vec!["sign-in", "denial"], vec!["failure"; failures], vec!["throttle"]].concat();
    assert_eq!(events, expected);
    assert!(rows.iter().all(|row| row.1 == "127.0.0.1/32" && row.2.len() == 24), "{rows:?}");
    assert_eq!(refused.header("x-request-id"), Some(rows[1].2.as_str()));

    assert_eq!(server.command(&["log", "verify", "--since", &end]).0, Some(0));
    assert_eq!(server.command(&["log", "verify", "--since", "nonsense"]).0, Some(2));
    sql!("update haechi_security_log set event = 'sign-in' where id = 3").execute(&db).await.unwrap();
    let (code, text) = server.command(&["log", "verify"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the security log was changed at row 3; compare it with a backup"), "{text}");
    server.finish();
}
