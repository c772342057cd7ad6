//! Django's `salted_hmac`: one secret, a different key for each purpose.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Computes HMAC-SHA256 over `value` with the key SHA-256(`key_salt` ‖ `secret`).
///
/// The salt names what the result is for, so that a signature of one purpose is worth nothing for another.
#[must_use]
pub fn salted_hmac(key_salt: &str, value: &[u8], secret: &[u8]) -> [u8; 32] {
    salted_hmac_parts(&[key_salt], value, &[secret])
}

/// The same with salt and secret in pieces, so that nothing has to be joined first.
pub(crate) fn salted_hmac_parts(key_salt: &[&str], value: &[u8], secret: &[&[u8]]) -> [u8; 32] {
    let mut key = Sha256::new();
    key_salt.iter().for_each(|piece| key.update(piece));
    secret.iter().for_each(|piece| key.update(piece));
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.finalize()).expect("HMAC takes a key of any length");
    mac.update(value);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::tests::{DJANGO_KEY, hex};

    /// Made with Django 5.2.19 and 6.1.3.
    #[test]
    fn results_are_djangos() {
        #[track_caller]
        fn check(salt: &str, value: &str, expected: &str) {
            assert_eq!(hex(&salted_hmac(salt, value.as_bytes(), DJANGO_KEY.as_bytes())), expected);
        }
        check("salt", "value", "a193903736d54a188b60b95753eebdf525f5f4cdd1294988232b3a645b728b9a");
        check("", "", "07f92e5d3e001299f7dc1586568d85920b6b9d72f950161884272844e4ff2e74");
        check(
            "a.b.c",
            "\u{fc}n\u{ef}c\u{f6}de",
            "c2f57f82d923bd9c7765f453ca346e5ec3165d69bf6330fa6e8b9444934385e9",
        );
        // The session's auth hash of a user, from the same run.
        check(
            "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash",
            "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=",
            "e4e9ea7493dbfa8318b1309eeb0e32a75bb15a03f7215a8a93d40a4ffd524feb",
        );
    }
}
