//! A real Django reads what we write, and we read what it writes.

use haechi_auth::hash::{Arena, Argon2id, BcryptSha256, Hasher, Hashers, Pbkdf2, Pbkdf2Digest, Scrypt};

use crate::django::python;

fn django(text: &str, arguments: &[&str]) -> Option<String> {
    python(&[&["-c", text], arguments].concat())
}

const SETUP: &str = "
import sys
from django.conf import settings
H = 'django.contrib.auth.hashers.'
settings.configure(PASSWORD_HASHERS=[H + n for n in ('PBKDF2PasswordHasher', 'PBKDF2SHA1PasswordHasher',
    'Argon2PasswordHasher', 'BCryptSHA256PasswordHasher', 'ScryptPasswordHasher')])
from django.contrib.auth.hashers import check_password, make_password
";
const PASSWORD: &str = "l\u{e8}tmein \u{2603} with a tail";

#[test]
fn a_live_django_verifies_what_we_write() {
    let arena = &mut Arena::default();
    let hashers: [Box<dyn Hasher>; 6] = [
        Box::new(Pbkdf2::new(Pbkdf2Digest::Sha256, 1_000_000)),
        Box::new(Pbkdf2::new(Pbkdf2Digest::Sha1, 1_000)),
        Box::new(Argon2id::DJANGO),
        Box::new(Argon2id::DEFAULT),
        Box::new(BcryptSha256::DJANGO),
        Box::new(Scrypt::DJANGO),
    ];
    let mut arguments = vec![PASSWORD.to_owned()];
    for hasher in &hashers {
        arguments.push(hasher.encode(PASSWORD.as_bytes(), &hasher.salt(), arena).unwrap());
    }
    let program = format!(
        "{SETUP}
for encoded in sys.argv[2:]:
    print(check_password(sys.argv[1], encoded), check_password('wrong', encoded))"
    );
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(answer) = django(&program, &arguments) {
        assert_eq!(answer, "True False\n".repeat(hashers.len()));
    }
}

/// A row with the iterations of the site's version is not rewritten there, one with another number is.
#[test]
fn a_live_django_rewrites_what_has_other_iterations() {
    let Some(iterations) = iterations() else { return };
    let program = format!(
        "{SETUP}
from django.contrib.auth.hashers import identify_hasher
for encoded in sys.argv[1:]:
    print(identify_hasher(encoded).must_update(encoded))"
    );
    let rows = [iterations, iterations - 1, iterations + 1].map(|iterations| {
        let hasher = Pbkdf2::new(Pbkdf2Digest::Sha256, iterations);
        hasher.encode(PASSWORD.as_bytes(), &hasher.salt(), &mut Arena::default()).unwrap()
    });
    let answer = django(&program, &rows.each_ref().map(String::as_str));
    assert_eq!(answer.as_deref(), Some("False\nTrue\nTrue\n"));
}

/// What the Django that is there writes, by what `[django] version` takes from its version.
fn iterations() -> Option<u32> {
    let version = django("import django; print(django.get_version())", &[])?;
    Some(match version.rsplit_once('.').map(|(line, _)| line) {
        Some("5.2") => 1_000_000,
        Some("6.0") => 1_200_000,
        Some("6.1") => 1_500_000,
        _ => panic!("haechi does not know Django {version}"),
    })
}

#[test]
fn we_verify_what_a_live_django_writes() {
    let program = format!(
        "{SETUP}
for name in ('pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'scrypt'):
    print(make_password(sys.argv[1], hasher=name))"
    );
    let (Some(answer), Some(iterations)) = (django(&program, &[PASSWORD]), iterations()) else { return };
    let (hashers, arena) = (Hashers::django(iterations), &mut Arena::default());
    assert_eq!(answer.lines().count(), 5);
    for encoded in answer.lines() {
        assert!(hashers.verify(PASSWORD, encoded, arena), "{encoded}");
        assert!(!hashers.verify("wrong", encoded, arena), "{encoded}");
    }
    assert!(!hashers.must_update(answer.lines().next().unwrap()), "nothing to rewrite for us either");
}
