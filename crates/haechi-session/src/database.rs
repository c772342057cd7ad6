//! Sessions in the site's database: the default.

use haechi_db::{Db, Model, sql};

use crate::store::{At, Client, Record, Saved, SessionStore, StoreFuture, StoreKey, Which, Write};
use crate::{Error, SessionCache, Values};

/// Keeps sessions in the table `haechi_session`, on SQLite or PostgreSQL.
///
/// The key is the SHA-256 of the session's id. A write replaces the row only if nobody wrote it since it was read,
/// and reads it again otherwise, so two requests at the same time both keep what they set.
#[derive(Clone, Debug)]
pub struct DatabaseStore {
    db: Db,
    cache: SessionCache,
}

#[derive(Model)]
#[model(row)]
struct SessionRow {
    key: String,
    user_key: Option<String>,
    content: String,
    version: i64,
    created: i64,
    seen: i64,
    expires: i64,
    remembered: bool,
    browser: String,
    network: String,
}

impl DatabaseStore {
    /// Keeps sessions in `db`, whose migrations have run.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let cache = match db.server() {
            // Reading a session costs about what a cache could save, and every process sees every end at once.
            None => SessionCache::none(),
            Some(server) => SessionCache::notified(server),
        };
        Self { db, cache }
    }

    async fn row(&self, key: &StoreKey) -> Result<Option<SessionRow>, Error> {
        let rows = sql!(
            SessionRow,
            "select key, user_key, content, version, created, seen, expires, remembered, browser, network
             from haechi_session where key = {key}",
            key = key.as_str()
        );
        Ok(rows.optional(&self.db).await?)
    }

    async fn insert(&self, key: &StoreKey, record: &Record, content: String) -> Result<(), Error> {
        let Record { user, created, seen, expires, remembered, client, .. } = record.clone();
        sql!(
            "insert into haechi_session
             (key, user_key, content, version, created, seen, expires, remembered, browser, network)
             values ({key}, {user}, {content}, 1, {created}, {seen}, {expires}, {remembered}, {browser}, {network})",
            key = key.as_str(),
            browser = client.browser,
            network = client.network
        )
        .execute(&self.db)
        .await?;
        Ok(())
    }

    async fn write(&self, write: Write<'_>) -> Result<Saved, Error> {
        let (old, new) = match write.at {
            At::New(key) => {
                let mut values = Values::default();
                write.changes.apply(&mut values);
                return self.insert(key, write.record, values.to_json()).await.map(|()| Saved::Stored);
            }
            At::Same(key) => (key, key),
            At::Moved(old, new) => (old, new),
        };
        for _ in 0..ATTEMPTS {
            let Some(row) = self.row(old).await? else { return Ok(Saved::Gone) };
            let mut values = Values::parse(&row.content)?;
            write.changes.apply(&mut values);
            if self.replace(old, new, row.version, write.record, values.to_json()).await? {
                return Ok(Saved::Stored);
            }
        }
        Err(Error::store("the session is written to by too many requests at once"))
    }

    async fn replace(
        &self,
        old: &StoreKey,
        new: &StoreKey,
        version: i64,
        record: &Record,
        content: String,
    ) -> Result<bool, Error> {
        let Record { user, created, seen, expires, remembered, client, .. } = record.clone();
        let changed = sql!(
            "update haechi_session set key = {new}, user_key = {user}, content = {content}, version = version + 1,
             created = {created}, seen = {seen}, expires = {expires}, remembered = {remembered},
             browser = {browser}, network = {network}
             where key = {old} and version = {version}",
            new = new.as_str(),
            old = old.as_str(),
            browser = client.browser,
            network = client.network
        )
        .execute(&self.db)
        .await?;
        Ok(changed == 1)
    }

    async fn delete(&self, which: Which<'_>) -> Result<u64, Error> {
        let ended = match which {
            Which::One(key) => {
                sql!("delete from haechi_session where key = {key}", key = key.as_str())
                    .execute(&self.db)
                    .await
            }
            Which::OfUser { user, but } => {
                let but = but.map_or("", StoreKey::as_str);
                sql!("delete from haechi_session where user_key = {user} and key <> {but}")
                    .execute(&self.db)
                    .await
            }
            Which::ExpiredBefore(time) => {
                sql!("delete from haechi_session where expires < {time}").execute(&self.db).await
            }
        };
        Ok(ended?)
    }

    async fn of_user(&self, user: &str) -> Result<Vec<(StoreKey, Record)>, Error> {
        let rows = sql!(
            SessionRow,
            "select key, user_key, content, version, created, seen, expires, remembered, browser, network
             from haechi_session where user_key = {user} order by seen desc limit 1000"
        )
        .all(&self.db)
        .await?;
        rows.into_iter().map(|row| Ok((StoreKey::new(row.key.clone()), row.record()?))).collect()
    }
}

impl SessionRow {
    fn record(self) -> Result<Record, Error> {
        Ok(Record {
            values: Values::parse(&self.content)?,
            user: self.user_key,
            created: self.created,
            seen: self.seen,
            expires: self.expires,
            remembered: self.remembered,
            client: Client { browser: self.browser, network: self.network },
        })
    }
}

impl SessionStore for DatabaseStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        self.cache.listen(&self.db);
        Box::pin(async move { self.row(key).await?.map(SessionRow::record).transpose() })
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

    /// On PostgreSQL one for the process, which is told of what others do; on SQLite none.
    fn cache(&self) -> SessionCache {
        self.cache.clone()
    }
}

/// Each failed attempt means that another request of the same session succeeded.
const ATTEMPTS: u32 = 16;
