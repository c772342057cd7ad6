//! Durations as a person writes them in a configuration file: `500ms`, `10s`, `15m`, `12h`, `14d`.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Reads a duration for serde's `deserialize_with`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| {
        D::Error::custom(format!(
            "\"{text}\" is not a duration; write a whole number and a unit: 500ms, 10s, 15m, 12h or 14d"
        ))
    })
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        "d" => number.checked_mul(86_400).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(parse(text), expected.map(Duration::from_millis), "{text}");
    }

    #[test]
    fn a_number_and_a_unit_make_a_duration() {
        check("500ms", Some(500));
        check("10s", Some(10_000));
        check("15m", Some(900_000));
        check("12h", Some(43_200_000));
        check("14d", Some(1_209_600_000));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "10", "s", "-1s", "1.5s", "10 s", "10S", "99999999999999999999s", "9999999999999999999d"]
        {
            check(text, None);
        }
    }
}
