//! Which algorithms the user table holds, so that every attempt can cost the same.

use std::collections::BTreeMap;

use super::{Bounds, Inspected};

/// The algorithms present in a user table, each with the largest work of its rows.
///
/// A login that only ran the algorithm of the account it names would tell by its time which accounts exist and
/// which are old: a PBKDF2 row takes eight times an argon2 row. So each attempt runs *every* algorithm present
/// up to its largest work, one of them for real.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Present {
    work: BTreeMap<&'static str, u64>,
}

impl Present {
    /// Adds a row; returns whether it was news.
    pub fn note(&mut self, row: &Inspected) -> bool {
        let known = self.work.entry(row.algorithm).or_insert(0);
        let news = *known < row.work;
        *known = (*known).max(row.work);
        news
    }

    /// Returns the algorithms with their largest work.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.work.iter().map(|(algorithm, work)| (*algorithm, *work))
    }

    /// Returns whether no algorithm is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.work.is_empty()
    }
}

impl Present {
    /// Adds what the beginning of a password column tells: algorithm and parameters stand before the salt.
    ///
    /// What cannot be told is left out; the first attempt on such a row adds it.
    pub fn note_prefix(&mut self, prefix: &str) {
        let number = |text: &str| text.split(['$', ',']).next().and_then(|digits| digits.parse::<u64>().ok());
        let row = match prefix.split_once('$') {
            Some(("pbkdf2_sha256", rest)) => number(rest).map(|work| ("pbkdf2_sha256", work)),
            Some(("pbkdf2_sha1", rest)) => number(rest).map(|work| ("pbkdf2_sha1", work)),
            Some(("bcrypt_sha256", rest)) => cost(rest).map(|work| ("bcrypt_sha256", work)),
            Some(("bcrypt", rest)) => cost(rest).map(|work| ("bcrypt", work)),
            // r and p stand behind the salt; Django's own are taken.
            Some(("scrypt", rest)) => number(rest).map(|n| ("scrypt", n.saturating_mul(40))),
            Some(("argon2", rest)) => {
                let value = |name: &str| rest.split_once(name).and_then(|(_, rest)| number(rest));
                value("m=").zip(value("t=")).map(|(memory, passes)| ("argon2", memory.saturating_mul(passes)))
            }
            _ => None,
        };
        if let Some((algorithm, work)) = row {
            let known = self.work.entry(algorithm).or_insert(0);
            *known = (*known).max(work.min(most(algorithm)));
        }
    }
}

fn cost(rest: &str) -> Option<u64> {
    1u64.checked_shl(rest.split('$').nth(2)?.parse().ok()?)
}

/// A hostile row must not make everybody's login slow: beyond the bounds it does not count.
fn most(algorithm: &str) -> u64 {
    let bounds = Bounds::DEFAULT;
    match algorithm {
        "argon2" => bounds.argon2_work,
        "scrypt" => bounds.scrypt_work,
        "bcrypt" | "bcrypt_sha256" => 1 << bounds.bcrypt_cost,
        _ => bounds.pbkdf2_iterations.into(),
    }
}
