//! A password set anew, and an address proved, by a link in a mail.

use std::time::Duration;

use haechi_core::{ClientNetwork, Purpose, Secret, Signer, base64url};

use crate::{Account, Allowance, Auth, Authority, Error, SecurityEntry, SecurityEvent, User, UserId};

/// A reset link that was found good; only [`Authority::check_reset`] makes one.
#[derive(Debug)]
pub struct Reset {
    account: Account,
}

impl Reset {
    /// Returns whose password it sets.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.account.user
    }
}

impl Authority {
    /// Returns the active users with this e-mail address, each with the two parts of a reset link.
    ///
    /// Case does not count. Show the same page whether or not there are any, and send the mail outside the request.
    ///
    /// # Errors
    /// [`Error::Throttled`]; the stores may fail.
    ///
    /// # Security
    /// Send to [`User::email`] and not to what was typed: two addresses that differ may compare as equal. The
    /// throttle counts an address that does not exist as it counts one that does, and a token is computed for it.
    pub async fn reset_link_for(
        &self,
        email: &str,
        network: ClientNetwork,
    ) -> Result<Vec<(User, String, String)>, Error> {
        self.count_reset(email, network).await?;
        self.reset_links(email).await
    }

    /// Counts a mail that somebody asked for, sent or not.
    ///
    /// # Errors
    /// [`Error::Throttled`]; the store may fail.
    pub async fn count_reset(&self, email: &str, network: ClientNetwork) -> Result<(), Error> {
        self.count_reset_of(email, network, "").await
    }

    async fn count_reset_of(&self, email: &str, network: ClientNetwork, request: &str) -> Result<(), Error> {
        let (folded, from) = (email.to_lowercase(), network.to_string());
        match self.throttle.begin(Allowance::RESET, &folded, network).await {
            // Never said to have succeeded: every mail counts.
            Ok(attempt) => drop(attempt),
            Err(error) => {
                if let Error::Throttled { retry_after } = error
                    && self.is_first_of_few("reset", network, &folded, retry_after)
                {
                    self.log_from(SecurityEvent::Throttle, None, &folded, &from, request).await?;
                }
                return Err(error);
            }
        }
        self.log_from(SecurityEvent::ResetRequested, None, &folded, &from, request).await
    }

    /// As [`reset_link_for`](Self::reset_link_for) for a caller that has counted the mail, such as a page that
    /// answers before anything is looked up.
    ///
    /// # Errors
    /// The store may fail.
    pub async fn reset_links(&self, email: &str) -> Result<Vec<(User, String, String)>, Error> {
        let mut accounts = match email.is_empty() || email.contains('\0') {
            true => Vec::new(),
            false => self.passwords.store.by_email(email).await?,
        };
        accounts.retain(|found| may_reset(found, email));
        if accounts.is_empty() {
            drop(self.reset_tokens.make(&nobody(), self.passwords.now().as_second()));
        }
        Ok(accounts.into_iter().map(|account| self.link(account)).collect())
    }

    /// As [`reset_links`](Self::reset_links) for one user with this address, found by the id.
    ///
    /// # Errors
    /// The store may fail.
    pub async fn reset_link_of(
        &self,
        id: UserId,
        email: &str,
    ) -> Result<Option<(User, String, String)>, Error> {
        let account = self.passwords.store.by_id(id).await?.filter(|found| may_reset(found, email));
        Ok(account.map(|account| self.link(account)))
    }

    fn link(&self, account: Account) -> (User, String, String) {
        let token = self.reset_tokens.make(&account, self.passwords.now().as_second());
        let uid = base64url::encode(account.user.id.to_string());
        (account.user, uid, token)
    }

    /// Returns the reset that a link stands for, or `None` if it is forged, used or too old.
    ///
    /// # Errors
    /// The store may fail.
    pub async fn check_reset(&self, uid: &str, token: &str) -> Result<Option<Reset>, Error> {
        let id = base64url::decode(uid).and_then(|id| String::from_utf8(id).ok()?.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let Some(account) = self.passwords.store.by_id(id).await? else { return Ok(None) };
        let now = self.passwords.now().as_second();
        let good = account.user.is_active && self.reset_tokens.verify(&account, token, now);
        Ok(good.then_some(Reset { account }))
    }

    /// Sets the password; returns `false` if it changed since the link was checked. The rules are the caller's to apply.
    ///
    /// Every session of the user is dead from then on; [`Auth::set_password`] takes them off the device page as well.
    ///
    /// # Errors
    /// [`Error::PasswordTooLong`], or the store fails.
    ///
    /// # Security
    /// A link sets one password, even if two requests bring it at once. Nobody is signed in by it.
    pub async fn set_password(&self, reset: &Reset, new: &str) -> Result<bool, Error> {
        let encoded = self.passwords.encode(new).await?;
        let Account { user, password } = &reset.account;
        let set = self.passwords.store.replace_password(user.id, password.expose(), encoded).await?;
        if set {
            self.throttle.forgive(&user.username).await?;
        }
        Ok(set)
    }

    pub(crate) async fn log_from(
        &self,
        event: SecurityEvent,
        user: Option<UserId>,
        name: &str,
        network: &str,
        request: &str,
    ) -> Result<(), Error> {
        let at = self.passwords.now().as_second();
        self.log.append(SecurityEntry { event, at, user, name, network, request }).await
    }

    /// Returns whether `event` did not happen before in the stretch of `time` from its first.
    pub(crate) fn is_first(&self, event: &str, time: Duration) -> bool {
        let now = self.passwords.now().as_second();
        let time = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.repeats.is_first(event, now, now.saturating_add(time))
    }

    /// As [`is_first`](Self::is_first) for a name that somebody types; of a network that tries name after name, the first ten.
    pub(crate) fn is_first_of_few(
        &self,
        what: &str,
        network: ClientNetwork,
        name: &str,
        time: Duration,
    ) -> bool {
        self.is_first(&format!("{what} {network} {name}"), time)
            && (0..10).any(|number| self.is_first(&format!("{what} {network}\0{number}"), time))
    }

    /// Returns a token for a link that proves the user's e-mail address; it lives for three days.
    #[must_use]
    pub fn email_token(&self, user: &User) -> String {
        let value = base64url::encode(format!("{}:{}", user.id, user.email));
        self.email_signer().sign_at(&value, self.passwords.now().as_second())
    }

    /// Returns whose address a token proves, or `None` if it is forged, too old, or the address changed meanwhile.
    ///
    /// # Errors
    /// The store may fail.
    ///
    /// # Security
    /// It proves an address and nothing else: it signs nobody in, and no other token of the site passes for it.
    pub async fn verify_email(&self, token: &str) -> Result<Option<User>, Error> {
        let now = self.passwords.now().as_second();
        let signer = self.email_signer();
        let Ok(value) = signer.unsign_at(token, now, Some(EMAIL_LIFETIME)) else { return Ok(None) };
        let text = base64url::decode(value).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((id, email)) = text.as_deref().and_then(|text| text.split_once(':')) else {
            return Ok(None);
        };
        let Ok(id) = id.parse() else { return Ok(None) };
        let account = self.passwords.store.by_id(id).await?;
        Ok(account.map(|account| account.user).filter(|user| user.email == email))
    }

    fn email_signer(&self) -> Signer {
        Signer::new(self.keys.clone(), EMAIL)
    }
}

impl Auth {
    /// As [`Authority::reset_link_for`], from the network of this request.
    ///
    /// # Errors
    /// [`Error::Throttled`]; the stores may fail.
    pub async fn reset_link_for(&self, email: &str) -> Result<Vec<(User, String, String)>, Error> {
        self.count_reset(email).await?;
        self.authority.reset_links(email).await
    }

    /// As [`Authority::count_reset`], from the network of this request.
    ///
    /// # Errors
    /// [`Error::Throttled`]; the stores may fail.
    pub async fn count_reset(&self, email: &str) -> Result<(), Error> {
        self.authority.count_reset_of(email, self.network, self.request_id()).await
    }

    /// As [`Authority::verify_email`], and an address that is proved stands in the security log.
    ///
    /// # Errors
    /// The stores may fail.
    pub async fn verify_email(&self, token: &str) -> Result<Option<User>, Error> {
        let user = self.authority.verify_email(token).await?;
        if let Some(user) = &user {
            self.log(SecurityEvent::EmailVerified, Some(user.id), &user.username).await?;
        }
        Ok(user)
    }

    /// As [`Authority::set_password`], and ends all sessions of the user in the store.
    ///
    /// # Errors
    /// [`Error::PasswordTooLong`], or the stores fail. A session that could not be ended is dead all the same.
    pub async fn set_password(&self, reset: &Reset, new: &str) -> Result<bool, Error> {
        let set = self.authority.set_password(reset, new).await?;
        if set {
            let user = reset.user();
            self.log(SecurityEvent::ResetUsed, Some(user.id), &user.username).await?;
            match self.session().sessions().revoke_all(&user.id.to_string()).await {
                // Where a session is its cookie, the changed password is what ends it.
                Ok(_) | Err(haechi_session::Error::Unsupported(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(set)
    }
}

/// As Django: an account without a password (of a directory service) does not get one by mail.
fn may_reset(account: &Account, email: &str) -> bool {
    let has_address = account.user.email.to_lowercase() == email.to_lowercase();
    account.user.is_active && has_address && !crate::hash::is_unusable(account.password.expose())
}

fn nobody() -> Account {
    let user = User {
        id: UserId::Int(0),
        username: String::new(),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        is_superuser: false,
        is_staff: false,
        is_active: false,
        last_login: None,
        date_joined: None,
    };
    Account { user, password: Secret::new(String::new()) }
}

const EMAIL: Purpose = Purpose::new("haechi.auth.email");
const EMAIL_LIFETIME: Duration = Duration::from_secs(3 * 86_400);
