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
    /// that ends with the browser.
    pub(crate) fn use_at(self, record: &mut Record, now: i64) -> Option<Duration> {
        let own: Option<Own> = record.values.get(NAME).ok().flatten();
        let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
        let (age, at_browser_close) = match own {
            Some(Own::Seconds(0)) => (seconds(self.age), true),
            Some(Own::Seconds(own)) => (own, false),
            Some(Own::Moment(text)) => match moment(&text) {
                Some(end) => (end.saturating_sub(now), false),
                None => (seconds(self.age), self.at_browser_close),
            },
            None => (seconds(self.age), self.at_browser_close),
        };
        record.seen = now;
        record.expires = now.saturating_add(age).clamp(0, LATEST);
        (!at_browser_close).then(|| Duration::from_secs(u64::try_from(age).unwrap_or(0)))
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Own {
    Seconds(i64),
    Moment(String),
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

    #[track_caller]
    fn check(values: &str, at_browser_close: bool, lives: i64, cookie: Option<u64>) {
        let mut record = Record { values: Values::parse(values).unwrap(), ..Record::default() };
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
        check(r#"{"_session_expiry":"tomorrow"}"#, false, WEEKS, Some(1_209_600));
        check(r#"{"_session_expiry":null}"#, false, WEEKS, Some(1_209_600));
    }

    #[test]
    fn an_endless_age_stays_within_what_a_database_holds() {
        let mut record = Record::default();
        DjangoExpiry { age: Duration::MAX, at_browser_close: false }.use_at(&mut record, NOW);
        assert!(Timestamp::from_second(record.expires).is_ok());
    }
}
