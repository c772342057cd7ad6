//! What a password column may hold, to the character, and when a login rewrites it.

use haechi_auth::hash::{
    Arena, Argon2id, Bcrypt, BcryptSha256, Hasher, Hashers, Pbkdf2, Pbkdf2Digest, Present, Scrypt, Upgrade,
};

fn argon2(kind: &str, costs: &str, salt: usize, hash: usize) -> String {
    format!("argon2${kind}$v=19${costs}${}${}", base64(salt), base64(hash))
}

/// So many zero bytes, without padding.
fn base64(bytes: usize) -> String {
    "A".repeat((bytes * 4).div_ceil(3))
}

fn pbkdf2(iterations: &str, salt: &str, hash: usize) -> String {
    let padding = "=".repeat((3 - hash % 3) % 3);
    format!("pbkdf2_sha256${iterations}${salt}${}{padding}", base64(hash))
}

fn scrypt(n: &str, salt: &str, r: &str, p: &str, hash: usize) -> String {
    let padding = "=".repeat((3 - hash % 3) % 3);
    format!("scrypt${n}${salt}${r}${p}${}{padding}", base64(hash))
}

fn bcrypt(version: &str, cost: &str, rest: usize) -> String {
    format!("bcrypt$${version}${cost}${}", ".".repeat(rest))
}

#[track_caller]
fn check(encoded: &str, readable: bool) {
    let hashers = Hashers::default();
    assert_eq!(hashers.inspect(encoded).is_some(), readable, "{encoded}");
    if !readable {
        assert!(!hashers.verify("password", encoded, &mut Arena::default()), "{encoded}");
    }
}

#[test]
fn argon2_rows_have_bounds() {
    let costs = "m=19456,t=2,p=1";
    for kind in ["argon2id", "argon2i", "argon2d"] {
        check(&argon2(kind, costs, 16, 32), true);
    }
    for (salt, hash, readable) in [
        (7, 32, false),
        (8, 32, true),
        (64, 32, true),
        (65, 32, false),
        (16, 15, false),
        (16, 16, true),
        (16, 64, true),
        (16, 65, false),
    ] {
        check(&argon2("argon2id", costs, salt, hash), readable);
    }
    for (costs, readable) in [
        ("m=8,t=1,p=1", true),
        ("m=7,t=1,p=1", false),
        ("m=128,t=1,p=16", true),
        ("m=127,t=1,p=16", false),
        ("m=136,t=1,p=17", false),
        ("m=64,t=1,p=0", false),
        ("m=64,t=0,p=1", false),
        ("m=262144,t=4,p=1", true),
        ("m=262144,t=5,p=1", false),
        ("m=262145,t=1,p=1", false),
        ("m=16,t=65536,p=1", true),
        ("m=16,t=65537,p=1", false),
        ("m=+64,t=1,p=1", false),
        ("m=64,t=1,p=1,x=1", false),
        ("t=1,m=64,p=1", false),
        ("m=64,t=1", false),
        ("m=,t=1,p=1", false),
    ] {
        check(&argon2("argon2id", costs, 16, 32), readable);
    }
    let row = argon2("argon2id", costs, 16, 32);
    check(&row.replace("v=19", "v=16"), false);
    check(&row.replace("argon2id", "argon2x"), false);
    check(&format!("{row}$"), false);
    for (length, readable) in [(512, true), (513, false)] {
        let zeros = "0".repeat(length - row.len());
        check(&argon2("argon2id", &format!("m={zeros}19456,t=2,p=1"), 16, 32), readable);
    }
}

#[test]
fn pbkdf2_rows_have_bounds() {
    for (iterations, readable) in [
        ("1", true),
        ("0", false),
        ("10000000", true),
        ("10000001", false),
        ("+1", false),
        ("", false),
        ("4294967296", false),
    ] {
        check(&pbkdf2(iterations, "salt", 32), readable);
    }
    check(&pbkdf2("1", "salt", 31), false);
    check(&pbkdf2("1", "salt", 33), false);
    check(&format!("{}$", pbkdf2("1", "salt", 32)), false);
    let fixed = pbkdf2("1", "", 32).len();
    check(&pbkdf2("1", &"s".repeat(512 - fixed), 32), true);
    check(&pbkdf2("1", &"s".repeat(513 - fixed), 32), false);
}

#[test]
fn bcrypt_rows_have_bounds() {
    for (version, cost, rest, readable) in [
        ("2b", "04", 53, true),
        ("2a", "04", 53, true),
        ("2y", "04", 53, true),
        ("2x", "04", 53, false),
        ("2b", "03", 53, false),
        ("2b", "15", 53, true),
        ("2b", "16", 53, false),
        ("2b", "4", 53, false),
        ("2b", "004", 53, false),
        ("2b", "+4", 53, false),
        ("2b", "04", 52, false),
        ("2b", "04", 54, false),
    ] {
        check(&bcrypt(version, cost, rest), readable);
        check(&bcrypt(version, cost, rest).replacen("bcrypt", "bcrypt_sha256", 1), readable);
    }
    check(&bcrypt("2b", "04", 53).replace("04$.", "04$*"), false);
    check(&bcrypt("2b", "04", 600), false);
    // 53 bytes, and the salt would end inside a character.
    check(&format!("{}\u{e9}{}", bcrypt("2b", "04", 21), ".".repeat(30)), false);
}

#[test]
fn scrypt_rows_have_bounds() {
    for (n, r, p, readable) in [
        ("16384", "8", "5", true),
        ("2", "1", "1", true),
        ("1", "1", "1", false),
        ("0", "1", "1", false),
        ("3", "1", "1", false),
        ("16384", "0", "1", false),
        ("16384", "32", "1", true),
        ("2", "33", "1", false),
        ("2", "1", "16", true),
        ("2", "1", "17", false),
        ("2", "1", "0", false),
        // 256 MiB, and the product of the three.
        ("262144", "8", "2", true),
        ("262144", "8", "3", false),
        ("524288", "8", "1", false),
        ("65536", "32", "2", true),
        ("131072", "16", "3", false),
        ("+2", "1", "1", false),
    ] {
        check(&scrypt(n, "salt", r, p, 64), readable);
    }
    check(&scrypt("2", "salt", "1", "1", 63), false);
    check(&scrypt("2", "salt", "1", "1", 65), false);
    check(&format!("{}$", scrypt("2", "salt", "1", "1", 64)), false);
    let fixed = scrypt("2", "", "1", "1", 64).len();
    check(&scrypt("2", &"s".repeat(512 - fixed), "1", "1", 64), true);
    check(&scrypt("2", &"s".repeat(513 - fixed), "1", "1", 64), false);
}

#[test]
fn a_row_says_what_it_costs() {
    #[track_caller]
    fn row(encoded: &str, algorithm: &str, work: u64, parameters: &str, salt: usize) {
        let row = Hashers::default().inspect(encoded).unwrap();
        assert_eq!(
            (row.algorithm, row.work, row.parameters.as_str(), row.salt_length),
            (algorithm, work, parameters, salt)
        );
    }
    row(&argon2("argon2id", "m=19456,t=2,p=1", 16, 32), "argon2", 38_912, "m=19456,t=2,p=1", 16);
    row(&pbkdf2("1000", "salt\u{e9}", 32), "pbkdf2_sha256", 1_000, "iterations=1000", 5);
    row(&bcrypt("2b", "12", 53), "bcrypt", 4_096, "cost=12", 22);
    row(&scrypt("16384", "salt\u{e9}", "8", "5", 64), "scrypt", 655_360, "n=2^14,r=8,p=5", 5);
}

/// asvs_11_4_2: whatever differs from what is written today is found.
#[test]
fn asvs_11_4_2_every_parameter_that_differs_is_outdated() {
    #[track_caller]
    fn row(hasher: &dyn Hasher, encoded: &str, outdated: bool) {
        assert_eq!(hasher.must_update(encoded), outdated, "{hasher:?} {encoded}");
    }
    let ours = Argon2id::DEFAULT;
    for (encoded, outdated) in [
        (argon2("argon2id", "m=19456,t=2,p=1", 16, 32), false),
        (argon2("argon2i", "m=19456,t=2,p=1", 16, 32), true),
        (argon2("argon2id", "m=19457,t=2,p=1", 16, 32), true),
        (argon2("argon2id", "m=19456,t=3,p=1", 16, 32), true),
        (argon2("argon2id", "m=19456,t=2,p=2", 16, 32), true),
        (argon2("argon2id", "m=19456,t=2,p=1", 15, 32), true),
        (argon2("argon2id", "m=19456,t=2,p=1", 16, 31), true),
        (argon2("argon2id", "m=19456,t=2,p=1", 16, 33), true),
    ] {
        row(&ours, &encoded, outdated);
    }
    let (ours, salt) = (Pbkdf2::new(Pbkdf2Digest::Sha256, 1_000), "s".repeat(22));
    row(&ours, &pbkdf2("1000", &salt, 32), false);
    row(&ours, &pbkdf2("1001", &salt, 32), true);
    row(&ours, &pbkdf2("1000", &salt[1..], 32), true);
    row(&Bcrypt::DJANGO, &bcrypt("2b", "12", 53), false);
    row(&Bcrypt::DJANGO, &bcrypt("2b", "11", 53), true);
    let sha = |cost| bcrypt("2b", cost, 53).replacen("bcrypt", "bcrypt_sha256", 1);
    row(&BcryptSha256::DJANGO, &sha("12"), false);
    row(&BcryptSha256::DJANGO, &sha("13"), true);
    row(&Scrypt::DJANGO, &scrypt("16384", &salt, "8", "5", 64), false);
    row(&Scrypt::DJANGO, &scrypt("32768", &salt, "8", "5", 64), true);
    row(&Scrypt::DJANGO, &scrypt("16384", &salt, "9", "5", 64), true);
    row(&Scrypt::DJANGO, &scrypt("16384", &salt, "8", "6", 64), true);
    row(&Scrypt::DJANGO, &scrypt("16384", &salt[1..], "8", "5", 64), true);
}

#[test]
fn only_the_first_hasher_writes_and_only_where_the_site_upgrades() {
    let (pbkdf2, salt) = (|| Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 10)), "s".repeat(22));
    let (now, old) = (self::pbkdf2("10", &salt, 32), self::pbkdf2("9", &salt, 32));
    let other = argon2("argon2id", "m=64,t=1,p=1", 16, 32);
    for (upgrade, encoded, outdated, rewritten) in [
        (Upgrade::AtLogin, &now, false, false),
        (Upgrade::AtLogin, &old, true, true),
        (Upgrade::AtLogin, &other, true, true),
        (Upgrade::Never, &old, true, false),
    ] {
        let hashers = Hashers::new(pbkdf2(), vec![Box::new(Argon2id::new(64, 1, 1).unwrap())], upgrade);
        assert_eq!((hashers.must_update(encoded), hashers.upgrades(encoded)), (outdated, rewritten));
    }
}

#[test]
fn argon2_takes_only_parameters_inside_the_bounds() {
    for (memory, passes, lanes, fits) in [
        (8, 1, 1, true),
        (7, 1, 1, false),
        (19_456, 0, 1, false),
        (19_456, 1, 0, false),
        (262_144, 4, 16, true),
        (262_144, 5, 16, false),
        (262_145, 1, 1, false),
    ] {
        assert_eq!(Argon2id::new(memory, passes, lanes).is_some(), fits, "{memory} {passes} {lanes}");
    }
}

#[test]
fn a_salt_that_would_break_the_column_is_an_error() {
    let arena = &mut Arena::default();
    for salt in ["", "a$b"] {
        assert!(Pbkdf2::new(Pbkdf2Digest::Sha256, 1).encode(b"p", salt, arena).is_err(), "{salt}");
        assert!(Scrypt::DJANGO.encode(b"p", salt, arena).is_err(), "{salt}");
        assert!(BcryptSha256::DJANGO.encode(b"p", salt, arena).is_err(), "{salt}");
        assert!(Argon2id::new(8, 1, 1).unwrap().encode(b"p", "short", arena).is_err());
    }
}

/// asvs_6_3_8: the beginning of a column is enough to know what everybody's check has to cost.
#[test]
fn asvs_6_3_8_the_beginning_of_a_column_tells_its_work() {
    #[track_caller]
    fn row(prefix: &str, expected: &[(&str, u64)]) {
        let mut present = Present::default();
        present.note_prefix(prefix);
        assert_eq!(present.iter().collect::<Vec<_>>(), expected, "{prefix}");
        assert_eq!(present.is_empty(), expected.is_empty());
    }
    row("pbkdf2_sha256$1000000$", &[("pbkdf2_sha256", 1_000_000)]);
    row("pbkdf2_sha1$1000$sal", &[("pbkdf2_sha1", 1_000)]);
    row("bcrypt_sha256$$2b$12$", &[("bcrypt_sha256", 4_096)]);
    row("bcrypt$$2b$04$", &[("bcrypt", 16)]);
    row("scrypt$16384$s", &[("scrypt", 655_360)]);
    row("argon2$argon2id$v=19$m=19456,t=2,p=1$", &[("argon2", 38_912)]);
    for nothing in ["", "!", "pbkdf2_sha256", "pbkdf2_sha256$x", "bcrypt$$2b", "argon2$argon2id", "md5$1$"] {
        row(nothing, &[]);
    }
    // One row of an import must not make everybody's sign-in slow.
    row("pbkdf2_sha256$4000000000$", &[("pbkdf2_sha256", 10_000_000)]);
    row("bcrypt$$2b$31$", &[("bcrypt", 1 << 15)]);
    row("bcrypt_sha256$$2b$31$", &[("bcrypt_sha256", 1 << 15)]);
    row("bcrypt$$2b$64$", &[]);
    row("scrypt$1073741824$", &[("scrypt", 4_194_304)]);
    row("argon2$argon2id$v=19$m=4194304,t=4194304,p=1$", &[("argon2", 1_048_576)]);
    let mut present = Present::default();
    for prefix in ["pbkdf2_sha256$10$", "pbkdf2_sha256$30$", "pbkdf2_sha256$20$"] {
        present.note_prefix(prefix);
    }
    assert_eq!(present.iter().collect::<Vec<_>>(), [("pbkdf2_sha256", 30)]);
}

#[test]
fn an_arena_keeps_what_a_default_hash_needs_and_gives_the_rest_back() {
    let mut arena = Arena::default();
    let encode = |memory, arena: &mut Arena| {
        Argon2id::new(memory, 1, 1).unwrap().encode(b"p", "sixteen-letters-", arena).unwrap();
    };
    for (memory, kept) in [(64, 64), (32, 64), (19 * 1_024, 19 * 1_024), (20 * 1_024, 19 * 1_024)] {
        encode(memory, &mut arena);
        assert_eq!(arena.kibibytes(), kept, "after {memory}");
    }
    assert_eq!(format!("{arena:?}"), "Arena(19456 KiB)");
}
