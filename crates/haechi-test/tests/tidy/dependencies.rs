//! Architecture Invariant: what we stand on is named, known, and free of algorithms that are broken.

use std::collections::BTreeSet;
use std::fs;

use crate::lock::packages;
use crate::tree::{root, shipped, without_tests};

/// asvs_15_2_4: every crate that is not ours comes from the one registry, with the checksum of the lock file.
#[test]
fn asvs_15_2_4_every_crate_comes_from_the_registry() {
    for package in packages() {
        match package.source {
            None => {
                assert!(package.name.starts_with("haechi") || package.name == "board", "{}", package.name);
            }
            Some(source) => assert_eq!(
                source, "registry+https://github.com/rust-lang/crates.io-index",
                "{}",
                package.name
            ),
        }
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("git = ") && !manifest.contains("[patch"));
}

/// The crates that compute something cryptographic, each of a project that does nothing else.
const CRYPTOGRAPHY: &[&str] = &[
    "argon2",
    "aws-lc-rs",
    "aws-lc-sys",
    "bcrypt",
    "blake2",
    "blowfish",
    "chacha20",
    "constant_time_eq",
    "hmac",
    "hmac-sha256",
    "md-5",
    "password-hash",
    "pbkdf2",
    "rustls",
    "salsa20",
    "scrypt",
    "sha1",
    "sha2",
    "stringprep",
    "subtle",
    "tokio-rustls",
];

/// Names of crates that encrypt, sign or hash in a way that no new program should.
const BROKEN: &[&str] = &[
    "aes-ecb",
    "arc4",
    "block-modes",
    "cbc",
    "cfb-mode",
    "des",
    "dsa",
    "ecb",
    "idea",
    "md2",
    "md4",
    "md5",
    "ofb",
    "openssl",
    "rc2",
    "rc4",
    "ripemd",
    "rsa",
    "tripledes",
    "rust-crypto",
    "sha-1",
];

/// asvs_11_3_1, asvs_11_3_2, asvs_11_2_1: nothing here can encrypt block by block, without a tag, or with PKCS #1 v1.5.
#[test]
fn asvs_11_3_2_no_crate_encrypts_but_the_one_of_tls() {
    let names: BTreeSet<String> = packages().into_iter().map(|package| package.name).collect();
    let found: Vec<_> = BROKEN.iter().filter(|name| names.contains(**name)).collect();
    assert!(found.is_empty(), "broken: {found:?}");
    let ciphers =
        ["aes", "aes-gcm", "chacha20poly1305", "xsalsa20poly1305", "orion", "sodiumoxide", "libsodium-sys"];
    // `ring` makes certificates for tests.
    let found: Vec<_> = ciphers.iter().filter(|name| names.contains(**name)).collect();
    assert!(found.is_empty(), "TLS is rustls' and aws-lc's; {found:?} encrypt too");
    for name in
        CRYPTOGRAPHY.iter().filter(|name| ["argon2", "aws-lc-rs", "hmac", "rustls", "sha2"].contains(name))
    {
        assert!(names.contains(*name), "{name} has left: is the list still right?");
    }
}

/// asvs_1_3_12: what matches patterns does so in linear time, whatever it is given; none of these is here, which go back and
/// try again.
#[test]
fn asvs_1_3_12_no_regular_expression_goes_back() {
    let names: BTreeSet<String> = packages().into_iter().map(|package| package.name).collect();
    for engine in
        ["fancy-regex", "hyperscan", "onig", "onig_sys", "oniguruma", "pcre", "pcre2", "pcre2-sys", "regress"]
    {
        assert!(!names.contains(engine), "{engine} goes back over its text");
    }
}

/// asvs_11_2_4: no secret can be compared by `==` of its bytes, which ends at the first that differs.
#[test]
fn asvs_11_2_4_what_is_secret_is_compared_in_constant_time() {
    let sources = shipped();
    let source = |path: &str| {
        let found =
            sources.iter().find(|source| source.path == path).unwrap_or_else(|| panic!("{path} is gone"));
        without_tests(&found.text).to_owned()
    };
    for (file, kind) in [
        ("secret", "Secret"),
        ("key", "SecretKey"),
        ("token", "Token"),
        ("token", "TokenHash"),
        ("csrf_secret", "CsrfSecret"),
    ] {
        let text = source(&format!("crates/haechi-core/src/{file}.rs"));
        let declared =
            [format!("pub struct {kind} "), format!("pub struct {kind}("), format!("pub struct {kind}<")];
        let at =
            declared.iter().find_map(|words| text.find(words)).unwrap_or_else(|| panic!("{kind} is gone"));
        let derived = text[..at].rsplit("#[derive(").next().unwrap();
        assert!(!derived.split(')').next().unwrap().contains("PartialEq"), "{kind} derives its comparison");
    }
    for file in [
        "haechi-core/src/secret",
        "haechi-core/src/key",
        "haechi-core/src/token",
        "haechi-core/src/signer",
        "haechi-auth/src/hash/argon2id",
        "haechi-auth/src/hash/bcrypt",
        "haechi-auth/src/hash/pbkdf2",
        "haechi-auth/src/hash/scrypt",
    ] {
        assert!(source(&format!("crates/{file}.rs")).contains(".ct_eq("), "{file} compares otherwise");
    }
}

/// asvs_11_4_1: MD5 is used nowhere, SHA-1 only to read password rows that a Django wrote and to open a WebSocket.
#[test]
fn asvs_11_4_1_no_broken_hash_protects_anything() {
    let mut sha1 = BTreeSet::new();
    for file in shipped() {
        let code: String =
            without_tests(&file.text).lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for word in ["md5::", "md_5::", "Md5::", "md4::", "ripemd::", "Ripemd"] {
            assert!(!code.contains(word), "{} uses {word}", file.path);
        }
        if code.contains("sha1::") || code.contains("Sha1::") {
            sha1.insert(file.path);
        }
    }
    assert_eq!(sha1.into_iter().collect::<Vec<_>>(), ["crates/haechi-auth/src/hash/pbkdf2.rs"]);
}

/// asvs_1_4_1, asvs_15_4_1: memory is the compiler's matter in every crate of ours, and so is what threads share.
#[test]
fn asvs_1_4_1_no_crate_of_ours_may_be_unsafe() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""), "the root manifest forbids unsafe code");
    for file in shipped() {
        let word = ["unsafe", " {"].concat();
        assert!(!without_tests(&file.text).contains(&word), "{}", file.path);
    }
}

/// asvs_1_4_2: a sum that does not fit is an error in what is shipped, too.
#[test]
fn asvs_1_4_2_overflow_is_checked_in_release() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let release = manifest.split("[profile.release]").nth(1).unwrap().split("\n[").next().unwrap();
    assert!(release.contains("overflow-checks = true"), "{release}");
}
