//! A moment as the pages show it: for machines and for people.

use jiff::Timestamp;
use serde::Serialize;

/// The two forms of a moment that a `<time>` element holds; always in UTC, and it says so.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Moment {
    machine: String,
    people: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self {
            machine: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            people: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}
