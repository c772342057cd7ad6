//! The fields of the board's forms: what was typed, and what is wrong with it.

use serde::Serialize;

/// What was typed into a field, with an objection if there is one.
///
/// The objection is the English text, which the page translates.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Field {
    pub(crate) value: String,
    pub(crate) error: &'static str,
}

impl Field {
    /// Keeps a value as it stands, with nothing said against it.
    pub(crate) fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: "" }
    }

    /// Reads a text that has to have something to see in it.
    pub(crate) fn required(typed: &str, most: usize) -> Self {
        let mut field = Self::optional(typed, most);
        if field.error.is_empty() && !field.value.chars().any(is_visible) {
            field.error = "Please write something here.";
        }
        field
    }

    /// Reads a text that may be empty. A browser sends line ends as CRLF and counts them as one letter.
    pub(crate) fn optional(typed: &str, most: usize) -> Self {
        let value = typed.replace("\r\n", "\n");
        let (value, error) = if value.contains('\0') {
            (value, "This text holds a character that cannot be stored.")
        } else if let Some((end, _)) = value.char_indices().nth(most * MOST_SHOWN) {
            // No browser lets a person type this much: whoever sent it does not get a page of megabytes back.
            (value[..end].to_owned(), TOO_LONG)
        } else if value.chars().count() > most {
            (value, TOO_LONG)
        } else {
            (value, "")
        };
        Self { value, error }
    }

    /// Tells whether nothing is wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.error.is_empty()
    }
}

const TOO_LONG: &str = "This text is too long.";

/// How many times as much as fits is shown again.
const MOST_SHOWN: usize = 4;

/// A link whose text cannot be seen cannot be followed: white space and the letters of no width do not make a title.
fn is_visible(letter: char) -> bool {
    !letter.is_whitespace()
        && !letter.is_control()
        && !matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &str, good: bool) {
        assert_eq!(Field::required(typed, 5).is_good(), good, "{typed:?}");
    }

    #[test]
    fn a_title_can_be_seen_and_is_short_enough() {
        check("a", true);
        check("해치입니다", true);
        check("a\r\nbcd", true);
        check("해치입니다!", false);
        check("", false);
        check(" \n\t", false);
        check("\u{200b}\u{feff}", false);
        check("a\0", false);
    }

    #[test]
    fn what_is_much_too_long_is_not_sent_back_whole() {
        #[track_caller]
        fn check(letters: usize, shown: usize) {
            let field = Field::optional(&"해".repeat(letters), 5);
            assert_eq!((field.value.chars().count(), field.is_good()), (shown, letters <= 5), "{letters}");
        }
        check(5, 5);
        check(6, 6);
        check(20, 20);
        check(21, 20);
        check(700_000, 20);
    }
}
