//! Sessions that were planted, copied, kept and replayed.

use crate::client::Client;
use crate::server::{PASSWORD, Server};

const PROFILE: &str = "/profile";

#[track_caller]
fn is_nobody(client: &mut Client) {
    assert!(client.get(PROFILE).redirect().starts_with("/accounts/login"));
}

fn sign_in(client: &mut Client, password: &str) -> u16 {
    // The page of signing up has a form for whoever is signed in already, too.
    let fields = [("username", "ada"), ("password", password)];
    client.submit_to("/accounts/signup", "/accounts/login", &fields).status
}

/// asvs_7_2_4, asvs_7_2_1: an id that was there before a sign-in is worth nothing after it.
#[test]
fn asvs_7_2_4_a_planted_id_is_not_taken_over_and_an_old_one_dies() {
    let server = Server::start();
    server.add_user(&["ada"]);
    let planted = "A".repeat(43);
    let mut ada = server.visitor();
    let token = ada.get("/accounts/login").token().unwrap();
    // After the page, whose answer removes what is no session.
    ada.cookies().insert("session".to_owned(), planted.clone());
    let fields = [("username", "ada"), ("password", PASSWORD), ("csrf_token", &*token)];
    ada.post("/accounts/login", &fields, &[("sec-fetch-site", "same-origin")]).redirect();
    assert_ne!(ada.cookies()["session"], planted);
    let mut first = ada.clone();
    first.get(PROFILE).expect(200);
    assert_eq!(sign_in(&mut ada, PASSWORD), 303);
    is_nobody(&mut first);
    ada.get(PROFILE).expect(200);
    for changed in [&planted, "", "x", &ada.cookies()["session"].clone()[1..], "%00", "..", "' or 1=1--"] {
        let mut thief = server.visitor();
        thief.cookies().insert("session".to_owned(), changed.to_owned());
        is_nobody(&mut thief);
    }
    server.finish();
}

/// asvs_7_4_1: the old cookie opens nothing, asked once or thirty times at the same moment.
#[test]
fn asvs_7_4_1_a_session_that_was_signed_out_is_dead_however_often_it_is_replayed() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let copies: Vec<Client> = (0..30).map(|_| ada.clone()).collect();
    let answer = ada.submit_to(PROFILE, "/accounts/logout", &[]);
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\", \"storage\""));
    answer.expect_redirect("/");
    let asked: Vec<_> = copies
        .into_iter()
        .map(|mut copy| std::thread::spawn(move || (copy.get(PROFILE).status, copy.get("/posts/new").status)))
        .collect();
    for thread in asked {
        assert_eq!(thread.join().unwrap(), (303, 303));
    }
    server.finish();
}

/// asvs_7_4_1: requests under way while somebody signs out do not bring the session back.
#[test]
fn asvs_7_4_1_a_request_under_way_does_not_revive_a_session() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let token = ada.get("/posts/new").token().unwrap();
    let copies: Vec<Client> = (0..12).map(|_| ada.clone()).collect();
    let origin = ada.origin();
    let writing: Vec<_> = copies
        .into_iter()
        .map(|mut copy| {
            let (token, origin) = (token.clone(), origin.clone());
            std::thread::spawn(move || {
                let fields = [("title", "a"), ("body", "b"), ("csrf_token", &*token)];
                copy.post("/posts/new", &fields, &[("origin", &origin)]).status
            })
        })
        .collect();
    let mut kept = ada.clone();
    let fields = [("csrf_token", &*token)];
    ada.post("/accounts/logout", &fields, &[("origin", &origin)]).expect_redirect("/");
    for thread in writing {
        let status = thread.join().unwrap();
        assert!(matches!(status, 303 | 403 | 503), "{status}");
    }
    is_nobody(&mut kept);
    server.finish();
}

/// asvs_7_4_3: a thief who is signed in is signed out by a new password, and the old one opens nothing.
#[test]
fn asvs_7_4_3_a_new_password_ends_every_other_session() {
    let server = Server::start();
    let mut ada = server.member("ada");
    let mut elsewhere = server.visitor();
    assert_eq!(sign_in(&mut elsewhere, PASSWORD), 303);
    let mut copied = ada.clone();
    let new = "another sentence of mine";
    let fields = [("old_password", PASSWORD), ("new_password", new)];
    ada.submit("/accounts/password/change", &fields).expect_redirect("/");
    is_nobody(&mut elsewhere);
    is_nobody(&mut copied);
    ada.get(PROFILE).expect(200);
    assert_eq!(sign_in(&mut elsewhere, PASSWORD), 422);
    assert_eq!(sign_in(&mut elsewhere, new), 303);
    server.finish();
}

/// asvs_15_4_2: twenty at once want one name, in small letters and in large; one gets it.
#[tokio::test]
async fn asvs_15_4_2_one_of_twenty_gets_a_name() {
    let server = Server::behind_a_proxy();
    let wanting: Vec<_> = (0..20)
        .map(|number| {
            let mut client = server.visitor_from(&format!("192.0.2.{number}"));
            std::thread::spawn(move || {
                let name = ["racer", "Racer", "RACER"][number % 3];
                let fields = [("username", name), ("email", ""), ("password", PASSWORD)];
                client.submit("/accounts/signup", &fields).status
            })
        })
        .collect();
    let statuses: Vec<u16> = wanting.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 303 | 422 | 503)), "{statuses:?}");
    let db = server.open_database().await;
    let rows: i64 = haechi::sql!("select count(*) from auth_user where lower(username) = 'racer'")
        .scalar(&db)
        .await
        .unwrap();
    assert_eq!(rows, 1);
    server.finish();
}
