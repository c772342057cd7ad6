//! What can be wrong with a configuration.

use std::fmt;
use std::path::Path;

/// A configuration that cannot be used: what is wrong, with the value, and what to write instead.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of configuration error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read or written.
    Read,
    /// The file is not TOML.
    Syntax,
    /// The file names a setting that does not exist.
    UnknownKey,
    /// The environment names a setting that does not exist.
    UnknownVariable,
    /// A setting has a value that it cannot have.
    Value,
    /// The secret key is missing, too short or well known.
    SecretKey,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn read(path: &Path, error: std::io::Error) -> Self {
        Self {
            kind: ErrorKind::Read,
            message: format!("{}: {error}", path.display()),
            source: Some(Box::new(error)),
        }
    }

    pub(super) fn syntax(error: toml::de::Error) -> Self {
        let message = format!("haechi.toml is not TOML: {}", error.to_string().trim_end());
        Self { kind: ErrorKind::Syntax, message, source: Some(Box::new(error)) }
    }

    pub(super) fn value(error: toml::de::Error) -> Self {
        let message = error.to_string().trim_end().replace('\n', " ");
        Self { kind: ErrorKind::Value, message, source: Some(Box::new(error)) }
    }

    /// Returns what kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
