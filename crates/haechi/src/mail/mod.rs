//! Mail: written by a page, sent outside of its request, so that the time of an answer tells nothing.

mod mailer;
mod message;
mod transport;

pub use mailer::Mailer;
pub use message::{Mail, MailError};
