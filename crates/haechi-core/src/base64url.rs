//! Base64 with the URL alphabet and no padding, as Django and RFC 4648 §5 write it.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Encodes without padding.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    ENGINE.encode(bytes)
}

/// Decodes, with or without padding; `None` for any other character or for bits left over.
#[must_use]
pub fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
}

/// Decodes exactly `N` bytes without touching the heap.
pub(crate) fn decode_exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let length = ENGINE.decode_slice(text, &mut bytes).ok()?;
    (length == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_takes_padding_or_none_and_nothing_else() {
        #[track_caller]
        fn check(text: &str, expected: Option<&[u8]>) {
            assert_eq!(decode(text).as_deref(), expected, "{text}");
        }
        check("", Some(b""));
        check("-_8", Some(b"\xfb\xff"));
        check("-_8=", Some(b"\xfb\xff"));
        check("+/8", None);
        check("-_9", None);
        check("a", None);
        check("YQ ==", None);
        check("YQ\n", None);
    }

    #[test]
    fn encoding_writes_no_padding() {
        assert_eq!(encode(b"\xfb\xff"), "-_8");
        assert_eq!(decode_exactly::<2>("-_8"), Some(*b"\xfb\xff"));
        assert_eq!(decode_exactly::<3>("-_8"), None);
        assert_eq!(decode_exactly::<1>("-_8"), None);
    }
}
