//! The messages that a Django shares: what one page leaves, the next one shows, wherever they are kept.

use std::collections::BTreeMap;

use haechi_core::{KeyRing, SecretKey, SecureCookie, TestClock};
use haechi_session::{
    Client, DjangoMessages, FlashLevel, MemoryStore, MessageStorage, Session, Sessions, Values,
};
use http::{HeaderMap, StatusCode, header};

use MessageStorage::{Cookie, Fallback, Session as InSession};

/// A site and one browser.
struct Visits {
    sessions: Sessions,
    cookies: BTreeMap<String, String>,
}

impl Visits {
    fn new(storage: MessageStorage) -> Self {
        let cookie = SecureCookie::shared_with_django("messages").unwrap();
        let messages = DjangoMessages::new(KeyRing::new(SecretKey::generate()), cookie, storage);
        let clock = TestClock::at(1_700_000_000);
        let sessions = Sessions::new(MemoryStore::default()).clock(clock).messages(messages);
        Self { sessions, cookies: BTreeMap::new() }
    }

    /// Returns what the page returned, and how many cookies were set or removed.
    async fn visit<T>(&mut self, status: StatusCode, page: impl AsyncFnOnce(&Session) -> T) -> (T, usize) {
        let (mut request, mut response) = (HeaderMap::new(), HeaderMap::new());
        for (name, value) in &self.cookies {
            request.append(header::COOKIE, format!("{name}={value}").parse().unwrap());
        }
        let session = self.sessions.open(&request, Client::default());
        let answer = page(&session).await;
        session.close(status, &mut response).await.unwrap();
        let set = response.get_all(header::SET_COOKIE);
        for header in &set {
            let (name, rest) = header.to_str().unwrap().split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        (answer, set.iter().count())
    }

    async fn leave(&mut self, text: &str) {
        let page = async |session: &Session| session.flash(FlashLevel::Info, text).await.unwrap();
        self.visit(StatusCode::OK, page).await;
    }

    async fn shown(&mut self) -> Vec<String> {
        self.visit(StatusCode::OK, take).await.0
    }

    async fn values(&mut self) -> Values {
        self.visit(StatusCode::OK, async |session| session.values().await.unwrap()).await.0
    }

    /// Returns whether there are messages in the cookie, and in the session.
    async fn places(&mut self) -> (bool, bool) {
        let in_session = self.values().await.json("_messages").is_some();
        (self.cookies.contains_key("messages"), in_session)
    }
}

async fn take(session: &Session) -> Vec<String> {
    session.take_flashes().await.unwrap().into_iter().map(|flash| flash.text).collect()
}

#[tokio::test]
async fn what_a_page_leaves_is_shown_once_in_its_order() {
    for (storage, places) in [(Fallback, (true, false)), (Cookie, (true, false)), (InSession, (false, true))]
    {
        let mut visits = Visits::new(storage);
        visits.leave("one").await;
        assert_eq!(visits.places().await, places, "{storage:?}");
        visits.leave("two").await;
        assert_eq!(visits.places().await, places, "{storage:?}");
        assert_eq!(visits.shown().await, ["one", "two"], "{storage:?}");
        assert_eq!(visits.places().await, (false, false), "{storage:?}");
        assert!(visits.shown().await.is_empty(), "{storage:?}");
    }
}

#[tokio::test]
async fn a_page_that_failed_has_shown_and_left_nothing() {
    for storage in [Fallback, Cookie, InSession] {
        let mut visits = Visits::new(storage);
        visits.leave("one").await;
        let page = async |session: &Session| {
            session.flash(FlashLevel::Info, "never").await.unwrap();
            take(session).await
        };
        let (seen, _) = visits.visit(StatusCode::INTERNAL_SERVER_ERROR, page).await;
        assert_eq!(seen, ["one", "never"], "{storage:?}");
        assert_eq!(visits.shown().await, ["one"], "{storage:?}");
    }
}

#[tokio::test]
async fn one_page_sees_its_own_messages_and_leaves_what_came_after_them() {
    for storage in [Fallback, Cookie, InSession] {
        let mut visits = Visits::new(storage);
        visits.leave("one").await;
        let page = async |session: &Session| {
            session.flash(FlashLevel::Info, "two").await.unwrap();
            let seen = (take(session).await, take(session).await);
            session.flash(FlashLevel::Info, "three").await.unwrap();
            seen
        };
        let ((first, second), _) = visits.visit(StatusCode::OK, page).await;
        assert_eq!(first, ["one", "two"], "{storage:?}");
        assert!(second.is_empty(), "{storage:?}");
        assert_eq!(visits.shown().await, ["three"], "{storage:?}");
    }
}

#[tokio::test]
async fn a_page_without_messages_sets_no_cookie() {
    for storage in [Fallback, Cookie, InSession] {
        let mut visits = Visits::new(storage);
        assert_eq!(visits.visit(StatusCode::OK, take).await, (Vec::new(), 0), "{storage:?}");
        visits.leave("one").await;
        let untouched = visits.visit(StatusCode::OK, async |_: &Session| ()).await;
        assert_eq!(untouched, ((), 0), "{storage:?}");
        assert_eq!(visits.shown().await, ["one"], "{storage:?}");
    }
}

#[tokio::test]
async fn what_the_cookie_cannot_hold_waits_in_the_session_or_is_lost() {
    // Random letters are not made shorter by the compression.
    let noise = || [0; 3].map(|_| SecretKey::generate().expose().to_owned()).concat();
    let texts: Vec<String> = (0..20).map(|_| noise()).collect();
    for (storage, all, places) in
        [(Fallback, true, (true, true)), (Cookie, false, (true, false)), (InSession, true, (false, true))]
    {
        let mut visits = Visits::new(storage);
        let page = async |session: &Session| {
            // Of more than a page can show the oldest make room.
            for text in ["oldest"].into_iter().chain(texts.iter().map(String::as_str)) {
                session.flash(FlashLevel::Info, text).await.unwrap();
            }
        };
        visits.visit(StatusCode::OK, page).await;
        assert_eq!(visits.places().await, places, "{storage:?}");
        let shown = visits.shown().await;
        assert_eq!(shown == texts, all, "{storage:?}");
        assert!(texts.ends_with(&shown) && !shown.is_empty(), "{storage:?}");
        assert_eq!(visits.places().await, (false, false), "{storage:?}");
    }
}

/// Django looks into the session only where the cookie says that there is more, or where it keeps all of them there.
#[tokio::test]
async fn a_value_of_that_name_is_read_only_where_messages_are_kept_in_the_session() {
    let text = r#"[["__json_message",0,20,"there",""]]"#;
    for (storage, read) in [(Fallback, false), (Cookie, false), (InSession, true)] {
        let mut visits = Visits::new(storage);
        let page = async |session: &Session| session.insert("_messages", text).await.unwrap();
        visits.visit(StatusCode::OK, page).await;
        visits.leave("one").await;
        let expected: &[&str] = if read { &["there", "one"] } else { &["one"] };
        assert_eq!(visits.shown().await, expected, "{storage:?}");
        assert_eq!(visits.places().await, (false, !read), "{storage:?}");
    }
}
