//! How long a Django lets its sessions live.

use std::time::Duration;

use jiff::Timestamp;

use crate::Record;
use crate::limits::seconds;

/// The lifetimes of sessions that a Django shares. They are moved by writing, not by use, and have no absolute end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DjangoExpiry {
    /// `SESSION_COOKIE_AGE`.
    pub(crate) age: Duration,
    /// `SESSION_EXPIRE_AT_BROWSER_CLOSE`.
    pub(crate) at_browser_close: bool,
}

impl DjangoExpiry {
    /// Marks `record` as written at `now` and moves its end; returns the age of the cookie, `None` for one that ends
    /// with the browser.
    ///
    /// A session may have been given a lifetime of its own there (`set_expiry`): seconds, a moment, or 0 for a cookie
    /// that ends with the browser. One that cannot be read moves no end: a session is never prolonged by mistake.
    pub(crate) fn use_at(self, record: &mut Record, now: i64) -> Option<Duration> {
        let usual = seconds(self.age);
        let (age, at_browser_close) = match Own::of(record) {
            Own::Unset => (usual, self.at_browser_close),
            Own::Browser => (usual, true),
            Own::Seconds(own) => (own, false),
            Own::Until(end) => (end.saturating_sub(now), false),
            Own::Unreadable => {
                return (!self.at_browser_close).then(|| lifetime(record.expires.saturating_sub(now)));
            }
        };
        record.seen = now;
        record.expires = now.saturating_add(age).clamp(0, LATEST);
        (!at_browser_close).then(|| lifetime(age))
    }
}

/// What `_session_expiry` says.
#[derive(Clone, Copy)]
enum Own {
    Unset,
    Browser,
    Seconds(i64),
    Until(i64),
    Unreadable,
}

impl Own {
    fn of(record: &Record) -> Self {
        use serde_json::Value::{Bool, Null, Number, String};
        match record.values.get(NAME) {
            Ok(None | Some(Null)) => Self::Unset,
            // Python compares with 0, and to it `False` is 0 and `True` is 1.
            Ok(Some(Bool(own))) => Self::of_number(f64::from(u8::from(own))),
            Ok(Some(Number(own))) => own.as_f64().map_or(Self::Unreadable, Self::of_number),
            Ok(Some(String(own))) => {
                own.parse().map_or(Self::Unreadable, |end: Timestamp| Self::Until(end.as_second()))
            }
            Ok(Some(_)) | Err(_) => Self::Unreadable,
        }
    }

    fn of_number(own: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "Django cuts the cookie's age, and the cast saturates"
        )]
        match own == 0.0 {
            true => Self::Browser,
            false => Self::Seconds(own as i64),
        }
    }
}

fn lifetime(age: i64) -> Duration {
    Duration::from_secs(u64::try_from(age).unwrap_or(0))
}

const NAME: &str = "_session_expiry";
/// The year 9999, the last that a date of a database can hold.
const LATEST: i64 = 253_402_207_200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Values;

    const NOW: i64 = 1_700_000_000;
    const WEEKS: i64 = 1_209_600;
    const LEFT: i64 = 90;

    #[track_caller]
    fn check(values: &str, at_browser_close: bool, lives: i64, cookie: Option<u64>) {
        let parsed = Values::parse(values).unwrap();
        let mut record = Record { values: parsed, seen: NOW, expires: NOW + LEFT, ..Record::default() };
        let expiry = DjangoExpiry { age: Duration::from_secs(1_209_600), at_browser_close };
        let age = expiry.use_at(&mut record, NOW);
        assert_eq!((record.seen, record.expires), (NOW, NOW + lives), "{values}");
        assert_eq!(age, cookie.map(Duration::from_secs), "{values}");
    }

    #[test]
    fn a_session_ends_when_django_says() {
        check("{}", false, WEEKS, Some(1_209_600));
        check("{}", true, WEEKS, None);
        check(r#"{"_session_expiry":0}"#, false, WEEKS, None);
        check(r#"{"_session_expiry":300}"#, true, 300, Some(300));
        check(r#"{"_session_expiry":-5}"#, false, -5, Some(0));
        check(r#"{"_session_expiry":"2023-11-14T22:14:20+00:00"}"#, false, 60, Some(60));
        check(r#"{"_session_expiry":"2023-11-14T22:14:20.250000+00:00"}"#, false, 60, Some(60));
        check(r#"{"_session_expiry":null}"#, false, WEEKS, Some(1_209_600));
        check(r#"{"_session_expiry":1800.0}"#, true, 1_800, Some(1_800));
        check(r#"{"_session_expiry":1800.75}"#, false, 1_800, Some(1_800));
        check(r#"{"_session_expiry":0.0}"#, false, WEEKS, None);
        check(r#"{"_session_expiry":-0.0}"#, false, WEEKS, None);
        check(r#"{"_session_expiry":false}"#, false, WEEKS, None);
        check(r#"{"_session_expiry":true}"#, false, 1, Some(1));
    }

    #[test]
    fn a_lifetime_that_cannot_be_read_moves_no_end() {
        for own in
            [r#""tomorrow""#, r#""""#, r#""2023-11-14T22:14:20""#, "NaN", "Infinity", "1e999", "[]", "{}"]
        {
            let values = format!("{{\"_session_expiry\":{own}}}");
            check(&values, false, LEFT, Some(90));
            check(&values, true, LEFT, None);
        }
    }

    #[test]
    fn an_endless_age_stays_within_what_a_database_holds() {
        let mut record = Record::default();
        DjangoExpiry { age: Duration::MAX, at_browser_close: false }.use_at(&mut record, NOW);
        assert!(Timestamp::from_second(record.expires).is_ok());
    }
}
