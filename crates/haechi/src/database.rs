//! The database as an extractor.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::site::Site;
use crate::{Error, Result};

/// The site's database; dereferences to [`haechi_db::Db`], and a reference to it runs statements.
#[derive(Debug, Clone)]
pub struct Db(haechi_db::Db);

impl Deref for Db {
    type Target = haechi_db::Db;

    fn deref(&self) -> &haechi_db::Db {
        &self.0
    }
}

impl AsRef<haechi_db::Db> for Db {
    fn as_ref(&self) -> &haechi_db::Db {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Db {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(Site::of(parts)?.db().clone()))
    }
}

impl Site {
    /// Returns the site that a request came to.
    pub(crate) fn of(parts: &Parts) -> Result<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(crate::current_user::missing)
    }
}

impl<S: Sync> FromRequestParts<S> for Site {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::of(parts)
    }
}
