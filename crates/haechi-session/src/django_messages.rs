//! Django's messages: a signed cookie, and the session for what does not fit.

use haechi_core::{Compress, KeyRing, Purpose, SecureCookie, Signer};
use serde_json::Value;

use crate::flash::{Flash, FlashLevel};

/// Where a Django keeps its messages, `MESSAGE_STORAGE`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageStorage {
    /// In the cookie, and in the session what does not fit: Django's default.
    Fallback,
    /// In the cookie alone; what does not fit is lost, the oldest first.
    Cookie,
    /// In the session alone.
    Session,
}

/// Messages that a Django reads and writes too.
///
/// # Security
/// The cookie is signed, not encrypted. Django may have marked a message as safe HTML; haechi hands it on as it is, and
/// never marks one: a text of ours is escaped there.
#[derive(Clone, Debug)]
pub struct DjangoMessages {
    pub(crate) cookie: SecureCookie,
    pub(crate) storage: MessageStorage,
    signer: Signer,
}

/// One message as Django keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    /// Whether Django shows the text as HTML.
    safe: bool,
    level: i64,
    text: String,
    tags: Option<String>,
}

/// What a cookie holds, or can hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Part {
    pub(crate) messages: Vec<Message>,
    /// Whether there are more in the session.
    pub(crate) more: bool,
}

/// What to do with the cookie, and what is left for the session.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Stored {
    /// The value of the cookie; `None` removes it.
    pub(crate) cookie: Option<String>,
    pub(crate) left: Vec<Message>,
}

impl DjangoMessages {
    /// Shares messages under `cookie` (Django's is called `messages`, with the attributes of the session cookie).
    #[must_use]
    pub fn new(keys: KeyRing, cookie: SecureCookie, storage: MessageStorage) -> Self {
        Self { cookie, storage, signer: Signer::new(keys, Purpose::django_messages()) }
    }

    /// Returns the messages in a cookie; what cannot be verified or read is none, as in Django.
    pub(crate) fn read(&self, text: &str) -> Part {
        let json = self.signer.unsign_object(text, i64::MAX, None).unwrap_or_default();
        let Ok(Value::Array(mut items)) = serde_json::from_str(&json) else { return Part::default() };
        let more = items.last().and_then(Value::as_str) == Some(NOT_FINISHED);
        if more {
            items.pop();
        }
        Part { messages: items.iter().filter_map(message).collect(), more }
    }

    /// Puts messages where they belong, at `now`.
    pub(crate) fn store(&self, messages: &[Message], now: i64) -> Stored {
        if messages.is_empty() || self.storage == MessageStorage::Session {
            return Stored { cookie: None, left: messages.to_vec() };
        }
        let whole = self.text(messages, false, now);
        if whole.len() <= MOST_BYTES {
            return Stored { cookie: Some(whole), left: Vec::new() };
        }
        let fits = |part: &[Message]| self.text(part, true, now).len() <= MOST_BYTES;
        let count = messages.len();
        match self.storage {
            // The oldest stay in the cookie, so that they are shown first.
            MessageStorage::Fallback => {
                let kept = (0..count).rev().find(|&kept| fits(&messages[..kept])).unwrap_or(0);
                let cookie = Some(self.text(&messages[..kept], true, now));
                Stored { cookie, left: messages[kept..].to_vec() }
            }
            _ => {
                let from = (1..=count).find(|&from| fits(&messages[from..])).unwrap_or(count);
                Stored { cookie: Some(self.text(&messages[from..], true, now)), left: Vec::new() }
            }
        }
    }

    fn text(&self, messages: &[Message], more: bool, now: i64) -> String {
        let mut items: Vec<Value> = messages.iter().map(Message::to_json).collect();
        if more {
            items.push(Value::from(NOT_FINISHED));
        }
        self.signer.sign_object(&Value::Array(items).to_string(), now, Compress::IfShorter)
    }
}

/// Reads the text that Django keeps in the session.
pub(crate) fn from_session(text: &str) -> Vec<Message> {
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => items.iter().filter_map(message).collect(),
        _ => Vec::new(),
    }
}

/// Writes the text that Django keeps in the session.
pub(crate) fn to_session(messages: &[Message]) -> String {
    Value::Array(messages.iter().map(Message::to_json).collect()).to_string()
}

fn message(item: &Value) -> Option<Message> {
    let [key, safe, level, text, rest @ ..] = item.as_array()?.as_slice() else { return None };
    if key.as_str() != Some(KEY) {
        return None;
    }
    let safe = safe.as_i64() != Some(0);
    let tags = rest.first().and_then(Value::as_str).map(str::to_owned);
    Some(Message { safe, level: level.as_i64()?, text: text.as_str()?.to_owned(), tags })
}

impl Message {
    fn to_json(&self) -> Value {
        let mut item =
            vec![KEY.into(), u8::from(self.safe).into(), self.level.into(), self.text.clone().into()];
        item.extend(self.tags.clone().map(Value::from));
        Value::Array(item)
    }
}

impl From<Flash> for Message {
    /// Never safe: the text may be anybody's.
    fn from(flash: Flash) -> Self {
        Self { safe: false, level: flash.level.number(), text: flash.text, tags: Some(flash.tags) }
    }
}

impl From<Message> for Flash {
    fn from(message: Message) -> Self {
        let level = FlashLevel::of_number(message.level);
        Self { level, text: message.text, tags: message.tags.unwrap_or_default() }
    }
}

/// The value of the session that holds what did not fit into the cookie.
pub(crate) const IN_SESSION: &str = "_messages";
const KEY: &str = "__json_message";
const NOT_FINISHED: &str = "__messagesnotfinished__";
/// What Django lets a cookie of messages have, so that browsers keep it beside others.
const MOST_BYTES: usize = 2_048;

#[cfg(test)]
mod tests {
    use haechi_core::SecretKey;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn messages(storage: MessageStorage) -> DjangoMessages {
        let key = "oracle-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz";
        let keys = KeyRing::new(SecretKey::shared_with_django(key).unwrap());
        DjangoMessages::new(keys, SecureCookie::shared_with_django("messages").unwrap(), storage)
    }

    fn one(level: i64, text: &str, tags: Option<&str>) -> Message {
        Message { safe: false, level, text: text.to_owned(), tags: tags.map(str::to_owned) }
    }

    /// Made with Django 5.2.19; 6.1.3 makes the same.
    #[test]
    fn cookies_are_djangos() {
        let shared = messages(MessageStorage::Fallback);
        let hi = [one(20, "hi", Some(""))];
        let text =
            "W1siX19qc29uX21lc3NhZ2UiLDAsMjAsImhpIiwiIl1d:1r31eq:OVwRCIoJyjYom_9IJ2s0fvY4VD_-ewS0QoZIuIaQGa0";
        assert_eq!(shared.store(&hi, NOW), Stored { cookie: Some(text.to_owned()), left: Vec::new() });
        assert_eq!(shared.read(text), Part { messages: hi.to_vec(), more: false });
        let two = ".eJyLjlaKj88qzs-Lz00tLk5MT1XSMdQxMdBRskmyy8u30U-yU9JRqlCoVIrVwVRpoGNkqqNUlR9TamCQmqQUGwsAzHYYNw:1r31eq:LqZy_VcrQhAaegUER89QpuuPv_JyPsVDU4cjH7eHznE";
        let mut expected = vec![one(40, "<b>no</b>", Some("x y")), one(25, "zo\u{eb}", None)];
        expected[0].safe = true;
        assert_eq!(shared.read(two), Part { messages: expected.clone(), more: false });
        let again = shared.store(&expected, NOW).cookie.unwrap();
        assert_eq!(shared.read(&again).messages, expected);
    }

    #[test]
    fn what_was_not_signed_holds_no_message() {
        let shared = messages(MessageStorage::Fallback);
        for text in [
            "",
            "x",
            "W1siX19qc29uX21lc3NhZ2UiLDAsMjAsImhpIiwiIl1d:1r31eq:OVwRCIoJyjYom_9IJ2s0fvY4VD_-ewS0QoZIuIaQGa1",
        ] {
            assert_eq!(shared.read(text), Part::default(), "{text}");
        }
    }

    #[test]
    fn a_text_of_ours_is_never_marked_as_html() {
        let flash = Flash { level: FlashLevel::Error, text: "<script>".to_owned(), tags: String::new() };
        let message = Message::from(flash.clone());
        assert!(!message.safe);
        let shared = messages(MessageStorage::Fallback);
        let cookie = shared.store(&[message], NOW).cookie.unwrap();
        let read = shared.read(&cookie).messages;
        assert_eq!(read.into_iter().map(Flash::from).collect::<Vec<_>>(), [flash]);
    }

    #[test]
    fn what_does_not_fit_goes_to_the_session_and_the_oldest_stay() {
        let many: Vec<Message> = (0..60).map(|n| one(20, &noise(n), Some(""))).collect();
        let shared = messages(MessageStorage::Fallback);
        let Stored { cookie, left } = shared.store(&many, NOW);
        let cookie = cookie.unwrap();
        assert!(cookie.len() <= MOST_BYTES && cookie.len() > MOST_BYTES / 2, "{}", cookie.len());
        let Part { messages: kept, more } = shared.read(&cookie);
        assert!(more && !left.is_empty());
        assert_eq!([kept, from_session(&to_session(&left))].concat(), many);
        let alone = messages(MessageStorage::Cookie).store(&many, NOW);
        let newest = shared.read(&alone.cookie.unwrap()).messages;
        assert!(alone.left.is_empty() && many.ends_with(&newest) && !newest.is_empty());
        let kept = messages(MessageStorage::Session).store(&many, NOW);
        assert_eq!(kept, Stored { cookie: None, left: many });
    }

    /// Text that compresses badly.
    fn noise(seed: u64) -> String {
        (0..8u64)
            .map(|n| {
                format!(
                    "{:x}",
                    (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::try_from(n * 7).unwrap())
                        ^ n
                )
            })
            .collect()
    }
}
