//! Sessions in the browser: the whole session is the cookie, signed.

use std::time::Duration;

use haechi_core::{Compress, KeyRing, Purpose, Signer, base62};

use crate::limits::seconds;
use crate::store::{At, Record, Saved, SessionStore, StoreFuture, StoreKey, Which, Write};
use crate::{Error, SessionCache, Values};

/// Keeps each session in its own cookie, signed and not encrypted; nothing is kept on the server.
///
/// For sites without a database, and beside a Django with `signed_cookies`. Start it with
/// [`Sessions::in_cookie`](crate::Sessions::in_cookie).
///
/// # Security
/// The browser can read the session and cannot change it. What it **cannot** do, and no store of this kind can:
/// - *revoke*: a copy of the cookie that somebody took stays good until its own idle limit, whether the user signed
///   out or not. Ending or listing a user's sessions is [`Error::Unsupported`], never an answer that pretends. A
///   changed password ends them all the same, for `haechi-auth` binds a session to the password;
/// - *forbid a replay*: an older cookie of the same session brings its older values back while it lives. What must
///   happen once belongs into a table;
/// - *merge*: of two requests at the same time, the cookie that arrives last wins.
///
/// A session holds [`CookieStore::MOST_BYTES`] at most, and beside a Django as much as its signed text finds room.
#[derive(Clone, Debug)]
pub struct CookieStore {
    signer: Signer,
    format: Format,
}

#[derive(Clone, Debug)]
enum Format {
    Ours,
    /// Django writes the values and nothing else; the time of the signature is all it knows about time.
    Django {
        age: Duration,
        backend: String,
    },
}

impl CookieStore {
    /// The most bytes of values that fit into a cookie, whatever they are: base64 makes four of three, and a browser
    /// drops a cookie of more than 4,096 bytes silently.
    pub const MOST_BYTES: usize = 2_560;

    /// Signs sessions with the site's keys; a fallback key verifies, and the next write signs with the present one.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self { signer: Signer::new(keys, COOKIE), format: Format::Ours }
    }

    /// Shares sessions with a Django whose engine is `django.contrib.sessions.backends.signed_cookies`. `age` is
    /// `SESSION_COOKIE_AGE`, two weeks by default.
    #[must_use]
    pub fn shared_with_django(keys: KeyRing, age: Duration) -> Self {
        let backend = "django.contrib.auth.backends.ModelBackend".to_owned();
        Self { signer: Signer::new(keys, DJANGO), format: Format::Django { age, backend } }
    }

    /// Sets the dotted path that Django lists in `AUTHENTICATION_BACKENDS`, if it is not `ModelBackend`.
    #[must_use]
    pub fn backend(mut self, path: &str) -> Self {
        if let Format::Django { backend, .. } = &mut self.format {
            path.clone_into(backend);
        }
        self
    }

    pub(crate) fn age(&self) -> Option<Duration> {
        match &self.format {
            Format::Ours => None,
            Format::Django { age, .. } => Some(*age),
        }
    }

    /// Returns the session that a cookie holds, or `None` for what we did not sign.
    fn read(&self, text: &str) -> Option<Record> {
        // The end that stands in the record counts; `Sessions` looks at it for every store alike.
        let json = self.signer.unsign_object(text, i64::MAX, None).ok()?;
        let object = Values::parse(&json).ok()?;
        match &self.format {
            Format::Ours => ours(&object),
            Format::Django { age, backend } => {
                let (_, stamp) = text.rsplit_once(':')?.0.rsplit_once(':')?;
                let signed = base62::decode(stamp)?;
                let known = of::<String>(&object, BACKEND).is_some_and(|path| path == *backend);
                let user = of::<String>(&object, USER).filter(|_| known);
                let expires = signed.saturating_add(seconds(*age));
                Some(Record {
                    values: object,
                    user,
                    created: signed,
                    seen: signed,
                    expires,
                    ..Record::default()
                })
            }
        }
    }

    fn text(&self, mut values: Values, write: Write<'_>) -> Result<String, Error> {
        write.changes.apply(&mut values);
        let Record { user, created, seen, expires, remembered, .. } = write.record;
        let json = match &self.format {
            Format::Ours => {
                let mut object = Values::default();
                object.insert("user", user)?;
                object.insert("times", &[created, seen, expires])?;
                object.insert("remembered", remembered)?;
                let head = object.to_json();
                format!("{},\"values\":{}}}", head.trim_end_matches('}'), values.to_json())
            }
            Format::Django { backend, .. } => {
                if let Some(user) = user {
                    values.insert(USER, user)?;
                    values.insert(BACKEND, backend)?;
                }
                values.to_json()
            }
        };
        let text = self.signer.sign_object(&json, *seen, Compress::IfShorter);
        let (bytes, most) = match &self.format {
            Format::Ours => (values.to_json().len(), Self::MOST_BYTES),
            Format::Django { .. } => (text.len(), MOST_SIGNED),
        };
        if bytes > most {
            return Err(Error::TooLarge { bytes, most });
        }
        Ok(text)
    }

    fn write(&self, write: Write<'_>) -> Result<Saved, Error> {
        let values = match write.at {
            At::New(_) => Values::default(),
            At::Same(old) | At::Moved(old, _) => match self.read(old.as_str()) {
                Some(record) => record.values,
                None => return Ok(Saved::Gone),
            },
        };
        Ok(Saved::As(StoreKey::new(self.text(values, write)?)))
    }
}

impl SessionStore for CookieStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move { Ok(self.read(key.as_str())) })
    }

    fn save<'a>(&'a self, write: Write<'a>) -> StoreFuture<'a, Saved> {
        Box::pin(async move { self.write(write) })
    }

    fn end<'a>(&'a self, which: Which<'a>) -> StoreFuture<'a, u64> {
        Box::pin(async move {
            match which {
                // The browser is told to forget its cookie; nothing else can be done, and none is counted as ended.
                Which::One(_) | Which::ExpiredBefore(_) => Ok(0),
                Which::OfUser { .. } => Err(Error::Unsupported("end the sessions of a user")),
            }
        })
    }

    fn list<'a>(&'a self, _user: &'a str) -> StoreFuture<'a, Vec<(StoreKey, Record)>> {
        Box::pin(async { Err(Error::Unsupported("list the sessions of a user")) })
    }

    fn cache(&self) -> SessionCache {
        SessionCache::none()
    }
}

fn ours(object: &Values) -> Option<Record> {
    let [created, seen, expires] = of::<[i64; 3]>(object, "times")?;
    Some(Record {
        values: Values::parse(object.json("values")?).ok()?,
        user: of::<Option<String>>(object, "user")?,
        created,
        seen,
        expires,
        remembered: of(object, "remembered")?,
        ..Record::default()
    })
}

fn of<T: serde::de::DeserializeOwned>(object: &Values, name: &str) -> Option<T> {
    object.get(name).ok().flatten()
}

/// What is left of the 4,096 bytes of a cookie beside a long name.
const MOST_SIGNED: usize = 3_900;
const COOKIE: Purpose = Purpose::new("haechi.session.cookie");
const DJANGO: Purpose = Purpose::new("django.contrib.sessions.backends.signed_cookies");
const USER: &str = "_auth_user_id";
const BACKEND: &str = "_auth_user_backend";
