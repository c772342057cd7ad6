//! Signing in and out, for one request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{ClientNetwork, KeyMatch, Secret};
use haechi_session::{Remember, Session};
use tokio::sync::Mutex;
use tracing::Instrument as _;

use crate::backend::Verdict;
use crate::{Account, Allowance, Authenticated, Authority, Credentials, Error, SecurityEvent, User, UserId};

/// Signing in and out, for one request. Clones are the same request.
#[derive(Clone)]
pub struct Auth {
    pub(crate) authority: Authority,
    session: Session,
    pub(crate) network: ClientNetwork,
    request: Arc<str>,
    current: Arc<Mutex<Current>>,
}

/// What was asked for in this request already.
#[derive(Default)]
struct Current {
    user: Option<Option<User>>,
    permissions: Option<Arc<[String]>>,
}

impl Current {
    fn of(user: Option<User>) -> Self {
        Self { user: Some(user), permissions: None }
    }
}

impl Auth {
    pub(crate) fn new(authority: Authority, session: Session, network: ClientNetwork) -> Self {
        Self { authority, session, network, request: Arc::from(""), current: Arc::default() }
    }

    /// Names the request in the security log, by the id that the other log and the answer have.
    #[must_use]
    pub fn request(self, id: &str) -> Self {
        Self { request: Arc::from(id), ..self }
    }

    /// Returns the user whose credentials these are, or `None`.
    ///
    /// # Errors
    /// [`Error::Throttled`] after too many failures, [`Error::Busy`] if too many are signing in; the store may fail.
    /// A wrong password is no error.
    ///
    /// # Security
    /// Unknown, inactive and passwordless accounts cost the same work as any other.
    pub async fn authenticate(
        &self,
        credentials: &Credentials,
    ) -> Result<Option<Authenticated<User>>, Error> {
        self.authenticate_from(credentials, None).await
    }

    /// As [`authenticate`](Self::authenticate), with the cookie that [`known_device_value`](Self::known_device_value)
    /// made, if the browser sent one.
    ///
    /// # Errors
    /// As `authenticate`.
    ///
    /// # Security
    /// After 100 failures in a row from unknown devices the password is not evaluated for them any more, and the answer
    /// is that of a wrong one; a known device still signs in, and does not give the others another hundred. Setting the
    /// password anew does.
    pub async fn authenticate_from(
        &self,
        credentials: &Credentials,
        known_device: Option<&str>,
    ) -> Result<Option<Authenticated<User>>, Error> {
        let (auth, credentials) = (self.clone(), credentials.clone());
        let known_device = known_device.map(str::to_owned);
        // On a task of its own, which ends even if the visitor hangs up: a guess that was counted is logged.
        let tried = async move { auth.tried(&credentials, known_device.as_deref()).await }.in_current_span();
        let tried = tokio::spawn(tried);
        tried.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    async fn tried(
        &self,
        credentials: &Credentials,
        known_device: Option<&str>,
    ) -> Result<Option<Authenticated<User>>, Error> {
        let outcome = self.checked(credentials, known_device).await;
        let name = &credentials.username;
        match &outcome {
            Ok(None) => self.log(SecurityEvent::Failure, None, name).await?,
            Err(error) => self.log_throttle(error, None, name).await?,
            Ok(Some(_)) => {}
        }
        outcome
    }

    async fn checked(
        &self,
        credentials: &Credentials,
        known_device: Option<&str>,
    ) -> Result<Option<Authenticated<User>>, Error> {
        let (throttle, name) = (&self.authority.throttle, &credentials.username);
        let device = known_device.and_then(|value| self.authority.known_device(value, name));
        let attempt = match device {
            Some(device) => throttle.begin_on_device(name, &device).await?,
            None => {
                let mut attempt = throttle.begin(Allowance::SIGN_IN, name, self.network).await?;
                if !throttle.evaluates(&mut attempt, name).await? {
                    // The work of a name that nobody can have, so that time does not tell.
                    self.authority.passwords.check("\0", &credentials.password).await?;
                    return Ok(None);
                }
                attempt
            }
        };
        if name.contains('\0') {
            // No backend is asked for a name that no table can hold: it would fail instead of passing.
            self.authority.passwords.check(name, &credentials.password).await?;
            return Ok(None);
        }
        for backend in &*self.authority.backends {
            match backend.authenticate(credentials).await? {
                Verdict::Accept(account) if account.user.is_active => {
                    attempt.succeeded().await?;
                    let account = self.upgraded(account, &credentials.password).await?;
                    return Ok(Some(Authenticated { user: account.user, password: account.password }));
                }
                Verdict::Accept(_) | Verdict::Refuse => return Ok(None),
                Verdict::Pass => {}
            }
        }
        Ok(None)
    }

    /// Signs the user in: a new session id, the user's sessions bound to the present password, `last_login` set.
    ///
    /// # Errors
    /// The stores may fail.
    pub async fn login(&self, user: Authenticated<User>) -> Result<(), Error> {
        self.login_with(user, Remember::default()).await
    }

    /// As [`login`](Self::login), with the user's choice whether to stay signed in on this device.
    ///
    /// # Errors
    /// The stores may fail.
    pub async fn login_with(&self, user: Authenticated<User>, remember: Remember) -> Result<(), Error> {
        let Authenticated { user, password } = user;
        let passwords = &self.authority.passwords;
        // Before the session is bound: a sign-in that cannot be logged does not happen.
        self.log(SecurityEvent::SignIn, Some(user.id), &user.username).await?;
        let hash = self.auth_hash(password.expose());
        // What was left under another password may be of whoever knew that one.
        let before: Option<String> = self.session.get(HASH).await.unwrap_or_default();
        if before.is_some_and(|before| !Secret::new(before).equals(&hash)) {
            self.session.flush().await?;
        }
        self.session.bind(&user.id.to_string(), remember).await?;
        self.session.insert(HASH, &hash).await?;
        self.session.insert(PROVED, &passwords.now().as_second()).await?;
        passwords.store.signed_in(user.id, passwords.now()).await?;
        *self.current.lock().await = Current::of(Some(user));
        Ok(())
    }

    /// Signs the user out: the session ends in the store at once.
    ///
    /// # Errors
    /// The store may fail; the session may be alive then, so say so.
    pub async fn logout(&self) -> Result<(), Error> {
        let user = self.session.user().await?.and_then(|id| id.parse().ok());
        self.session.destroy().await?;
        // After the end, which must not depend on a log.
        if user.is_some() {
            self.log(SecurityEvent::SessionEnd, user, "").await?;
        }
        *self.current.lock().await = Current::of(None);
        Ok(())
    }

    /// Returns the user who is signed in. Asks the stores once a request, and not before it is called.
    ///
    /// # Errors
    /// The stores may fail.
    ///
    /// # Security
    /// A user who was deleted or made inactive is nobody from the next request on. A session that was bound to
    /// another password (it was changed meanwhile) is ended.
    pub async fn current_user(&self) -> Result<Option<User>, Error> {
        let mut current = self.current.lock().await;
        if let Some(user) = &current.user {
            return Ok(user.clone());
        }
        let user = self.load().await?;
        *current = Current::of(user.clone());
        Ok(user)
    }

    /// Changes the password of the user who is signed in, given the old one; returns whether that was right.
    ///
    /// This session gets a new id and stays; all others of the user end.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Throttled`], or the stores fail.
    pub async fn change_password(&self, old: &str, new: &str) -> Result<bool, Error> {
        let Some(account) = self.proven(old).await? else { return Ok(false) };
        let (passwords, user) = (&self.authority.passwords, &account.user);
        let encoded = passwords.encode(new).await?;
        let column = account.password.expose();
        if !passwords.store.replace_password(user.id, column, encoded.clone()).await? {
            return Ok(false);
        }
        self.authority.throttle.forgive(&user.username).await?;
        self.log(SecurityEvent::PasswordChange, Some(user.id), &user.username).await?;
        self.session.rotate().await?;
        self.session.insert(HASH, &self.auth_hash(encoded.expose())).await?;
        self.session.insert(PROVED, &passwords.now().as_second()).await?;
        // The hash alone would end them at their next request; this takes them off the device page too.
        match self.session.end_others().await {
            // Where a session is its cookie there is no list to take them off; the hash ends them.
            Ok(_) | Err(haechi_session::Error::Unsupported(_)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether the user who is signed in proved it by a password within the last `time`.
    ///
    /// # Errors
    /// The stores may fail.
    ///
    /// # Security
    /// A session that says nothing about it (a Django's next door) or that comes from the future has to prove it again.
    pub async fn signed_in_within(&self, time: Duration) -> Result<bool, Error> {
        if self.current_user().await?.is_none() {
            return Ok(false);
        }
        let proved: Option<i64> = self.session.get(PROVED).await.unwrap_or_default();
        let now = self.authority.passwords.now().as_second();
        let age = proved.and_then(|proved| u64::try_from(now.checked_sub(proved)?).ok());
        Ok(age.is_some_and(|age| age <= time.as_secs()))
    }

    /// Asks the user who is signed in for the password again; returns whether it was right.
    ///
    /// If so, the session gets a new id and [`signed_in_within`](Self::signed_in_within) counts from now.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Throttled`], or the stores fail.
    pub async fn confirm(&self, password: &str) -> Result<bool, Error> {
        let Some(_) = self.proven(password).await? else { return Ok(false) };
        self.session.rotate().await?;
        self.session.insert(PROVED, &self.authority.passwords.now().as_second()).await?;
        Ok(true)
    }

    /// Returns the session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) async fn log(
        &self,
        event: SecurityEvent,
        user: Option<UserId>,
        name: &str,
    ) -> Result<(), Error> {
        self.authority.log_from(event, user, name, &self.network.to_string(), &self.request).await
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request
    }

    /// Logs that an attempt had to wait, once for each wait, and of a network that tries name after name the first ten: who
    /// asks again and again does not fill the log.
    async fn log_throttle(&self, error: &Error, user: Option<UserId>, name: &str) -> Result<(), Error> {
        let Error::Throttled { retry_after } = error else { return Ok(()) };
        if self.authority.is_first_of_few("throttle", self.network, name, *retry_after) {
            self.log(SecurityEvent::Throttle, user, name).await?;
        }
        Ok(())
    }

    pub(crate) async fn granted(&self) -> Result<Arc<[String]>, Error> {
        let Some(user) = self.current_user().await? else { return Ok(Arc::default()) };
        let mut current = self.current.lock().await;
        if let Some(permissions) = &current.permissions {
            return Ok(Arc::clone(permissions));
        }
        let held: Arc<[String]> = self.authority.permissions.of(user.id, user.is_superuser).await?.into();
        current.permissions = Some(Arc::clone(&held));
        Ok(held)
    }

    /// Returns the account of the user who is signed in if this is their password.
    async fn proven(&self, password: &str) -> Result<Option<Account>, Error> {
        let user = self.current_user().await?.ok_or(Error::NotSignedIn)?;
        // Whoever took over a session must not find out the password here.
        let throttle = &self.authority.throttle;
        let name = &user.username;
        let attempt = match throttle.begin(Allowance::SIGN_IN, name, self.network).await {
            Ok(attempt) => attempt,
            Err(error) => {
                self.log_throttle(&error, Some(user.id), name).await?;
                return Err(error);
            }
        };
        let account = self.authority.passwords.check(&user.username, password).await?;
        let account = account.filter(|account| account.user.id == user.id);
        match account {
            Some(_) => attempt.succeeded().await?,
            None => self.log(SecurityEvent::Failure, Some(user.id), name).await?,
        }
        Ok(account)
    }

    async fn load(&self) -> Result<Option<User>, Error> {
        let Some(id) = self.session.user().await? else { return Ok(None) };
        // Another site's key type, or garbage: nobody, as Django should have it.
        let Ok(id) = id.parse() else { return Ok(None) };
        let Some(account) = self.authority.passwords.store.by_id(id).await? else { return Ok(None) };
        if !account.user.is_active {
            return Ok(None);
        }
        let stored: Option<String> = self.session.get(HASH).await.unwrap_or_default();
        let column = account.password.expose().as_bytes();
        let mac = stored.as_deref().and_then(from_hex);
        match mac.and_then(|mac| self.authority.keys.verify(HASH_SALT, column, &mac)) {
            Some(KeyMatch::Current) => Ok(Some(account.user)),
            Some(KeyMatch::Fallback) => {
                self.session.rotate().await?;
                self.session.insert(HASH, &self.auth_hash(account.password.expose())).await?;
                Ok(Some(account.user))
            }
            None => {
                self.session.destroy().await?;
                Ok(None)
            }
        }
    }

    /// Rewrites an old hash, where that is the site's policy; a password of the user's choice stays what it was.
    async fn upgraded(&self, account: Account, password: &str) -> Result<Account, Error> {
        let passwords = &self.authority.passwords;
        if !passwords.hashers.upgrades(account.password.expose()) {
            return Ok(account);
        }
        let new = passwords.encode(password).await?;
        let replaced =
            passwords.store.replace_password(account.user.id, account.password.expose(), new.clone()).await?;
        if !replaced {
            return Ok(account);
        }
        let (old, hash) = (self.auth_hash(account.password.expose()), self.auth_hash(new.expose()));
        let sessions = self.session.sessions();
        match sessions.replace(&account.user.id.to_string(), HASH, &old, &hash).await {
            // Such a store loses the user's other sessions, and so does any if a request of theirs is faster.
            Ok(_) | Err(haechi_session::Error::Unsupported(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Account { password: new, ..account })
    }

    fn auth_hash(&self, column: &str) -> String {
        let mac = self.authority.keys.mac(HASH_SALT, column.as_bytes());
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    if digits { (0..64).step_by(2).map(byte).collect() } else { None }
}

/// When the password was given last, in seconds since 1970.
const PROVED: &str = "_haechi_proved_at";
const HASH: &str = "_auth_user_hash";
const HASH_SALT: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

#[cfg(test)]
mod tests {
    use haechi_core::{KeyRing, SecretKey};

    use super::*;

    #[test]
    fn the_session_is_bound_to_the_password_as_django_binds_it() {
        let key = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
        let keys = KeyRing::new(SecretKey::shared_with_django(key).unwrap());
        let rows = [
            (
                "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=",
                "e4e9ea7493dbfa8318b1309eeb0e32a75bb15a03f7215a8a93d40a4ffd524feb",
            ),
            (
                "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "0a3d28c3e300949b91d1b39edea62794b6d17841a835c72c483d2118b3b3be29",
            ),
        ];
        for (column, hash) in rows {
            let mac = from_hex(hash).unwrap();
            assert_eq!(keys.mac(HASH_SALT, column.as_bytes()).as_slice(), mac);
        }
        for wrong in ["", "0a", &"g".repeat(64), &"A".repeat(64), &"\u{e9}".repeat(32)] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
