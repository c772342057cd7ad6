//! The messages of one request: in the session, or where a Django next door keeps them.

use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::django_messages::{self, DjangoMessages, Message, MessageStorage};
use crate::flash::{self, Flash, FlashLevel};
use crate::{Error, Session};

/// What became of a Django's messages in this request.
#[derive(Default)]
pub(crate) struct Flashes {
    /// The cookie, as the browser sent it.
    sent: Option<String>,
    /// Those of earlier requests, `None` until somebody asks.
    earlier: Option<Vec<Message>>,
    added: Vec<Message>,
    /// Whether the earlier ones were shown.
    taken: bool,
}

impl Flashes {
    pub(crate) fn sent(cookie: Option<String>) -> Self {
        Self { sent: cookie, ..Self::default() }
    }
}

impl Session {
    /// Leaves a message for the next page.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn flash(&self, level: FlashLevel, text: impl Into<String>) -> Result<(), Error> {
        self.add_flash(Flash { level, text: text.into(), tags: String::new() }).await
    }

    /// As [`flash`](Self::flash), with tags for the page that shows it.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn add_flash(&self, flash: Flash) -> Result<(), Error> {
        if self.sessions.inner.messages.is_some() {
            let mut flashes = self.flashes.lock().await;
            flashes.added.push(flash.into());
            let surplus = flashes.added.len().saturating_sub(flash::MOST);
            flashes.added.drain(..surplus);
            return Ok(());
        }
        let mut flashes: Vec<Flash> = self.get(flash::NAME).await?.unwrap_or_default();
        flashes.push(flash);
        let surplus = flashes.len().saturating_sub(flash::MOST);
        self.insert(flash::NAME, &flashes[surplus..]).await
    }

    /// Takes the messages; the page after this one shows none.
    ///
    /// # Errors
    /// Fails if the store does.
    pub async fn take_flashes(&self) -> Result<Vec<Flash>, Error> {
        if let Some(messages) = &self.sessions.inner.messages {
            let mut flashes = self.flashes.lock().await;
            let mut all = self.earlier(messages, &mut flashes).await?;
            all.append(&mut flashes.added);
            (flashes.taken, flashes.earlier) = (true, Some(Vec::new()));
            return Ok(all.into_iter().map(Flash::from).collect());
        }
        let flashes: Option<Vec<Flash>> = self.get(flash::NAME).await?;
        if flashes.is_some() {
            self.remove(flash::NAME).await?;
        }
        Ok(flashes.unwrap_or_default())
    }

    /// Writes the messages of a Django back, if this request added or took any.
    pub(crate) async fn close_messages(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        let Some(messages) = &self.sessions.inner.messages else { return Ok(()) };
        let mut flashes = self.flashes.lock().await;
        if !flashes.taken && flashes.added.is_empty() {
            return Ok(());
        }
        let mut all = if flashes.taken { Vec::new() } else { self.earlier(messages, &mut flashes).await? };
        all.append(&mut flashes.added);
        let stored = messages.store(&all, self.sessions.now());
        match stored.cookie {
            Some(text) => {
                headers.append(SET_COOKIE, messages.cookie.set(&text).map_err(Error::store)?);
            }
            None if flashes.sent.is_some() => {
                headers.append(SET_COOKIE, messages.cookie.remove());
            }
            None => {}
        }
        match stored.left.is_empty() {
            false => {
                self.insert(django_messages::IN_SESSION, &django_messages::to_session(&stored.left)).await?;
            }
            true if self.reads_session(messages, &flashes) => {
                self.remove_if_there(django_messages::IN_SESSION).await?;
            }
            true => {}
        }
        (flashes.taken, flashes.earlier) = (false, None);
        flashes.sent = None;
        Ok(())
    }

    /// Returns the messages of earlier requests.
    async fn earlier(&self, messages: &DjangoMessages, flashes: &mut Flashes) -> Result<Vec<Message>, Error> {
        if let Some(known) = &flashes.earlier {
            return Ok(known.clone());
        }
        let mut all = match (&flashes.sent, messages.storage) {
            (Some(text), MessageStorage::Fallback | MessageStorage::Cookie) => messages.read(text).messages,
            _ => Vec::new(),
        };
        if self.reads_session(messages, flashes) {
            // Not a text: something else of that name, which is not ours to read.
            let text: Option<String> = self.get(django_messages::IN_SESSION).await.unwrap_or_default();
            all.extend(text.iter().flat_map(|text| django_messages::from_session(text)));
        }
        flashes.earlier = Some(all.clone());
        Ok(all)
    }

    /// Whether there are messages in the session: only where the cookie says so, as in Django.
    fn reads_session(&self, messages: &DjangoMessages, flashes: &Flashes) -> bool {
        match messages.storage {
            MessageStorage::Session => true,
            MessageStorage::Cookie => false,
            MessageStorage::Fallback => flashes.sent.as_deref().is_some_and(|text| messages.read(text).more),
        }
    }

    async fn remove_if_there(&self, name: &str) -> Result<(), Error> {
        let there = self.get::<serde_json::Value>(name).await.map_or(true, |value| value.is_some());
        if there {
            self.remove(name).await?;
        }
        Ok(())
    }
}
