//! The database store, on both engines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use haechi_core::{Clock as _, SystemClock, TestClock};
use haechi_db::{DatabaseUrl, Db, Migrations, Options, count_statements, sql};
use haechi_session::{
    At, Changes, Client, DatabaseStore, Record, Remember, Saved, SessionStore, SessionTables, Sessions,
    StoreKey, Values, Write,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, StatusCode};

async fn sqlite() -> Db {
    let db = Db::memory().await.unwrap();
    Migrations::new().with::<SessionTables>().apply(&db).await.unwrap();
    db
}

/// Returns a PostgreSQL database, or `None` with a printed line where there is none.
async fn postgres() -> Option<Db> {
    let url = "postgres://postgres@127.0.0.1:5432/test?sslmode=disable".parse().unwrap();
    let db = match Db::connect(&url, Options::default()).await {
        Ok(db) => db,
        Err(error) if std::env::var_os("HAECHI_REQUIRE_ALL").is_none() => {
            println!("skipped: no PostgreSQL on 127.0.0.1:5432 ({error})");
            return None;
        }
        Err(error) => panic!("PostgreSQL is required: {error}"),
    };
    Migrations::new().with::<SessionTables>().apply(&db).await.unwrap();
    Some(db)
}

#[tokio::test]
async fn the_database_store_conforms_on_sqlite() {
    haechi_session::conformance::check(&DatabaseStore::new(sqlite().await)).await.unwrap();
}

#[tokio::test]
async fn the_database_store_conforms_on_postgresql() {
    if let Some(db) = postgres().await {
        haechi_session::conformance::check(&DatabaseStore::new(db)).await.unwrap();
    }
}

/// Signs a user in, and returns the cookie.
async fn sign_in(sessions: &Sessions, user: &str) -> String {
    let session = sessions.open(&HeaderMap::new(), Client::default());
    session.bind(user, Remember::default()).await.unwrap();
    let mut answer = HeaderMap::new();
    session.close(StatusCode::OK, &mut answer).await.unwrap();
    let line = answer[SET_COOKIE].to_str().unwrap().to_owned();
    line.split(';').next().unwrap().to_owned()
}

fn request(cookie: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, cookie.parse().unwrap())])
}

async fn user(sessions: &Sessions, cookie: &str) -> Option<String> {
    sessions.open(&request(cookie), Client::default()).user().await.unwrap()
}

async fn basket(sessions: &Sessions, cookie: &str) -> Option<i32> {
    sessions.open(&request(cookie), Client::default()).get("basket").await.unwrap()
}

/// Two sites over one database, each with a handle of its own, neither knowing of the other.
async fn ends_are_seen_at_once(one: Db, two: Db) {
    let (one, two) = (Sessions::new(DatabaseStore::new(one)), Sessions::new(DatabaseStore::new(two)));
    let name = format!("{}", rand::random::<u32>());
    for (ending, reading) in [(&one, &two), (&two, &one)] {
        let cookie = sign_in(ending, &name).await;
        for sessions in [ending, reading, ending, reading] {
            assert_eq!(user(sessions, &cookie).await.as_deref(), Some(name.as_str()));
        }
        assert_eq!(ending.revoke_all(&name).await.unwrap(), 1);
        assert_eq!(user(reading, &cookie).await, None, "no second passes");
        let cookie = sign_in(ending, &name).await;
        assert!(user(reading, &cookie).await.is_some());
        let handle = ending.list(&name).await.unwrap().remove(0).handle;
        assert!(ending.revoke(&name, &handle).await.unwrap());
        assert_eq!(user(reading, &cookie).await, None);
    }
}

/// asvs_7_4_1: an end counts at once wherever the same database is read from in this process.
#[tokio::test]
async fn asvs_7_4_1_an_end_is_seen_at_once_by_every_site_of_the_process() {
    let file = std::env::temp_dir().join(format!("haechi-sessions-{:016x}.db", rand::random::<u64>()));
    let open = async || Db::connect(&DatabaseUrl::file(file.clone()), Options::default()).await.unwrap();
    let (one, two) = (open().await, open().await);
    Migrations::new().with::<SessionTables>().apply(&one).await.unwrap();
    ends_are_seen_at_once(one, two).await;
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{end}", file.display())));
    }
    if let (Some(one), Some(two)) = (postgres().await, postgres().await) {
        ends_are_seen_at_once(one, two).await;
    }
}

/// Each process has a cache of its own, and tells the others apart by this name of the database.
async fn another_process() -> Db {
    named("other", 9).await
}

/// Connections that PostgreSQL knows by this name, and a cache of their own by this setting.
async fn named(name: &str, memory: u32) -> Db {
    let url = format!(
        "postgres://postgres@127.0.0.1:5432/test?sslmode=disable&application_name=haechi_{name}&options=-c%20work_mem%3D{memory}MB"
    );
    Db::connect(&url.parse().unwrap(), Options::default()).await.unwrap()
}

/// Waits until something is so: a millisecond or two, and longer where the machine is busy.
async fn soon(what: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !what().await {
        assert!(start.elapsed() < Duration::from_secs(10), "time passes, and nothing happens");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Reads the session until it is read from memory.
async fn is_kept(sessions: &Sessions, cookie: &str) -> bool {
    let (read, statements) = count_statements(user(sessions, cookie)).await;
    read.is_some() && statements == 0
}

/// asvs_7_4_1: the clock stands still here, so that nothing is forgotten because of its age.
#[tokio::test]
async fn asvs_7_4_1_what_another_process_ends_or_changes_is_forgotten_within_a_moment() {
    let Some(db) = postgres().await else { return };
    let clock = TestClock::at(SystemClock.unix());
    let sessions = Sessions::new(DatabaseStore::new(db)).clock(clock.clone());
    let other = another_process().await;
    let others = Sessions::new(DatabaseStore::new(other.clone())).clock(clock.clone());
    let name = format!("{}", rand::random::<u32>());
    let kept = async || {
        let cookie = sign_in(&sessions, &name).await;
        soon(async || is_kept(&sessions, &cookie).await).await;
        soon(async || is_kept(&others, &cookie).await).await;
        cookie
    };

    let cookie = kept().await;
    assert_eq!(others.revoke_all(&name).await.unwrap(), 1);
    soon(async || user(&sessions, &cookie).await.is_none()).await;

    // By hand, past every program of ours.
    let cookie = kept().await;
    sql!("delete from haechi_session where user_key = {name}").execute(&other).await.unwrap();
    soon(async || user(&sessions, &cookie).await.is_none()).await;
    soon(async || user(&others, &cookie).await.is_none()).await;

    let cookie = kept().await;
    let session = others.open(&request(&cookie), Client::default());
    session.insert("basket", &3).await.unwrap();
    session.close(StatusCode::OK, &mut HeaderMap::new()).await.unwrap();
    soon(async || basket(&sessions, &cookie).await == Some(3)).await;

    // The same session under another id: the old one is dead.
    let cookie = kept().await;
    let session = others.open(&request(&cookie), Client::default());
    session.rotate().await.unwrap();
    session.close(StatusCode::OK, &mut HeaderMap::new()).await.unwrap();
    soon(async || user(&sessions, &cookie).await.is_none()).await;
}

/// Who cannot be told keeps nothing, and keeps again when it can.
#[tokio::test]
async fn without_a_connection_that_tells_nothing_is_kept() {
    if postgres().await.is_none() {
        return;
    }
    // The clock stands still, so that nothing is forgotten because of its age. Under a name of their own, because
    // the connection that tells ends with the runtime of the test that asked first.
    let clock = TestClock::at(SystemClock.unix());
    let sessions = Sessions::new(DatabaseStore::new(named("cut", 12).await)).clock(clock);
    let name = format!("{}", rand::random::<u32>());
    let cookie = sign_in(&sessions, &name).await;
    let other = another_process().await;
    soon(async || is_kept(&sessions, &cookie).await).await;
    let cut = sql!(
        bool,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'haechi_cut'
         and query like '%listen haechi_session'"
    );
    assert!(!cut.all(&other).await.unwrap().is_empty());
    sql!("delete from haechi_session where user_key = {name}").execute(&other).await.unwrap();
    soon(async || user(&sessions, &cookie).await.is_none()).await;
    let cookie = sign_in(&sessions, &name).await;
    soon(async || is_kept(&sessions, &cookie).await).await;
}

/// A process that keeps nothing any more holds no connection to be told over.
#[tokio::test]
async fn the_connection_that_tells_ends_with_the_last_who_would_hear() {
    let Some(db) = postgres().await else { return };
    let ears = async || {
        let count = sql!(
            "select count(*) from pg_stat_activity where application_name = 'haechi_dropped'
             and query like '%listen haechi_session'"
        );
        count.scalar::<i64>(&db).await.unwrap()
    };
    let sessions = Sessions::new(DatabaseStore::new(named("dropped", 10).await));
    let cookie = sign_in(&sessions, &format!("{}", rand::random::<u32>())).await;
    soon(async || is_kept(&sessions, &cookie).await).await;
    assert_eq!(ears().await, 1);
    drop(sessions);
    soon(async || ears().await == 0).await;
}

/// What is told goes to a task of the runtime that asked first; another runtime of the process may outlive it.
#[test]
fn a_runtime_that_ends_takes_what_was_kept_with_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let kept = first.block_on(async {
        postgres().await?;
        let sessions = Sessions::new(DatabaseStore::new(named("runtime", 11).await));
        let sessions = sessions.clock(TestClock::at(SystemClock.unix()));
        let name = format!("{}", rand::random::<u32>());
        let cookie = sign_in(&sessions, &name).await;
        soon(async || is_kept(&sessions, &cookie).await).await;
        Some((sessions, name, cookie))
    });
    let Some((sessions, name, cookie)) = kept else { return };
    drop(first);
    runtime().block_on(async {
        let other = another_process().await;
        sql!("delete from haechi_session where user_key = {name}").execute(&other).await.unwrap();
        assert_eq!(user(&sessions, &cookie).await, None);
        let cookie = sign_in(&sessions, &name).await;
        soon(async || is_kept(&sessions, &cookie).await).await;
    });
}

#[tokio::test]
async fn on_sqlite_nothing_is_kept_and_every_end_seen_at_once() {
    let db = sqlite().await;
    let sessions = Sessions::new(DatabaseStore::new(db.clone()));
    let cookie = sign_in(&sessions, "1").await;
    assert!(user(&sessions, &cookie).await.is_some());
    sql!("delete from haechi_session where user_key = '1'").execute(&db).await.unwrap();
    assert_eq!(user(&sessions, &cookie).await, None);
}

#[tokio::test]
async fn no_write_of_ten_at_once_is_lost() {
    let store = Arc::new(DatabaseStore::new(sqlite().await));
    let (key, record) =
        (StoreKey::new("k".repeat(64)), Record { expires: 4_000_000_000, ..Record::default() });
    let nothing = Changes::default();
    let new = Write { at: At::New(&key), record: &record, changes: &nothing };
    assert_eq!(store.save(new).await.unwrap(), Saved::Stored);
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let (store, key, record) = (Arc::clone(&store), key.clone(), record.clone());
            tokio::spawn(async move {
                let changes = Changes::setting(&format!("n{number}"), &number).unwrap();
                store.save(Write { at: At::Same(&key), record: &record, changes: &changes }).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Saved::Stored);
    }
    let values: Values = store.load(&key).await.unwrap().unwrap().values;
    assert!((0..10).all(|number| values.json(&format!("n{number}")).is_some()), "{}", values.to_json());
}

#[tokio::test]
async fn a_row_that_is_no_session_is_nobodys_and_stops_no_request() {
    let db = sqlite().await;
    let sessions = Sessions::new(DatabaseStore::new(db.clone()));
    let cookie = sign_in(&sessions, "1").await;
    sql!("update haechi_session set content = 'x'").execute(&db).await.unwrap();
    assert_eq!(user(&sessions, &cookie).await, None);
    let session = sessions.open(&request(&cookie), Client::default());
    session.bind("1", Remember::default()).await.unwrap();
    session.close(StatusCode::OK, &mut HeaderMap::new()).await.unwrap();
}
