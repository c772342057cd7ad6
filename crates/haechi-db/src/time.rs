//! Dates and times in the text form that Django writes on SQLite.
//!
//! Django compares these columns as text, so the form must be its own to the letter: `2026-01-02 03:04:05` when there
//! are no microseconds, six digits of them otherwise, always UTC and without a zone.

use std::fmt::Write as _;

use jiff::{Timestamp, civil, tz::Offset};

/// Writes a moment. Digits below the microsecond, which no engine stores, are dropped.
pub(crate) fn timestamp_text(value: Timestamp) -> String {
    date_time_text(Offset::UTC.to_datetime(value))
}

pub(crate) fn date_time_text(value: civil::DateTime) -> String {
    let mut text = date_text(value.date());
    text.push(' ');
    text.push_str(&time_text(value.time()));
    text
}

pub(crate) fn date_text(value: civil::Date) -> String {
    let mut text = String::with_capacity(26);
    write!(text, "{:04}-{:02}-{:02}", value.year(), value.month(), value.day())
        .expect("a String takes any text");
    text
}

pub(crate) fn time_text(value: civil::Time) -> String {
    let micros = value.subsec_nanosecond() / 1_000;
    let mut text = String::with_capacity(15);
    write!(text, "{:02}:{:02}:{:02}", value.hour(), value.minute(), value.second())
        .expect("a String takes any text");
    if micros != 0 {
        write!(text, ".{micros:06}").expect("a String takes any text");
    }
    text
}

/// Reads a moment: Django's own form, and with `T`, `Z` or an offset, which Django reads as well.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let (local, rest) = date_time_prefix(text)?;
    let offset = match rest {
        "" | "Z" | "+00:00" => Offset::UTC,
        rest => offset(rest)?,
    };
    offset.to_timestamp(local).ok()
}

pub(crate) fn date_time(text: &str) -> Option<civil::DateTime> {
    match date_time_prefix(text)? {
        (value, "") => Some(value),
        _ => None,
    }
}

pub(crate) fn date(text: &str) -> Option<civil::Date> {
    match date_prefix(text)? {
        (value, "") => Some(value),
        _ => None,
    }
}

pub(crate) fn time(text: &str) -> Option<civil::Time> {
    match time_prefix(text)? {
        (value, "") => Some(value),
        _ => None,
    }
}

fn date_time_prefix(text: &str) -> Option<(civil::DateTime, &str)> {
    let (date, rest) = date_prefix(text)?;
    let rest = rest.strip_prefix([' ', 'T'])?;
    let (time, rest) = time_prefix(rest)?;
    Some((date.to_datetime(time), rest))
}

fn date_prefix(text: &str) -> Option<(civil::Date, &str)> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let date = civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    Some((date, rest))
}

fn time_prefix(text: &str) -> Option<(civil::Time, &str)> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2)?,
        None => (0, rest),
    };
    let (nanos, rest) = match rest.strip_prefix('.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let time =
        civil::Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanos)
            .ok()?;
    Some((time, rest))
}

/// Reads one to nine digits behind the point, as nanoseconds.
fn fraction(text: &str) -> Option<(i32, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 || length > 9 {
        return None;
    }
    let (value, rest) = digits(text, length)?;
    let scale = 10_i32.checked_pow(u32::try_from(9 - length).ok()?)?;
    Some((value.checked_mul(scale)?, rest))
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    if !rest.is_empty() || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn digits(text: &str, count: usize) -> Option<(i32, &str)> {
    let (head, rest) = text.split_at_checked(count)?;
    let mut value = 0;
    for byte in head.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i32::from(byte - b'0');
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `written` is `None` where the text is read but Django would write the same moment in another form.
    #[track_caller]
    fn check(text: &str, seconds: Option<(i64, i32)>, written: Option<&str>) {
        let expected = seconds.map(|(second, nanos)| Timestamp::new(second, nanos).unwrap());
        assert_eq!(timestamp(text), expected, "{text}");
        if let (Some(value), Some(written)) = (expected, written) {
            assert_eq!(timestamp_text(value), written);
        }
    }

    #[test]
    fn moments_are_read_and_written_in_the_form_of_django() {
        // The rows were made with Django 5.2 and Python's `datetime`.
        check("2026-01-02 03:04:05", Some((1_767_323_045, 0)), Some("2026-01-02 03:04:05"));
        check("2026-01-02 03:04:05.000001", Some((1_767_323_045, 1_000)), Some("2026-01-02 03:04:05.000001"));
        check("1969-12-31 23:59:59.500000", Some((0, -500_000_000)), Some("1969-12-31 23:59:59.500000"));
        check("0001-01-01 00:00:00", Some((-62_135_596_800, 0)), Some("0001-01-01 00:00:00"));
        check("9999-12-30 22:00:00", Some((253_402_207_200, 0)), Some("9999-12-30 22:00:00"));
        check("2026-01-02T03:04:05Z", Some((1_767_323_045, 0)), None);
        check("2026-01-02 03:04:05+00:00", Some((1_767_323_045, 0)), None);
        check("2026-01-02 04:34:05+01:30", Some((1_767_323_045, 0)), None);
        check("2026-01-02 03:04:05.5", Some((1_767_323_045, 500_000_000)), None);
        for refused in [
            "",
            "2026-01-02",
            "2026-13-02 03:04:05",
            "2026-02-30 03:04:05",
            "2026-01-02 24:04:05",
            "1767323045",
            "2026-01-02 03:04:05 ",
            "2026-01-02 03:04:05.",
            "2026-01-02 03:04:05.1234567890",
            "２026-01-02 03:04:05",
            "2026-01-02 03:04:05+0",
            "+026-01-02 03:04:05",
            "2026-01-02 03:04:05'--",
        ] {
            check(refused, None, None);
        }
    }
}
