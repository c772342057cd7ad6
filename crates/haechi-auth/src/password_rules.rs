//! Which passwords may be chosen: NIST SP 800-63B-4, without rules of composition.

use sha2::{Digest, Sha256};

use crate::hash::MAX_PASSWORD_BYTES;
use crate::password_validator::{Validator, objection};

/// The rules for a new password.
///
/// ```
/// use haechi_auth::{About, PasswordRules};
/// let rules = PasswordRules::default().context("Board of Trade");
/// let alice = About { username: "alice", ..About::default() };
/// assert!(rules.check("correct horse battery staple", &alice).is_ok());
/// assert!(rules.check("passwordpassword", &alice).is_err());
/// ```
///
/// # Security
/// Length is counted in code points; nothing is trimmed, folded or normalised before hashing, as in Django, so a
/// password typed on another keyboard in another normal form is another password. The list of common passwords is
/// part of the program: nothing is sent anywhere.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    minimum: usize,
    context: Vec<String>,
    validators: Vec<Validator>,
}

/// What is known of the user who chooses a password; what is not known is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The name to sign in with.
    pub username: &'a str,
    /// The given name.
    pub first_name: &'a str,
    /// The family name.
    pub last_name: &'a str,
    /// The e-mail address.
    pub email: &'a str,
}

impl<'a> About<'a> {
    /// Tells what is known of a user.
    #[must_use]
    pub fn user(user: &'a crate::User) -> Self {
        let crate::User { username, first_name, last_name, email, .. } = user;
        Self { username, first_name, last_name, email }
    }
}

/// Why a password may not be chosen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// It has too few characters.
    #[error("use at least {minimum} characters; a few words in a row are easy to remember")]
    TooShort {
        /// The least.
        minimum: usize,
    },
    /// It has too many bytes to be hashed.
    #[error("use at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// It is among those that are tried first, or made of them by repeating, counting or walking over the keyboard.
    #[error("this password is among those that attackers try first")]
    Common,
    /// It is little more than the user's name or the site's.
    #[error("this password is too close to your name, your e-mail address or the name of this site")]
    Context,
    /// It shares most of its characters with something known of the user.
    #[error("this password is too similar to the {to}")]
    Similar {
        /// With what.
        to: &'static str,
    },
    /// It is made of digits only.
    #[error("this password is entirely numeric")]
    Numeric,
}

impl Objection {
    /// Returns Django's code for it, where Django has one.
    #[must_use]
    pub fn django(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::Common => "password_too_common",
            Self::Similar { .. } => "password_too_similar",
            Self::Numeric => "password_entirely_numeric",
            Self::TooLong | Self::Context => "",
        }
    }
}

impl PasswordRules {
    /// With a second factor, 8 characters are enough; 15 are the default. Fewer than 8 cannot be set.
    #[must_use]
    pub fn minimum(mut self, characters: usize) -> Self {
        self.minimum = characters.max(LEAST);
        self
    }

    /// Adds a word that everybody knows here, such as the name of the site.
    #[must_use]
    pub fn context(mut self, word: &str) -> Self {
        self.context.push(word.to_owned());
        self
    }

    /// Sets who judges, in order: ours ([`Validator::Nist`], which is the default), Django's, or both.
    ///
    /// # Security
    /// A list without a length gets ours besides, for a password of one letter is none.
    #[must_use]
    pub fn validators(mut self, validators: &[Validator]) -> Self {
        self.validators = validators.to_vec();
        let length =
            |validator: &Validator| matches!(validator, Validator::Nist | Validator::MinimumLength(_));
        if !validators.iter().any(length) {
            self.validators.push(Validator::Nist);
        }
        self
    }

    /// Returns the fewest characters that may do.
    #[must_use]
    pub fn shortest(&self) -> usize {
        let length = |validator: &Validator| match validator {
            Validator::Nist => self.minimum,
            Validator::MinimumLength(minimum) => *minimum,
            _ => 0,
        };
        self.validators.iter().map(length).max().unwrap_or(self.minimum)
    }

    /// Checks a password for a user about whom something is known.
    ///
    /// # Errors
    /// Returns all objections.
    pub fn check(&self, password: &str, about: &About<'_>) -> Result<(), Vec<Objection>> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(vec![Objection::TooLong]);
        }
        // What is longer than any column is no name, and would cost its length at each place of the password.
        let known = |text| if str::len(text) <= LONGEST_WORD { text } else { "" };
        let about = &About {
            username: known(about.username),
            first_name: known(about.first_name),
            last_name: known(about.last_name),
            email: known(about.email),
        };
        let mut objections: Vec<Objection> = Vec::new();
        for validator in &self.validators {
            let found = match validator {
                Validator::Nist => self.nist(password, about),
                other => objection(*other, password, about).into_iter().collect(),
            };
            for one in found {
                // Of two lengths the longer one is said.
                let one = match one {
                    Objection::TooShort { .. } => Objection::TooShort { minimum: self.shortest() },
                    other => other,
                };
                if !objections.contains(&one) {
                    objections.push(one);
                }
            }
        }
        if objections.is_empty() { Ok(()) } else { Err(objections) }
    }

    fn nist(&self, password: &str, about: &About<'_>) -> Vec<Objection> {
        let mut objections = Vec::new();
        if password.chars().count() < self.minimum {
            objections.push(Objection::TooShort { minimum: self.minimum });
        }
        let folded: Vec<char> = password.trim().to_lowercase().chars().collect();
        if is_common(&folded) {
            objections.push(Objection::Common);
        }
        let own = [about.username, about.first_name, about.last_name, about.email];
        let known = self.context.iter().map(String::as_str).chain(own);
        let mut words: Vec<Vec<char>> = known.flat_map(parts).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        if is_little_more_than(&folded, &words) {
            objections.push(Objection::Context);
        }
        objections
    }
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { minimum: 15, context: Vec::new(), validators: vec![Validator::Nist] }
    }
}

/// Short lists have nothing left to match at 15 characters, so what people make of short ones is undone first.
fn is_common(password: &[char]) -> bool {
    if is_listed(password) || is_walk(password) {
        return true;
    }
    let unit = unit(password);
    if unit < password.len() {
        return unit <= LONGEST_UNIT || is_common(&password[..unit]);
    }
    let letters = |c: &char| c.is_alphabetic();
    let (Some(first), Some(last)) = (password.iter().position(letters), password.iter().rposition(letters))
    else {
        return password.len() <= SHORT_AFFIX;
    };
    let (before, core, after) = (&password[..first], &password[first..=last], &password[last + 1..]);
    let trivial = |affix: &[char]| affix.len() <= SHORT_AFFIX || is_listed(affix) || is_walk(affix);
    core.len() < password.len() && trivial(before) && trivial(after) && (core.len() <= 3 || is_common(core))
}

fn is_listed(password: &[char]) -> bool {
    is_in(COMMON, &password.iter().collect::<String>())
}

/// Whether a text is in a list of hashes.
pub(crate) fn is_in(list: &[u8], text: &str) -> bool {
    let hash = Sha256::digest(text.as_bytes());
    let (wanted, count) = (&hash[..ENTRY], list.len() / ENTRY);
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = usize::midpoint(low, high);
        match list[middle * ENTRY..(middle + 1) * ENTRY].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}

/// Whether four of five steps go to a neighbour: in the alphabet, in the digits, along or across the keyboard.
fn is_walk(password: &[char]) -> bool {
    let neighbours = |pair: &[char]| {
        WALKS.iter().any(|walk| {
            let at = |c| walk.chars().position(|known| known == c);
            at(pair[0]).zip(at(pair[1])).is_some_and(|(a, b)| {
                let step = a.abs_diff(b);
                step <= 1 || step == walk.chars().count() - 1
            })
        })
    };
    let steps = password.len().saturating_sub(1);
    steps >= 3 && password.windows(2).filter(|pair| neighbours(pair)).count() * 5 >= steps * 4
}

/// Returns the length of the piece that the password repeats, or its whole length.
fn unit(password: &[char]) -> usize {
    let repeats = |unit: &usize| password.iter().zip(&password[*unit..]).all(|(a, b)| a == b);
    // A rest may be missing at the end, as between two words.
    (1..=password.len().div_ceil(2)).find(repeats).unwrap_or(password.len())
}

fn parts(word: &str) -> Vec<Vec<char>> {
    let folded = word.to_lowercase();
    let pieces = folded.split(|c: char| !c.is_alphanumeric()).filter(|piece| piece.chars().count() >= 4);
    let joined: Vec<char> = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut parts: Vec<Vec<char>> = pieces.map(|piece| piece.chars().collect()).collect();
    if joined.len() >= 4 {
        parts.push(joined);
    }
    parts
}

/// Whether fewer than 8 characters are left when the words are taken out wherever they stand.
fn is_little_more_than(password: &[char], words: &[Vec<char>]) -> bool {
    let (mut left, mut at, mut found) = (0, 0, false);
    while at < password.len() {
        match words.iter().find(|word| password[at..].starts_with(word)) {
            Some(word) => (at, found) = (at + word.len(), true),
            None => (at, left) = (at + 1, left + 1),
        }
    }
    found && left < LEAST
}

/// In bytes: 254 characters of four.
const LONGEST_WORD: usize = 1_016;
const LEAST: usize = 8;
const SHORT_AFFIX: usize = 6;
const LONGEST_UNIT: usize = 8;
const ENTRY: usize = 5;
/// Made by `scripts/make_blocklist.py`.
const COMMON: &[u8] = include_bytes!("../data/common_passwords.bin");
const WALKS: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
];

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: About<'_> =
        About { username: "alice.cooper", first_name: "", last_name: "", email: "ali@wonderland.example" };

    #[track_caller]
    fn check(password: &str, expected: &[Objection]) {
        let rules = PasswordRules::default().context("Harbour Board");
        let found = rules.check(password, &ALICE).err().unwrap_or_default();
        assert_eq!(found, expected, "{password:?}");
    }

    #[test]
    fn a_common_word_said_twice_is_common_however_it_is_parted() {
        for words in ["sunshine", "iloveyou", "princess", "password"] {
            for parted in ["", " ", "-"] {
                check(&format!("{words}{parted}{words}"), &[Objection::Common]);
            }
        }
    }

    /// Names are not looked at before the password is, and may be as long as a form: two megabytes took seconds.
    #[test]
    fn a_name_that_no_column_holds_costs_nothing() {
        let (long, password) = ("aaab ".repeat(380_000), "a".repeat(1_000));
        let about = About { username: &long, email: &long, ..About::default() };
        let start = std::time::Instant::now();
        drop(PasswordRules::default().check(&password, &about));
        assert!(start.elapsed() < std::time::Duration::from_millis(200), "{:?}", start.elapsed());
        let name = "z".repeat(200);
        let about = About { username: &name, ..About::default() };
        assert_eq!(
            PasswordRules::default().check(&name, &about),
            Err(vec![Objection::Common, Objection::Context])
        );
    }

    /// asvs_6_2_1, asvs_6_2_5, asvs_6_2_9: 15 characters of any kind, and room for hundreds.
    #[test]
    fn asvs_6_2_1_length_is_all_that_is_asked_of_an_uncommon_password() {
        let short = Objection::TooShort { minimum: 15 };
        for good in [
            "correct horse battery staple",
            "zrjlkqwmpxvtnhd",
            "               x9!kd",
            "\u{c548}\u{b155}\u{d558}\u{c138}\u{c694} \u{c624}\u{b298}\u{c740} \u{be44}\u{ac00} \u{c654}\u{c5b4}\u{c694}",
            "\u{1f40e}\u{1f50b}\u{1f4ce}\u{2705}\u{1f30a}\u{1f30b}\u{1f3d4}\u{fe0f}\u{26f5}\u{1f6f6}\u{1f3a3}\u{1f9ed}\u{1f5fa}\u{fe0f}\u{1f3dd}\u{fe0f}",
        ] {
            check(good, &[]);
        }
        check(
            &"many words in a row, no two alike; "
                .chars()
                .chain("zqxj".repeat(20).chars())
                .collect::<String>(),
            &[],
        );
        check("zrjlkqwmpxvtnh", &[short]);
        check("", &[short, Objection::Common]);
        check(&"x".repeat(1_025), &[Objection::TooLong]);
        assert!(PasswordRules::default().minimum(8).check("zrjlkqwm", &About::default()).is_ok());
        assert!(PasswordRules::default().minimum(1).check("zrjlkqw", &About::default()).is_err());
    }

    /// asvs_6_2_4, asvs_6_2_12: common passwords, and what people make of them to reach a length.
    #[test]
    fn asvs_6_2_4_common_passwords_are_refused_at_any_length() {
        for common in [
            "letmein123456",
            "123456789012345",
            "passwordpassword",
            "qwertyuiopasdfgh",
            "PasswordPassword",
            "password1234567890",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "1q2w3e4r5t6y7u8i9o",
            "monkey!!!!!!",
            // What stands around a common word is common itself, or a walk.
            "monkey6969696",
            "monkey4567890123",
            "zyxwvutsrqponmlkjihg",
            "qwertyqwertyqwerty",
            "  letmein12345678  ",
            "abcdefghijklmnop",
            "000000000000000000",
        ] {
            let found = PasswordRules::default()
                .minimum(8)
                .check(common, &About::default())
                .err()
                .unwrap_or_default();
            assert_eq!(found, [Objection::Common], "{common}");
        }
    }

    /// asvs_6_2_11: the names of the user and of the site.
    #[test]
    fn asvs_6_2_11_names_that_everybody_knows_are_refused() {
        for close in [
            "alicecooper12345",
            "AliceCooperAliceCooper",
            "harbourboard2026",
            "wonderland12345!",
            "cooper alice 99",
        ] {
            let rules = PasswordRules::default().context("Harbour Board");
            let found = rules.check(close, &ALICE).err().unwrap_or_default();
            assert!(found.contains(&Objection::Context), "{close}: {found:?}");
        }
        check("wonderland is not enough of a hint", &[]);
    }

    #[test]
    fn the_bounds_of_the_rules_are_exact() {
        let long: String = (0..400).map(|number| format!("{number}zq")).collect();
        check(&long[..1_024], &[]);
        check(&long[..1_025], &[Objection::TooLong]);
        // A unit of at most eight characters is guessed whatever it is; a longer one has to be common itself.
        check("zrjlkqwmzrjlkqwm", &[Objection::Common]);
        check("zrjlkqwmpzrjlkqwmp", &[]);
        check("basketballbasketball", &[Objection::Common]);
        assert!(
            PasswordRules::default().minimum(8).check("zrjlkqwz", &About::default()).is_ok(),
            "no piece is repeated"
        );
        // What is common around a core counts for nothing, and a core of three letters is no core.
        check("zrjlkqw12345678", &[]);
        check("xkq12345678901234567890", &[Objection::Common]);
        check("xkqv12345678901", &[]);
        // Seven characters beside a known name are too few, eight are not.
        check("harbourboardzrjlkqw", &[Objection::Context]);
        check("harbourboardzrjlkqwm", &[]);
    }

    #[test]
    fn a_name_in_pieces_is_known_as_one() {
        let rules = PasswordRules::default();
        let found = |password: &str, word: &str| {
            let about = About { username: word, ..About::default() };
            rules.check(password, &about).err().unwrap_or_default()
        };
        assert!(found("alicealicealice", "al.ice").contains(&Objection::Context));
        assert!(!found("xyxyxyxyxyxyxyxy", "x.y").contains(&Objection::Context), "too short to be a name");
    }

    #[test]
    fn a_walk_goes_around_the_end_of_its_row() {
        for (text, walk) in [
            ("89012", true),
            ("yzabc", true),
            ("mx123", false),
            ("abc", false),
            ("abcd", true),
            ("abcdef", true),
            ("abcdex", true),
            ("abcqdef", false),
            ("qwerty", true),
            ("1qaz2wsx", true),
        ] {
            let characters: Vec<char> = text.chars().collect();
            assert_eq!(is_walk(&characters), walk, "{text}");
        }
    }
}
