//! The primary key of a user: a number, or a UUID where the table of a Django has one.

use std::fmt;
use std::str::FromStr;

use haechi_db::{Comparable, FromValue, Link, ToValue, Type, Unreadable, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The primary key of a user, of whichever of the two types that Django's user models have.
///
/// As text it is what Django's `str(pk)` is, in sessions, reset links and the security log: decimal, or a UUID with
/// hyphens. It is a value in statements and a type for columns of your models that point to a user.
///
/// ```
/// use haechi_auth::UserId;
/// let id: UserId = "42".parse()?;
/// assert_eq!(id, 42);
/// let id: UserId = "0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90".parse()?;
/// assert_eq!(id.to_string(), "0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90");
/// assert!("042".parse::<UserId>().is_err());
/// # Ok::<(), haechi_auth::NotUserId>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum UserId {
    /// A number; Django's `AutoField` and `BigAutoField`.
    Int(i64),
    /// A UUID; Django's `UUIDField`.
    Uuid(Uuid),
}

/// A text that is no primary key as we write them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this is no primary key of a user: write a decimal number, or a UUID with hyphens")]
pub struct NotUserId;

impl UserId {
    /// Returns the number, if it is one.
    #[must_use]
    pub fn int(self) -> Option<i64> {
        match self {
            Self::Int(id) => Some(id),
            Self::Uuid(_) => None,
        }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(id) => id.fmt(f),
            Self::Uuid(id) => id.hyphenated().fmt(f),
        }
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for UserId {
    type Err = NotUserId;

    /// Reads what [`Display`](fmt::Display) writes and nothing else: one user has one text.
    fn from_str(text: &str) -> Result<Self, NotUserId> {
        let id = match text.len() {
            UUID_LENGTH => Uuid::try_parse(text).ok().map(Self::Uuid),
            _ => text.parse().ok().map(Self::Int),
        };
        id.filter(|id| id.to_string() == text).ok_or(NotUserId)
    }
}

impl From<i64> for UserId {
    fn from(id: i64) -> Self {
        Self::Int(id)
    }
}

impl From<i32> for UserId {
    fn from(id: i32) -> Self {
        Self::Int(id.into())
    }
}

impl From<Uuid> for UserId {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl PartialEq<i64> for UserId {
    fn eq(&self, other: &i64) -> bool {
        *self == Self::Int(*other)
    }
}

impl PartialEq<Uuid> for UserId {
    fn eq(&self, other: &Uuid) -> bool {
        *self == Self::Uuid(*other)
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(id) => serializer.serialize_i64(*id),
            Self::Uuid(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Int(i64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Int(id) => Ok(Self::Int(id)),
            Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl FromValue for UserId {
    const TYPE: Type = Type::Key;

    fn from_value(value: Value) -> haechi_db::Result<Self> {
        match value {
            Value::Int(id) => Ok(Self::Int(id)),
            // Text: SQLite has no type for them, and Django writes 32 digits.
            value => Uuid::from_value(value).map(Self::Uuid),
        }
    }
}

impl ToValue for UserId {
    fn to_value(self) -> haechi_db::Result<Value> {
        match self {
            Self::Int(id) => id.to_value(),
            Self::Uuid(id) => id.to_value(),
        }
    }
}

impl Comparable for UserId {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        text.parse().map_err(|NotUserId| Unreadable::Value)
    }
}

impl Link for UserId {
    type Key = Self;

    fn key(&self) -> Option<&Self> {
        Some(self)
    }
}

const UUID_LENGTH: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0b1c5a4e-3f7d-4a52-9c36-6f1d2e8b7a90";

    #[test]
    fn a_key_has_one_text_and_nothing_else_is_read() {
        for text in ["0", "1", "-7", "9223372036854775807", "-9223372036854775808", UUID] {
            assert_eq!(text.parse::<UserId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        let upper = UUID.to_uppercase();
        let braced = format!("{{{UUID}}}");
        for text in [
            "",
            " 1",
            "1 ",
            "+1",
            "01",
            "-0",
            "1.0",
            "1_0",
            "0x1",
            "\u{661}",
            "None",
            "9223372036854775808",
            &upper,
            &braced,
            &UUID.replace('-', ""),
            &UUID.replace('0', "g"),
            &UUID.replace('-', "_"),
            &"1".repeat(36),
            &"\u{e9}".repeat(18),
        ] {
            assert_eq!(text.parse::<UserId>(), Err(NotUserId), "{text:?}");
        }
    }

    #[test]
    fn a_key_goes_through_json_and_the_database_unchanged() {
        for (id, json) in [(UserId::from(7), "7".to_owned()), (UUID.parse().unwrap(), format!("\"{UUID}\""))]
        {
            assert_eq!(serde_json::to_string(&id).unwrap(), json);
            assert_eq!(serde_json::from_str::<UserId>(&json).unwrap(), id);
            assert_eq!(UserId::from_value(id.to_value().unwrap()).unwrap(), id);
        }
        let simple = Value::Text(UUID.replace('-', ""));
        assert_eq!(
            UserId::from_value(simple).unwrap(),
            UUID.parse::<Uuid>().unwrap(),
            "as Django writes it on SQLite"
        );
        assert!(UserId::from_value(Value::Text("alice".to_owned())).is_err());
        assert!(serde_json::from_str::<UserId>("\"x\"").is_err());
    }

    #[test]
    fn a_number_and_a_uuid_are_never_the_same_user() {
        let number = UserId::from(i64::from(u32::MAX));
        assert_ne!(number, UserId::Uuid(Uuid::from_u128(u32::MAX.into())));
        assert!(number == i64::from(u32::MAX) && number != 7);
        let uuid = UserId::Uuid(Uuid::max());
        assert!(uuid == Uuid::max() && uuid != Uuid::nil() && uuid != -1 && number != Uuid::nil());
        assert_eq!((number.int(), uuid.int()), (Some(i64::from(u32::MAX)), None));
        assert_eq!((number.key(), uuid.key()), (Some(&number), Some(&uuid)));
    }
}
