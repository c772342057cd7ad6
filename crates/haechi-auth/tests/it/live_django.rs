//! A real Django 5.2 reads what we write, and we read what it writes.

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
    // A Django of this version must find nothing to rewrite.
    let upgrades = format!(
        "{SETUP}
from django.contrib.auth.hashers import identify_hasher
print(identify_hasher(sys.argv[1]).must_update(sys.argv[1]))"
    );
    if let Some(answer) = django(&upgrades, &arguments[1..2]) {
        assert_eq!(answer, "False\n");
    }
}

#[test]
fn we_verify_what_a_live_django_writes() {
    let program = format!(
        "{SETUP}
for name in ('pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'scrypt'):
    print(make_password(sys.argv[1], hasher=name))"
    );
    let Some(answer) = django(&program, &[PASSWORD]) else { return };
    let (hashers, arena) = (Hashers::django(1_000_000), &mut Arena::default());
    assert_eq!(answer.lines().count(), 5);
    for encoded in answer.lines() {
        assert!(hashers.verify(PASSWORD, encoded, arena), "{encoded}");
        assert!(!hashers.verify("wrong", encoded, arena), "{encoded}");
    }
    assert!(!hashers.must_update(answer.lines().next().unwrap()), "nothing to rewrite for us either");
}
