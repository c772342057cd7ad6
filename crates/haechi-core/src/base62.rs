//! Whole numbers in base 62, as Django's timestamp signer writes them.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes a number, most significant digit first; a negative one begins with `-`.
#[must_use]
pub fn encode(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::with_capacity(12);
    loop {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        digits.push(char::from(DIGITS[digit]));
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

/// Reads a number; `None` for an empty text, another character, or more than 64 bits.
#[must_use]
pub fn decode(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits.bytes() {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        number = number.checked_mul(62)?.checked_add(i64::from(value))?;
    }
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Django 5.2.19 and 6.1.3.
    #[test]
    fn numbers_are_written_as_django_writes_them() {
        #[track_caller]
        fn check(number: i64, text: &str) {
            assert_eq!(encode(number), text);
            assert_eq!(decode(text), Some(number));
        }
        check(0, "0");
        check(9, "9");
        check(10, "A");
        check(35, "Z");
        check(36, "a");
        check(61, "z");
        check(62, "10");
        check(1_700_000_000, "1r31eq");
        check(-62, "-10");
        check(i64::MAX, "AzL8n0Y58m7");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", "--1", "1 ", "+1", "1_0", "é", "AzL8n0Y58m8", "zzzzzzzzzzzzzzzzzzzz"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
