//! Refuses what announces a larger body than a request may carry.

use haechi_core::{Denial, Field, Guard, Head};
use http::StatusCode;
use http::header::CONTENT_LENGTH;

/// Lets a request pass unless its `Content-Length` is above a number of bytes.
///
/// # Security
///
/// It spares the site the work for a body that will be refused, and its sender the upload. A body that announces no length
/// passes: whoever reads it must count.
///
/// # Examples
///
/// ```
/// let guard = haechi_guard::BodyLimit::new(2 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit {
    most: u64,
}

impl BodyLimit {
    /// Allows `most` bytes.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self { most }
    }
}

impl Guard for BodyLimit {
    fn name(&self) -> &'static str {
        "body"
    }

    fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
        match head.field(&CONTENT_LENGTH) {
            Field::Missing => Ok(()),
            Field::Once(length) if length.parse::<u64>().is_ok_and(|length| length <= self.most) => Ok(()),
            _ => Err(Denial::new(StatusCode::PAYLOAD_TOO_LARGE, "body", "announced").close()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Row, outcome};

    #[track_caller]
    fn check(row: &Row<'_>, expected: &str) {
        let guard = BodyLimit::new(1_000);
        assert_eq!(row.resolved(|head| outcome(guard.check(head))), expected);
    }

    #[test]
    fn what_announces_more_than_may_come_is_refused() {
        let of = |length| Row::post().header("content-length", length);
        check(&of("0"), "pass");
        check(&of("1000"), "pass");
        check(&of("1001"), "413 announced close");
        check(&of("18446744073709551615"), "413 announced close");
        check(&of("18446744073709551616"), "413 announced close");
        check(&Row::get("/").header("content-length", "1001"), "413 announced close");
        check(&of("1001").http_2(), "413 announced close");
        // It may be endless; the server counts what is read of it.
        check(&Row::post(), "pass");
        check(&Row::post().header("transfer-encoding", "chunked"), "pass");
        // By this name the log tells who refused.
        assert_eq!(BodyLimit::new(1_000).name(), "body");
    }

    /// The server refuses these as malformed before a guard is asked. Here they are no small body, whatever they are.
    #[test]
    fn a_length_that_cannot_be_read_is_no_small_one() {
        for length in ["", "-1", "1e3", "12 ", "0x10", "1,1", "一"] {
            check(&Row::post().header("content-length", length), "413 announced close");
        }
        let twice = Row::post().header("content-length", "1").header("content-length", "1");
        check(&twice, "413 announced close");
    }
}
