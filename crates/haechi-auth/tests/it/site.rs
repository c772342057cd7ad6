//! A site with users, and browsers that visit it.

use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};

use haechi_auth::hash::{Argon2id, Hashers, Pbkdf2, Pbkdf2Digest, PoolSize, Upgrade};
use haechi_auth::{Auth, Authority, CreateUser, Credentials, DjangoUsers, Error, Throttle, User, UserTables};
use haechi_core::{ClientIp, KeyRing, SecretKey, TestClock};
use haechi_db::{Db, Migrations, Options, sql};
use haechi_session::{Client, DatabaseStore, Remember, SessionTables, Sessions};
use http::{HeaderMap, StatusCode, header};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct Site {
    pub(crate) db: Db,
    pub(crate) keys: KeyRing,
    pub(crate) authority: Authority,
    pub(crate) sessions: Sessions,
    pub(crate) clock: TestClock,
    /// Each visit comes from another network, so that only the tests of the throttle meet it.
    pub(crate) visits: AtomicU32,
}

/// One browser: its cookie.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::on(Db::memory().await.unwrap()).await
    }

    pub(crate) async fn on(db: Db) -> Self {
        Migrations::new().with::<SessionTables>().with::<UserTables>().apply(&db).await.unwrap();
        let clock = TestClock::at(1_700_000_000);
        let keys = KeyRing::new(SecretKey::generate());
        let sessions = Sessions::new(DatabaseStore::new(db.clone())).clock(clock.clone());
        let authority = authority(&db, keys.clone(), clock.clone(), hashers(Upgrade::AtLogin));
        Self { db, keys, authority, sessions, clock, visits: AtomicU32::new(0) }
    }

    pub(crate) async fn with_alice() -> Self {
        let site = Self::new().await;
        site.create("alice").await.unwrap();
        site
    }

    pub(crate) async fn create(&self, username: &str) -> Result<User, Error> {
        let new =
            CreateUser { username, email: "alice@example.com", password: PASSWORD, is_superuser: false };
        self.authority.create_user(new).await
    }

    pub(crate) async fn visit<T>(&self, browser: &mut Browser, page: impl AsyncFnOnce(&Auth) -> T) -> T {
        let mut request = HeaderMap::new();
        if let Some(cookie) = &browser.cookie {
            request.insert(header::COOKIE, format!("__Host-session={cookie}").parse().unwrap());
        }
        let session = self.sessions.open(&request, Client::default());
        let address = Ipv4Addr::from_bits(self.visits.fetch_add(1, Ordering::SeqCst));
        let auth = self.authority.of(session.clone(), ClientIp::from(address).network());
        let answer = page(&auth).await;
        let mut response = HeaderMap::new();
        session.close(StatusCode::OK, &mut response).await.unwrap();
        if let Some(set) = response.get(header::SET_COOKIE) {
            let value = set.to_str().unwrap().split_once('=').unwrap().1.split(';').next().unwrap();
            browser.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        answer
    }

    pub(crate) async fn sign_in(&self, browser: &mut Browser, username: &str, password: &str) -> bool {
        let credentials = Credentials { username: username.to_owned(), password: password.to_owned() };
        self.visit(browser, async |auth| match auth.authenticate(&credentials).await.unwrap() {
            Some(user) => {
                auth.login_with(user, Remember::default()).await.unwrap();
                true
            }
            None => false,
        })
        .await
    }

    pub(crate) async fn name(&self, browser: &mut Browser) -> Option<String> {
        self.visit(browser, async |auth| auth.current_user().await.unwrap().map(|user| user.username)).await
    }

    pub(crate) async fn column(&self) -> String {
        sql!("select password from auth_user where username = 'alice'").scalar(&self.db).await.unwrap()
    }

    pub(crate) async fn set_column(&self, column: &str) {
        sql!("update auth_user set password = {column}", column = column).execute(&self.db).await.unwrap();
    }
}

pub(crate) fn authority(db: &Db, keys: KeyRing, clock: TestClock, hashers: Hashers) -> Authority {
    let size = PoolSize { threads: NonZeroUsize::MIN, queue: 64 };
    let throttle = Throttle::new(db.clone()).clock(clock.clone());
    Authority::with(DjangoUsers::new(db.clone()), throttle, keys, hashers, size, clock).unwrap()
}

/// Cheap ones: what is tested here is not the work.
pub(crate) fn hashers(upgrade: Upgrade) -> Hashers {
    let argon2 = Argon2id::new(64, 1, 1).unwrap();
    Hashers::new(Box::new(argon2), vec![Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 10))], upgrade)
}

/// Runs `test` on PostgreSQL in a schema of its own; prints a line where there is no server and none is required.
pub(crate) async fn on_postgres(test: impl AsyncFnOnce(Site)) {
    on_postgres_db(async |db| test(Site::on(db).await).await).await;
}

/// As [`on_postgres`], before there is any table.
pub(crate) async fn on_postgres_db(test: impl AsyncFnOnce(Db)) {
    on_postgres_named(async |db, _, _| test(db).await).await;
}

/// As [`on_postgres_db`], for a program beside us: with the schema, and host, port, user and database.
pub(crate) async fn on_postgres_named(test: impl AsyncFnOnce(Db, &str, &str)) {
    let base = std::env::var("HAECHI_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    let name = format!("haechi_auth_{:016x}", rand::random::<u64>());
    if let Err(error) = administer(&base, &format!("create schema {name}")).await {
        let required = std::env::var("HAECHI_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "PostgreSQL is required here: {error}");
        println!("skipped: no PostgreSQL at {base}");
        return;
    }
    let url = format!("{base}?options=-c%20search_path%3D{name}").parse().unwrap();
    let db = Db::connect(&url, Options::default()).await.unwrap();
    let config: tokio_postgres::Config = base.parse().unwrap();
    let host = match config.get_hosts() {
        [tokio_postgres::config::Host::Tcp(host), ..] => host.as_str(),
        other => panic!("a host is wanted, not {other:?}"),
    };
    let port = config.get_ports().first().copied().unwrap_or(5_432);
    let (user, database) = (config.get_user().unwrap_or_default(), config.get_dbname().unwrap_or_default());
    test(db, &name, &format!("{host} {port} {user} {database}")).await;
    administer(&base, &format!("drop schema {name} cascade")).await.unwrap();
}

async fn administer(url: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let driver = tokio::spawn(connection);
    let outcome = client.batch_execute(statement).await;
    drop(client);
    driver.await.unwrap()?;
    outcome
}
