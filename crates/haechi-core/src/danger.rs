//! What weakens a defence. Each function takes the reason, which `check` lists, so that a reviewer finds them all in one place.

use http::{HeaderName, HeaderValue};

use crate::{NonceTemplate, Relaxed};

/// Leaves a sealed header out of one answer, for example the framing ban of a page that partners embed.
#[must_use]
pub fn without_header(name: HeaderName, reason: &'static str) -> Relaxed {
    Relaxed::remove(name, reason)
}

/// Replaces a sealed header of one answer.
#[must_use]
pub fn with_header(name: HeaderName, value: HeaderValue, reason: &'static str) -> Relaxed {
    Relaxed::replace(name, value, reason)
}

/// Replaces a sealed policy of one answer by one that may hold its nonce.
#[must_use]
pub fn with_policy(name: HeaderName, template: NonceTemplate, reason: &'static str) -> Relaxed {
    Relaxed::policy(name, template, reason)
}
