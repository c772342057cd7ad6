//! Django's four validators of passwords, for a site whose users meet a Django next door.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::password_rules::{About, Objection, is_in};
use crate::word::{is_digit, is_space, is_word};

/// One way to judge a new password.
///
/// As text: `nist`, `similarity`, `minimum-length` (or `minimum-length=12`), `common`, `numeric`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Validator {
    /// haechi's own rules, after NIST SP 800-63B-4.
    Nist,
    /// Django's `UserAttributeSimilarityValidator`, with its 0.7.
    Similarity,
    /// Django's `MinimumLengthValidator`; its default is 8.
    MinimumLength(usize),
    /// Django's `CommonPasswordValidator`, with its list.
    Common,
    /// Django's `NumericPasswordValidator`.
    Numeric,
}

/// A text that names no validator.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "there is no password validator {0:?}; there are nist, similarity, minimum-length, minimum-length=12, common and numeric"
)]
pub struct NotValidator(String);

impl FromStr for Validator {
    type Err = NotValidator;

    fn from_str(text: &str) -> Result<Self, NotValidator> {
        match text.split_once('=') {
            Some(("minimum-length", length)) => length.parse().map(Self::MinimumLength).ok(),
            None => match text {
                "nist" => Some(Self::Nist),
                "similarity" => Some(Self::Similarity),
                "minimum-length" => Some(Self::MinimumLength(8)),
                "common" => Some(Self::Common),
                "numeric" => Some(Self::Numeric),
                _ => None,
            },
            Some(_) => None,
        }
        .ok_or_else(|| NotValidator(text.to_owned()))
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nist => f.write_str("nist"),
            Self::Similarity => f.write_str("similarity"),
            Self::MinimumLength(length) => write!(f, "minimum-length={length}"),
            Self::Common => f.write_str("common"),
            Self::Numeric => f.write_str("numeric"),
        }
    }
}

/// Returns what one of Django's validators objects to.
pub(crate) fn objection(validator: Validator, password: &str, about: &About<'_>) -> Option<Objection> {
    match validator {
        // Ours are asked by themselves.
        Validator::Nist => None,
        Validator::Similarity => similar(password, about),
        Validator::MinimumLength(minimum) => {
            (password.chars().count() < minimum).then_some(Objection::TooShort { minimum })
        }
        Validator::Common => {
            let folded = password.to_lowercase();
            is_in(DJANGO, folded.trim_matches(is_space)).then_some(Objection::Common)
        }
        Validator::Numeric => {
            (!password.is_empty() && password.chars().all(is_digit)).then_some(Objection::Numeric)
        }
    }
}

fn similar(password: &str, about: &About<'_>) -> Option<Objection> {
    let password: Vec<char> = password.to_lowercase().chars().collect();
    let close = |value: &str| {
        let folded = value.to_lowercase();
        parts(&folded).chain([folded.as_str()]).any(|part| is_close(&password, part))
    };
    let known = [
        (about.username, "username"),
        (about.first_name, "first name"),
        (about.last_name, "last name"),
        (about.email, "email address"),
    ];
    let found = known.into_iter().find(|(value, _)| !value.is_empty() && close(value));
    found.map(|(_, to)| Objection::Similar { to })
}

/// The parts between runs of what is no word, an empty one before the first and after the last among them.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let Some(start) = whole.find(|c| !is_word(c)) else { return rest.take() };
        let (part, after) = whole.split_at(start);
        rest = Some(after.trim_start_matches(|c| !is_word(c)));
        Some(part)
    })
}

/// `SequenceMatcher.quick_ratio` of Python: twice the characters that both have, of all.
fn is_close(password: &[char], part: &str) -> bool {
    let mut left: HashMap<char, usize> = HashMap::new();
    for c in part.chars() {
        *left.entry(c).or_default() += 1;
    }
    let length = part.chars().count();
    let shared = password.iter().filter(|c| take_one(&mut left, **c)).count();
    let all = password.len() + length;
    all == 0 || 2.0 * shared as f64 / all as f64 >= CLOSE
}

fn take_one(left: &mut HashMap<char, usize>, c: char) -> bool {
    match left.get_mut(&c) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

const CLOSE: f64 = 0.7;
/// Made by `scripts/make_blocklist.py`.
const DJANGO: &[u8] = include_bytes!("../data/django_common_passwords.bin");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PasswordRules;

    fn django() -> PasswordRules {
        let four = ["similarity", "minimum-length", "common", "numeric"].map(|name| name.parse().unwrap());
        PasswordRules::default().validators(&four)
    }

    #[track_caller]
    fn check(password: &str, expected: &[&str]) {
        let about = About {
            username: "alice",
            first_name: "Alice",
            last_name: "O'Neil-Smith",
            email: "alice@example.com",
        };
        let found = django().check(password, &about).err().unwrap_or_default();
        let found: Vec<String> = found.iter().map(|objection| objection.django().to_owned()).collect();
        assert_eq!(found, expected, "{password:?}");
    }

    #[test]
    fn djangos_rows_have_djangos_answers() {
        check("short1", &["password_too_short", "password_too_common"]);
        check("12345678901", &["password_too_common", "password_entirely_numeric"]);
        check("  PASSWORD1 ", &["password_too_common"]);
        check(
            "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}\u{669}",
            &["password_entirely_numeric"],
        );
        check("\u{b2}\u{b2}\u{b2}\u{b2}\u{b2}\u{b2}\u{b2}\u{b2}", &["password_entirely_numeric"]);
        check("ecila123", &["password_too_similar"]);
        check("oneilsmith99", &["password_too_similar"]);
        check("examplecomalice", &["password_too_similar"]);
        check("alicealicealicealicealicealice", &[]);
        check("zrjlkqwm", &[]);
        check("zrjlkqw", &["password_too_short"]);
        check("", &["password_too_short"]);
    }

    /// Figures of Python 3.11: 0.7 and 0.6 of ten characters, 14 of 21, characters that stand there once only.
    #[test]
    fn seven_tenths_are_too_similar() {
        for (password, part, expected) in [
            ("abcdefgzzz", "abcdefgyyy", true),
            ("abcdefzzzz", "abcdefyyyy", false),
            ("abcdefgzzzz", "abcdefgyyy", false),
            ("aaaaaaabcd", "aaaaaaaxyz", true),
            ("aaaaaaabcd", "aaxyz", false),
            ("abcdefg", "abcdefgabcdef", true),
            ("abcdefg", "abcdefgabcdefg", false),
            ("", "", true),
            ("a", "", false),
            ("", "a", false),
        ] {
            let password: Vec<char> = password.chars().collect();
            assert_eq!(is_close(&password, part), expected, "{password:?} {part}");
        }
    }

    #[test]
    fn what_a_password_is_similar_to_is_named() {
        let rows =
            [("ecila123", "username"), ("oneilsmith99", "last name"), ("examplecomalice", "email address")];
        for (password, to) in rows {
            let about = About {
                username: "alice",
                first_name: "Alice",
                last_name: "O'Neil-Smith",
                email: "alice@example.com",
            };
            assert_eq!(django().check(password, &about), Err(vec![Objection::Similar { to }]), "{password}");
        }
    }

    #[test]
    fn each_name_that_a_user_has_is_compared() {
        let user = crate::User {
            id: 1.into(),
            username: "wolfgang".to_owned(),
            email: "post@mozarteum.example".to_owned(),
            first_name: "Amadeus".to_owned(),
            last_name: "Schikaneder".to_owned(),
            is_superuser: false,
            is_staff: false,
            is_active: true,
            last_login: None,
            date_joined: None,
        };
        for (password, to) in [
            ("wolfgangzq", "username"),
            ("amadeuszq", "first name"),
            ("schikanederzq", "last name"),
            ("mozarteumzq", "email address"),
        ] {
            let found = django().check(password, &About::user(&user));
            assert_eq!(found, Err(vec![Objection::Similar { to }]), "{password}");
        }
    }

    #[test]
    fn a_value_is_split_as_python_splits_it() {
        for (text, expected) in [
            ("a.b", vec!["a", "b"]),
            ("o'neil--smith", vec!["o", "neil", "smith"]),
            (".a.", vec!["", "a", ""]),
            ("a_b", vec!["a_b"]),
            ("\u{e9}\u{301}x", vec!["\u{e9}", "x"]),
            ("", vec![""]),
        ] {
            assert_eq!(parts(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_validator_is_named_in_one_way() {
        for text in ["nist", "similarity", "minimum-length=12", "common", "numeric"] {
            assert_eq!(text.parse::<Validator>().unwrap().to_string(), text);
        }
        assert_eq!("minimum-length".parse(), Ok(Validator::MinimumLength(8)));
        for wrong in ["", "Common", "minimum-length=", "minimum-length=-1", "common=1", "length"] {
            assert!(wrong.parse::<Validator>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn both_kinds_of_rules_are_asked_together() {
        let both = PasswordRules::default().validators(&[Validator::Nist, Validator::Numeric]);
        let found = both.check("12345678901", &About::default()).unwrap_err();
        assert_eq!(found, [Objection::TooShort { minimum: 15 }, Objection::Common, Objection::Numeric]);
        let lengths = PasswordRules::default().validators(&[Validator::MinimumLength(20), Validator::Nist]);
        let found = lengths.check("zrjlkqwm", &About::default()).unwrap_err();
        assert_eq!(found, [Objection::TooShort { minimum: 20 }], "the longest, once");
        assert_eq!((both.shortest(), lengths.shortest(), django().shortest()), (15, 20, 8));
    }

    #[test]
    fn no_list_of_validators_lets_everything_pass() {
        let rules = PasswordRules::default().validators(&[Validator::Numeric]);
        assert!(rules.check("x", &About::default()).is_err(), "a length is always asked");
        assert!(PasswordRules::default().validators(&[]).check("x", &About::default()).is_err());
        assert!(django().check(&"x".repeat(1_025), &About::default()).is_err());
    }
}
