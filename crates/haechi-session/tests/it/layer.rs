//! Sessions behind plain axum: what a browser, a thief and a dead store see.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use haechi_core::TestClock;
use haechi_session::{
    Error, FlashLevel, Limits, MemoryStore, Record, Remember, Saved, Session, SessionCache, SessionStore,
    Sessions, StoreFuture, StoreKey, Which, Write,
};
use http::{Request, Response, StatusCode, header};
use tower::{Layer, ServiceExt, service_fn};

const START: i64 = 1_700_000_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// A memory store that counts and can fail.
#[derive(Clone, Debug, Default)]
struct Probe {
    memory: Arc<MemoryStore>,
    calls: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    /// It can be read and not be written.
    full: Arc<AtomicBool>,
}

impl Probe {
    fn called(&self) -> Result<(), Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) { Err(Error::store("the disk is gone")) } else { Ok(()) }
    }

    fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::SeqCst)
    }
}

impl SessionStore for Probe {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            self.called()?;
            self.memory.load(key).await
        })
    }
    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            self.called()?;
            match self.full.load(Ordering::SeqCst) {
                true => Err(Error::store("the disk is full")),
                false => self.memory.save(write).await,
            }
        })
    }
    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            self.called()?;
            self.memory.end(which).await
        })
    }
    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        Box::pin(async move {
            self.called()?;
            self.memory.list(user).await
        })
    }
    fn cache(&self) -> SessionCache {
        SessionCache::own()
    }
}

struct Site {
    store: Probe,
    clock: TestClock,
    sessions: Sessions,
}

type Step<'a> = Pin<Box<dyn Future<Output = StatusCode> + Send + 'a>>;

impl Site {
    fn new() -> Self {
        let (store, clock) = (Probe::default(), TestClock::at(START));
        let sessions = Sessions::new(store.clone()).clock(clock.clone());
        Self { store, clock, sessions }
    }

    /// Sends one request with `cookie` and lets `handler` answer it.
    async fn send(
        &self,
        cookie: &str,
        handler: impl Fn(Session) -> Step<'static> + Clone + Send + 'static,
    ) -> Response<Body> {
        let handler = service_fn(move |request: Request<Body>| {
            let step = handler(request.extensions().get::<Session>().unwrap().clone());
            async move {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = step.await;
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut request = Request::new(Body::empty());
        if !cookie.is_empty() {
            request.headers_mut().insert(header::COOKIE, format!("__Host-session={cookie}").parse().unwrap());
        }
        request.headers_mut().insert(header::USER_AGENT, "A browser".parse().unwrap());
        self.sessions.layer().layer(handler).oneshot(request).await.unwrap()
    }

    async fn sign_in(&self, cookie: &str, user: &'static str, remember: Remember) -> String {
        let response = self
            .send(cookie, move |session| {
                Box::pin(async move {
                    session.bind(user, remember).await.unwrap();
                    StatusCode::OK
                })
            })
            .await;
        cookie_of(&response).unwrap()
    }

    async fn set(&self, cookie: &str, name: &'static str, value: u32) -> Response<Body> {
        self.send(cookie, move |session| {
            Box::pin(async move {
                session.insert(name, &value).await.unwrap();
                StatusCode::OK
            })
        })
        .await
    }

    async fn user(&self, cookie: &str) -> Option<String> {
        self.read(cookie, |session| async move { session.user().await.unwrap() }).await
    }

    async fn value(&self, cookie: &str, name: &'static str) -> Option<u32> {
        self.read(cookie, move |session| async move { session.get(name).await.unwrap() }).await
    }

    async fn read<T, F>(&self, cookie: &str, read: impl Fn(Session) -> F + Clone + Send + Sync + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let found = Arc::new(std::sync::Mutex::new(None));
        let seen = Arc::clone(&found);
        self.send(cookie, move |session| {
            let (seen, read) = (Arc::clone(&seen), read.clone());
            Box::pin(async move {
                let value = read(session).await;
                *seen.lock().unwrap() = Some(value);
                StatusCode::OK
            })
        })
        .await;
        found.lock().unwrap().take().unwrap()
    }
}

fn cookie_of(response: &Response<Body>) -> Option<String> {
    let header = response.headers().get(header::SET_COOKIE)?.to_str().unwrap();
    Some(header.split_once('=')?.1.split(';').next()?.to_owned())
}

#[tokio::test]
async fn an_untouched_session_costs_nothing_and_sets_nothing() {
    let site = Site::new();
    for cookie in ["", "nonsense", &"A".repeat(43)] {
        let response = site.send(cookie, |_| Box::pin(async { StatusCode::OK })).await;
        assert!(response.headers().is_empty(), "{:?}", response.headers());
    }
    assert_eq!(site.store.calls(), 0);
}

#[tokio::test]
async fn reading_an_empty_session_stores_no_row_but_marks_the_response_private() {
    let site = Site::new();
    let response = site
        .send("", |session| {
            Box::pin(async move {
                assert_eq!(session.get::<u8>("a").await.unwrap(), None);
                StatusCode::OK
            })
        })
        .await;
    assert_eq!(site.store.calls(), 0);
    assert_eq!(response.headers()[header::VARY], "Cookie");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(cookie_of(&response).is_none());
}

/// asvs_3_3_1, asvs_7_2_3, asvs_14_3_2: the cookie is bound to host, TLS and HTTP, and holds 256 random bits.
#[tokio::test]
async fn asvs_7_2_3_the_cookie_holds_256_bits_and_every_attribute() {
    let site = Site::new();
    let response = site.set("", "a", 1).await;
    let header = response.headers()[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie_of(&response).unwrap();
    assert_eq!(header, format!("__Host-session={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax"));
    assert_eq!(cookie.len(), 43);
    assert_eq!(site.store.calls(), 1, "saved once");
    assert_eq!(site.value(&cookie, "a").await, Some(1));
    let again = site
        .send(&cookie, |session| {
            Box::pin(async move {
                session.get::<u32>("a").await.unwrap();
                StatusCode::OK
            })
        })
        .await;
    assert!(cookie_of(&again).is_none(), "an unchanged session sets no cookie");
}

/// asvs_7_2_2, asvs_7_2_4: each sign-in makes a new id, a second sign-in of the same user too, and the old one is dead.
#[tokio::test]
async fn asvs_7_2_4_every_sign_in_makes_a_new_id_and_the_old_one_is_dead() {
    let site = Site::new();
    let anonymous = cookie_of(&site.set("", "basket", 3).await).unwrap();
    let first = site.sign_in(&anonymous, "1", Remember::default()).await;
    let second = site.sign_in(&first, "1", Remember::default()).await;
    assert!(anonymous != first && first != second);
    assert_eq!(site.user(&anonymous).await, None);
    assert_eq!(site.user(&first).await, None);
    assert_eq!(site.user(&second).await.as_deref(), Some("1"));
    assert_eq!(site.value(&second, "basket").await, Some(3), "the basket came along");
    let other = site.sign_in(&second, "2", Remember::default()).await;
    assert_eq!(site.value(&other, "basket").await, None, "another user's basket did not");
}

/// asvs_7_2_1: an id is only what the store knows; nothing a browser sends is adopted.
#[tokio::test]
async fn asvs_7_2_1_an_id_that_we_did_not_give_out_is_nobody() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    let mut flipped = cookie.clone().into_bytes();
    flipped[7] = if flipped[7] == b'x' { b'y' } else { b'x' };
    let flipped = String::from_utf8(flipped).unwrap();
    for foreign in
        [flipped.as_str(), &cookie[1..], &format!("{cookie}A"), "x", &"A".repeat(43), &"A".repeat(4_000)]
    {
        assert_eq!(site.user(foreign).await, None, "{foreign}");
        let adopted = cookie_of(&site.set(foreign, "a", 1).await).unwrap();
        assert_ne!(adopted, foreign);
    }
}

/// The store never sees the id.
#[tokio::test]
async fn the_store_sees_only_the_hash_of_the_id() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    let stored = site.store.memory.list("1").await.unwrap();
    let expected = haechi_core::Token::parse(&cookie).unwrap().hash().to_string();
    assert_eq!(stored[0].0.as_str(), expected);
    assert!(!format!("{:?}", site.store).contains(&cookie));
}

/// asvs_7_3_1: an hour without use ends a session; 14 days if the user chose to stay signed in.
#[tokio::test]
async fn asvs_7_3_1_a_session_ends_without_use() {
    async fn check(remember: Remember, pause: Duration, alive: bool) {
        let site = Site::new();
        let cookie = site.sign_in("", "1", remember).await;
        site.clock.advance(pause);
        assert_eq!(site.user(&cookie).await.is_some(), alive, "{remember:?} after {pause:?}");
    }
    let second = Duration::from_secs(1);
    check(Remember::UntilTheBrowserCloses, HOUR - second, true).await;
    check(Remember::UntilTheBrowserCloses, HOUR, false).await;
    check(Remember::OnThisDevice, 14 * 24 * HOUR - second, true).await;
    check(Remember::OnThisDevice, 14 * 24 * HOUR, false).await;
}

/// asvs_7_3_2: constant use does not keep a session for ever.
#[tokio::test]
async fn asvs_7_3_2_a_session_ends_whatever_its_use() {
    async fn check(remember: Remember, step: Duration, expected: u32) {
        let site = Site::new();
        let cookie = site.sign_in("", "1", remember).await;
        let mut steps = 0;
        while site.user(&cookie).await.is_some() {
            site.clock.advance(step);
            steps += 1;
        }
        assert_eq!(steps, expected, "{remember:?}");
    }
    check(Remember::UntilTheBrowserCloses, HOUR / 2, 48).await;
    check(Remember::OnThisDevice, 24 * HOUR, 30).await;
}

/// asvs_7_4_1: after sign-out the old cookie is nobody, and a request under way does not bring it back.
#[tokio::test]
async fn asvs_7_4_1_a_session_that_was_ended_does_not_come_back() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    let sessions = site.sessions.clone();
    let response = site
        .send(&cookie, move |session| {
            let sessions = sessions.clone();
            Box::pin(async move {
                session.insert("a", &1).await.unwrap();
                assert_eq!(sessions.revoke_all("1").await.unwrap(), 1);
                StatusCode::OK
            })
        })
        .await;
    assert_eq!(cookie_of(&response), None, "whether it ended or moved is not known here");
    assert_eq!(site.user(&cookie).await, None);
    assert!(site.store.memory.list("1").await.unwrap().is_empty());
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once_and_may_leave_a_message() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    let response = site
        .send(&cookie, |session| {
            Box::pin(async move {
                session.destroy().await.unwrap();
                session.flash(FlashLevel::Info, "Signed out").await.unwrap();
                StatusCode::OK
            })
        })
        .await;
    let next = cookie_of(&response).unwrap();
    assert!(!next.is_empty() && next != cookie);
    assert_eq!(site.user(&cookie).await, None);
    let flashes = site.read(&next, |session| async move { session.take_flashes().await.unwrap() }).await;
    assert_eq!(flashes.iter().map(|flash| flash.text.as_str()).collect::<Vec<_>>(), ["Signed out"]);
    let again = site.read(&next, |session| async move { session.take_flashes().await.unwrap() }).await;
    assert!(again.is_empty(), "a message is shown once");
}

/// asvs_7_4_3, asvs_7_5_2: one session, or all but this one, can be ended from a list that cannot be misused.
#[tokio::test]
async fn asvs_7_4_3_a_user_sees_and_ends_the_other_sessions() {
    let site = Site::new();
    let (phone, desk) = (
        site.sign_in("", "1", Remember::OnThisDevice).await,
        site.sign_in("", "1", Remember::default()).await,
    );
    let stranger = site.sign_in("", "2", Remember::default()).await;
    let list = site.sessions.list("1").await.unwrap();
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|listed| listed.record.client.browser == "A browser"));
    let handle = list[0].handle.clone();
    assert!(!site.sessions.revoke("2", &handle).await.unwrap(), "nobody ends a session of somebody else");
    let ended = site.read(&desk, |session| async move { session.end_others().await.unwrap() }).await;
    assert_eq!(ended, 1);
    assert_eq!(site.user(&phone).await, None, "at once, whatever the cache held");
    assert!(site.user(&desk).await.is_some() && site.user(&stranger).await.is_some());
    let handle = site.sessions.list("1").await.unwrap()[0].handle.clone();
    assert!(site.sessions.revoke("1", &handle).await.unwrap());
    assert_eq!(site.user(&desk).await, None);
}

#[tokio::test]
async fn two_requests_that_set_different_names_both_keep_theirs() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    let set = |name: &'static str| {
        let barrier = Arc::clone(&barrier);
        site.send(&cookie, move |session| {
            let barrier = Arc::clone(&barrier);
            Box::pin(async move {
                session.insert(name, &1).await.unwrap();
                barrier.wait().await;
                StatusCode::OK
            })
        })
    };
    tokio::join!(set("a"), set("b"));
    assert_eq!((site.value(&cookie, "a").await, site.value(&cookie, "b").await), (Some(1), Some(1)));
}

/// asvs_16_5_3: a store that is down makes nobody somebody.
#[tokio::test]
async fn a_dead_store_is_503_and_never_somebody_else() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    site.clock.advance(Duration::from_secs(10));
    site.store.down.store(true, Ordering::SeqCst);
    let failed = site.read(&cookie, |session| async move { session.user().await.is_err() }).await;
    assert!(failed, "an unreadable session is an error, not an anonymous visitor");
    let response = site.set("", "a", 1).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER) && cookie_of(&response).is_none());
}

/// A page can be read while nothing can be stored; who could gain by it: nobody, for what is lost is that a message was
/// shown and that the session was used, which ends it earlier.
#[tokio::test]
async fn a_store_that_cannot_be_written_refuses_changes_and_not_visits() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    let say = |session: Session| async move { session.flash(FlashLevel::Success, "stored").await.unwrap() };
    site.read(&cookie, say).await;
    site.store.full.store(true, Ordering::SeqCst);
    let look = async || {
        site.send(&cookie, |session| {
            Box::pin(async move {
                let shown = session.take_flashes().await.unwrap().len();
                if shown == 1 { StatusCode::OK } else { StatusCode::NOT_FOUND }
            })
        })
        .await
        .status()
    };
    assert_eq!(look().await, StatusCode::OK);
    // Long enough for the use of the session to be noted.
    site.clock.advance(HOUR / 2);
    assert_eq!(look().await, StatusCode::OK, "and the message is shown again");
    let refused = async |change: fn(Session) -> Step<'static>| {
        assert_eq!(site.send(&cookie, change).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    };
    refused(|session| Box::pin(async move { ok(session.insert("a", &1).await) })).await;
    refused(|session| Box::pin(async move { ok(session.flash(FlashLevel::Success, "more").await) })).await;
    refused(|session| Box::pin(async move { ok(session.remove("b").await.map(drop)) })).await;
    refused(|session| Box::pin(async move { ok(session.rotate().await) })).await;
    refused(|session| Box::pin(async move { ok(session.flush().await) })).await;
    refused(|session| Box::pin(async move { ok(session.bind("2", Remember::default()).await) })).await;
    assert_eq!(site.user(&cookie).await.as_deref(), Some("1"));
    site.store.full.store(false, Ordering::SeqCst);
    assert_eq!(look().await, StatusCode::OK);
    assert_eq!(look().await, StatusCode::NOT_FOUND, "shown, and noted");
}

fn ok(outcome: Result<(), Error>) -> StatusCode {
    outcome.unwrap();
    StatusCode::OK
}

#[tokio::test]
async fn a_server_error_saves_nothing() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    site.send(&cookie, |session| {
        Box::pin(async move {
            session.insert("half", &1).await.unwrap();
            StatusCode::INTERNAL_SERVER_ERROR
        })
    })
    .await;
    assert_eq!(site.value(&cookie, "half").await, None);
}

/// Another machine's revocation is believed after [`Limits::cache`] at the latest, this machine's at once.
#[tokio::test]
async fn the_cache_answers_for_a_bounded_time() {
    let site = Site::new();
    let cookie = site.sign_in("", "1", Remember::default()).await;
    site.user(&cookie).await;
    site.store.calls();
    site.user(&cookie).await;
    assert_eq!(site.store.calls(), 0, "the second reading asks nobody");
    // The other machine shares the store, not the cache.
    site.store.memory.end(Which::OfUser { user: "1", but: None }).await.unwrap();
    site.clock.advance(Limits::default().cache - Duration::from_secs(1));
    assert!(site.user(&cookie).await.is_some());
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(site.user(&cookie).await, None);
}

#[tokio::test]
async fn a_session_has_a_size_it_may_not_pass() {
    let site = Site::new();
    let too_large = site
        .read("", |session| async move {
            let outcome = session.insert("a", &"x".repeat(70_000)).await;
            matches!(outcome, Err(Error::TooLarge { .. }))
        })
        .await;
    assert!(too_large);
}

/// asvs_7_2_3: ids do not repeat under load.
#[tokio::test]
async fn ids_of_a_thousand_sign_ins_all_differ() {
    let site = Site::new();
    let mut ids = std::collections::HashSet::new();
    for _ in 0..1_000 {
        assert!(ids.insert(site.sign_in("", "1", Remember::default()).await));
    }
}

#[tokio::test]
async fn a_browser_keeps_a_remembered_session_for_as_long_as_use_may_prolong_it() {
    let site = Site::new();
    let response = site
        .send("", |session| {
            Box::pin(async move {
                session.bind("1", Remember::OnThisDevice).await.unwrap();
                StatusCode::OK
            })
        })
        .await;
    let (cookie, line) = (cookie_of(&response).unwrap(), &response.headers()[header::SET_COOKIE]);
    assert!(line.to_str().unwrap().contains("; Max-Age=2592000;"), "thirty days");
    site.clock.advance(13 * 24 * HOUR);
    assert!(site.user(&cookie).await.is_some());
    // The answer to a use does not set it again, and need not.
    site.clock.advance(13 * 24 * HOUR);
    assert!(site.user(&cookie).await.is_some());
    let response = site
        .send(&cookie, |session| {
            Box::pin(async move {
                session.rotate().await.unwrap();
                StatusCode::OK
            })
        })
        .await;
    let line = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(line.contains("; Max-Age=345600;"), "what is left of the thirty days: {line}");
}

#[tokio::test]
async fn a_short_idle_limit_ends_no_session_that_is_in_use() {
    let mut site = Site::new();
    let limits = Limits { idle: Duration::from_secs(10), ..Limits::default() };
    site.sessions = site.sessions.limits(limits);
    let cookie = site.sign_in("", "1", Remember::default()).await;
    for _ in 0..20 {
        site.clock.advance(Duration::from_secs(7));
        assert!(site.user(&cookie).await.is_some());
    }
    site.clock.advance(Duration::from_secs(10));
    assert!(site.user(&cookie).await.is_none());
}

#[tokio::test]
async fn the_memory_store_conforms() {
    haechi_session::conformance::check(&MemoryStore::default()).await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_not_called() {
    #[derive(Clone)]
    struct Busy;
    impl tower::Service<Request<Body>> for Busy {
        type Response = Response<Body>;
        type Error = std::convert::Infallible;
        type Future = std::future::Ready<Result<Response<Body>, Self::Error>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Pending
        }
        fn call(&mut self, _: Request<Body>) -> Self::Future {
            panic!("it was not ready")
        }
    }
    let mut service = Site::new().sessions.layer().layer(Busy);
    let waker = std::task::Waker::noop();
    let ready = tower::Service::poll_ready(&mut service, &mut std::task::Context::from_waker(waker));
    assert!(ready.is_pending());
}
