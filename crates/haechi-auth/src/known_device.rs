//! A cookie that tells a device on which a user has signed in before.

use std::time::Duration;

use haechi_core::{Purpose, Signer, base64url};
use sha2::{Digest, Sha256};

use crate::{Auth, Authority, Error};

impl Auth {
    /// Returns the value of a cookie for this device of the user who is signed in; set it after each sign-in, for 400
    /// days, `Secure` and `HttpOnly`, and hand it to [`authenticate_from`](Self::authenticate_from).
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; the stores may fail.
    ///
    /// # Security
    /// It signs nobody in. It gives the device an allowance of its own, so that an attacker who uses up the others does
    /// not keep the user out; one who stole it has five guesses before they slow down.
    pub async fn known_device_value(&self) -> Result<String, Error> {
        let user = self.current_user().await?.ok_or(Error::NotSignedIn)?;
        let device = base64url::encode(rand::random::<[u8; 16]>());
        let value = format!("{device}.{}", name_hash(&user.username));
        Ok(self.authority.device_signer().sign_at(&value, self.authority.passwords.now().as_second()))
    }
}

impl Authority {
    /// Returns the device's name if `value` is one of ours for this user name.
    pub(crate) fn known_device(&self, value: &str, username: &str) -> Option<String> {
        let (signer, now) = (self.device_signer(), self.passwords.now().as_second());
        let (device, name) = signer.unsign_at(value, now, Some(LIFETIME)).ok()?.split_once('.')?;
        (name == name_hash(username)).then(|| device.to_owned())
    }

    fn device_signer(&self) -> Signer {
        Signer::new(self.keys.clone(), DEVICE)
    }
}

/// The name itself would be readable on a device that somebody borrows.
fn name_hash(username: &str) -> String {
    base64url::encode(Sha256::digest(username))
}

const DEVICE: Purpose = Purpose::new("haechi.auth.known_device");
const LIFETIME: Duration = Duration::from_secs(400 * 86_400);
