//! Where a user is signed in, for a page that lists it.

use crate::{Auth, Error, SecurityEvent};

/// A session of the user who is signed in. Times are seconds since 1970.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Device {
    /// Names the session in a form; of no use to take it over.
    pub handle: String,
    /// The `User-Agent` of its last use. It is whatever the client says: escape it.
    pub browser: String,
    /// The network of its last use.
    pub network: String,
    /// When it was used last, to within a minute.
    pub last_use: i64,
    /// When the user signed in.
    pub created: i64,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Auth {
    /// Returns the devices on which the user is signed in, the last used first.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; the stores may fail, or keep no list.
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        let user = self.current_user().await?.ok_or(Error::NotSignedIn)?;
        let here = self.session().handle().await?;
        let sessions = self.session().sessions().list(&user.id.to_string()).await?;
        let device = |listed: haechi_session::Listed| Device {
            current: here.as_deref() == Some(&listed.handle),
            handle: listed.handle,
            browser: listed.record.client.browser,
            network: listed.record.client.network,
            last_use: listed.record.seen,
            created: listed.record.created,
        };
        Ok(sessions.into_iter().map(device).collect())
    }

    /// Ends one of the user's sessions; returns whether there was one. Ending this one signs out.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; the stores may fail.
    ///
    /// # Security
    /// Only sessions of the user who is signed in are looked at: somebody else's handle finds nothing.
    pub async fn end_device(&self, handle: &str) -> Result<bool, Error> {
        let user = self.current_user().await?.ok_or(Error::NotSignedIn)?;
        if self.session().handle().await?.as_deref() == Some(handle) {
            self.logout().await?;
            return Ok(true);
        }
        let ended = self.session().sessions().revoke(&user.id.to_string(), handle).await?;
        if ended {
            self.log(SecurityEvent::SessionEnd, Some(user.id), &user.username).await?;
        }
        Ok(ended)
    }

    /// Ends all sessions of the user but this one; returns how many there were.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; the stores may fail.
    pub async fn end_other_devices(&self) -> Result<u64, Error> {
        let user = self.current_user().await?.ok_or(Error::NotSignedIn)?;
        let ended = self.session().end_others().await?;
        if ended > 0 {
            self.log(SecurityEvent::SessionEnd, Some(user.id), &user.username).await?;
        }
        Ok(ended)
    }
}
