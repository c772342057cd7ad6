//! Whether a text is already what an escaper would make of it: most values are names, numbers and paths.
//!
//! Each question is asked of 16 bytes at once, one part of it after the other: written so, a compiler makes a few
//! instructions of it.

/// Whether HTML text and quoted attributes have nothing to escape; in doubt they have.
///
/// Three masks cover `"` `&` `'` (and `#`), `<` `>`, and NUL, CR (and other control characters).
pub(crate) fn is_inert(text: &str) -> bool {
    let none = |bytes: &[u8; 16], mask: u8, special: u8| {
        bytes.iter().fold(0, |found, byte| found | u8::from(byte & mask == special)) == 0
    };
    let block = |bytes: &[u8; 16]| none(bytes, !5, b'"') && none(bytes, !2, b'<') && none(bytes, !0xd, 0);
    every(text.as_bytes(), &INERT, block)
}

/// Whether a URL, or a part of one if not `WHOLE`, has bytes that mean themselves only.
///
/// A dash or underscore does, but not where a scheme or a name may begin.
pub(crate) fn is_plain_url<const WHOLE: bool>(text: &str) -> bool {
    let plain = if WHOLE { &URL_PLAIN } else { &URL_PART_PLAIN };
    let block = |bytes: &[u8; 16]| bytes.iter().fold(true, |all, byte| all & is_url_byte(*byte, WHOLE));
    let begins = |first: &u8| plain[usize::from(*first)] && !matches!(first, b'-' | b'_');
    text.as_bytes().first().is_some_and(begins) && every(text.as_bytes(), plain, block)
}

/// Whether every byte is in the table; `block` says the same of 16 bytes.
///
/// The last block may overlap the one before: a byte that is asked twice says the same.
#[inline(always)]
fn every(bytes: &[u8], table: &[bool; 256], block: impl Fn(&[u8; 16]) -> bool) -> bool {
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().all(|byte| table[usize::from(*byte)]);
    };
    bytes.as_chunks::<16>().0.iter().all(&block) && block(last)
}

/// Letters, digits, `-`, `_` and, in a whole URL, `/`. Without branches, as above.
const fn is_url_byte(byte: u8, whole: bool) -> bool {
    let letter = (byte | b' ').wrapping_sub(b'a') < 26;
    letter | (byte.wrapping_sub(b'0') < 10) | (byte == b'-') | (byte == b'_') | (whole & (byte == b'/'))
}

const INERT: [bool; 256] = {
    let mut inert = [true; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        inert[byte as usize] = (byte & !5 != b'"') & (byte & !2 != b'<') & (byte & !0xd != 0);
        byte += 1;
    }
    inert
};

const URL_PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = is_url_byte(byte, true);
        byte += 1;
    }
    plain
};

const URL_PART_PLAIN: [bool; 256] = {
    let mut plain = URL_PLAIN;
    plain[b'/' as usize] = false;
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character of Latin-1 at every place of a text of every length up to three blocks.
    #[test]
    fn each_byte_is_asked_wherever_it_stands() {
        for length in 1..50 {
            for at in 0..length {
                for odd in '\0'..='\u{ff}' {
                    let text: String = (0..length).map(|place| if place == at { odd } else { 'a' }).collect();
                    let begins = at > 0 || !matches!(odd, '-' | '_');
                    let part = begins && (odd.is_ascii_alphanumeric() || matches!(odd, '-' | '_'));
                    assert_eq!(is_plain_url::<false>(&text), part, "{text:?}");
                    assert_eq!(is_plain_url::<true>(&text), part || odd == '/', "{text:?}");
                    let special = matches!(odd, '"' | '&' | '\'' | '<' | '>' | '\0' | '\r');
                    let doubt = odd == '#' || odd < ' ';
                    assert!(!special || !is_inert(&text), "{text:?}");
                    assert!(doubt || special || is_inert(&text), "{text:?}");
                }
            }
        }
        assert!(!is_plain_url::<true>("") && is_inert(""));
    }
}
