//! Django's table and its signed text.

use std::time::Duration;

use haechi_core::{Compress, KeyRing, Purpose, SecretKey, SecureCookie, Signer, TestClock};
use haechi_db::{Db, Migration, MigrationSet, Migrations, sql};
use haechi_session::{
    At, Changes, Client, DjangoStore, Error, Record, SessionStore, Sessions, StoreKey, Values, Write,
};
use http::{HeaderMap, StatusCode, header};

/// The table as `manage.py migrate` of Django 5.2 makes it.
struct DjangoTables;

impl MigrationSet for DjangoTables {
    const APP: &'static str = "sessions";
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_initial",
        sqlite: r#"CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL)"#,
        postgres: "",
    }];
}

async fn store() -> DjangoStore {
    store_in(Db::memory().await.unwrap()).await
}

async fn store_in(db: Db) -> DjangoStore {
    Migrations::new().with::<DjangoTables>().apply(&db).await.unwrap();
    DjangoStore::new(db, keys(), Duration::from_secs(1_209_600))
}

fn keys() -> KeyRing {
    let key = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
    KeyRing::new(SecretKey::shared_with_django(key).unwrap())
}

#[tokio::test]
async fn the_django_store_conforms() {
    haechi_session::conformance::check(&store().await).await.unwrap();
}

#[tokio::test]
async fn session_data_of_a_live_django_is_read_and_written() {
    let user = r#"{"_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"0000000000000000000000000000000000000000000000000000000000000000"}"#;
    let rows = [
        (r#"{"a":1}"#, "eyJhIjoxfQ:1r31eq:JRFvCJdUyylJKR5Xg6ALSKO_gAitP4YUhlVkXGzSxY8"),
        (
            r#"{"n":"zo\u00eb \u2603"}"#,
            "eyJuIjoiem9cdTAwZWIgXHUyNjAzIn0:1r31eq:mkgPwnzAWP19lZYGxGpZCGgUGMTdDwv8h5alU0gh1R4",
        ),
        (
            user,
            ".eJyrVopPLC3JiC8tTi2Kz0xRslIyVNJBFktKTM5OzQNJpGQl5qXn6yXn55UUZSbpgZToQWWL9XzzU1JznKBqUQzISCzOAOo2oBAo1QIAIvYyTQ:1r31eq:qiBNfdw2oiH7TQWbI71OJwvl9tAwpipP_7jwSlfP-iY",
        ),
    ];
    let store = store().await;
    for (json, data) in rows {
        assert_eq!(store.decode(data).unwrap().to_json(), json);
        assert!(store.verifies(data), "{json}");
        let ours = store.encode(&Values::parse(json).unwrap(), 1_700_000_000);
        assert_eq!(store.decode(&ours).unwrap().to_json(), json);
        if !data.starts_with('.') {
            assert_eq!(ours, data, "uncompressed text is the same to the byte");
        }
    }
    for forged in [
        "",
        "x",
        "eyJhIjoxfQ:1r31eq:JRFvCJdUyylJKR5Xg6ALSKO_gAitP4YUhlVkXGzSxY9",
        "eyJhIjoyfQ:1r31eq:JRFvCJdUyylJKR5Xg6ALSKO_gAitP4YUhlVkXGzSxY8",
    ] {
        assert!(store.decode(forged).unwrap().is_empty(), "{forged}");
        assert!(!store.verifies(forged), "{forged}");
    }
}

/// The site next door reads them, and somebody is signed in there by them.
#[tokio::test]
async fn a_session_that_is_signed_and_cannot_be_read_is_an_error_and_left_as_it_is() {
    let db = Db::memory().await.unwrap();
    let store = store_in(db.clone()).await;
    let signer = Signer::new(keys(), Purpose::new("django.contrib.sessions.SessionStore"));
    let big = format!("{{\"big\":\"{}\"}}", "x".repeat(1 << 20));
    for (number, json) in ["[1]", "{\"a\":1", &big].into_iter().enumerate() {
        let text = format!("{number:0>32}");
        let data = signer.sign_object(json, 1_700_000_000, Compress::IfShorter);
        sql!("insert into django_session values ({text}, {data}, '2100-01-01 00:00:00')")
            .execute(&db)
            .await
            .unwrap();
        let (key, other) = (StoreKey::new(text.clone()), StoreKey::new("o".repeat(32)));
        assert!(matches!(store.decode(&data), Err(Error::Store(_))) && !store.verifies(&data));
        assert!(matches!(store.load(&key).await, Err(Error::Store(_))), "{number}");
        let record = Record { user: Some("7".to_owned()), expires: 4_000_000_000, ..Record::default() };
        let changes = Changes::setting("a", &1).unwrap();
        for at in [At::Same(&key), At::Moved(&key, &other)] {
            let saved = store.save(Write { at, record: &record, changes: &changes }).await;
            assert!(matches!(saved, Err(Error::Store(_))), "{number}");
        }
        let kept = sql!("select session_data from django_session where session_key = {text}");
        assert_eq!(kept.scalar::<String>(&db).await.unwrap(), data);
    }
    assert!(store.list("7").await.unwrap().is_empty());
}

/// Reading moves no end there, writing moves that of the row and that of the cookie together.
#[tokio::test]
async fn a_shared_session_is_prolonged_by_writing_or_by_every_request_if_django_says_so() {
    const START: i64 = 1_700_000_000;
    const WEEKS: i64 = 1_209_600;
    for (every_request, moved) in [(false, START), (true, START + 120)] {
        let (store, clock) = (store().await, TestClock::at(START));
        let cookie = SecureCookie::shared_with_django("sessionid").unwrap();
        let mut sessions = Sessions::shared_with_django(store.clone(), cookie).clock(clock.clone());
        if every_request {
            sessions = sessions.save_every_request();
        }
        let request = async |key: &str, writes: bool| -> Option<String> {
            let (mut request, mut response) = (HeaderMap::new(), HeaderMap::new());
            request.insert(header::COOKIE, format!("sessionid={key}").parse().unwrap());
            let session = sessions.open(&request, Client::default());
            match writes {
                true => session.insert("a", &1).await.unwrap(),
                false => drop(session.get::<u32>("a").await.unwrap()),
            }
            session.close(StatusCode::OK, &mut response).await.unwrap();
            let set = response.get(header::SET_COOKIE)?.to_str().unwrap();
            assert!(set.contains("Max-Age=1209600"), "{set}");
            Some(set.split_once('=')?.1.split(';').next()?.to_owned())
        };
        let key = request("", true).await.unwrap();
        let expires = async || store.load(&StoreKey::new(key.clone())).await.unwrap().unwrap().expires;
        clock.set(START + 120);
        assert_eq!(request(&key, false).await.as_ref(), every_request.then_some(&key));
        assert_eq!(expires().await, moved + WEEKS);
        clock.set(START + 240);
        assert_eq!(request(&key, true).await.as_ref(), Some(&key), "the same id, for longer");
        assert_eq!(expires().await, START + 240 + WEEKS);
    }
}

#[tokio::test]
async fn a_user_of_an_unlisted_backend_is_anonymous_and_the_row_is_kept() {
    let store = store().await.backend("own.Backend").backends(&["listed.Backend".to_owned()]);
    for (path, expected) in
        [("own.Backend", Some("7")), ("listed.Backend", Some("7")), ("evil.Backend", None)]
    {
        let key = StoreKey::new(format!("{:x<32}", path.len()));
        let mut record = Record { seen: 1_700_000_000, expires: 4_000_000_000, ..Record::default() };
        let values =
            Values::parse(&format!(r#"{{"_auth_user_id":"7","_auth_user_backend":"{path}","keep":NaN}}"#))
                .unwrap();
        let changes = Changes::replacing(values);
        store.save(Write { at: At::New(&key), record: &record, changes: &changes }).await.unwrap();
        let found = store.load(&key).await.unwrap().unwrap();
        assert_eq!(found.user.as_deref(), expected, "{path}");
        assert_eq!(found.values.json("keep"), Some("NaN"));
        record.user = None;
        store
            .save(Write { at: At::Same(&key), record: &record, changes: &Changes::default() })
            .await
            .unwrap();
        let written = async |user: &str| {
            let record = Record { user: Some(user.to_owned()), ..record.clone() };
            let changes = Changes::default();
            store.save(Write { at: At::Same(&key), record: &record, changes: &changes }).await.unwrap();
            let found = store.load(&key).await.unwrap().unwrap();
            found.values.get::<String>("_auth_user_backend").unwrap().unwrap()
        };
        let unchanged = store.load(&key).await.unwrap().unwrap();
        assert_eq!(unchanged.values.get::<String>("_auth_user_backend").unwrap().as_deref(), Some(path));
        assert_eq!(written("7").await, expected.map_or("own.Backend", |_| path), "a listed path is kept");
        assert_eq!(written("8").await, "own.Backend", "another user signed in here");
    }
}

/// The table has one time, the end: what else there is follows from it.
#[tokio::test]
async fn the_times_of_a_django_session_follow_from_its_end() {
    let (store, key) = (store().await, StoreKey::new("t".repeat(32)));
    let record = Record { expires: 1_701_209_600, ..Record::default() };
    let write = Write { at: At::New(&key), record: &record, changes: &Changes::default() };
    store.save(write).await.unwrap();
    let found = store.load(&key).await.unwrap().unwrap();
    assert_eq!((found.created, found.seen, found.expires), (1_700_000_000, 1_700_000_000, 1_701_209_600));
}
