//! One mail: plain text to one person.

use std::fmt;

/// One mail: plain text to one person.
///
/// # Examples
///
/// ```
/// use haechi::Mail;
///
/// let mail = Mail::new("ada@example.org", "Welcome", "Hello Ada")?;
/// assert!(Mail::new("ada@example.org\r\nBcc: all@example.org", "Welcome", "Hello").is_err());
/// # Ok::<(), haechi::MailError>(())
/// ```
#[derive(Clone)]
pub struct Mail {
    pub(super) to: lettre::Address,
    pub(super) subject: String,
    pub(super) text: String,
}

/// Why a mail cannot be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// What should be one e-mail address is not.
    #[error("the address of a mail is not one e-mail address; ask the person for another")]
    Address,
    /// A subject that would begin a header of its own.
    #[error("the subject of a mail has a line break or another control character: leave it out")]
    Subject,
    /// More mails are waiting than the queue holds.
    #[error("the mail queue is full: the mail server is slow or away")]
    Full,
}

impl Mail {
    /// Writes a mail.
    ///
    /// # Errors
    ///
    /// The address is not exactly one address, or the subject holds a control character.
    ///
    /// # Security
    ///
    /// Nothing that came from a form can begin a header line: line breaks are refused there, not removed. Of the text
    /// the control characters are left out but line feed and tab: some servers take a bare CR for the end of a line,
    /// and with it a point for the end of the mail.
    pub fn new(to: &str, subject: impl Into<String>, text: impl Into<String>) -> Result<Self, MailError> {
        let subject = subject.into();
        if subject.contains(char::is_control) {
            return Err(MailError::Subject);
        }
        let to = to.parse().map_err(|_| MailError::Address)?;
        let text = text.into().replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "");
        Ok(Self { to, subject, text })
    }

    /// Returns the mail as a person reads it, and a mail program too.
    pub(super) fn shown(&self, from: &str) -> String {
        format!(
            "From: {from}\nTo: {}\nSubject: {}\nContent-Type: text/plain; charset=utf-8\n\n{}\n",
            self.to,
            self.subject,
            self.text.trim_end()
        )
    }
}

impl fmt::Debug for Mail {
    /// Leaves the text out: it holds links that sign people in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(to: &str, subject: &str, fits: bool) {
        assert_eq!(Mail::new(to, subject, "text").is_ok(), fits, "{to:?} {subject:?}");
    }

    #[test]
    fn what_came_from_a_form_begins_no_header() {
        check("ada@example.org", "Hello", true);
        check("ada@example.org", "안녕하세요", true);
        for to in [
            "",
            "ada",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org\nBcc: eve@example.org",
            "ada@example.org, eve@example.org",
            "ada@example.org eve@example.org",
            "Ada <ada@example.org>",
            "ada@example.org\0",
            "ada\r\n@example.org",
        ] {
            check(to, "Hello", false);
        }
        for subject in ["a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\0b", "a\u{85}b"] {
            check("ada@example.org", subject, false);
        }
    }

    #[test]
    fn a_mail_prints_no_link() {
        let mail = Mail::new("ada@example.org", "Hello", "the secret link").unwrap();
        assert!(!format!("{mail:?}").contains("secret"));
    }
}
