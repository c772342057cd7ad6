//! Messages that the next page shows once.

use serde::{Deserialize, Serialize};

/// A message for the next page, such as "Your comment was saved."
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Flash {
    /// How it is meant.
    pub level: FlashLevel,
    /// Plain text: a template escapes it as any other value.
    pub text: String,
    /// Words for the page that shows it, separated by spaces; Django calls them `extra_tags`.
    #[serde(default)]
    pub tags: String,
}

/// How a message is meant, with Django's names.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FlashLevel {
    /// Something for developers.
    Debug,
    /// Something to know.
    Info,
    /// It worked.
    Success,
    /// It worked, but.
    Warning,
    /// It did not work.
    Error,
}

impl FlashLevel {
    /// Returns Django's number of the level.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Debug => 10,
            Self::Info => 20,
            Self::Success => 25,
            Self::Warning => 30,
            Self::Error => 40,
        }
    }

    /// Returns Django's name of the level, which its templates use as a class.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Returns the highest level that is not above a number; a Django may have levels of its own in between.
    #[must_use]
    pub fn of_number(number: i64) -> Self {
        let levels = [Self::Error, Self::Warning, Self::Success, Self::Info];
        levels.into_iter().find(|level| level.number() <= number).unwrap_or(Self::Debug)
    }
}

pub(crate) const NAME: &str = "_haechi_flashes";
/// More than a page can show; an endless redirect must not fill the session.
pub(crate) const MOST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_djangos_numbers_and_names() {
        for (level, number, name) in [
            (FlashLevel::Debug, 10, "debug"),
            (FlashLevel::Info, 20, "info"),
            (FlashLevel::Success, 25, "success"),
            (FlashLevel::Warning, 30, "warning"),
            (FlashLevel::Error, 40, "error"),
        ] {
            assert_eq!((level.number(), level.name()), (number, name));
            assert_eq!([number, number + 4].map(FlashLevel::of_number), [level; 2], "{name}");
        }
        assert_eq!([i64::MIN, 9].map(FlashLevel::of_number), [FlashLevel::Debug; 2]);
    }
}
