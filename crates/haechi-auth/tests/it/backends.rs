//! Several backends, asked in order.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use haechi_auth::hash::{
    Arena, Hasher, Hashers, Inspected, Pbkdf2, Pbkdf2Digest, PoolSize, Upgrade, unusable,
};
use haechi_auth::{
    AuthBackend, Authority, Credentials, DjangoUsers, StoreFuture, Throttle, UserStore, Verdict,
};
use haechi_core::{KeyRing, SecretKey};
use haechi_db::sql;

use crate::site::{Browser, PASSWORD, Site};

/// A directory service: who has an account there, and what it says.
#[derive(Clone, Debug)]
struct Directory {
    users: DjangoUsers,
    says: &'static str,
    asked: Arc<AtomicUsize>,
}

impl Directory {
    fn new(site: &Site, says: &'static str) -> Self {
        Self { users: DjangoUsers::new(site.db.clone()), says, asked: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

const BADGE: &str = "what the directory knows her by";

impl AuthBackend for Directory {
    fn authenticate<'a>(&'a self, credentials: &'a Credentials) -> StoreFuture<'a, Verdict> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let account = self.users.by_username(&credentials.username).await?;
            Ok(match (self.says, account) {
                ("refuse", _) => Verdict::Refuse,
                ("accept", Some(account)) if credentials.password == BADGE => Verdict::Accept(account),
                _ => Verdict::Pass,
            })
        })
    }
}

/// A site where carol is known to the directory alone, and dora's account is switched off.
async fn site() -> Site {
    let site = Site::with_alice().await;
    let nothing = unusable();
    for name in ["carol", "dora"] {
        site.create(name).await.unwrap();
        sql!("update auth_user set password = {nothing} where username = {name}")
            .execute(&site.db)
            .await
            .unwrap();
    }
    sql!("update auth_user set is_active = {no} where username = 'dora'", no = false)
        .execute(&site.db)
        .await
        .unwrap();
    site
}

fn with(site: Site, backends: &[&Directory]) -> Site {
    let add = |authority: Authority, backend: &&Directory| authority.backend((*backend).clone());
    let authority = backends.iter().fold(site.authority.clone(), add);
    Site { authority, ..site }
}

#[tokio::test]
async fn a_backend_is_asked_only_if_those_before_pass() {
    let site = site().await;
    let (first, second) = (Directory::new(&site, "accept"), Directory::new(&site, "accept"));
    let (site, mut browser) = (with(site, &[&first, &second]), Browser::default());
    let rows = [
        ("alice", PASSWORD, true, 0, 0),
        ("carol", BADGE, true, 1, 0),
        ("carol", PASSWORD, false, 1, 1),
        ("alice", "wrong", false, 1, 1),
        ("nobody", BADGE, false, 1, 1),
        ("carol", "", false, 1, 1),
    ];
    for (name, password, enters, by_first, by_second) in rows {
        assert_eq!(site.sign_in(&mut browser, name, password).await, enters, "{name} {password}");
        assert_eq!((first.asked(), second.asked()), (by_first, by_second), "{name} {password}");
    }
    assert!(site.sign_in(&mut browser, "carol", BADGE).await);
    assert_eq!(site.name(&mut browser).await.as_deref(), Some("carol"), "and is known at the next request");
}

#[tokio::test]
async fn a_refusal_ends_the_asking() {
    let site = site().await;
    let (refuses, accepts) = (Directory::new(&site, "refuse"), Directory::new(&site, "accept"));
    let (site, mut browser) = (with(site, &[&refuses, &accepts]), Browser::default());
    assert!(!site.sign_in(&mut browser, "carol", BADGE).await);
    assert_eq!((refuses.asked(), accepts.asked()), (1, 0));
    assert!(site.sign_in(&mut browser, "alice", PASSWORD).await, "who was accepted before is not refused");
}

/// asvs_7_4_2: no backend can let an account in that is switched off.
#[tokio::test]
async fn asvs_7_4_2_an_inactive_account_is_refused_whoever_accepts_it() {
    let site = site().await;
    let accepts = Directory::new(&site, "accept");
    let (site, mut browser) = (with(site, &[&accepts]), Browser::default());
    assert!(!site.sign_in(&mut browser, "dora", BADGE).await);
    assert_eq!(accepts.asked(), 1);
    assert_eq!((site.name(&mut browser).await, browser.cookie), (None, None));
    let failures: i64 = sql!("select count(*) from haechi_security_log where event = 'failure'")
        .scalar(&site.db)
        .await
        .unwrap();
    assert_eq!(failures, 1);
}

/// PBKDF2 that adds up its iterations.
#[derive(Debug)]
struct Counting {
    inner: Pbkdf2,
    work: Arc<AtomicU64>,
}

impl Hasher for Counting {
    fn algorithm(&self) -> &'static str {
        self.inner.algorithm()
    }
    fn encode(&self, password: &[u8], salt: &str, arena: &mut Arena) -> Result<String, haechi_auth::Error> {
        self.inner.encode(password, salt, arena)
    }
    fn inspect(&self, encoded: &str) -> Option<Inspected> {
        self.inner.inspect(encoded)
    }
    fn verify(&self, password: &[u8], encoded: &str, arena: &mut Arena) -> bool {
        let work = self.inner.inspect(encoded).map_or(0, |row| row.work);
        self.work.fetch_add(work, Ordering::SeqCst);
        self.inner.verify(password, encoded, arena)
    }
    fn must_update(&self, encoded: &str) -> bool {
        self.inner.must_update(encoded)
    }
    fn harden(&self, password: &[u8], from: u64, to: u64, arena: &mut Arena) {
        self.work.fetch_add(to.saturating_sub(from), Ordering::SeqCst);
        self.inner.harden(password, from, to, arena);
    }
    fn work(&self) -> u64 {
        self.inner.work()
    }
}

/// asvs_6_3_8: with a second backend behind, the first works as hard for its users as for everybody else's.
#[tokio::test]
async fn asvs_6_3_8_every_name_costs_the_same_work_with_two_backends() {
    let site = site().await;
    let work = Arc::<AtomicU64>::default();
    let counting = Counting { inner: Pbkdf2::new(Pbkdf2Digest::Sha256, 40), work: Arc::clone(&work) };
    let hashers = Hashers::new(Box::new(counting), Vec::new(), Upgrade::Never);
    let cheap = "pbkdf2_sha256$10$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=";
    let dear = cheap.replace("$10$", "$70$");
    for (name, column) in [("alice", cheap), ("dora", &dear)] {
        sql!("update auth_user set password = {column} where username = {name}")
            .execute(&site.db)
            .await
            .unwrap();
    }
    let (size, keys) =
        (PoolSize { threads: NonZeroUsize::MIN, queue: 9 }, KeyRing::new(SecretKey::generate()));
    let throttle = Throttle::new(site.db.clone()).clock(site.clock.clone());
    let users = DjangoUsers::new(site.db.clone());
    let authority = Authority::with(users, throttle, keys, hashers, size, site.clock.clone()).unwrap();
    let accepts = Directory::new(&site, "accept");
    let site = with(Site { authority, ..site }, &[&accepts]);
    for (name, password) in [
        ("alice", "wrong"),
        ("carol", "wrong"),
        ("carol", BADGE),
        ("dora", "wrong"),
        ("nobody", "wrong"),
        ("\0", "x"),
    ] {
        work.store(0, Ordering::SeqCst);
        site.sign_in(&mut Browser::default(), name, password).await;
        assert_eq!(work.load(Ordering::SeqCst), 70, "{name} {password}");
    }
}
