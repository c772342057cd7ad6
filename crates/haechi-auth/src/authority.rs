//! Who may sign in to a site, and how; one for the whole program.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use haechi_core::{ClientNetwork, Clock, KeyRing, Secret, SystemClock};
use haechi_session::Session;
use jiff::Timestamp;

use crate::backend::{AuthBackend, PasswordBackend};
use crate::hash::{HashPool, Hashers, PoolSize, Present, is_unusable};
use crate::permission::Permissions;
use crate::repeats::Repeats;
use crate::username::{is_address, is_valid_username};
use crate::{
    Account, Auth, DjangoUsers, Error, NewAccount, ResetTokens, RightsStore, SecurityLog, Throttle, User,
    UserStore,
};

/// The users of a site, their hashers and the backends that check credentials. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authority {
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) backends: Arc<[Arc<dyn AuthBackend>]>,
    pub(crate) keys: KeyRing,
    pub(crate) throttle: Throttle,
    pub(crate) permissions: Permissions,
    pub(crate) reset_tokens: ResetTokens,
    pub(crate) log: SecurityLog,
    pub(crate) repeats: Repeats,
}

impl Authority {
    /// Signs users of `store` in by their passwords.
    ///
    /// # Errors
    /// Fails if no thread for hashing can be started.
    pub fn new(store: impl UserStore + 'static, throttle: Throttle, keys: KeyRing) -> Result<Self, Error> {
        Self::with(store, throttle, keys, Hashers::default(), PoolSize::default(), SystemClock)
    }

    /// As [`new`](Self::new), with hashers (beside a Django: [`Hashers::django`]), a pool size and a clock.
    ///
    /// # Errors
    /// Fails if no thread for hashing can be started.
    pub fn with(
        store: impl UserStore + 'static,
        throttle: Throttle,
        keys: KeyRing,
        hashers: Hashers,
        size: PoolSize,
        clock: impl Clock + 'static,
    ) -> Result<Self, Error> {
        let passwords = Arc::new(Passwords {
            store: Arc::new(store),
            hashers: Arc::new(hashers),
            pool: HashPool::new(size)?,
            clock: Arc::new(clock),
            present: RwLock::default(),
        });
        let backend: Arc<dyn AuthBackend> = Arc::new(PasswordBackend { passwords: Arc::clone(&passwords) });
        let rights = Arc::new(DjangoUsers::new(throttle.db.clone()));
        let permissions = Permissions::new(throttle.db.clone(), rights);
        let reset_tokens = ResetTokens::new(keys.clone());
        let log = SecurityLog::new(throttle.db.clone(), keys.clone());
        let repeats = Repeats::default();
        let backends = Arc::new([backend]);
        Ok(Self { passwords, backends, keys, throttle, permissions, reset_tokens, log, repeats })
    }

    /// Asks `backend` after those that are there.
    #[must_use]
    pub fn backend(mut self, backend: impl AuthBackend + 'static) -> Self {
        let last: Arc<dyn AuthBackend> = Arc::new(backend);
        self.backends = self.backends.iter().cloned().chain([last]).collect();
        self
    }

    /// Sets where it stands who may do what; beside a custom table of users, the same
    /// [`TableUsers`](crate::TableUsers). Without it, Django's tables of `auth_user`.
    #[must_use]
    pub fn rights(mut self, rights: impl RightsStore + 'static) -> Self {
        self.permissions = Permissions::new(self.throttle.db.clone(), Arc::new(rights));
        self
    }

    /// Returns whether the name to sign in with is the e-mail address.
    #[must_use]
    pub fn name_is_email(&self) -> bool {
        self.passwords.store.name_is_email()
    }

    /// Sets how reset links are made; beside a Django, [`ResetTokens::shared_with_django`].
    #[must_use]
    pub fn reset_tokens(self, reset_tokens: ResetTokens) -> Self {
        Self { reset_tokens, ..self }
    }

    /// Returns how long a reset link lives.
    #[must_use]
    pub fn reset_lifetime(&self) -> Duration {
        self.reset_tokens.lifetime()
    }

    /// Returns what one request, from `network`, can do: sign in, sign out, and tell who is there.
    #[must_use]
    pub fn of(&self, session: Session, network: ClientNetwork) -> Auth {
        Auth::new(self.clone(), session, network)
    }

    /// Returns the security log, to verify it.
    #[must_use]
    pub fn security_log(&self) -> &SecurityLog {
        &self.log
    }

    /// Returns whether a name is one to sign in with, and free.
    ///
    /// # Errors
    /// [`Error::UsernameTaken`], also by a name that differs only in case, [`Error::InvalidUsername`], or the database fails.
    ///
    /// # Security
    /// Tells who has an account: count how often one may ask.
    pub async fn check_username(&self, username: &str) -> Result<(), Error> {
        let fits = match self.name_is_email() {
            true => is_address(username),
            false => is_valid_username(username),
        };
        if !fits {
            return Err(Error::InvalidUsername);
        }
        match self.passwords.store.has_similar_name(username).await? {
            true => Err(Error::UsernameTaken),
            false => Ok(()),
        }
    }

    /// Makes an account. The password is hashed on the pool; its rules are the caller's to apply.
    ///
    /// # Errors
    /// [`Error::UsernameTaken`], [`Error::InvalidUsername`], [`Error::PasswordTooLong`], or the database fails.
    pub async fn create_user(&self, new: CreateUser<'_>) -> Result<User, Error> {
        let CreateUser { username, email, password, is_superuser } = new;
        self.check_username(username).await?;
        let (username, email) = (username.to_owned(), email.to_owned());
        let password = self.passwords.encode(password).await?;
        let date_joined = self.passwords.now();
        let name = username.clone();
        let account = NewAccount { username, email, password, is_superuser, date_joined };
        let user = self.passwords.store.create(account).await?;
        // Whoever guessed at the name before anybody had it keeps nobody out.
        self.throttle.forgive(&name).await?;
        Ok(user)
    }
}

/// An account to be made.
#[derive(Clone, Copy)]
pub struct CreateUser<'a> {
    /// The name to sign in with.
    pub username: &'a str,
    /// The e-mail address, or empty.
    pub email: &'a str,
    /// The password.
    pub password: &'a str,
    /// Whether the user has every permission.
    pub is_superuser: bool,
}

impl std::fmt::Debug for CreateUser<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateUser").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Users with the means to check and write their passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    pub(crate) store: Arc<dyn UserStore>,
    pub(crate) hashers: Arc<Hashers>,
    pool: HashPool,
    clock: Arc<dyn Clock>,
    present: RwLock<(Option<i64>, Present)>,
}

impl Passwords {
    /// Returns the account if the password is right and it may sign in; the work is the same for every name.
    pub(crate) async fn check(&self, username: &str, password: &str) -> Result<Option<Account>, Error> {
        let known = self.present().await?;
        // Longer names than the column holds are asked for all the same: an early answer would tell.
        let account = match username.contains('\0') {
            true => None,
            false => self.store.by_username(username).await?,
        };
        let column = account.as_ref().map(|account| account.password.clone());
        let present = self.noted(known, column.as_ref());
        let (hashers, password) = (Arc::clone(&self.hashers), Secret::new(password.to_owned()));
        let work = move |arena: &mut crate::hash::Arena| {
            let column =
                column.as_ref().map(|column| column.expose().as_str()).filter(|text| !is_unusable(text));
            hashers.check(password.expose(), column, &present, arena)
        };
        let verified = self.pool.run(work).await?;
        Ok(account.filter(|account| verified.matches && account.user.is_active))
    }

    pub(crate) async fn encode(&self, password: &str) -> Result<Secret<String>, Error> {
        let (hashers, password) = (Arc::clone(&self.hashers), Secret::new(password.to_owned()));
        self.pool.run(move |arena| hashers.encode(password.expose(), arena)).await?.map(Secret::new)
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.unix()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Adds the row of an account that came into the table after it was read, such as one of a Django next door: from
    /// the next attempt on its work is everybody's.
    fn noted(&self, mut present: Present, column: Option<&Secret<String>>) -> Present {
        let Some(row) = column.and_then(|column| self.hashers.inspect(column.expose())) else {
            return present;
        };
        if present.note(&row) {
            self.present.write().unwrap_or_else(PoisonError::into_inner).1.note(&row);
        }
        present
    }

    /// Returns the algorithms in the table, read again every hour.
    async fn present(&self) -> Result<Present, Error> {
        let now = self.clock.unix();
        let (read, known) = self.present.read().unwrap_or_else(PoisonError::into_inner).clone();
        if read.is_some_and(|read| (0..PRESENT_FOR.as_secs().cast_signed()).contains(&(now - read))) {
            return Ok(known);
        }
        let mut present = Present::default();
        for prefix in self.store.password_prefixes().await? {
            present.note_prefix(&prefix);
        }
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = (Some(now), present.clone());
        Ok(present)
    }
}

const PRESENT_FOR: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use haechi_core::{SecretKey, TestClock};
    use haechi_db::{Db, Migrations, sql};

    use super::*;
    use crate::{DjangoUsers, UserTables};

    const START: i64 = 1_700_000_000;

    async fn authority() -> (Db, TestClock, Authority) {
        let (db, clock) = (Db::memory().await.unwrap(), TestClock::at(START));
        Migrations::new().with::<UserTables>().apply(&db).await.unwrap();
        let throttle = Throttle::new(db.clone()).clock(clock.clone());
        let size = PoolSize { threads: std::num::NonZeroUsize::MIN, queue: 1 };
        let keys = KeyRing::new(SecretKey::generate());
        let users = DjangoUsers::new(db.clone());
        let authority =
            Authority::with(users, throttle, keys, Hashers::default(), size, clock.clone()).unwrap();
        (db, clock, authority)
    }

    async fn put(db: &Db, name: &str, column: &str) {
        sql!(
            "insert into auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             values ({column}, {no}, {name}, '', '', '', {no}, {no}, {at})",
            no = false,
            at = Timestamp::UNIX_EPOCH
        )
        .execute(db)
        .await
        .unwrap();
    }

    const OLD: &str =
        "pbkdf2_sha256$1000$seasalt2seasalt2seasalt2$AmQeLojbFjf3OSDIwOKHKTBJU3S2Pw2nUbr4wHgkxaA=";
    const OLDER: &str = "pbkdf2_sha1$1000$seasalt2seasalt2seasalt2$cl8txD5mJQ26enJA1myPic20aCQ=";

    /// asvs_6_3_8: the work of a check is that of every algorithm in the table, read again every hour.
    #[tokio::test]
    async fn asvs_6_3_8_the_table_says_what_every_check_has_to_cost() {
        let (db, clock, authority) = authority().await;
        let seen = async || -> Vec<(&'static str, u64)> {
            authority.passwords.present().await.unwrap().iter().collect()
        };
        put(&db, "one", OLD).await;
        let (one, both) = ([("pbkdf2_sha256", 1_000)], [("pbkdf2_sha1", 1_000), ("pbkdf2_sha256", 1_000)]);
        assert_eq!(seen().await, one);
        put(&db, "two", OLDER).await;
        for (at, expected) in [
            (START + 3_599, &one[..]),
            (START + 3_600, &both),
            // A clock that was set back must not keep an old reading.
            (START, &both),
        ] {
            clock.set(at);
            assert_eq!(seen().await, expected, "at {at}");
        }
        sql!("delete from auth_user").execute(&db).await.unwrap();
        assert_eq!(seen().await, both, "read a moment ago");
        clock.set(START - 1);
        assert!(seen().await.is_empty());
    }

    #[tokio::test]
    async fn a_row_that_came_into_the_table_meanwhile_is_everybodys_work_from_then_on() {
        let (_, _, authority) = authority().await;
        let passwords = &authority.passwords;
        let before = passwords.present().await.unwrap();
        assert!(before.is_empty());
        let row = Secret::new(OLD.to_owned());
        for column in [None, Some(Secret::new("!".to_owned()))] {
            assert_eq!(passwords.noted(before.clone(), column.as_ref()), before);
        }
        let noted = passwords.noted(before, Some(&row));
        assert_eq!(noted.iter().collect::<Vec<_>>(), [("pbkdf2_sha256", 1_000)]);
        assert_eq!(passwords.present().await.unwrap(), noted);
        assert_eq!(passwords.noted(noted.clone(), Some(&row)), noted);
    }
}
