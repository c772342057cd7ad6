//! The password column: vectors made by a live Django 5.2.19, and rows that must not verify.

use std::time::Instant;

use haechi_auth::Error;
use haechi_auth::hash::{
    Arena, Argon2id, Bcrypt, BcryptSha256, HashPool, Hasher, Hashers, Pbkdf2, Pbkdf2Digest, PoolSize,
    Present, Scrypt, Upgrade, is_unusable, unusable,
};

const LETMEIN: &str = "l\u{e8}tmein \u{2603}";

const VECTORS: &[(&str, &str)] = &[
    ("password", "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA="),
    (LETMEIN, "pbkdf2_sha256$260000$abcDEF0123456789abcdef$x9+kMfZ3Udc2UdoA9BVFga3MY4ieOICdDEwKio/xCE8="),
    ("", "pbkdf2_sha256$1$saltsaltsaltsaltsaltsa$BJg9hGTWmJJMNiinrLXEGW7t3X/hXtX+QhQf4/zlRL4="),
    ("password", "pbkdf2_sha1$1000$seasalt2seasalt2seasalt2$cl8txD5mJQ26enJA1myPic20aCQ="),
    (LETMEIN, "pbkdf2_sha1$5000$abcDEF0123456789abcdef$MBW6dGBBUVHFVaMVrpiO6ldVOc0="),
    ("", "pbkdf2_sha1$1$saltsaltsaltsaltsaltsa$qAiej+ogPfujv/O941b/4C03zyE="),
    (
        "password",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2Vhc2FsdDJzZWFzYWx0MnNlYXNhbHQy$XN1fa2sy/8Q06PjcS7xugfdkBsWQ4kkeUqeP0h+ROgI",
    ),
    (
        LETMEIN,
        "argon2$argon2id$v=19$m=102400,t=2,p=8$YWJjREVGMDEyMzQ1Njc4OWFiY2RlZg$Q68Iea/7FYRElHX5SO24TLW0gy1rmhHIVy5QW26HTYQ",
    ),
    (
        "",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0c2FsdHNhbHRzYQ$NHfnM3pIoevT5Bqf4dR/zWZ33GWm0s9P4tZ3r9TIxKU",
    ),
    ("password", "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuugkQA0GCBGUEqAtJsvVqqVkMMm/ez2qi"),
    (LETMEIN, "bcrypt_sha256$$2b$04$0123456789abcdefghijkOEP7BsFNrICBfS4YQHBUyjiT0TjxrF1m"),
    ("", "bcrypt_sha256$$2a$04$......................u/N568Axyo6FebZqTDm4R/qE3oj13GK"),
    ("password", "bcrypt$$2b$12$abcdefghijklmnopqrstuutwZ1IOTtu3SsEBT5lI/LFncP31tIybm"),
    (LETMEIN, "bcrypt$$2b$04$0123456789abcdefghijkOgJnDRA8/Eo0d5s0RlvfYUdIMOD6E5VG"),
    ("", "bcrypt$$2a$04$......................w74bL5gU7LSJClZClCa.Pkz14aTv/XO"),
    (
        "password",
        "scrypt$16384$seasalt2seasalt2seasalt2$8$5$8WEzL1tS/tikLHk7IrM2CAzpg/Z64CU8b86oJzVNg88BN4wtux4EqH0EhXgHm7xRyOEHDKZf7xP9xWRC03dyKA==",
    ),
    (
        LETMEIN,
        "scrypt$1024$abcDEF0123456789abcdef$8$1$2LnHjAwFgsX66BSDISR0zRK9k5TeHXtpdekRz/l4OerBdjoUDQh/pyBXSfMZan2ZtppQsy/075Y9B11KsStT9g==",
    ),
    (
        "",
        "scrypt$2$saltsaltsaltsaltsaltsa$1$1$GceuNp8o34xF0UqGXE/Bv0v45tAsTd3IUJUwBpXsWd5XHN5Rq7A+2nTHHLAq/Yp0Q7yBlXeekAN70iRmKFvMtA==",
    ),
];

#[track_caller]
fn check(password: &str, encoded: &str, expected: bool) {
    let verified = Hashers::default().verify(password, encoded, &mut Arena::default());
    assert_eq!(verified, expected, "{password:?} against {encoded:?}");
}

#[test]
fn every_vector_of_django_verifies_with_its_password_and_no_other() {
    for (password, encoded) in VECTORS {
        check(password, encoded, true);
        check("Password", encoded, false);
        check(&format!("{password} "), encoded, false);
    }
}

#[test]
fn every_flipped_character_of_a_hash_is_refused() {
    for (password, encoded) in VECTORS.iter().filter(|(_, e)| e.contains("$1000$") || e.contains("$04$")) {
        let last = encoded.rfind('$').unwrap() + 25;
        for index in last..encoded.len() {
            let mut bytes = encoded.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'x' { b'y' } else { b'x' };
            check(password, std::str::from_utf8(&bytes).unwrap(), false);
        }
    }
}

#[test]
fn hashers_write_what_django_writes() {
    let (arena, p) = (&mut Arena::default(), "password".as_bytes());
    let sea = "seasalt2seasalt2seasalt2";
    #[track_caller]
    fn row(hasher: &dyn Hasher, password: &[u8], salt: &str, expected: usize, arena: &mut Arena) {
        assert_eq!(hasher.encode(password, salt, arena).unwrap(), VECTORS[expected].1);
        assert!(!hasher.must_update(VECTORS[expected].1));
    }
    row(&Pbkdf2::new(Pbkdf2Digest::Sha256, 1000), p, sea, 0, arena);
    row(&Pbkdf2::new(Pbkdf2Digest::Sha1, 1000), p, sea, 3, arena);
    row(&Argon2id::DJANGO, p, sea, 6, arena);
    row(&BcryptSha256::DJANGO, p, "abcdefghijklmnopqrstuu", 9, arena);
    row(&Scrypt::DJANGO, p, sea, 15, arena);
}

#[test]
fn what_does_not_parse_is_false_and_never_a_panic() {
    let rows = [
        "",
        "!",
        "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$",
        "$$$$",
        "pbkdf2_sha256$x$y",
        "pbkdf2_sha256$abc$salt$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=",
        "pbkdf2_sha256$-1$salt$AA==",
        "pbkdf2_sha256$+1$saltsaltsaltsaltsaltsa$BJg9hGTWmJJMNiinrLXEGW7t3X/hXtX+QhQf4/zlRL4=",
        "pbkdf2_sha256$0$salt$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=",
        "pbkdf2_sha256$1$s$t$u",
        "pbkdf2_sha256$1$s$",
        "bcrypt$foo",
        "bcrypt$$2b$12$short",
        "bcrypt$$2b$\u{e9}1$abcdefghijklmnopqrstuutwZ1IOTtu3SsEBT5lI/LFncP31tIybm",
        "bcrypt_sha256$$2x$12$abcdefghijklmnopqrstuugkQA0GCBGUEqAtJsvVqqVkMMm/ez2qi",
        "argon2$foo",
        "argon2$argon2id$v=19$m=,t=,p=$$",
        "argon2$argon2id$v=16$m=19456,t=2,p=1$c2Vhc2FsdDJzZWFzYWx0$XN1fa2sy/8Q06PjcS7xugfdkBsWQ4kkeUqeP0h+ROgI",
        "scrypt$1$2",
        "scrypt$3$salt$8$5$AA==",
        "scrypt$0$salt$8$5$AA==",
        "md5$seasalt2seasalt2seasalt2$c12dd1a80d8a5aa167975f7344df0050",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "unknown$x$y$z",
        "password",
    ];
    for row in rows {
        check("password", row, false);
        check("", row, false);
        assert!(Hashers::default().must_update(row), "{row}");
        assert_eq!(Hashers::default().inspect(row), None, "{row}");
    }
}

/// A row that asks for gigabytes or hours costs nothing.
#[test]
fn a_hostile_row_cannot_ask_for_more_than_the_bounds() {
    let hash = "XN1fa2sy/8Q06PjcS7xugfdkBsWQ4kkeUqeP0h+ROgI";
    let rows = [
        "pbkdf2_sha256$4294967295$salt$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=".to_owned(),
        "pbkdf2_sha256$10000001$salt$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=".to_owned(),
        format!("argon2$argon2id$v=19$m=262145,t=1,p=1$c2Vhc2FsdDJzZWFzYWx0$ {hash}").replace(' ', ""),
        format!("argon2$argon2id$v=19$m=4194304,t=1,p=1$c2Vhc2FsdDJzZWFzYWx0${hash}"),
        format!("argon2$argon2id$v=19$m=19456,t=4294967295,p=1$c2Vhc2FsdDJzZWFzYWx0${hash}"),
        format!("argon2$argon2id$v=19$m=19456,t=2,p=17$c2Vhc2FsdDJzZWFzYWx0${hash}"),
        "bcrypt$$2b$31$abcdefghijklmnopqrstuutwZ1IOTtu3SsEBT5lI/LFncP31tIybm".to_owned(),
        "bcrypt_sha256$$2b$16$abcdefghijklmnopqrstuutwZ1IOTtu3SsEBT5lI/LFncP31tIybm".to_owned(),
        format!("scrypt$1073741824$salt$8$5${}", VECTORS[15].1.rsplit('$').next().unwrap()),
        format!("scrypt$16384$salt$4294967295$5${}", VECTORS[15].1.rsplit('$').next().unwrap()),
        format!("scrypt$16384$salt$8$4294967295${}", VECTORS[15].1.rsplit('$').next().unwrap()),
        format!("pbkdf2_sha256$1${}$AA==", "s".repeat(100_000)),
    ];
    let began = Instant::now();
    for row in rows {
        check("password", &row, false);
    }
    assert!(began.elapsed().as_millis() < 100, "{:?}", began.elapsed());
}

/// asvs_6_2_8: the password is verified exactly: nothing trimmed, folded or cut.
#[test]
fn asvs_6_2_8_passwords_are_verified_exactly() {
    let (hashers, arena) = (Hashers::default(), &mut Arena::default());
    let long = "x".repeat(90);
    for password in ["Secret Passphrase 1", " leading", "trailing ", "nul\0inside", &long, "\u{1f511} emoji"]
    {
        let encoded = hashers.encode(password, arena).unwrap();
        let wrong = [
            password.to_uppercase() + ".",
            format!("{password}\0"),
            password.chars().take(3).collect(),
            format!(" {password}"),
        ];
        assert!(hashers.verify(password, &encoded, arena));
        for wrong in wrong {
            assert!(!hashers.verify(&wrong, &encoded, arena), "{wrong:?}");
        }
    }
    let sha = BcryptSha256::DJANGO;
    let encoded = sha.encode(long.as_bytes(), &sha.salt(), arena).unwrap();
    assert!(!hashers.verify(&long[..89], &encoded, arena));
}

#[test]
fn plain_bcrypt_does_not_take_what_it_would_cut() {
    let encoded = "bcrypt$$2b$04$0123456789abcdefghijkOgJnDRA8/Eo0d5s0RlvfYUdIMOD6E5VG";
    check(LETMEIN, encoded, true);
    check(&format!("{LETMEIN}\0rest"), encoded, false);
    let bcrypt = Bcrypt::DJANGO;
    let arena = &mut Arena::default();
    assert_ne!(bcrypt.salt(), bcrypt.salt());
    assert!(bcrypt.encode(b"p", &bcrypt.salt(), arena).is_ok());
    for refused in ["x".repeat(73), "a\0b".to_owned()] {
        let outcome = bcrypt.encode(refused.as_bytes(), "abcdefghijklmnopqrstuu", arena);
        assert!(matches!(outcome, Err(Error::PasswordTooLong)));
    }
}

#[test]
fn a_password_over_the_byte_limit_is_refused_not_cut() {
    let (hashers, arena) = (Hashers::default(), &mut Arena::default());
    let most = "p".repeat(1_024);
    let encoded = hashers.encode(&most, arena).unwrap();
    assert!(hashers.verify(&most, &encoded, arena));
    assert!(!hashers.verify(&format!("{most}p"), &encoded, arena));
    assert!(matches!(hashers.encode(&format!("{most}p"), arena), Err(Error::PasswordTooLong)));
    assert!(!hashers.check(&format!("{most}p"), Some(&encoded), &Present::default(), arena).matches);
}

/// asvs_11_4_2: new rows are argon2id with at least 19 MiB and two passes.
#[test]
fn asvs_11_4_2_the_default_row_is_argon2id() {
    let encoded = Hashers::default().encode("password", &mut Arena::default()).unwrap();
    assert!(encoded.starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$"), "{encoded}");
    assert!(encoded.len() <= 128, "Django's column is varchar(128)");
    assert!(!Hashers::default().must_update(&encoded));
}

/// asvs_11_2_2: old rows are found, and rewritten only where the site stands alone.
#[test]
fn asvs_11_2_2_an_old_row_is_upgraded_at_login_but_never_beside_a_django() {
    let (arena, old) = (&mut Arena::default(), VECTORS[0].1);
    let present = Present::default();
    assert!(Hashers::default().check("password", Some(old), &present, arena).must_update);
    assert!(!Hashers::default().check("wrong", Some(old), &present, arena).must_update);
    let shared = Hashers::django(1_000_000).check("password", Some(old), &present, arena);
    assert!(shared.matches && !shared.must_update);
    let written = Hashers::django(1_200_000).encode("x", arena).unwrap();
    assert!(written.starts_with("pbkdf2_sha256$1200000$"));
}

#[test]
fn unusable_columns_differ_and_never_verify() {
    let (first, second) = (unusable(), unusable());
    assert!(first.len() == 41 && is_unusable(&first) && first != second);
    check("", &first, false);
    check(&first, &first, false);
}

#[test]
fn present_remembers_the_largest_work_of_each_algorithm() {
    let (hashers, mut present) = (Hashers::default(), Present::default());
    for (encoded, news) in [
        (VECTORS[0].1, true),
        (VECTORS[1].1, true),
        (VECTORS[0].1, false),
        (VECTORS[1].1, false),
        (VECTORS[9].1, true),
    ] {
        assert_eq!(present.note(&hashers.inspect(encoded).unwrap()), news, "{encoded}");
    }
    assert_eq!(present.iter().collect::<Vec<_>>(), [("bcrypt_sha256", 4096), ("pbkdf2_sha256", 260_000)]);
}

/// Each algorithm in the table computes something at every check, and only the row's own says whether it matches.
#[test]
fn a_password_matches_its_row_whatever_else_is_in_the_table() {
    let (arena, mut present) = (&mut Arena::default(), Present::default());
    let argon2 = || Box::new(Argon2id::new(64, 1, 1).unwrap());
    let pbkdf2 = |digest| Box::new(Pbkdf2::new(digest, 10));
    let others: Vec<Box<dyn Hasher>> = vec![pbkdf2(Pbkdf2Digest::Sha1), pbkdf2(Pbkdf2Digest::Sha256)];
    let mut columns = vec![argon2().encode(b"password", "sixteen-letters-", arena).unwrap()];
    columns.extend(others.iter().map(|hasher| hasher.encode(b"password", "salt", arena).unwrap()));
    let hashers = Hashers::new(argon2(), others, Upgrade::Never);
    for column in &columns {
        present.note(&hashers.inspect(column).unwrap());
    }
    for column in &columns {
        for (password, matches) in [("password", true), ("Password", false)] {
            assert_eq!(hashers.check(password, Some(column), &present, arena).matches, matches, "{column}");
        }
    }
}

/// asvs_6_3_8: the work of a check does not depend on the account.
#[test]
fn asvs_6_3_8_every_kind_of_account_costs_the_same_work() {
    let (arena, mut present) = (&mut Arena::default(), Present::default());
    let hashers = Hashers::new(
        Box::new(Argon2id::DEFAULT),
        vec![Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 100_000)), Box::new(BcryptSha256::DJANGO)],
        Upgrade::Never,
    );
    let argon = hashers.encode("password", arena).unwrap();
    let pbkdf2 = Pbkdf2::new(Pbkdf2Digest::Sha256, 200_000)
        .encode(b"password", "saltsaltsaltsaltsaltsa", arena)
        .unwrap();
    let weak = VECTORS[0].1.to_owned();
    for row in [&argon, &pbkdf2, &weak] {
        present.note(&hashers.inspect(row).unwrap());
    }
    let accounts = [Some(argon), Some(pbkdf2), Some(weak), Some(unusable()), Some("broken".to_owned()), None];
    let mut fastest = [u64::MAX; 6];
    // The least of nine: a busy moment may last longer than one round, and makes nothing faster.
    for _ in 0..9 {
        for (account, fastest) in accounts.iter().zip(&mut fastest) {
            let began = thread_nanoseconds();
            assert!(!hashers.check("wrong", account.as_deref(), &present, arena).matches);
            *fastest = (thread_nanoseconds() - began).min(*fastest);
        }
    }
    let (least, most) = (fastest.iter().min().unwrap(), fastest.iter().max().unwrap());
    assert!(most * 100 < least * 135, "fastest runs in ns: {fastest:?}");
}

/// asvs_6_3_8: what a row lacks to the largest one is spent, by each algorithm, and no more.
#[test]
fn asvs_6_3_8_the_missing_work_is_spent_by_every_algorithm() {
    // The work of each, and how often it is timed at once: the clock of a thread ticks every four milliseconds.
    let hashers: [(Box<dyn Hasher>, u64, u32); 6] = [
        (Box::new(Argon2id::DEFAULT), 38_912, 8),
        (Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 100_000)), 100_000, 4),
        (Box::new(Pbkdf2::new(Pbkdf2Digest::Sha1, 100_000)), 100_000, 4),
        (Box::new(BcryptSha256::DJANGO), 4_096, 1),
        (Box::new(Bcrypt::DJANGO), 4_096, 1),
        (Box::new(Scrypt::DJANGO), 655_360, 1),
    ];
    for (hasher, work, times) in hashers {
        assert_eq!(hasher.work(), work, "{hasher:?}");
        let (arena, salt) = (&mut Arena::default(), hasher.salt());
        let mut whole = || {
            (0..times).for_each(|_| drop(hasher.encode(b"password", &salt, arena).unwrap()));
        };
        // Fresh memory costs more than kept memory.
        whole();
        let whole = fastest(whole);
        // Each in tenths of a whole hash: what is measured is no finer.
        for (from, to, least, most) in [
            (0, work, 7, 15),
            (work / 16, work, 6, 15),
            (work / 2, work, 2, 8),
            (work, work, 0, 1),
            (work, 0, 0, 1),
        ] {
            let spent = fastest(|| (0..times).for_each(|_| hasher.harden(b"password", from, to, arena)));
            let tenths = spent * 10 / whole;
            assert!((least..=most).contains(&tenths), "{hasher:?}, {from} to {to}: {tenths} tenths");
        }
    }
}

/// The least of two times, in nanoseconds of this thread.
fn fastest(mut work: impl FnMut()) -> u64 {
    let timed = (0..2).map(|_| {
        let began = thread_nanoseconds();
        work();
        thread_nanoseconds() - began
    });
    timed.min().unwrap()
}

/// asvs_15_2_2: more work than fits is refused at once.
#[tokio::test]
async fn a_full_queue_is_busy_and_says_when_to_come_back() {
    let one = std::num::NonZeroUsize::MIN;
    let pool = HashPool::new(PoolSize { threads: one, queue: 1 }).unwrap();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let first = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.run(move |_| {
                started.send(()).unwrap();
                released.recv().unwrap();
                1
            })
            .await
        }
    });
    has_started.await.unwrap();
    let mut second = Box::pin(pool.run(|_| 2));
    assert!(futures_now(&mut second).is_none());
    let third = pool.run(|_| 3).await;
    assert!(matches!(third, Err(Error::Busy(busy)) if busy.retry_after.as_secs() >= 1));
    release.send(()).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(second.await.unwrap(), 2);
}

#[tokio::test]
async fn a_panicking_hash_is_an_error_and_the_thread_lives_on() {
    let pool = HashPool::new(PoolSize { threads: std::num::NonZeroUsize::MIN, queue: 4 }).unwrap();
    let outcome = pool.run(|_| -> u8 { panic!("on purpose") }).await;
    assert!(matches!(outcome, Err(Error::HashPanicked)));
    assert_eq!(pool.run(|_| 7).await.unwrap(), 7);
}

#[tokio::test]
async fn work_whose_asker_left_is_not_run() {
    let pool = HashPool::new(PoolSize { threads: std::num::NonZeroUsize::MIN, queue: 4 }).unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let busy = tokio::spawn({
        let pool = pool.clone();
        async move {
            pool.run(move |_| {
                started.send(()).unwrap();
                released.recv().unwrap();
            })
            .await
        }
    });
    has_started.await.unwrap();
    let (ran, has_run) = std::sync::mpsc::channel::<()>();
    let mut abandoned = Box::pin(pool.run(move |_| ran.send(())));
    assert!(futures_now(&mut abandoned).is_none());
    drop(abandoned);
    release.send(()).unwrap();
    busy.await.unwrap().unwrap();
    pool.run(|_| ()).await.unwrap();
    assert!(has_run.try_recv().is_err());
}

/// The processor time of this thread: the wall clock would tell how busy the machine is.
fn thread_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Polls once.
fn futures_now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
