//! Links that set a new password, byte for byte Django's.

use std::time::Duration;

use haechi_core::KeyRing;

use crate::Account;

/// Makes and checks the token of a password reset link.
///
/// A token is made of the account's password column, last sign-in and e-mail address: it dies when the password
/// changes, when the user signs in, and after its time.
///
/// # Security
/// 128 bits of HMAC-SHA256. The purpose is part of the key, so no other token of the site opens a reset.
#[derive(Clone, Debug)]
pub struct ResetTokens {
    keys: KeyRing,
    lifetime: Duration,
    offset: i64,
}

impl ResetTokens {
    /// Makes tokens that live for an hour.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self { keys, lifetime: Duration::from_secs(3_600), offset: 0 }
    }

    /// Shares tokens with a Django: `PASSWORD_RESET_TIMEOUT` (three days by default), and how many seconds its
    /// `TIME_ZONE` is ahead of UTC now, for its stamps are of the local clock.
    #[must_use]
    pub fn shared_with_django(keys: KeyRing, lifetime: Duration, offset: i64) -> Self {
        Self { keys, lifetime, offset }
    }

    /// Returns the token for `account` at `now`, in seconds since 1970.
    #[must_use]
    pub fn make(&self, account: &Account, now: i64) -> String {
        let stamp = self.stamp(now);
        let mac = self.keys.mac(SALT, value(account, stamp).as_bytes());
        write(stamp, &mac)
    }

    /// Returns whether `token` belongs to `account` and is not too old.
    #[must_use]
    pub fn verify(&self, account: &Account, token: &str, now: i64) -> bool {
        // Another spelling of the stamp does not pass: the whole text is compared with what we write.
        let stamp = token.split_once('-').and_then(|(stamp, _)| i64::from_str_radix(stamp, 36).ok());
        let Some(stamp) = stamp else { return false };
        let value = value(account, stamp);
        let genuine = self.keys.iter().any(|key| {
            let mac = haechi_core::salted_hmac(SALT, value.as_bytes(), key.as_bytes());
            haechi_core::Secret::new(write(stamp, &mac)).equals(token)
        });
        let age = self.stamp(now).saturating_sub(stamp);
        genuine && age <= i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX)
    }

    fn stamp(&self, now: i64) -> i64 {
        now.saturating_sub(EPOCH).saturating_add(self.offset).max(0)
    }
}

fn value(account: &Account, stamp: i64) -> String {
    let user = &account.user;
    let last_login =
        user.last_login.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    format!("{}{}{last_login}{stamp}{}", user.id, account.password.expose(), user.email)
}

/// Every second hexadecimal digit: the high half of each byte.
fn write(stamp: i64, mac: &[u8; 32]) -> String {
    let digits: String = mac.iter().map(|byte| format!("{:x}", byte >> 4)).collect();
    format!("{}-{digits}", base36(stamp))
}

fn base36(mut number: i64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// 2001-01-01, where Django begins to count.
const EPOCH: i64 = 978_307_200;
const SALT: &str = "django.contrib.auth.tokens.PasswordResetTokenGenerator";

#[cfg(test)]
mod tests {
    use haechi_core::{Secret, SecretKey};

    use super::*;
    use crate::User;

    const NOW: i64 = 1_700_000_000;
    const HASH: &str =
        "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=";

    fn account(id: i64, password: &str, last_login: Option<&str>, email: &str) -> Account {
        let user = User {
            id: id.into(),
            username: "alice".to_owned(),
            email: email.to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            is_superuser: false,
            is_staff: false,
            is_active: true,
            last_login: last_login.map(|text| text.parse().unwrap()),
            date_joined: None,
        };
        Account { user, password: Secret::new(password.to_owned()) }
    }

    fn tokens() -> ResetTokens {
        let key = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
        let keys = KeyRing::new(SecretKey::shared_with_django(key).unwrap());
        ResetTokens::shared_with_django(keys, Duration::from_secs(259_200), 0)
    }

    #[test]
    fn tokens_are_what_django_makes() {
        let unusable = format!("!{}", "B".repeat(40));
        let rows = [
            (account(1, HASH, None, "alice@example.com"), "bxodq8-45c87b294a6c19aa2386943d2b7f1d03"),
            (
                account(42, HASH, Some("2023-11-14T22:13:20.999999Z"), "Alice@Example.com"),
                "bxodq8-de5f3c6373abd409669fa0023cfea8d8",
            ),
            (account(7, &unusable, None, ""), "bxodq8-6a7bed1164196fba78fc08533d71833c"),
        ];
        for (account, token) in rows {
            assert_eq!(tokens().make(&account, NOW), token);
            assert!(tokens().verify(&account, token, NOW));
        }
    }

    /// asvs_6_4_1, asvs_6_4_3, asvs_9_1_1, asvs_9_2_1: a link dies by use, by change, by sign-in and by time.
    #[test]
    fn asvs_9_2_1_a_token_dies_with_what_it_was_made_of() {
        let (alice, tokens) = (account(1, HASH, None, "a@example.com"), tokens());
        let token = tokens.make(&alice, NOW);
        assert!(tokens.verify(&alice, &token, NOW + 259_200));
        assert!(!tokens.verify(&alice, &token, NOW + 259_201));
        let others = [
            account(2, HASH, None, "a@example.com"),
            account(1, "changed", None, "a@example.com"),
            account(1, HASH, Some("2023-11-14T22:13:20Z"), "a@example.com"),
            account(1, HASH, None, "b@example.com"),
        ];
        for other in others {
            assert!(!tokens.verify(&other, &token, NOW), "{other:?}");
        }
        let foreign = ResetTokens::new(KeyRing::new(SecretKey::generate()));
        assert!(!foreign.verify(&alice, &token, NOW));
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'0' { b'1' } else { b'0' };
            assert!(!tokens.verify(&alice, std::str::from_utf8(&bytes).unwrap(), NOW), "byte {index}");
        }
        for wrong in [
            "",
            "-",
            "x",
            &token.to_uppercase(),
            &format!("{token}-"),
            &format!("0{token}"),
            &format!("+{token}"),
            "zzzzzzzzzzzzzz-0",
            "\u{e9}-0",
        ] {
            assert!(!tokens.verify(&alice, wrong, NOW), "{wrong}");
        }
    }

    #[test]
    fn our_own_tokens_live_for_an_hour() {
        let (alice, tokens) =
            (account(1, HASH, None, ""), ResetTokens::new(KeyRing::new(SecretKey::generate())));
        let token = tokens.make(&alice, NOW);
        assert!(tokens.verify(&alice, &token, NOW + 3_600) && !tokens.verify(&alice, &token, NOW + 3_601));
    }
}
