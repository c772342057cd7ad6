//! A guard: a pure decision on the head of a request.

use std::fmt;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, Method, Uri, Version};

use crate::{ClientIp, Denial, HostName, Scheme};

/// The head of a request, as guards see it: after proxies were resolved, before anything was read from the body.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The version of HTTP.
    pub version: Version,
    /// The fields, without those that only a proxy may send and this client is none.
    pub headers: &'a HeaderMap,
    /// Who sends the request.
    pub client: ClientIp,
    /// The scheme the client used.
    pub scheme: Scheme,
    /// The host the client called; `None` when it is missing, doubled, contradicts itself or is malformed.
    pub host: Option<&'a HostName>,
    /// The time.
    pub now: SystemTime,
}

/// A field of a request that may stand there once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// It is not there.
    Missing,
    /// It is there once, in visible ASCII.
    Once(&'a str),
    /// It is there twice, or holds other bytes.
    Malformed,
}

impl<'a> Head<'a> {
    /// Reads a field that means something only if it stands there once.
    #[must_use]
    pub fn field(&self, name: &HeaderName) -> Field<'a> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Field::Missing,
            (Some(value), None) => value.to_str().map_or(Field::Malformed, Field::Once),
            (Some(_), Some(_)) => Field::Malformed,
        }
    }
}

/// Decides whether a request may pass.
///
/// A guard never awaits and touches nothing outside: it is tested by rows of heads. What it needs to remember, such as the counters of a rate
/// limit, it keeps inside.
///
/// # Examples
///
/// ```
/// use haechi_core::{Denial, Guard, Head};
/// use http::{Method, StatusCode};
///
/// #[derive(Debug)]
/// struct NoTrace;
///
/// impl Guard for NoTrace {
///     fn name(&self) -> &'static str {
///         "method"
///     }
///
///     fn check(&self, head: &Head<'_>) -> Result<(), Denial> {
///         if head.method == Method::TRACE {
///             return Err(Denial::new(StatusCode::METHOD_NOT_ALLOWED, "method", "trace"));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Guard: fmt::Debug + Send + Sync {
    /// Returns the name that stands in the log.
    fn name(&self) -> &'static str;

    /// Lets the request pass or refuses it.
    ///
    /// # Errors
    ///
    /// The [`Denial`] to answer with.
    fn check(&self, head: &Head<'_>) -> Result<(), Denial>;
}
