//! Django's own sessions, in its table `django_session`.

use std::time::Duration;

use haechi_core::{Compress, ErrorKind, KeyRing, Purpose, Signer};
use haechi_db::{Db, Model, sql};
use jiff::Timestamp;

use crate::store::{At, Record, Saved, SessionStore, StoreFuture, StoreKey, Which, Write};
use crate::{Error, SessionCache, Values};

/// Reads and writes the sessions of a Django with the engine `django.contrib.sessions.backends.db`.
///
/// # Security
/// Django keeps session keys in clear: who reads the table can take sessions over. The table has no column for the
/// user either, so listing and ending a user's sessions reads all living ones. There is no absolute limit, for
/// Django does not note when a session began.
#[derive(Clone, Debug)]
pub struct DjangoStore {
    db: Db,
    signer: Signer,
    age: Duration,
    /// What is written at a sign-in here, and everything that is taken for a sign-in there.
    backend: String,
    backends: Vec<String>,
}

#[derive(Model)]
#[model(row)]
struct SessionRow {
    session_key: String,
    session_data: String,
    expire_date: Timestamp,
}

impl DjangoStore {
    /// Shares `db` and the keys (`SECRET_KEY` and its fallbacks) with a Django. `age` is `SESSION_COOKIE_AGE`, two
    /// weeks by default.
    #[must_use]
    pub fn new(db: Db, keys: KeyRing, age: Duration) -> Self {
        let signer = Signer::new(keys, Purpose::new("django.contrib.sessions.SessionStore"));
        let backend = "django.contrib.auth.backends.ModelBackend".to_owned();
        Self { db, signer, age, backend, backends: Vec::new() }
    }

    /// Sets the dotted path that a sign-in here writes, if it is not that of `ModelBackend`: Django asks the backend of
    /// this path for the user, and takes the visitor for nobody if `AUTHENTICATION_BACKENDS` does not list it.
    #[must_use]
    pub fn backend(mut self, path: &str) -> Self {
        path.clone_into(&mut self.backend);
        self
    }

    /// Takes the users of sessions of these paths, too: all of `AUTHENTICATION_BACKENDS`. A session keeps its own.
    #[must_use]
    pub fn backends(mut self, paths: &[String]) -> Self {
        self.backends = paths.to_vec();
        self
    }

    pub(crate) fn age(&self) -> Duration {
        self.age
    }

    /// Returns `session_data` for `values`, as of `now`.
    ///
    /// ```
    /// use haechi_core::{KeyRing, SecretKey};
    /// use haechi_session::{DjangoStore, Values};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let db = haechi_db::Db::memory().await.unwrap();
    /// let key = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
    /// let keys = KeyRing::new(SecretKey::shared_with_django(key).unwrap());
    /// let store = DjangoStore::new(db, keys, std::time::Duration::from_secs(1_209_600));
    /// let values = Values::parse(r#"{"a":1}"#).unwrap();
    /// let data = store.encode(&values, 1_700_000_000);
    /// assert_eq!(data, "eyJhIjoxfQ:1r31eq:JRFvCJdUyylJKR5Xg6ALSKO_gAitP4YUhlVkXGzSxY8");
    /// assert_eq!(store.decode(&data).unwrap(), values);
    /// # }
    /// ```
    #[must_use]
    pub fn encode(&self, values: &Values, now: i64) -> String {
        self.signer.sign_object(&values.to_json(), now, Compress::IfShorter)
    }

    /// Returns the values in `session_data`; what these keys did not sign is an empty session, as in Django.
    ///
    /// # Errors
    /// Fails if the keys signed it and it cannot be read, as where it inflates beyond 1 MiB. Django reads more than we
    /// do, so that this is a session that somebody uses: it must not be replaced by an empty one.
    pub fn decode(&self, data: &str) -> Result<Values, Error> {
        // The row's own end counts, not the age of the signature.
        let unreadable = match self.signer.unsign_object(data, i64::MAX, None) {
            Ok(json) => match Values::parse(&json) {
                Ok(values) => return Ok(values),
                Err(error) => Error::store(error),
            },
            Err(error) if error.kind() == ErrorKind::BadPayload => Error::store(error),
            Err(_) => return Ok(Values::default()),
        };
        if let Error::Store(why) = &unreadable {
            tracing::error!(%why, "a session of the Django site cannot be read here, and is left as it is");
        }
        Err(unreadable)
    }

    /// Returns whether `session_data` was signed by a key of the ring, and holds a session.
    #[must_use]
    pub fn verifies(&self, data: &str) -> bool {
        let json = self.signer.unsign_object(data, i64::MAX, None);
        json.is_ok_and(|json| Values::parse(&json).is_ok())
    }

    fn record(&self, row: &SessionRow) -> Result<Record, Error> {
        let values = self.decode(&row.session_data)?;
        let expires = row.expire_date.as_second();
        let seen = expires - crate::limits::seconds(self.age);
        let user = self.user(&values);
        Ok(Record { values, user, created: seen, seen, expires, ..Record::default() })
    }

    /// A path that is not listed makes the visitor anonymous, and the row is kept.
    fn user(&self, values: &Values) -> Option<String> {
        let path = values.get::<String>(BACKEND).ok().flatten()?;
        let listed = path == self.backend || self.backends.contains(&path);
        values.get(USER).ok().flatten().filter(|_| listed)
    }

    fn changed(&self, mut values: Values, write: Write<'_>) -> Result<String, Error> {
        write.changes.apply(&mut values);
        if let Some(user) = &write.record.user
            && self.user(&values).as_ref() != Some(user)
        {
            values.insert(USER, user)?;
            values.insert(BACKEND, &self.backend)?;
        }
        Ok(self.encode(&values, write.record.seen))
    }

    async fn row(&self, key: &StoreKey) -> Result<Option<SessionRow>, Error> {
        let key = key.as_str();
        let row = sql!(
            SessionRow,
            "select session_key, session_data, expire_date from django_session where session_key = {key}"
        );
        Ok(row.optional(&self.db).await?)
    }

    async fn write(&self, write: Write<'_>) -> Result<Saved, Error> {
        let expires = Timestamp::from_second(write.record.expires).map_err(Error::store)?;
        let (old, new) = match write.at {
            At::New(key) => {
                let (key, data) = (key.as_str(), self.changed(Values::default(), write)?);
                sql!("insert into django_session (session_key, session_data, expire_date) values ({key}, {data}, {expires})")
                    .execute(&self.db)
                    .await?;
                return Ok(Saved::Stored);
            }
            At::Same(key) => (key, key.as_str()),
            At::Moved(old, new) => (old, new.as_str()),
        };
        for _ in 0..ATTEMPTS {
            let Some(row) = self.row(old).await? else { return Ok(Saved::Gone) };
            let (key, before) = (row.session_key, row.session_data);
            let data = self.changed(self.decode(&before)?, write)?;
            // Compared with what was read: a request of Django's in between is not overwritten.
            let replaced = sql!(
                "update django_session set session_key = {new}, session_data = {data}, expire_date = {expires}
                 where session_key = {key} and session_data = {before}"
            );
            if replaced.execute(&self.db).await? == 1 {
                return Ok(Saved::Stored);
            }
        }
        Err(Error::store("the session is written to by too many requests at once"))
    }

    async fn delete(&self, which: Which<'_>) -> Result<u64, Error> {
        match which {
            Which::One(key) => {
                let key = key.as_str();
                Ok(sql!("delete from django_session where session_key = {key}").execute(&self.db).await?)
            }
            Which::ExpiredBefore(time) => {
                let time = Timestamp::from_second(time).map_err(Error::store)?;
                Ok(sql!("delete from django_session where expire_date < {time}").execute(&self.db).await?)
            }
            Which::OfUser { user, but } => {
                let mut ended = 0;
                for (key, _) in self.of_user(user).await? {
                    if Some(&key) != but {
                        let key = key.as_str();
                        ended += sql!("delete from django_session where session_key = {key}")
                            .execute(&self.db)
                            .await?;
                    }
                }
                Ok(ended)
            }
        }
    }

    async fn of_user(&self, user: &str) -> Result<Vec<(StoreKey, Record)>, Error> {
        let rows = sql!(
            SessionRow,
            "select session_key, session_data, expire_date from django_session order by expire_date desc"
        )
        .all(&self.db)
        .await?;
        // One that cannot be read was logged, and keeps nobody's others from being ended.
        let records = rows
            .iter()
            .filter_map(|row| Some((StoreKey::new(row.session_key.clone()), self.record(row).ok()?)));
        Ok(records.filter(|(_, record)| record.user.as_deref() == Some(user)).collect())
    }
}

impl SessionStore for DjangoStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { self.row(key).await?.map(|row| self.record(&row)).transpose() })
    }

    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        Box::pin(self.write(write))
    }

    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(self.delete(which))
    }

    fn list<'a>(&'a self, user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        Box::pin(self.of_user(user))
    }

    fn cache(&self) -> SessionCache {
        SessionCache::none()
    }
}

const USER: &str = "_auth_user_id";
const BACKEND: &str = "_auth_user_backend";
const ATTEMPTS: u32 = 16;
