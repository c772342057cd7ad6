//! What a handler returns when it cannot answer.

use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use haechi_core::Denial;
use http::StatusCode;

/// The result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a handler could not answer: a refusal that the client sees, or a failure that only the log sees.
///
/// Any error converts with `?`; the client then gets a page with status 500 and the request id, never the text.
///
/// # Examples
///
/// ```
/// use haechi::{Error, Result};
///
/// async fn page(number: u32) -> Result<String> {
///     if number > 100 {
///         return Err(Error::not_found());
///     }
///     Ok(std::fs::read_to_string("page.txt")?)
/// }
/// ```
pub struct Error(Reason);

enum Reason {
    Denied(Denial),
    Failed(Failure),
}

/// What the log says of an answer with status 500.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) std::sync::Arc<dyn std::error::Error + Send + Sync>);

impl Error {
    /// There is nothing at this address, or nothing that this person may know of.
    pub fn not_found() -> Self {
        Self(Reason::Denied(Denial::new(StatusCode::NOT_FOUND, "route", "not-found")))
    }

    /// The person may not do this.
    pub fn forbidden(reason: &'static str) -> Self {
        let denial = Denial::new(StatusCode::FORBIDDEN, "policy", reason);
        let message =
            "Your account has no permission for this. If it should have, ask whoever runs this site.";
        Self(Reason::Denied(denial.message(message)))
    }

    /// What was sent cannot be understood; `detail` is for the log.
    pub fn bad_request(detail: impl AsRef<str>) -> Self {
        Self(Reason::Denied(Denial::new(StatusCode::BAD_REQUEST, "input", "malformed").detail(detail)))
    }

    /// Returns the status of the answer.
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            Reason::Denied(denial) => denial.status(),
            Reason::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
        let error = match error.downcast::<Denial>() {
            Ok(denial) => return Self(Reason::Denied(*denial)),
            Err(error) => error,
        };
        match refusal(error.as_ref()) {
            Some(denial) => Self(Reason::Denied(denial)),
            None => Self(Reason::Failed(Failure(error.into()))),
        }
    }
}

/// What an error of the parts below means for the client, where it is not a failure of ours.
fn refusal(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<Denial> {
    if let Some(error) = error.downcast_ref::<haechi_db::Error>() {
        return database(error);
    }
    if let Some(refused) = error.downcast_ref::<haechi_db::FilterError>() {
        return Some(Denial::new(StatusCode::BAD_REQUEST, "database", "filter").detail(refused.to_string()));
    }
    if let Some(error) = error.downcast_ref::<haechi_session::Error>() {
        return session(error);
    }
    if let Some(error @ crate::MailError::Full) = error.downcast_ref() {
        return Some(unavailable("mail", &error.to_string(), RETRY));
    }
    match error.downcast_ref::<haechi_auth::Error>()? {
        haechi_auth::Error::Busy(busy) => Some(unavailable("accounts", &busy.to_string(), busy.retry_after)),
        haechi_auth::Error::Throttled { retry_after } => {
            let denial = Denial::new(StatusCode::TOO_MANY_REQUESTS, "throttle", "attempts");
            Some(denial.retry_after(*retry_after))
        }
        haechi_auth::Error::Database(error) => database(error),
        haechi_auth::Error::NotSignedIn => Some(Denial::new(StatusCode::UNAUTHORIZED, "policy", "nobody")),
        _ => None,
    }
}

/// A store that is down may be up again; what a visitor filled a session with is not less after a while.
fn session(error: &haechi_session::Error) -> Option<Denial> {
    match error {
        haechi_session::Error::Store(_) => Some(unavailable("session", &error.to_string(), RETRY)),
        haechi_session::Error::TooLarge { .. } => {
            let denial = Denial::new(StatusCode::PAYLOAD_TOO_LARGE, "session", "too-large");
            Some(denial.detail(error.to_string()))
        }
        _ => None,
    }
}

fn database(error: &haechi_db::Error) -> Option<Denial> {
    if error.is_not_found() {
        return Some(Denial::new(StatusCode::NOT_FOUND, "database", "not-found"));
    }
    if error.is_validation() {
        return Some(
            Denial::new(StatusCode::BAD_REQUEST, "database", "validation").detail(error.to_string()),
        );
    }
    error.retry_after().map(|wait| unavailable("database", &error.to_string(), wait))
}

fn unavailable(what: &'static str, detail: &str, wait: Duration) -> Denial {
    Denial::new(StatusCode::SERVICE_UNAVAILABLE, what, "unavailable").detail(detail).retry_after(wait)
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Denied(denial) => denial.fmt(f),
            Reason::Failed(failure) => failure.0.fmt(f),
        }
    }
}

impl IntoResponse for Error {
    /// Returns an empty answer that the stack fills in: only there is it known who asks, and for which format.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        match self.0 {
            Reason::Denied(denial) => drop(response.extensions_mut().insert(denial)),
            Reason::Failed(failure) => drop(response.extensions_mut().insert(failure)),
        }
        response
    }
}

/// How long a client waits before it asks a store again that was down.
const RETRY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    /// asvs_16_5_2: what a store cannot do now it may do soon; nothing else is worth a second try.
    #[test]
    fn what_is_wrong_with_a_session_is_said_with_a_status_that_helps() {
        #[track_caller]
        fn check(error: haechi_session::Error, status: StatusCode) {
            assert_eq!(Error::from(error).status(), status);
        }
        check(haechi_session::Error::store("gone"), StatusCode::SERVICE_UNAVAILABLE);
        check(haechi_session::Error::TooLarge { bytes: 2, most: 1 }, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(Error::from(crate::MailError::Full).status(), StatusCode::SERVICE_UNAVAILABLE);
        check(haechi_session::Error::NoLayer, StatusCode::INTERNAL_SERVER_ERROR);
        check(haechi_session::Error::Unsupported("list"), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
