//! Sessions that are their cookie: what a forger, a thief and a clock can do to them.

use std::time::Duration;

use axum::body::Body;
use haechi_core::{KeyRing, SecretKey, SecureCookie, TestClock};
use haechi_session::{
    At, Changes, CookieStore, Error, Limits, Record, Remember, Saved, Session, SessionStore, Sessions,
    StoreKey, Values, Write,
};
use http::{HeaderMap, StatusCode, header};

const START: i64 = 1_700_000_000;

struct Site {
    clock: TestClock,
    sessions: Sessions,
}

impl Site {
    fn new(keys: KeyRing) -> Self {
        let clock = TestClock::at(START);
        let sessions = Sessions::in_cookie(CookieStore::new(keys)).clock(clock.clone());
        Self { clock, sessions }
    }

    fn open(&self, cookie: &str) -> Session {
        let mut headers = HeaderMap::new();
        if !cookie.is_empty() {
            headers.insert(header::COOKIE, format!("__Host-session={cookie}").parse().unwrap());
        }
        self.sessions.open(&headers, haechi_session::Client::default())
    }

    async fn user(&self, cookie: &str) -> Option<String> {
        self.open(cookie).user().await.unwrap()
    }

    async fn sign_in(&self, remember: Remember) -> String {
        let session = self.open("");
        session.bind("7", remember).await.unwrap();
        close(&session).await.0.unwrap()
    }
}

/// Returns the new value of the cookie, if it was set, and the whole header.
async fn close(session: &Session) -> (Option<String>, String) {
    let mut headers = HeaderMap::new();
    session.close(StatusCode::OK, &mut headers).await.unwrap();
    let set = headers.get(header::SET_COOKIE).map_or("", |value| value.to_str().unwrap());
    let value = set.split_once('=').and_then(|(_, rest)| rest.split(';').next());
    (value.filter(|value| !value.is_empty()).map(str::to_owned), set.to_owned())
}

fn keys() -> KeyRing {
    KeyRing::new(SecretKey::generate())
}

#[tokio::test]
async fn the_cookie_store_conforms_as_far_as_a_store_without_memory_can() {
    // Django's format knows no end but the age of the signature, which is that of the suite's sessions here.
    let beside_django = CookieStore::shared_with_django(keys(), Duration::from_secs(3_600));
    haechi_session::conformance::check_without_revocation(&beside_django).await.unwrap();
    let ours = CookieStore::new(keys());
    haechi_session::conformance::check_without_revocation(&ours).await.unwrap();
    assert!(
        haechi_session::conformance::check(&ours).await.is_err(),
        "it cannot revoke, and the suite sees it"
    );
}

/// asvs_7_2_1, asvs_9_1_1: any change of any byte makes the cookie nobody's.
#[tokio::test]
async fn asvs_9_1_1_a_session_cookie_changed_anywhere_is_nobody() {
    let site = Site::new(keys());
    let cookie = site.sign_in(Remember::default()).await;
    assert_eq!(site.user(&cookie).await.as_deref(), Some("7"));
    for at in 0..cookie.len() {
        for other in ["A", "b", "0", ":", ".", "-"] {
            let forged = format!("{}{other}{}", &cookie[..at], &cookie[at + 1..]);
            assert!(forged == cookie || site.user(&forged).await.is_none(), "byte {at}: {forged}");
        }
        assert_eq!(site.user(&cookie[..at]).await, None, "cut at {at}");
    }
    assert_eq!(site.user(&format!("{cookie}=")).await, None, "another spelling is another signature");
    assert_eq!(Site::new(keys()).user(&cookie).await, None, "another site's key");
}

#[tokio::test]
async fn a_text_signed_for_something_else_is_no_session() {
    let ring = keys();
    let json = r#"{"user":"7","times":[1700000000,1700000000,4000000000],"remembered":false,"values":{}}"#;
    let site = Site::new(ring.clone());
    for purpose in ["haechi.auth.email", "django.contrib.sessions.backends.signed_cookies", "haechi.session"]
    {
        let signer = haechi_core::Signer::new(ring.clone(), haechi_core::Purpose::new(purpose));
        let forged = signer.sign_object(json, START, haechi_core::Compress::Never);
        assert_eq!(site.user(&forged).await, None, "{purpose}");
    }
    let signer = haechi_core::Signer::new(ring, haechi_core::Purpose::new("haechi.session.cookie"));
    assert_eq!(
        site.user(&signer.sign_object(json, START, haechi_core::Compress::Never)).await.as_deref(),
        Some("7")
    );
    for malformed in
        ["{}", "[]", "{\"user\":7}", r#"{"user":"7","times":[1],"remembered":false,"values":{}}"#]
    {
        let signed = signer.sign_object(malformed, START, haechi_core::Compress::Never);
        assert_eq!(site.user(&signed).await, None, "{malformed}");
    }
}

/// asvs_7_3_1, asvs_7_3_2: the end stands in the cookie, under the signature; each write makes a cookie with a later one.
#[tokio::test]
async fn asvs_7_3_1_a_session_cookie_ends_by_itself_and_use_makes_a_new_one() {
    let site = Site::new(keys());
    let first = site.sign_in(Remember::default()).await;
    site.clock.advance(Duration::from_secs(3_599));
    let session = site.open(&first);
    assert_eq!(session.user().await.unwrap().as_deref(), Some("7"));
    let second = close(&session).await.0.expect("use after a minute makes a new cookie");
    assert_ne!(second, first);
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(site.user(&first).await, None, "the old one ends at its own time");
    assert_eq!(site.user(&second).await.as_deref(), Some("7"));
    let mut cookie = second;
    for _ in 0..60 {
        site.clock.advance(Duration::from_secs(1_800));
        let session = site.open(&cookie);
        session.user().await.unwrap();
        let Some(next) = close(&session).await.0 else { break };
        cookie = next;
    }
    assert_eq!(site.user(&cookie).await, None, "24 hours, whatever the use");
}

/// What it cannot do, told by a test: a copy of the cookie outlives the sign-out, until the idle limit and no longer.
#[tokio::test]
async fn a_copied_session_cookie_is_replayed_until_its_idle_limit_and_no_longer() {
    let site = Site::new(keys());
    let cookie = site.sign_in(Remember::default()).await;
    let session = site.open(&cookie);
    session.destroy().await.unwrap();
    let (_, header) = close(&session).await;
    assert!(header.contains("Max-Age=0"), "the browser forgets it: {header}");
    assert_eq!(site.user(&cookie).await.as_deref(), Some("7"), "a copy does not");
    assert!(matches!(site.sessions.revoke_all("7").await, Err(Error::Unsupported(_))));
    assert!(matches!(site.sessions.list("7").await, Err(Error::Unsupported(_))));
    site.clock.advance(Duration::from_secs(3_600));
    assert_eq!(site.user(&cookie).await, None);
}

#[tokio::test]
async fn a_session_cookie_is_never_larger_than_a_browser_keeps() {
    let site = Site::new(keys());
    // Limits of another store are cut to what a cookie holds.
    let sessions = site.sessions.clone().limits(Limits::default());
    let session = sessions.open(&HeaderMap::new(), haechi_session::Client::default());
    session.bind("7", Remember::OnThisDevice).await.unwrap();
    let noise: String =
        (0..CookieStore::MOST_BYTES).map(|_| char::from(rand::random_range(33..127))).collect();
    assert!(matches!(session.insert("noise", &noise).await, Err(Error::TooLarge { .. })));
    let noise: String =
        noise.chars().filter(|c| !"\"\\".contains(*c)).take(CookieStore::MOST_BYTES - 80).collect();
    session.insert("noise", &noise).await.unwrap();
    let mut headers = HeaderMap::new();
    session.close(StatusCode::OK, &mut headers).await.unwrap();
    let set = headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(set.split(';').next().unwrap().len() <= 4_096, "{}", set.len());
    let store = CookieStore::new(keys());
    let (key, large) = (StoreKey::new("k"), Changes::setting("x", &"y".repeat(3_000)).unwrap());
    let write = Write { at: At::New(&key), record: &Record::default(), changes: &large };
    assert!(matches!(store.save(write).await, Err(Error::TooLarge { .. })), "nor behind the session's back");
}

#[tokio::test]
async fn a_rotated_key_reads_old_cookies_and_signs_with_the_new_one() {
    let (old, new) = (SecretKey::generate(), SecretKey::generate());
    let cookie = Site::new(KeyRing::new(old.clone())).sign_in(Remember::default()).await;
    let site = Site::new(KeyRing::new(new.clone()).with_fallback(old));
    let session = site.open(&cookie);
    session.insert("a", &1).await.unwrap();
    let cookie = close(&session).await.0.unwrap();
    assert_eq!(Site::new(KeyRing::new(new)).user(&cookie).await.as_deref(), Some("7"));
}

#[tokio::test]
async fn session_cookies_of_a_live_django_are_read_and_written() {
    let key =
        SecretKey::shared_with_django("oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz").unwrap();
    let store = CookieStore::shared_with_django(KeyRing::new(key), Duration::from_secs(1_209_600));
    let record = Record { seen: START, created: START, expires: START + 1_209_600, ..Record::default() };
    for (json, cookie) in [
        (r#"{"a":1}"#, "eyJhIjoxfQ:1r31eq:gWOT5qe4PeCdDUKfdFX6nGdZfyrM5OzkS4DHgdUGVoo"),
        (r#"{"n":"zo\u00eb"}"#, "eyJuIjoiem9cdTAwZWIifQ:1r31eq:uhoruJOIlGllizvEavyc_zuNwrVMOfnm7uSStdf7Ork"),
    ] {
        let (unused, values) = (StoreKey::new("unused"), Values::parse(json).unwrap());
        let found = store.load(&StoreKey::new(cookie)).await.unwrap().unwrap();
        assert_eq!(found, Record { values: values.clone(), ..record.clone() });
        let changes = Changes::replacing(values);
        let write = Write { at: At::New(&unused), record: &record, changes: &changes };
        assert_eq!(store.save(write).await.unwrap(), Saved::As(StoreKey::new(cookie)));
    }
}

/// Behind the layer, beside a Django: its cookie's name, and a stranger's backend is nobody.
#[tokio::test]
async fn a_django_cookie_of_an_unlisted_backend_is_anonymous() {
    let ring = keys();
    let age = Duration::from_secs(1_209_600);
    let clock = TestClock::at(START);
    let sessions = Sessions::in_cookie(CookieStore::shared_with_django(ring.clone(), age))
        .cookie(SecureCookie::shared_with_django("sessionid").unwrap())
        .clock(clock.clone());
    let purpose = haechi_core::Purpose::new("django.contrib.sessions.backends.signed_cookies");
    let signer = haechi_core::Signer::new(ring, purpose);
    let user = async |backend: &str| {
        let json =
            format!(r#"{{"_auth_user_id":"1","_auth_user_backend":"{backend}","_auth_user_hash":"00"}}"#);
        let cookie = signer.sign_object(&json, START, haechi_core::Compress::IfShorter);
        let request = http::Request::builder().header(header::COOKIE, format!("sessionid={cookie}"));
        let request = request.body(Body::empty()).unwrap();
        let session = sessions.open(request.headers(), haechi_session::client(&request));
        session.user().await.unwrap()
    };
    assert_eq!(user("django.contrib.auth.backends.ModelBackend").await.as_deref(), Some("1"));
    assert_eq!(user("evil.Backend").await, None);
    clock.advance(age);
    assert_eq!(user("django.contrib.auth.backends.ModelBackend").await, None, "two weeks");
}

#[tokio::test]
async fn a_session_cookie_remembers_its_last_use_and_the_choice_to_stay() {
    let site = Site::new(keys());
    let session = site.open("");
    session.bind("7", Remember::OnThisDevice).await.unwrap();
    let (first, header) = close(&session).await;
    assert!(header.contains("; Max-Age=2592000;"), "{header}");
    let first = first.unwrap();
    site.clock.advance(Duration::from_secs(59));
    let session = site.open(&first);
    session.user().await.unwrap();
    assert_eq!(close(&session).await.0, None, "no new cookie within a minute");
    site.clock.advance(Duration::from_secs(1));
    let session = site.open(&first);
    session.user().await.unwrap();
    let (second, header) = close(&session).await;
    assert!(header.contains("; Max-Age=2591940;"), "{header}");
    site.clock.advance(Duration::from_secs(1_209_599));
    assert_eq!(site.user(&second.unwrap()).await.as_deref(), Some("7"), "14 days from its last use");
}

#[tokio::test]
async fn the_browser_keeps_a_django_cookie_as_long_as_django_would() {
    let store = CookieStore::shared_with_django(keys(), Duration::from_secs(1_000));
    let session = Sessions::in_cookie(store).open(&HeaderMap::new(), haechi_session::Client::default());
    session.bind("7", Remember::OnThisDevice).await.unwrap();
    let (_, header) = close(&session).await;
    assert!(header.contains("; Max-Age=1000;"), "{header}");
}

#[tokio::test]
async fn the_most_bytes_of_a_session_cookie_are_exact() {
    let store = CookieStore::new(keys());
    for (length, fits) in [(CookieStore::MOST_BYTES, true), (CookieStore::MOST_BYTES + 1, false)] {
        let value = "y".repeat(length - r#"{"x":""}"#.len());
        let (key, changes) = (StoreKey::new("k"), Changes::setting("x", &value).unwrap());
        let write = Write { at: At::New(&key), record: &Record::default(), changes: &changes };
        assert_eq!(store.save(write).await.is_ok(), fits, "{length}");
    }
}

/// Beside a Django what was signed is measured, so that a session that Django could write can be written here.
#[tokio::test]
async fn a_long_django_session_that_compresses_well_can_be_signed_in_to() {
    let ring = keys();
    let store = CookieStore::shared_with_django(ring.clone(), Duration::from_secs(1_000));
    let purpose = haechi_core::Purpose::new("django.contrib.sessions.backends.signed_cookies");
    let signer = haechi_core::Signer::new(ring, purpose);
    let rows: Vec<String> =
        (0..60).map(|row| format!(r#"{{"product":{row},"size":"medium","gift":false}}"#)).collect();
    let json = format!(r#"{{"cart":[{}]}}"#, rows.join(","));
    assert!(json.len() > CookieStore::MOST_BYTES);
    let now = haechi_core::Clock::unix(&haechi_core::SystemClock);
    let cookie = signer.sign_object(&json, now, haechi_core::Compress::IfShorter);
    let sessions = Sessions::in_cookie(store);
    let request = |cookie: &str| {
        HeaderMap::from_iter([(header::COOKIE, format!("__Host-session={cookie}").parse().unwrap())])
    };
    let session = sessions.open(&request(&cookie), haechi_session::Client::default());
    session.insert("_auth_user_hash", "00").await.unwrap();
    session.bind("7", Remember::default()).await.unwrap();
    let text = close(&session).await.0.unwrap();
    assert_eq!(
        sessions.open(&request(&text), haechi_session::Client::default()).user().await.unwrap().as_deref(),
        Some("7")
    );
    let noise: String = (0..6_000).map(|_| char::from(rand::random_range(97..123))).collect();
    session.insert("noise", &noise).await.unwrap();
    let refused = session.close(StatusCode::OK, &mut HeaderMap::new()).await.unwrap_err();
    assert!(matches!(refused, Error::TooLarge { .. }), "{refused}");
}

/// asvs_7_2_4: what forms are bound to is the same for one sign-in, whatever is written meanwhile, and of nobody else.
#[tokio::test]
async fn what_a_sign_in_is_called_changes_with_the_sign_in_alone() {
    let site = Site::new(keys());
    assert_eq!(site.open("").binding().await.unwrap(), None);
    let session = site.open("");
    session.insert("basket", &1).await.unwrap();
    let anonymous = close(&session).await.0.unwrap();
    assert_eq!(site.open(&anonymous).binding().await.unwrap(), None);
    let mut names = std::collections::BTreeSet::new();
    for (user, seconds) in [("7", 0), ("7", 1), ("8", 0)] {
        site.clock.advance(Duration::from_secs(seconds));
        let session = site.open(&anonymous);
        session.bind(user, Remember::default()).await.unwrap();
        let first = close(&session).await.0.unwrap();
        let name = site.open(&first).binding().await.unwrap().unwrap();
        let session = site.open(&first);
        session.insert("basket", &2).await.unwrap();
        let second = close(&session).await.0.unwrap();
        assert_ne!(first, second);
        assert_eq!(site.open(&second).binding().await.unwrap().as_deref(), Some(name.as_str()));
        names.insert(name);
    }
    assert_eq!(names.len(), 3);
}
