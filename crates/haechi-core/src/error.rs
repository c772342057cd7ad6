//! The one error of this crate.

use std::borrow::Cow;
use std::fmt;

/// What was wrong with a value that came from outside: a key, a signature, a host, a path.
///
/// The text says what happened, why it is wrong and what to do; it never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A secret key is too short, a known sample, or has too little variety.
    WeakSecretKey,
    /// A signature is missing, malformed or made with another key or for another purpose.
    BadSignature,
    /// A signature is good but older than allowed.
    ExpiredSignature,
    /// A signed value is good but its content cannot be read.
    BadPayload,
    /// A token's text has another length or other characters than ours.
    MalformedToken,
    /// A host is not `name`, `name:port`, an IPv4 address or an IPv6 address in brackets.
    InvalidHost,
    /// An origin is not `scheme://host` or `scheme://host:port`.
    InvalidOrigin,
    /// A network is not `address/prefix`.
    InvalidNetwork,
    /// A cookie's name, value, path or domain cannot stand in a `Set-Cookie` header.
    InvalidCookie,
    /// A redirect target does not stay on this site.
    NotLocal,
}

impl Error {
    /// Makes an error of a kind with its whole text.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Returns what kind of value was refused.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// Shows a foreign value in an error or a log line: at most 80 characters, nothing a terminal or a log parser would act on.
///
/// Control characters, quotes and backslashes are escaped as Rust writes them, so one value never becomes two lines.
///
/// # Examples
///
/// ```
/// assert_eq!(haechi_core::Quoted("a\r\nb\x1b[2J").to_string(), r#""a\r\nb\u{1b}[2J""#);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 80;
        match self.0.char_indices().nth(LONGEST) {
            // `str`'s own Debug escapes controls, quotes and what does not print.
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_is_one_short_line() {
        let long = "x".repeat(5000) + "\n";
        assert_eq!(Quoted(&long).to_string().chars().count(), 83);
        for hostile in ["\r\n", "\x1b]0;t\x07", "\u{202e}", "\u{2028}", "\0", "\u{9b}1m"] {
            let shown = Quoted(hostile).to_string();
            assert!(shown.is_ascii() && !shown.contains(char::is_control), "{shown}");
        }
    }
}
