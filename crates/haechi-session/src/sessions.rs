//! The sessions of a site: where they are kept, for how long, and under which cookie.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Clock, SecureCookie, SystemClock, Token};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::cache::SessionCache;
use crate::django_expiry::DjangoExpiry;
use crate::django_messages::DjangoMessages;
use crate::limits::Limits;
use crate::store::{At, Client, Record, Saved, SessionStore, StoreKey, Which, Write};
use crate::{Changes, Error, Session, SessionLayer};

/// The sessions of a site. Cheap to clone.
///
/// ```
/// use haechi_session::{MemoryStore, Sessions};
/// let sessions = Sessions::new(MemoryStore::default());
/// let layer = sessions.layer(); // a `tower::Layer` for any router
/// # drop(layer);
/// ```
#[derive(Clone)]
pub struct Sessions {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
    pub(crate) cookie: SecureCookie,
    pub(crate) clock: Arc<dyn Clock>,
    /// How a Django that shares the sessions ages them.
    pub(crate) django: Option<DjangoExpiry>,
    /// Where messages go that a Django shares; without it they are values of the session.
    pub(crate) messages: Option<DjangoMessages>,
    cache: SessionCache,
}

/// How the cookie's text becomes the key of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keys {
    /// 256 random bits; the store is given their SHA-256.
    Hashed,
    /// 32 characters of `a-z0-9`, given to the store as they are, as Django does.
    Django,
    /// The cookie is the session; the store signs it.
    Signed,
}

impl Sessions {
    /// Keeps sessions in `store`, under the cookie `__Host-session`.
    #[expect(clippy::missing_panics_doc, reason = "the expectation always holds")]
    #[must_use]
    pub fn new(store: impl SessionStore + 'static) -> Self {
        let cookie = SecureCookie::new("session").expect("`session` is a valid cookie name");
        Self::with(Arc::new(store), Keys::Hashed, cookie)
    }

    /// Shares sessions with a Django, under its cookie. Nothing is cached: Django ends sessions without telling us.
    ///
    /// They live as there: for `SESSION_COOKIE_AGE` from the last *write* on, or as the session itself says
    /// (`set_expiry`). Idle and absolute limits do not hold, for Django keeps neither the last use nor the beginning.
    /// Nor does its table say whose a session is: listing a user's sessions is [`Error::Unsupported`], rather than
    /// reading the whole table.
    #[must_use]
    pub fn shared_with_django(store: crate::DjangoStore, cookie: SecureCookie) -> Self {
        let age = store.age();
        Self::with(Arc::new(store), Keys::Django, cookie).aged_by_django(age)
    }

    /// Keeps each session in its own cookie, under the cookie `__Host-session`.
    ///
    /// # Security
    /// Such a session cannot be revoked; [`CookieStore`](crate::CookieStore) tells what else it cannot do.
    #[must_use]
    pub fn in_cookie(store: crate::CookieStore) -> Self {
        let age = store.age();
        let sessions =
            Self { inner: Arc::new(Inner { keys: Keys::Signed, ..(*Self::new(store).inner).clone() }) };
        match age {
            Some(age) => sessions.aged_by_django(age),
            None => sessions.limits(Limits::default()),
        }
    }

    fn aged_by_django(mut self, age: Duration) -> Self {
        Arc::make_mut(&mut self.inner).django = Some(DjangoExpiry { age, at_browser_close: false });
        self.limits(Limits {
            idle: age,
            absolute: Duration::MAX,
            remembered_idle: age,
            remembered_absolute: Duration::MAX,
            touch: Duration::MAX,
            cache: Duration::ZERO,
            bytes: DJANGO_BYTES,
        })
    }

    /// Lets the cookies of sessions that a Django shares end with the browser: `SESSION_EXPIRE_AT_BROWSER_CLOSE`.
    #[must_use]
    pub fn expire_at_browser_close(mut self) -> Self {
        if let Some(django) = &mut Arc::make_mut(&mut self.inner).django {
            django.at_browser_close = true;
        }
        self
    }

    /// Writes a session at every request that reads it, so that use prolongs it: `SESSION_SAVE_EVERY_REQUEST`.
    #[must_use]
    pub fn save_every_request(self) -> Self {
        let limits = Limits { touch: Duration::ZERO, ..self.inner.limits };
        self.limits(limits)
    }

    /// Keeps the messages of [`Session::flash`] where a Django keeps its own.
    #[must_use]
    pub fn messages(mut self, messages: DjangoMessages) -> Self {
        Arc::make_mut(&mut self.inner).messages = Some(messages);
        self
    }

    fn with(store: Arc<dyn SessionStore>, keys: Keys, cookie: SecureCookie) -> Self {
        let (limits, clock, cache) = (Limits::default(), Arc::new(SystemClock), store.cache());
        let (django, messages) = (None, None);
        Self { inner: Arc::new(Inner { store, keys, limits, cookie, clock, django, messages, cache }) }
    }

    /// Sets the lifetimes.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        let inner = Arc::make_mut(&mut self.inner);
        inner.limits = match inner.keys {
            // Django's JSON is mostly shorter compressed: its store measures what it signed.
            Keys::Signed if inner.django.is_some() => Limits { cache: Duration::ZERO, ..limits },
            // What a cookie cannot hold is refused when it is set, and what is in the cookie needs no cache.
            Keys::Signed => Limits {
                bytes: limits.bytes.min(crate::CookieStore::MOST_BYTES),
                cache: Duration::ZERO,
                ..limits
            },
            Keys::Hashed | Keys::Django => limits,
        };
        self
    }

    /// Sets the clock; tests move it.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        Arc::make_mut(&mut self.inner).clock = Arc::new(clock);
        self
    }

    /// Sets the cookie. For a development server on a loopback address, without TLS, take
    /// [`SecureCookie::on_loopback`]; every other cookie without `Secure` would be sent in clear.
    #[must_use]
    pub fn cookie(mut self, cookie: SecureCookie) -> Self {
        Arc::make_mut(&mut self.inner).cookie = cookie;
        self
    }

    /// Returns the layer that gives each request its [`Session`].
    #[must_use]
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.clone())
    }

    /// Starts the session of a request. The store is not asked before the session is.
    #[must_use]
    pub fn open(&self, headers: &HeaderMap, client: Client) -> Session {
        let key = self.inner.cookie.find(headers).and_then(|text| self.inner.keys.parse(text));
        let messages = self.inner.messages.as_ref().and_then(|messages| messages.cookie.find(headers));
        Session::new(self.clone(), key, client, messages.map(str::to_owned))
    }

    /// Returns the sessions of a user that have not ended, the most recently used first.
    ///
    /// # Errors
    /// Fails if the store does, or cannot list.
    pub async fn list(&self, user: &str) -> Result<Vec<Listed>, Error> {
        if self.inner.keys == Keys::Django {
            return Err(Error::Unsupported("list the sessions of a user"));
        }
        let now = self.now();
        let sessions = self.inner.store.list(user).await?;
        let alive = sessions.into_iter().filter(|(_, record)| record.expires > now);
        Ok(alive.map(|(key, record)| Listed { handle: handle(&key), key, record }).collect())
    }

    /// Ends the session of `user` that is listed under `handle`; returns whether there was one.
    ///
    /// # Errors
    /// Fails if the store does, or cannot list.
    pub async fn revoke(&self, user: &str, handle: &str) -> Result<bool, Error> {
        let sessions = self.list(user).await?;
        match sessions.iter().find(|listed| listed.handle == handle) {
            Some(listed) => Ok(self.end(Which::One(&listed.key)).await? > 0),
            None => Ok(false),
        }
    }

    /// Ends all sessions of `user`; returns how many there were.
    ///
    /// # Errors
    /// Fails if the store does, or cannot tell whose a session is.
    pub async fn revoke_all(&self, user: &str) -> Result<u64, Error> {
        self.end(Which::OfUser { user, but: None }).await
    }

    /// Replaces the value `old` under `name` in all sessions of `user` that have it; returns how many there were.
    ///
    /// # Errors
    /// Fails if the store does, or cannot list.
    pub async fn replace(&self, user: &str, name: &str, old: &str, new: &str) -> Result<u64, Error> {
        let (mut replaced, changes) = (0, Changes::setting(name, new)?);
        for Listed { key, record, .. } in self.list(user).await? {
            if record.values.get::<String>(name).ok().flatten().as_deref() != Some(old) {
                continue;
            }
            let write = Write { at: At::Same(&key), record: &record, changes: &changes };
            let saved = self.inner.store.save(write).await;
            self.forget(&key);
            replaced += u64::from(saved? != Saved::Gone);
        }
        Ok(replaced)
    }

    /// Removes the sessions that ended by themselves; returns how many there were. Run it from time to time.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn sweep(&self) -> Result<u64, Error> {
        self.end(Which::ExpiredBefore(self.now())).await
    }

    pub(crate) async fn end(&self, which: Which<'_>) -> Result<u64, Error> {
        if let (Keys::Django, Which::OfUser { .. }) = (self.inner.keys, which) {
            return Err(Error::Unsupported("end the sessions of a user"));
        }
        let outcome = self.inner.store.end(which).await;
        // Forgotten after the store has let go, and even if it failed half-way.
        match which {
            Which::One(key) => self.inner.cache.forget(key),
            Which::OfUser { .. } => self.inner.cache.forget_all(),
            Which::ExpiredBefore(_) => {}
        }
        outcome
    }

    pub(crate) fn forget(&self, key: &StoreKey) {
        self.inner.cache.forget(key);
    }

    /// Returns the session under `key` if it has not ended.
    pub(crate) async fn load(&self, key: &StoreKey) -> Result<Option<Record>, Error> {
        let (now, keep) = (self.now(), self.inner.limits.cache);
        if let Some(record) = self.inner.cache.find(key, now, keep) {
            return Ok((record.expires > now).then_some(record));
        }
        let generation = self.inner.cache.generation();
        let record = match self.inner.store.load(key).await {
            // Somebody wrote into the table by hand: its visitor signs in again, and nobody else notices.
            Err(error @ Error::MalformedValues) => {
                tracing::warn!(%error, "a session was not read");
                return Ok(None);
            }
            found => found?,
        };
        let Some(record) = record else { return Ok(None) };
        if record.expires <= now {
            return Ok(None);
        }
        if !keep.is_zero() {
            self.inner.cache.keep(key, &record, now, generation);
        }
        Ok(Some(record))
    }

    pub(crate) fn now(&self) -> i64 {
        self.inner.clock.unix()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.inner.store)
            .field("limits", &self.inner.limits)
            .field("cookie", &self.inner.cookie.name())
            .finish_non_exhaustive()
    }
}

/// A session in the list of a user.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Names the session in a form, without being of use to take it over.
    pub handle: String,
    /// The session.
    pub record: Record,
    key: StoreKey,
}

impl Keys {
    /// A key that we could not have given out is nobody's.
    fn parse(self, text: &str) -> Option<StoreKey> {
        match self {
            Self::Hashed => Token::parse(text).ok().map(|token| StoreKey::new(token.hash().to_string())),
            Self::Django => {
                let ours = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                let fits = (8..=40).contains(&text.len()) && text.bytes().all(ours);
                fits.then(|| StoreKey::new(text))
            }
            Self::Signed => (!text.is_empty()).then(|| StoreKey::new(text)),
        }
    }

    /// Returns the text of a new cookie and the key of the store under it.
    pub(crate) fn generate(self) -> (String, StoreKey) {
        let text = match self {
            // A store that signs puts its own text in the place of this one.
            Self::Hashed | Self::Signed => Token::generate().expose(),
            Self::Django => {
                use rand::RngExt;
                let mut random = rand::rng();
                (0..32).map(|_| char::from(DJANGO_ALPHABET[random.random_range(0..36)])).collect()
            }
        };
        let key = self.parse(&text).expect("what is generated can be parsed");
        (text, key)
    }
}

/// The key itself names a session in the store, and in Django's table it is the very cookie: a page shows a hash.
pub(crate) fn handle(key: &StoreKey) -> String {
    let digest = Sha256::digest([b"haechi session handle\0", key.as_str().as_bytes()].concat());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Django sets no limit to a session; ours would refuse the sign-in of whoever has a larger one.
const DJANGO_BYTES: usize = 1024 * 1024;
const DJANGO_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use haechi_core::{KeyRing, SecretKey};

    use super::*;

    const AGE: Duration = Duration::from_secs(1_000);

    fn keys() -> KeyRing {
        KeyRing::new(SecretKey::generate())
    }

    #[test]
    fn a_key_that_we_could_not_have_given_out_is_nobodys() {
        #[track_caller]
        fn check(keys: Keys, text: &str, fits: bool) {
            assert_eq!(keys.parse(text).is_some(), fits, "{keys:?} {text}");
        }
        // Django's own have 32 characters; its check of a key that a browser sent asks for 8.
        for (text, fits) in [
            ("abcdefghijklmnopqrstuvwxyz012345", true),
            ("a0a0a0a0", true),
            ("a0a0a0a", false),
            (&*"a".repeat(40), true),
            (&*"a".repeat(41), false),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", false),
            ("abcdefghijklmnopqrstuvwxyz01234-", false),
            ("", false),
        ] {
            check(Keys::Django, text, fits);
        }
        check(Keys::Signed, "", false);
        check(Keys::Signed, "a", true);
        check(Keys::Hashed, &"A".repeat(43), true);
        check(Keys::Hashed, &"A".repeat(42), false);
        check(Keys::Hashed, "abcdefghijklmnopqrstuvwxyz012345", false);
    }

    #[test]
    fn a_key_for_django_has_32_characters_of_its_alphabet_and_none_comes_twice() {
        let keys: std::collections::HashSet<_> = (0..1_000).map(|_| Keys::Django.generate().0).collect();
        assert_eq!(keys.len(), 1_000);
        assert!(keys.iter().all(|key| key.len() == 32));
        for character in DJANGO_ALPHABET {
            assert!(keys.iter().any(|key| key.as_bytes().contains(character)), "{character}");
        }
    }

    #[test]
    fn a_handle_is_no_key() {
        let (one, other) = (StoreKey::new("a".repeat(32)), StoreKey::new("b".repeat(32)));
        assert_ne!(handle(&one), handle(&other));
        assert!(handle(&one) != one.as_str() && handle(&one).len() == 32);
    }

    #[tokio::test]
    async fn what_a_neighbour_can_end_is_not_cached_and_lives_as_long_as_the_neighbour_says() {
        let db = haechi_db::Db::memory().await.unwrap();
        let cookie = SecureCookie::shared_with_django("sessionid").unwrap();
        let sessions = Sessions::shared_with_django(crate::DjangoStore::new(db, keys(), AGE), cookie);
        let limits = sessions.inner.limits;
        assert_eq!((limits.idle, limits.remembered_idle), (AGE, AGE));
        assert_eq!(limits.absolute, limits.remembered_absolute, "Django has no absolute limit");
        assert!(limits.cache.is_zero());
        // Whoever has a large cart there can be signed in here.
        let session = sessions.open(&HeaderMap::new(), Client::default());
        session.insert("cart", &"x".repeat(1_000_000)).await.unwrap();
        assert!(session.insert("cart", &"x".repeat(1_100_000)).await.is_err());
    }

    #[tokio::test]
    async fn what_stands_in_a_cookie_is_not_cached_and_is_cut_to_what_a_cookie_holds() {
        let sessions = Sessions::in_cookie(crate::CookieStore::new(keys())).limits(Limits::default());
        assert!(sessions.inner.limits.cache.is_zero());
        assert_eq!(sessions.inner.limits.bytes, crate::CookieStore::MOST_BYTES);
        let small = Limits { bytes: 100, ..Limits::default() };
        assert_eq!(sessions.limits(small).inner.limits.bytes, 100);
    }

    #[tokio::test]
    async fn without_a_time_to_keep_nothing_is_kept() {
        let limits = Limits { cache: Duration::ZERO, ..Limits::default() };
        let sessions = Sessions::new(crate::MemoryStore::default()).limits(limits);
        let (now, key) = (sessions.now(), StoreKey::new("k"));
        let record = Record { expires: i64::MAX, ..Record::default() };
        let write = Write { at: At::New(&key), record: &record, changes: &Changes::default() };
        sessions.inner.store.save(write).await.unwrap();
        assert!(sessions.load(&key).await.unwrap().is_some());
        assert!(sessions.inner.cache.find(&key, now, Duration::from_secs(60)).is_none());
    }
}
