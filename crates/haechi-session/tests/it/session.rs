//! One session, method by method: what each promises to the handler that calls it.

use std::time::Duration;

use haechi_core::TestClock;
use haechi_session::{Client, Error, FlashLevel, Limits, MemoryStore, Remember, Session, Sessions};
use http::{HeaderMap, StatusCode, header};

const START: i64 = 1_700_000_000;

struct Site {
    clock: TestClock,
    sessions: Sessions,
}

impl Site {
    fn new() -> Self {
        let clock = TestClock::at(START);
        Self { sessions: Sessions::new(MemoryStore::default()).clock(clock.clone()), clock }
    }

    fn open(&self, cookie: &str) -> Session {
        self.open_from(cookie, Client::default())
    }

    fn open_from(&self, cookie: &str, client: Client) -> Session {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("__Host-session={cookie}").parse().unwrap());
        self.sessions.open(&headers, client)
    }

    fn after(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn sign_in(&self, user: &str) -> String {
        let session = self.open("");
        session.bind(user, Remember::default()).await.unwrap();
        session.insert("a", &1).await.unwrap();
        cookie(&session).await.unwrap()
    }

    /// Returns user and value of the session under a cookie.
    async fn seen(&self, cookie: &str) -> (Option<String>, Option<u32>) {
        let session = self.open(cookie);
        (session.user().await.unwrap(), session.get("a").await.unwrap())
    }

    async fn last_use(&self, user: &str) -> i64 {
        self.sessions.list(user).await.unwrap()[0].record.seen
    }
}

async fn close(session: &Session, status: StatusCode) -> Option<String> {
    let mut headers = HeaderMap::new();
    session.close(status, &mut headers).await.unwrap();
    headers.get(header::SET_COOKIE).map(|header| header.to_str().unwrap().to_owned())
}

/// Closes after a success; returns the new cookie, if one was set.
async fn cookie(session: &Session) -> Option<String> {
    let header = close(session, StatusCode::OK).await?;
    Some(header.split_once('=')?.1.split(';').next()?.to_owned())
}

/// asvs_7_2_4: what a rise of rights does to the id.
#[tokio::test]
async fn rotating_keeps_user_values_and_age_under_a_new_id() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    site.after(10);
    let session = site.open(&first);
    session.rotate().await.unwrap();
    assert_eq!(session.created().await.unwrap(), START, "rotating is no sign-in: the absolute limit stays");
    let second = cookie(&session).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(site.seen(&second).await, (Some("1".to_owned()), Some(1)));
    assert_eq!(site.seen(&first).await, (None, None));
}

#[tokio::test]
async fn flushing_leaves_nothing_but_a_new_id() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    let session = site.open(&first);
    session.flush().await.unwrap();
    assert_eq!((session.user().await.unwrap(), session.get::<u32>("a").await.unwrap()), (None, None));
    let second = cookie(&session).await.unwrap();
    assert!(!second.is_empty() && second != first);
    assert_eq!(site.seen(&second).await, (None, None));
    assert_eq!(site.seen(&first).await, (None, None));
    assert!(site.sessions.list("1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cookie_is_removed_by_the_request_that_ends_its_session_and_by_no_other() {
    let site = Site::new();
    let alive = site.sign_in("1").await;
    for (cookie, status, ends) in [
        ("A".repeat(43).as_str(), StatusCode::OK, false),
        ("A".repeat(43).as_str(), StatusCode::BAD_GATEWAY, false),
        ("", StatusCode::OK, false),
        (&alive, StatusCode::OK, false),
        (&alive, StatusCode::BAD_GATEWAY, false),
        (&alive, StatusCode::OK, true),
    ] {
        let session = site.open(cookie);
        session.user().await.unwrap();
        if ends {
            session.destroy().await.unwrap();
        }
        let header = close(&session, status).await;
        assert_eq!(header.is_some_and(|header| header.contains("Max-Age=0")), ends, "{cookie} {status}");
    }
}

/// A double click: the answer that arrives last must not take the id that the other brought.
#[tokio::test]
async fn of_two_requests_at_once_none_takes_the_new_id_of_the_other() {
    let site = Site::new();
    for late in ["rotate", "read", "write"] {
        let first = site.sign_in("1").await;
        let slow = site.open(&first);
        match late {
            "rotate" => slow.rotate().await.unwrap(),
            "write" => slow.insert("a", &2).await.unwrap(),
            _ => drop(slow.user().await.unwrap()),
        }
        let quick = site.open(&first);
        quick.rotate().await.unwrap();
        let fresh = cookie(&quick).await.unwrap();
        assert_eq!(close(&slow, StatusCode::OK).await, None, "{late}");
        assert_eq!(site.seen(&fresh).await.0.as_deref(), Some("1"), "{late}");
        assert_eq!(site.seen(&first).await, (None, None), "{late}");
    }
}

/// Whoever proves who they are is signed in, also where the visit of before is gone meanwhile.
#[tokio::test]
async fn a_sign_in_over_a_session_that_is_gone_begins_a_session() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    let session = site.open(&first);
    session.insert("a", &2).await.unwrap();
    site.sessions.revoke_all("1").await.unwrap();
    session.bind("1", Remember::default()).await.unwrap();
    let fresh = cookie(&session).await.unwrap();
    assert_eq!(site.seen(&fresh).await.0.as_deref(), Some("1"));
    assert_eq!(site.seen(&first).await, (None, None));
}

/// asvs_7_4_1: an error page after the end of a session takes the cookie all the same.
#[tokio::test]
async fn asvs_7_4_1_what_was_ended_stays_ended_after_a_server_error() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    let session = site.open(&first);
    session.destroy().await.unwrap();
    let header = close(&session, StatusCode::INTERNAL_SERVER_ERROR).await.unwrap();
    assert!(header.contains("Max-Age=0"), "{header}");
    assert_eq!(site.seen(&first).await, (None, None));
}

#[tokio::test]
async fn signing_in_after_signing_out_in_one_request_is_signed_in() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    let session = site.open(&first);
    session.destroy().await.unwrap();
    session.bind("2", Remember::default()).await.unwrap();
    let second = cookie(&session).await.unwrap();
    assert_eq!(site.seen(&second).await, (Some("2".to_owned()), None));
}

#[tokio::test]
async fn a_value_that_is_removed_is_gone_and_the_caller_is_told() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    let session = site.open(&first);
    assert!(session.remove("a").await.unwrap() && !session.remove("a").await.unwrap());
    assert_eq!(cookie(&session).await, None, "the id stays");
    assert_eq!(site.seen(&first).await, (Some("1".to_owned()), None));
}

#[tokio::test]
async fn a_session_counts_its_age_from_the_sign_in() {
    let site = Site::new();
    let session = site.open("");
    assert_eq!(session.created().await.unwrap(), START);
    session.insert("a", &1).await.unwrap();
    let anonymous = cookie(&session).await.unwrap();
    site.after(100);
    let session = site.open(&anonymous);
    assert_eq!(session.created().await.unwrap(), START);
    session.bind("1", Remember::default()).await.unwrap();
    let signed_in = cookie(&session).await.unwrap();
    site.after(100);
    let session = site.open(&signed_in);
    assert_eq!(session.created().await.unwrap(), START + 100);
    session.bind("1", Remember::default()).await.unwrap();
    assert_eq!(session.created().await.unwrap(), START + 200, "who proves it again begins anew");
}

#[tokio::test]
async fn last_use_is_written_once_a_minute_and_not_at_every_request() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    for (seconds, expected) in [(59, START), (1, START + 60), (59, START + 60), (1, START + 120)] {
        site.after(seconds);
        let session = site.open(&first);
        session.user().await.unwrap();
        assert_eq!(cookie(&session).await, None, "use alone sets no cookie");
        assert_eq!(site.last_use("1").await, expected);
    }
}

#[tokio::test]
async fn a_session_is_saved_once_however_often_it_is_closed() {
    let site = Site::new();
    let session = site.open("");
    session.bind("1", Remember::default()).await.unwrap();
    session.insert("a", &1).await.unwrap();
    let first = cookie(&session).await.unwrap();
    site.after(1);
    assert_eq!(cookie(&session).await, None);
    assert_eq!(site.last_use("1").await, START, "nothing changed since, so nothing is written");
    assert_eq!(site.seen(&first).await, (Some("1".to_owned()), Some(1)));
}

#[tokio::test]
async fn messages_come_in_their_order_and_the_oldest_make_room() {
    let site = Site::new();
    let session = site.open("");
    for number in 0..21 {
        session.flash(FlashLevel::Success, number.to_string()).await.unwrap();
    }
    let first = cookie(&session).await.unwrap();
    let flashes = site.open(&first).take_flashes().await.unwrap();
    let texts: Vec<_> = flashes.iter().map(|flash| flash.text.parse::<u32>().unwrap()).collect();
    assert_eq!(texts, (1..21).collect::<Vec<_>>());
    assert!(flashes.iter().all(|flash| flash.level == FlashLevel::Success));
}

#[tokio::test]
async fn looking_for_messages_writes_nothing_where_there_are_none() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    site.after(10);
    let session = site.open(&first);
    assert!(session.take_flashes().await.unwrap().is_empty());
    cookie(&session).await;
    assert_eq!(site.last_use("1").await, START);
}

#[tokio::test]
async fn the_handle_names_this_session_in_the_list_and_nothing_before_it_is_stored() {
    let site = Site::new();
    assert_eq!(site.open("").handle().await.unwrap(), None);
    let first = site.sign_in("1").await;
    let handle = site.open(&first).handle().await.unwrap();
    assert_eq!(handle.as_deref(), Some(&*site.sessions.list("1").await.unwrap()[0].handle));
    assert_eq!(handle.map(|handle| handle.len()), Some(32));
}

#[tokio::test]
async fn a_session_tells_its_values_and_whether_this_request_bound_it() {
    let site = Site::new();
    let session = site.open("");
    assert!(!session.was_bound().await, "nobody asked for it");
    session.insert("a", &1).await.unwrap();
    assert_eq!(session.values().await.unwrap().to_json(), r#"{"a":1}"#);
    assert!(!session.was_bound().await);
    session.bind("1", Remember::default()).await.unwrap();
    assert!(session.was_bound().await);
    let next = site.open(&cookie(&session).await.unwrap());
    assert_eq!(next.user().await.unwrap().as_deref(), Some("1"));
    assert!(!next.was_bound().await, "it was bound before");
}

#[tokio::test]
async fn nobody_has_other_sessions_to_end() {
    let site = Site::new();
    let alive = site.sign_in("1").await;
    let stranger = site.open("");
    stranger.insert("a", &1).await.unwrap();
    assert_eq!(stranger.end_others().await.unwrap(), 0);
    assert_eq!(site.open(&alive).end_others().await.unwrap(), 0);
    assert_eq!(site.seen(&alive).await, (Some("1".to_owned()), Some(1)));
}

#[tokio::test]
async fn the_size_limit_is_exact_and_a_value_that_breaks_it_changes_nothing() {
    let site = Site::new();
    let limits = Limits { bytes: r#"{"a":"xxx"}"#.len(), ..Limits::default() };
    let session = site.sessions.clone().limits(limits).open(&HeaderMap::new(), Client::default());
    session.insert("a", "xxx").await.unwrap();
    let outcome = session.insert("a", "xxxx").await;
    assert!(matches!(outcome, Err(Error::TooLarge { bytes: 12, most: 11 })), "{outcome:?}");
    assert_eq!(session.get::<String>("a").await.unwrap().as_deref(), Some("xxx"));
}

#[tokio::test]
async fn the_list_shows_where_a_session_was_used_last() {
    let site = Site::new();
    let first = site.sign_in("1").await;
    site.after(60);
    let client = Client { browser: "Another".to_owned(), network: "192.0.2.7/32".to_owned() };
    let session = site.open_from(&first, client.clone());
    session.user().await.unwrap();
    cookie(&session).await;
    assert_eq!(site.sessions.list("1").await.unwrap()[0].record.client, client);
}
