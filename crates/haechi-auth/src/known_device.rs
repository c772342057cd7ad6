//! A cookie that tells a device on which users have signed in before.

use std::time::Duration;

use haechi_core::{Purpose, Signer, base64url};

use crate::{Auth, Authority, Error, User};

impl Auth {
    /// Returns the value of a cookie for this device, with the user who is signed in as the latest of those it knows; set
    /// it after each sign-in, for 400 days, `Secure` and `HttpOnly`, and hand it to
    /// [`authenticate_from`](Self::authenticate_from). `sent` is the value that the browser sent, if it did.
    ///
    /// It holds the five users who signed in last: a family, or the shifts at a desk.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; the stores may fail.
    ///
    /// # Security
    /// It signs nobody in. It gives each user an allowance on the device, so that an attacker who uses up the others does
    /// not keep the user out; one who stole it has five guesses before they slow down. Users stand in it as MACs: who
    /// borrows the device cannot try names on them.
    pub async fn known_device_value(&self, sent: Option<&str>) -> Result<String, Error> {
        let user = self.current_user().await?.ok_or(Error::NotSignedIn)?;
        Ok(self.authority.known_device_value(&user, sent))
    }
}

/// What the cookie holds.
struct KnownDevice {
    id: String,
    /// The latest first.
    users: Vec<KnownUser>,
}

struct KnownUser {
    mac: String,
    since: i64,
}

impl KnownDevice {
    fn new() -> Self {
        Self { id: base64url::encode(rand::random::<[u8; 16]>()), users: Vec::new() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let id = parts.next()?.to_owned();
        let mut users = Vec::new();
        while let Some(mac) = parts.next() {
            users.push(KnownUser { mac: mac.to_owned(), since: parts.next()?.parse().ok()? });
        }
        Some(Self { id, users })
    }

    fn write(&self) -> String {
        let users = self.users.iter().map(|user| format!(".{}.{}", user.mac, user.since));
        self.id.chars().chain(users.collect::<String>().chars()).collect()
    }
}

impl Authority {
    /// As [`Auth::known_device_value`], for a user who is not signed in: one who has just been made, or has set a new password by
    /// the link of a mail, so that no stranger's failures keep them out a moment later.
    ///
    /// # Security
    /// Hand it to a browser that proved as much as a sign-in does, and to no other.
    #[must_use]
    pub fn known_device_value(&self, user: &User, sent: Option<&str>) -> String {
        let now = self.passwords.now().as_second();
        let mut device = sent.and_then(|value| self.read_device(value)).unwrap_or_else(KnownDevice::new);
        device.users.retain(|known| !self.is_user(known, &user.username));
        let mac = base64url::encode(self.keys.mac(NAME, user.username.as_bytes()));
        device.users.insert(0, KnownUser { mac, since: now });
        device.users.truncate(MOST);
        self.device_signer().sign_at(&device.write(), now)
    }

    /// Returns the device's name if `value` is one of ours and this user signed in there.
    pub(crate) fn known_device(&self, value: &str, username: &str) -> Option<String> {
        let device = self.read_device(value)?;
        // Each is compared, so that time does not tell at which place, or whether, a name stands.
        let known = device.users.iter().fold(false, |known, user| known | self.is_user(user, username));
        known.then_some(device.id)
    }

    /// Reads a value that we signed, without the users whose sign-in is too long ago.
    fn read_device(&self, value: &str) -> Option<KnownDevice> {
        let now = self.passwords.now().as_second();
        let text = self.device_signer().unsign_at(value, now, Some(LIFETIME)).ok()?.to_owned();
        let mut device = KnownDevice::parse(&text)?;
        let oldest = now.saturating_sub(LIFETIME.as_secs().cast_signed());
        device.users.retain(|user| user.since >= oldest);
        Some(device)
    }

    fn is_user(&self, known: &KnownUser, username: &str) -> bool {
        let mac = base64url::decode(&known.mac).unwrap_or_default();
        self.keys.verify(NAME, username.as_bytes(), &mac).is_some()
    }

    fn device_signer(&self) -> Signer {
        Signer::new(self.keys.clone(), DEVICE)
    }
}

const MOST: usize = 5;
const DEVICE: Purpose = Purpose::new("haechi.auth.known_device");
const NAME: &str = "haechi.auth.known_device.name";
const LIFETIME: Duration = Duration::from_secs(400 * 86_400);
