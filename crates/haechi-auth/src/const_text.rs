//! The text of a statement, put together by the compiler from the names that a type declares.

/// A text under construction in a const, with the order of the values in it.
pub(crate) struct ConstText {
    bytes: [u8; MOST],
    length: usize,
    order: [usize; MOST_VALUES],
    values: usize,
}

impl ConstText {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; MOST], length: 0, order: [0; MOST_VALUES], values: 0 }
    }

    /// Appends text of ours.
    pub(crate) const fn sql(mut self, text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self = self.byte(bytes[at]);
            at += 1;
        }
        self
    }

    /// Appends another text, whose values keep their indices.
    pub(crate) const fn append(mut self, other: &Self) -> Self {
        let mut at = 0;
        while at < other.length {
            if other.bytes[at] != b'$' {
                self = self.byte(other.bytes[at]);
                at += 1;
                continue;
            }
            let number = (other.bytes[at + 1] - b'0') as usize;
            self = self.value(other.order[number - 1]);
            at += 2;
        }
        self
    }

    /// Appends the name of a table or a column, quoted as Django quotes it.
    pub(crate) const fn name(self, name: &'static str) -> Self {
        assert!(
            is_identifier(name),
            "the name of a table or column is made of letters, digits and _, and is not empty"
        );
        self.byte(b'"').sql(name).byte(b'"')
    }

    /// Appends a text in quotes.
    pub(crate) const fn quoted(self, text: &'static str) -> Self {
        let (bytes, mut at) = (text.as_bytes(), 0);
        while at < bytes.len() {
            assert!(!matches!(bytes[at], b'\'' | b'$' | 0), "a fixed text has no quote, no $ and no NUL");
            at += 1;
        }
        self.byte(b'\'').sql(text).byte(b'\'')
    }

    /// Appends a number.
    pub(crate) const fn number(self, number: i64) -> Self {
        if number < 0 {
            return self.byte(b'-').digits(number.unsigned_abs());
        }
        self.digits(number.unsigned_abs())
    }

    /// Appends a placeholder for the value with this index.
    pub(crate) const fn value(mut self, index: usize) -> Self {
        let mut known = 0;
        while known < self.values && self.order[known] != index {
            known += 1;
        }
        if known == self.values {
            self.order[known] = index;
            self.values += 1;
        }
        self.byte(b'$').byte(DIGITS[known + 1])
    }

    #[expect(
        clippy::panic,
        reason = "a panic in a const is a compile error, and only whole texts are appended"
    )]
    pub(crate) const fn text(&self) -> &str {
        let (bytes, _) = self.bytes.split_at(self.length);
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(_) => panic!("only whole texts are appended"),
        }
    }

    pub(crate) const fn order(&self) -> &[usize] {
        self.order.split_at(self.values).0
    }

    const fn digits(self, number: u64) -> Self {
        let text = if number >= 10 { self.digits(number / 10) } else { self };
        let (mut digit, mut below) = (0, number % 10);
        while below > 0 {
            digit += 1;
            below -= 1;
        }
        text.byte(DIGITS[digit])
    }

    const fn byte(mut self, byte: u8) -> Self {
        assert!(self.length < MOST, "the names of the table's columns are too long together");
        self.bytes[self.length] = byte;
        self.length += 1;
        self
    }
}

const fn is_identifier(name: &str) -> bool {
    let (bytes, mut at) = (name.as_bytes(), 0);
    while at < bytes.len() {
        let letter = bytes[at].is_ascii_alphabetic() || bytes[at] == b'_';
        if !letter && (at == 0 || !bytes[at].is_ascii_digit()) {
            return false;
        }
        at += 1;
    }
    // As long as a name of PostgreSQL may be.
    0 < at && at < 64
}

const MOST: usize = 3_000;
/// Their numbers have one digit.
const MOST_VALUES: usize = 9;
const DIGITS: &[u8; 10] = b"0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_by_first_appearance_and_names_are_quoted() {
        const TEXT: ConstText = ConstText::new()
            .sql("select ")
            .name("Id")
            .sql(" = ")
            .value(4)
            .sql(", ")
            .value(2)
            .sql(", ")
            .value(4);
        assert_eq!(TEXT.text(), "select \"Id\" = $1, $2, $1");
        assert_eq!(TEXT.order(), [4, 2]);
        const NUMBERS: ConstText = ConstText::new().number(-120).sql(" ").number(0).sql(" ").quoted("en");
        assert_eq!(NUMBERS.text(), "-120 0 'en'");
    }

    #[test]
    fn an_appended_text_keeps_its_values_under_other_numbers() {
        const VALUES: ConstText = ConstText::new().sql(") values (").value(5).sql(", ").value(3).sql(")");
        const TEXT: ConstText = ConstText::new().sql("(").value(3).append(&VALUES).append(&ConstText::new());
        assert_eq!(TEXT.text(), "($1) values ($2, $1)");
        assert_eq!(TEXT.order(), [3, 5]);
    }

    /// In a const it is an error of the compiler.
    #[test]
    fn a_fixed_text_cannot_end_its_quotes() {
        for text in ["'", "o'clock", "end'", "$1", "end$", "\0", "end\0"] {
            assert!(std::panic::catch_unwind(|| ConstText::new().quoted(text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_cannot_end_its_quotes() {
        for name in ["auth_user", "A", "_x9", "accounts_Person"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "9a", "a b", "a\"", "a\"; drop table b", "a.b", "\u{e9}", &"a".repeat(64)] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
