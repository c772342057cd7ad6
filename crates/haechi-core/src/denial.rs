//! A refusal: the only way haechi says no to a request.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::Quoted;

/// Why a request was refused, for the log, and what the person in front of the browser can do, for the page.
///
/// Title and message are literals, so nothing that came with the request is ever shown on the page.
///
/// # Examples
///
/// ```
/// use haechi_core::Denial;
/// use http::StatusCode;
///
/// let denial = Denial::new(StatusCode::FORBIDDEN, "csrf", "origin-foreign")
///     .detail("https://evil.example\r\n")
///     .message("Go back, reload the page and send the form again.");
/// assert_eq!(denial.reason(), "origin-foreign");
/// assert_eq!(denial.logged_detail(), Some(r#""https://evil.example\r\n""#));
/// ```
#[derive(Clone)]
pub struct Denial(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    guard: &'static str,
    reason: &'static str,
    detail: Option<Box<str>>,
    title: &'static str,
    message: &'static str,
    retry_after: Option<Duration>,
    connection: Connection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Keep,
    Close,
}

impl Denial {
    /// Refuses with a status; `guard` and `reason` name the place in the log and never reach the client.
    ///
    /// Title and message are those of the status until others are given.
    #[must_use]
    pub fn new(status: StatusCode, guard: &'static str, reason: &'static str) -> Self {
        let (title, message) = words(status);
        Self(Box::new(Inner {
            status,
            guard,
            reason,
            detail: None,
            title,
            message,
            retry_after: None,
            connection: Connection::Keep,
        }))
    }

    /// Adds the value that was wrong, for the log only; it is shortened and escaped, so that it cannot forge a line.
    #[must_use]
    pub fn detail(mut self, value: impl AsRef<str>) -> Self {
        self.0.detail = Some(Quoted(value.as_ref()).to_string().into_boxed_str());
        self
    }

    /// Replaces the title of the page.
    #[must_use]
    pub fn title(mut self, title: &'static str) -> Self {
        self.0.title = title;
        self
    }

    /// Replaces what the page tells a person to do.
    #[must_use]
    pub fn message(mut self, message: &'static str) -> Self {
        self.0.message = message;
        self
    }

    /// Tells the client when to try again; rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Closes the connection after the answer, where what follows on it cannot be trusted.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.0.connection = Connection::Close;
        self
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the guard that refused.
    #[must_use]
    pub fn guard(&self) -> &'static str {
        self.0.guard
    }

    /// Returns the reason as the log names it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// Returns the escaped value for the log.
    #[must_use]
    pub fn logged_detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Returns the title of the page.
    #[must_use]
    pub fn public_title(&self) -> &'static str {
        self.0.title
    }

    /// Returns what the page tells a person to do.
    #[must_use]
    pub fn public_message(&self) -> &'static str {
        self.0.message
    }

    /// Returns the whole seconds after which to try again.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.0.retry_after.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    }

    /// Tells whether the connection ends with the answer.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.0.connection == Connection::Close
    }
}

impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}: {}", self.0.status.as_u16(), self.0.guard, self.0.reason)?;
        self.0.detail.as_deref().map_or(Ok(()), |detail| write!(f, " {detail}"))
    }
}

impl std::error::Error for Denial {}

/// The words for a person when the guard gives none.
fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => ("Please sign in", "You need to be signed in to see this page."),
        403 => ("Not allowed", "This request was refused. Go back, reload the page and try again."),
        404 => ("Not found", "There is no page at this address."),
        405 => ("Not possible here", "This page does not understand that kind of request."),
        408 => ("Too slow", "The request took too long to arrive. Please try again."),
        413 => ("Too large", "What was sent is larger than this site accepts."),
        421 => ("Wrong address", "This server does not answer for that name. Check the address."),
        429 => ("Too many requests", "Please wait a moment and try again."),
        431 => (
            "Too large",
            "The request's headers are larger than this site accepts. Deleting this site's cookies may help.",
        ),
        503 => ("Busy", "The site cannot answer at the moment. Please try again shortly."),
        400..=499 => ("Bad request", "The request could not be understood. Go back and try again."),
        _ => ("Something went wrong", "The site could not answer. Please try again later."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_line_is_one_line() {
        let denial =
            Denial::new(StatusCode::FORBIDDEN, "csrf", "origin").detail("a\r\n2026 INFO forged\x1b[31m");
        assert_eq!(denial.to_string(), r#"403 by csrf: origin "a\r\n2026 INFO forged\u{1b}[31m""#);
    }

    #[test]
    fn a_wait_is_rounded_up() {
        for (millis, expected) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            let denial = Denial::new(StatusCode::TOO_MANY_REQUESTS, "rate", "r")
                .retry_after(Duration::from_millis(millis));
            assert_eq!(denial.retry_after_seconds(), Some(expected));
        }
    }

    #[test]
    fn a_result_with_a_denial_is_one_word() {
        assert_eq!(size_of::<Result<(), Denial>>(), size_of::<usize>());
    }
}
