//! The session of one request.

use std::fmt;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::flashes::Flashes;
use crate::sessions::Keys;
use crate::store::{At, Client, Record, Saved, StoreKey, Which, Write};
use crate::{Changes, Error, Sessions, Values};

/// The session of one request. Clones are the same session.
///
/// Nothing is read before a method is called, and nothing is written but once, by
/// [`close`](Self::close) at the end of the request, and only if something changed.
#[derive(Clone)]
pub struct Session {
    pub(crate) sessions: Sessions,
    state: Arc<Mutex<State>>,
    /// Never locked while `state` is.
    pub(crate) flashes: Arc<Mutex<Flashes>>,
}

struct State {
    /// The key the browser sent, if it looked like one.
    sent: Option<StoreKey>,
    client: Client,
    /// `None` until somebody asks.
    loaded: Option<Loaded>,
}

#[derive(Default)]
struct Loaded {
    /// Where the session stands in the store; `None` for one that was never stored.
    stored: Option<StoreKey>,
    record: Record,
    changes: Changes,
    /// Whether the record itself (the user, the times) changed.
    stamped: bool,
    /// Whether a new id is due.
    rotate: bool,
    /// Whether the session was ended by this request.
    ended: bool,
    /// Whether this request bound the session to a user.
    bound: bool,
}

impl Session {
    pub(crate) fn new(
        sessions: Sessions,
        sent: Option<StoreKey>,
        client: Client,
        messages: Option<String>,
    ) -> Self {
        let state = Arc::new(Mutex::new(State { sent, client, loaded: None }));
        let flashes = Arc::new(Mutex::new(Flashes::sent(messages)));
        Self { sessions, state, flashes }
    }

    /// Returns the value called `name`.
    ///
    /// # Errors
    /// Fails if the store does, or the value is not a `T`.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        self.with(|loaded| loaded.record.values.get(name)).await?
    }

    /// Sets a value. Two requests that set different names at the same time both succeed.
    ///
    /// # Errors
    /// Fails if the store does, the value cannot be written as JSON, or the session would become too large.
    pub async fn insert<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let most = self.sessions.inner.limits.bytes;
        self.with(|loaded| {
            let mut values = loaded.record.values.clone();
            values.insert(name, value)?;
            let bytes = values.to_json().len();
            if bytes > most {
                return Err(Error::TooLarge { bytes, most });
            }
            loaded.record.values = values;
            loaded.changes.insert(name, value)
        })
        .await?
    }

    /// Removes a value; returns whether it was there.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        self.with(|loaded| {
            loaded.changes.remove(name);
            loaded.record.values.remove(name)
        })
        .await
    }

    /// Returns all values.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn values(&self) -> Result<Values, Error> {
        self.with(|loaded| loaded.record.values.clone()).await
    }

    /// Returns the user who is signed in, as the text of the primary key.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn user(&self) -> Result<Option<String>, Error> {
        self.with(|loaded| loaded.record.user.clone()).await
    }

    /// Returns when the user signed in (or the session began), in seconds since 1970.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn created(&self) -> Result<i64, Error> {
        self.with(|loaded| loaded.record.created).await
    }

    /// Binds the session to a user who has just proved who they are: a new id, a new lifetime.
    ///
    /// Whatever another user left in the session is removed first, also one whom only a Django next door knows.
    ///
    /// # Errors
    /// Fails if the store does.
    ///
    /// # Security
    /// The id changes even if the same user signs in again, so an id that was planted or stolen before is worth
    /// nothing afterwards.
    pub async fn bind(&self, user: &str, remember: Remember) -> Result<(), Error> {
        let now = self.sessions.now();
        self.with(|loaded| {
            let of_django = loaded.record.values.get::<String>(DJANGO_USER).ok().flatten();
            let bound = loaded.record.user.as_ref().or(of_django.as_ref());
            if bound.is_some_and(|bound| bound != user) {
                loaded.clear();
            }
            loaded.record.user = Some(user.to_owned());
            loaded.record.created = now;
            loaded.record.remembered = remember == Remember::OnThisDevice;
            loaded.ended = false;
            loaded.bound = true;
            loaded.rotate = true;
            loaded.stamped = true;
        })
        .await
    }

    /// Returns whether this request bound the session to a user. Whatever else is bound to a visitor is due then.
    pub async fn was_bound(&self) -> bool {
        self.state.lock().await.loaded.as_ref().is_some_and(|loaded| loaded.bound)
    }

    /// Gives the session a new id and keeps the rest: at every rise of rights.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn rotate(&self) -> Result<(), Error> {
        self.with(|loaded| {
            loaded.rotate = true;
            loaded.stamped = true;
        })
        .await
    }

    /// Removes the user and all values, and gives the session a new id.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn flush(&self) -> Result<(), Error> {
        self.with(|loaded| {
            loaded.clear();
            loaded.rotate = true;
            loaded.stamped = true;
        })
        .await
    }

    /// Ends the session in the store, now, and removes the cookie with the response.
    ///
    /// # Errors
    /// Fails if the store does; the session may then still be alive, so tell the user.
    pub async fn destroy(&self) -> Result<(), Error> {
        let stored = self
            .with(|loaded| {
                loaded.clear();
                loaded.ended = true;
                loaded.stamped = false;
                loaded.stored.take()
            })
            .await?;
        if let Some(key) = stored {
            self.sessions.end(Which::One(&key)).await?;
        }
        Ok(())
    }

    /// Ends all other sessions of the user of this one; returns how many there were.
    ///
    /// # Errors
    /// Fails if the store does, or cannot tell whose a session is.
    pub async fn end_others(&self) -> Result<u64, Error> {
        match self.with(|loaded| (loaded.record.user.clone(), loaded.stored.clone())).await? {
            (Some(user), but) => self.sessions.end(Which::OfUser { user: &user, but: but.as_ref() }).await,
            (None, _) => Ok(0),
        }
    }

    /// Returns the handle of this session in [`Sessions::list`], or `None` before it is stored.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn handle(&self) -> Result<Option<String>, Error> {
        self.with(|loaded| loaded.stored.as_ref().map(crate::sessions::handle)).await
    }

    /// Returns a name for what somebody signed in to: the same from one sign-in or rise of rights to the next, and of nobody
    /// else. `None` before somebody signed in.
    ///
    /// What belongs to a signed-in visitor, such as the token of a form, is bound to it. It is no [`handle`](Self::handle): in a
    /// store that signs, the handle is another after every write.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn binding(&self) -> Result<Option<String>, Error> {
        let keys = self.sessions.inner.keys;
        self.with(|loaded| {
            let (user, key) = (loaded.record.user.as_ref()?, loaded.stored.as_ref()?);
            Some(match keys {
                // Who signed in twice within a second may send the forms of either.
                Keys::Signed => format!("{} {user}", loaded.record.created),
                Keys::Hashed | Keys::Django => crate::sessions::handle(key),
            })
        })
        .await
    }

    /// Returns the sessions of the site, this one among them.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Saves the session if it changed, and writes its headers into the response.
    ///
    /// After a server error (5xx) only what was ended stays ended: a handler that failed half-way must not leave half
    /// a session. A session that was ended elsewhere in the meantime is not brought back. The cookie is removed by the
    /// request that ended it: another cannot know whether the session was ended or has a new id by now, and its answer may be
    /// the last to arrive.
    ///
    /// # Errors
    /// Fails if the store does; answer 503 then, for the response may depend on what was not saved.
    pub async fn close(&self, status: StatusCode, headers: &mut HeaderMap) -> Result<(), Error> {
        if !status.is_server_error() {
            self.close_messages(headers).await?;
        }
        let mut state = self.state.lock().await;
        let Some(loaded) = &mut state.loaded else { return Ok(()) };
        headers.append(VARY, HeaderValue::from_static("Cookie"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let outcome = match status.is_server_error() {
            true => Closed::Unchanged,
            false => match self.save(loaded).await {
                // On a full disk a page can still be read: the message is shown once more, and the idle time runs on.
                Err(error) if loaded.is_only_looked_at() => {
                    tracing::warn!(%error, "a visit was not noted");
                    Closed::Unchanged
                }
                saved => saved?,
            },
        };
        let cookie = &self.sessions.inner.cookie;
        let header = match outcome {
            Closed::Unchanged if loaded.ended => cookie.remove(),
            Closed::Unchanged => return Ok(()),
            Closed::Set(text, age) => cookie.clone().max_age(age).set(&text).map_err(Error::store)?,
        };
        headers.append(SET_COOKIE, header);
        Ok(())
    }

    async fn save(&self, loaded: &mut Loaded) -> Result<Closed, Error> {
        let Sessions { inner } = &self.sessions;
        let changed = loaded.stamped || !loaded.changes.is_empty();
        // An empty session that was never stored is not worth a row: crawlers would fill the table.
        let nothing =
            loaded.stored.is_none() && loaded.record.user.is_none() && loaded.record.values.is_empty();
        if !changed || nothing {
            return Ok(Closed::Unchanged);
        }
        let age = match inner.django {
            Some(expiry) => expiry.use_at(&mut loaded.record, self.sessions.now()),
            None => inner.limits.use_at(&mut loaded.record, self.sessions.now()),
        };
        let moves = loaded.rotate || loaded.stored.is_none();
        let fresh = moves.then(|| inner.keys.generate());
        let at = match (&loaded.stored, &fresh) {
            (None, Some((_, new))) => At::New(new),
            (Some(old), Some((_, new))) => At::Moved(old, new),
            (Some(same), None) => At::Same(same),
            (None, None) => return Ok(Closed::Unchanged),
        };
        let write = Write { at, record: &loaded.record, changes: &loaded.changes };
        let saved = match (inner.store.save(write).await, &fresh) {
            // Whoever signs in does, also where what they had before is gone by now.
            (Ok(Saved::Gone), Some((_, new))) if loaded.bound => {
                inner.store.save(Write { at: At::New(new), ..write }).await
            }
            (saved, _) => saved,
        };
        if let Some(old) = &loaded.stored {
            self.sessions.forget(old);
        }
        let fresh = match saved? {
            Saved::Gone => return Ok(Closed::Unchanged),
            // The end of the row moved, and that of the cookie has to move with it.
            Saved::Stored if inner.django.is_some() => {
                fresh.or_else(|| loaded.stored.clone().map(|key| (key.as_str().to_owned(), key)))
            }
            Saved::Stored => fresh,
            Saved::As(key) => Some((key.as_str().to_owned(), key)),
        };
        loaded.changes = Changes::default();
        (loaded.stamped, loaded.rotate) = (false, false);
        Ok(fresh.map_or(Closed::Unchanged, |(text, key)| {
            loaded.stored = Some(key);
            Closed::Set(text, age)
        }))
    }

    /// Loads the session if this is the first to ask, and works on it.
    async fn with<T>(&self, work: impl FnOnce(&mut Loaded) -> T) -> Result<T, Error> {
        let mut state = self.state.lock().await;
        if state.loaded.is_none() {
            state.loaded = Some(self.load(state.sent.as_ref(), &state.client).await?);
        }
        Ok(work(state.loaded.as_mut().expect("loaded in the line above")))
    }

    async fn load(&self, sent: Option<&StoreKey>, client: &Client) -> Result<Loaded, Error> {
        let (now, limits) = (self.sessions.now(), &self.sessions.inner.limits);
        let found = match sent {
            Some(key) => self.sessions.load(key).await?.map(|record| (key.clone(), record)),
            None => None,
        };
        let mut loaded = Loaded::default();
        let Some((key, record)) = found else {
            loaded.record = Record { created: now, client: client.clone(), ..Record::default() };
            return Ok(loaded);
        };
        loaded.stamped = now.saturating_sub(record.seen) >= limits.touch_after(record.remembered);
        loaded.stored = Some(key);
        loaded.record = Record { client: client.clone(), ..record };
        Ok(loaded)
    }
}

impl Loaded {
    /// Whether nothing is lost but that messages were shown and that somebody was here. What changes the user or the id
    /// rotates.
    fn is_only_looked_at(&self) -> bool {
        self.stored.is_some() && !self.rotate && !self.ended && self.changes.only_remove(crate::flash::NAME)
    }

    fn clear(&mut self) {
        self.record.values = Values::default();
        self.record.user = None;
        self.changes.clear();
    }
}

/// Django's user of a session, also of one whose backend is not ours.
const DJANGO_USER: &str = "_auth_user_id";

enum Closed {
    Unchanged,
    Set(String, Option<std::time::Duration>),
}

/// Whether a session outlives the browser.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Remember {
    /// It ends when the browser closes, or after an hour without use.
    #[default]
    UntilTheBrowserCloses,
    /// The user chose to stay signed in on this device.
    OnThisDevice,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of the content: a session often stands in a log line.
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
