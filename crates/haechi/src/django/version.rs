//! What differs between the versions of Django.

use haechi_core::SignedCookieSalt;

/// A version of Django that haechi knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    line: Line,
    /// The last number; a version written without it is the latest of its line.
    patch: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    V52,
    V60,
    V61,
}

impl Version {
    /// Reads `5.2.19` or `5.2`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "version is \"{text}\", and haechi knows 5.2, 6.0 and 6.1 (as in \"5.2.19\"): another one may hash \
                 passwords and sign cookies otherwise"
            )
        };
        let (line, patch) = match text.match_indices('.').nth(1) {
            Some((dot, _)) => (&text[..dot], Some(text[dot + 1..].parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        let line = match line {
            "5.2" => Line::V52,
            "6.0" => Line::V60,
            "6.1" => Line::V61,
            _ => return Err(unknown()),
        };
        Ok(Self { line, patch })
    }

    /// The iterations of PBKDF2 that it writes; a row with any other number is rewritten at a sign-in there.
    pub(super) fn iterations(self) -> u32 {
        match self.line {
            Line::V52 => 1_000_000,
            Line::V60 => 1_200_000,
            Line::V61 => 1_500_000,
        }
    }

    /// The form of its signed cookies; `legacy` is `SIGNED_COOKIE_LEGACY_SALT_FALLBACK`, where a site sets it.
    pub(super) fn signed_cookies(self, legacy: Option<bool>) -> SignedCookieSalt {
        let (current, reads_legacy) = match self.line {
            Line::V52 => (self.patch.is_none_or(|patch| patch >= 15), true),
            Line::V60 => (self.patch.is_none_or(|patch| patch >= 6), true),
            Line::V61 => (true, false),
        };
        match (current, legacy.unwrap_or(reads_legacy)) {
            (false, _) => SignedCookieSalt::Legacy,
            (true, true) => SignedCookieSalt::CurrentAndLegacy,
            (true, false) => SignedCookieSalt::Current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_signed_cookies_are_those_of_the_version() {
        #[track_caller]
        fn check(text: &str, legacy: Option<bool>, expected: Option<(u32, SignedCookieSalt)>) {
            let read = Version::parse(text).ok();
            let read = read.map(|version| (version.iterations(), version.signed_cookies(legacy)));
            assert_eq!(read, expected, "{text}");
        }
        use SignedCookieSalt::{Current, CurrentAndLegacy, Legacy};
        check("5.2", None, Some((1_000_000, CurrentAndLegacy)));
        check("5.2.19", None, Some((1_000_000, CurrentAndLegacy)));
        check("5.2.19", Some(false), Some((1_000_000, Current)));
        check("5.2.15", None, Some((1_000_000, CurrentAndLegacy)));
        check("5.2.14", None, Some((1_000_000, Legacy)));
        check("5.2.0", Some(false), Some((1_000_000, Legacy)));
        check("6.0.5", None, Some((1_200_000, Legacy)));
        check("6.0.6", None, Some((1_200_000, CurrentAndLegacy)));
        check("6.1.3", None, Some((1_500_000, Current)));
        check("6.1", Some(true), Some((1_500_000, CurrentAndLegacy)));
        for unknown in ["", "5", "4.2.20", "5.1", "6.2", "5.2.x", "5.2.19.1", "5.2rc1", "v5.2", "5.20.1"] {
            check(unknown, None, None);
        }
    }
}
