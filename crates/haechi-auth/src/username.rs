//! The names that users sign in with.

use unicode_normalization::UnicodeNormalization;

use crate::word::{is_space, is_word};

/// Returns a name as it is compared and stored: without space around it, in Unicode's form NFKC.
///
/// Pages that take a name call it, as Django's forms do; two ways to type a name are one name then.
///
/// ```
/// use haechi_auth::normalize_username;
/// assert_eq!(normalize_username(" \u{fb01}ne\u{ff0b}1 "), "fine+1");
/// ```
#[must_use]
pub fn normalize_username(name: &str) -> String {
    let name = name.trim_matches(is_space);
    match name.chars().nth(MOST) {
        None => name.nfkc().collect(),
        // Too long in any form.
        Some(_) => name.to_owned(),
    }
}

/// Django's rule: what Python's `\w` matches, and `@.+-`, 150 at most.
pub(crate) fn is_valid_username(name: &str) -> bool {
    let fits = |c: char| is_word(c) || "@.+-".contains(c);
    !name.is_empty() && name.chars().count() <= MOST && name.chars().all(fits)
}

/// Where the name is the address. Whether mail arrives there is another question.
pub(crate) fn is_address(name: &str) -> bool {
    let fits = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    name.len() <= 254 && name.rsplit_once('@').is_some_and(|(local, host)| fits(local) && fits(host))
}

const MOST: usize = 150;
