//! The form token for a handler that writes no page.

use std::fmt;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::FormSecret;
use crate::{Error, Result};

/// A form token for this visitor, masked anew: for a script that sends it as `X-CSRF-Token`.
///
/// Pages need none of it: the pass over the templates writes the hidden field into every form of this site.
///
/// # Examples
///
/// ```
/// use haechi::CsrfToken;
///
/// async fn token(token: CsrfToken) -> String {
///     token.as_str().to_owned()
/// }
/// ```
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// Returns the 64 letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(…)")
    }
}

impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let secret = parts.extensions.get::<FormSecret>().ok_or_else(crate::current_user::missing)?;
        Ok(Self(secret.token()))
    }
}
