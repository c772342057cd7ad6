//! What can go wrong with a session.

/// An error of this crate.
///
/// # Security
/// A store that fails is an error, never an empty session and never somebody else's: the layer answers 503.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error("the session store failed; the request was refused rather than served as somebody else")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A value is of another type than asked for.
    #[error("the session value {name:?} does not have the type that was asked for")]
    Value {
        /// The name of the value.
        name: String,
        /// What serde says.
        cause: serde_json::Error,
    },
    /// The store holds something that is no session.
    #[error("the stored session is not a JSON object")]
    MalformedValues,
    /// The session would become larger than a session may be.
    #[error(
        "the session would hold {bytes} bytes, more than the {most} allowed; keep large things in a table of their own"
    )]
    TooLarge {
        /// The size it would have.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The session was asked for where no session layer runs.
    #[error(
        "there is no session layer around this handler; add `.layer(sessions.layer())` outside the router"
    )]
    NoLayer,
    /// The store keeps no list of a user's sessions.
    #[error("this session store cannot {0}; use the database store")]
    Unsupported(&'static str),
}

impl Error {
    /// Wraps the error of a store.
    pub fn store(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Store(cause.into())
    }
}

impl From<haechi_db::Error> for Error {
    fn from(cause: haechi_db::Error) -> Self {
        Self::store(cause)
    }
}
