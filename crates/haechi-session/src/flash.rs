//! Messages that the next page shows once.

use serde::{Deserialize, Serialize};

/// A message for the next page, such as "Your comment was saved."
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Flash {
    /// How it is meant.
    pub level: FlashLevel,
    /// Plain text: a template escapes it as any other value.
    pub text: String,
}

/// How a message is meant, with Django's names.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FlashLevel {
    /// Something to know.
    Info,
    /// It worked.
    Success,
    /// It worked, but.
    Warning,
    /// It did not work.
    Error,
}

pub(crate) const NAME: &str = "_haechi_flashes";
/// More than a page can show; an endless redirect must not fill the session.
pub(crate) const MOST: usize = 20;
