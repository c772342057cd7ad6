//! The sessions of a site: listing, ending, replacing and sweeping them, and what the cache may keep.

use std::sync::Arc;
use std::time::Duration;

use haechi_core::TestClock;
use haechi_session::{
    Client, Limits, MemoryStore, Record, Remember, Saved, Session, SessionCache, SessionStore, Sessions,
    StoreFuture, StoreKey, Which, Write,
};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::Semaphore;

const START: i64 = 1_700_000_000;

fn open(sessions: &Sessions, cookie: &str) -> Session {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, format!("__Host-session={cookie}").parse().unwrap());
    sessions.open(&headers, Client::default())
}

async fn sign_in(sessions: &Sessions, user: &str, value: &str) -> String {
    let session = open(sessions, "");
    session.bind(user, Remember::default()).await.unwrap();
    session.insert("hash", value).await.unwrap();
    let mut headers = HeaderMap::new();
    session.close(StatusCode::OK, &mut headers).await.unwrap();
    let header = headers[header::SET_COOKIE].to_str().unwrap();
    header.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
}

async fn value(sessions: &Sessions, cookie: &str) -> Option<String> {
    open(sessions, cookie).get("hash").await.unwrap()
}

fn site(limits: Limits) -> (TestClock, Sessions) {
    let clock = TestClock::at(START);
    (clock.clone(), Sessions::new(MemoryStore::default()).limits(limits).clock(clock))
}

#[tokio::test]
async fn a_list_holds_living_sessions_the_last_used_first() {
    let (clock, sessions) = site(Limits::default());
    sign_in(&sessions, "1", "first").await;
    clock.advance(Duration::from_secs(1));
    sign_in(&sessions, "1", "second").await;
    let times = async || -> Vec<i64> {
        sessions.list("1").await.unwrap().iter().map(|listed| listed.record.seen).collect()
    };
    assert_eq!(times().await, [START + 1, START]);
    clock.set(START + 3_600);
    assert_eq!(times().await, [START + 1], "the end itself is past the session");
}

#[tokio::test]
async fn a_session_is_revoked_by_the_handle_of_its_user_only() {
    let (_, sessions) = site(Limits::default());
    let (mine, theirs) = (sign_in(&sessions, "1", "a").await, sign_in(&sessions, "2", "a").await);
    let handle = open(&sessions, &theirs).handle().await.unwrap().unwrap();
    assert!(!sessions.revoke("1", &handle).await.unwrap());
    assert!(!sessions.revoke("2", "").await.unwrap());
    assert!(value(&sessions, &theirs).await.is_some());
    assert!(sessions.revoke("2", &handle).await.unwrap());
    assert_eq!(value(&sessions, &theirs).await, None);
    assert!(value(&sessions, &mine).await.is_some());
}

#[tokio::test]
async fn all_sessions_of_a_user_end_and_are_counted() {
    let (_, sessions) = site(Limits::default());
    for _ in 0..3 {
        sign_in(&sessions, "1", "a").await;
    }
    let theirs = sign_in(&sessions, "2", "a").await;
    assert_eq!(sessions.revoke_all("1").await.unwrap(), 3);
    assert_eq!(sessions.revoke_all("1").await.unwrap(), 0);
    assert!(value(&sessions, &theirs).await.is_some());
}

#[tokio::test]
async fn a_value_is_replaced_where_it_stands_and_counted() {
    let (_, sessions) = site(Limits::default());
    let (old, other, theirs) = (
        sign_in(&sessions, "1", "old").await,
        sign_in(&sessions, "1", "other").await,
        sign_in(&sessions, "2", "old").await,
    );
    for cookie in [&old, &other, &theirs] {
        value(&sessions, cookie).await.unwrap();
    }
    assert_eq!(sessions.replace("1", "hash", "old", "new").await.unwrap(), 1);
    let expected = ["new", "other", "old"];
    for (cookie, expected) in [&old, &other, &theirs].into_iter().zip(expected) {
        assert_eq!(value(&sessions, cookie).await.as_deref(), Some(expected), "at once, whatever was cached");
    }
    assert_eq!(sessions.replace("1", "hash", "old", "new").await.unwrap(), 0);
}

#[tokio::test]
async fn sweeping_counts_what_ended_by_itself_and_keeps_the_rest() {
    let (clock, sessions) = site(Limits::default());
    sign_in(&sessions, "1", "a").await;
    clock.set(START + 1_800);
    let young = sign_in(&sessions, "1", "a").await;
    clock.set(START + 3_601);
    assert_eq!(sessions.sweep().await.unwrap(), 1);
    assert_eq!(sessions.sweep().await.unwrap(), 0);
    assert!(value(&sessions, &young).await.is_some());
}

/// asvs_7_3_1: the cache does not prolong a session.
#[tokio::test]
async fn asvs_7_3_1_a_cached_session_ends_at_its_time() {
    let permits = Arc::new(Semaphore::new(9));
    let (store, clock) = (Slow { memory: Arc::default(), permits: permits.clone() }, TestClock::at(START));
    let limits = Limits { idle: Duration::from_secs(3), ..Limits::default() };
    let sessions = Sessions::new(store).limits(limits).clock(clock.clone());
    let cookie = sign_in(&sessions, "1", "a").await;
    assert!(value(&sessions, &cookie).await.is_some(), "cached now, for five seconds");
    clock.set(START + 2);
    assert!(value(&sessions, &cookie).await.is_some());
    clock.set(START + 3);
    assert_eq!(value(&sessions, &cookie).await, None);
    assert_eq!(permits.available_permits(), 8, "the store was asked once");
}

/// A store whose answers wait for a permit once they have been read.
#[derive(Clone, Debug)]
struct Slow {
    memory: Arc<MemoryStore>,
    permits: Arc<Semaphore>,
}

impl SessionStore for Slow {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let found = self.memory.load(key).await;
            self.permits.acquire().await.unwrap().forget();
            found
        })
    }
    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        self.memory.save(write)
    }
    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        self.memory.end(which)
    }
    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        self.memory.list(user)
    }
    fn cache(&self) -> SessionCache {
        SessionCache::own()
    }
}

/// asvs_7_4_1: what was read before an end is not put into the cache after it.
#[tokio::test]
async fn asvs_7_4_1_a_reading_under_way_does_not_outlive_the_end() {
    for ends_all in [true, false] {
        let permits = Arc::new(Semaphore::new(0));
        let store = Slow { memory: Arc::default(), permits: Arc::clone(&permits) };
        let sessions = Sessions::new(store).clock(TestClock::at(START));
        let cookie = sign_in(&sessions, "1", "a").await;
        let under_way = open(&sessions, &cookie);
        let end = async {
            if ends_all {
                sessions.revoke_all("1").await.unwrap();
            } else {
                let handle = sessions.list("1").await.unwrap()[0].handle.clone();
                assert!(sessions.revoke("1", &handle).await.unwrap());
            }
            permits.add_permits(2);
        };
        let (read, ()) = tokio::join!(under_way.user(), end);
        assert_eq!(read.unwrap().as_deref(), Some("1"), "it was read before");
        assert_eq!(value(&sessions, &cookie).await, None);
    }
}

/// A store whose sessions are gone by the time they are to be ended.
#[derive(Debug, Default)]
struct Vanishing(MemoryStore);

impl SessionStore for Vanishing {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        self.0.load(key)
    }
    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        self.0.save(write)
    }
    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(async move { self.0.end(which).await.map(|_| 0) })
    }
    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        self.0.list(user)
    }
    fn cache(&self) -> SessionCache {
        SessionCache::none()
    }
}

#[tokio::test]
async fn a_session_that_ended_before_it_was_revoked_was_none() {
    let sessions = Sessions::new(Vanishing::default()).clock(TestClock::at(START));
    sign_in(&sessions, "1", "a").await;
    let handle = sessions.list("1").await.unwrap()[0].handle.clone();
    assert!(!sessions.revoke("1", &handle).await.unwrap());
}
