//! The text of a field, read into the type that a form declares for it.

use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};

/// The decoded text of a field: a text, a number, a truth value, or the name of a variant.
///
/// As `serde_urlencoded` reads it, without writing the form anew to have it parsed once more.
pub(crate) struct FieldValue<'de>(pub(crate) &'de str);

impl<'de> IntoDeserializer<'de, Error> for FieldValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($deserialize:ident $visit:ident,)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.0.parse().map_err(Error::custom)?)
        }
    )*}
}

impl<'de> Deserializer<'de> for FieldValue<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: serde::de::value::StrDeserializer<'de, Error> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    parsed! {
        deserialize_bool visit_bool,
        deserialize_i8 visit_i8,
        deserialize_i16 visit_i16,
        deserialize_i32 visit_i32,
        deserialize_i64 visit_i64,
        deserialize_i128 visit_i128,
        deserialize_u8 visit_u8,
        deserialize_u16 visit_u16,
        deserialize_u32 visit_u32,
        deserialize_u64 visit_u64,
        deserialize_u128 visit_u128,
        deserialize_f32 visit_f32,
        deserialize_f64 visit_f64,
    }

    serde::forward_to_deserialize_any! {
        char str string unit bytes byte_buf unit_struct tuple_struct struct identifier tuple ignored_any seq map
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Mixed(u8),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Stars(u8);

    /// What `serde_urlencoded` makes of the same text, and whether that is anything at all.
    #[track_caller]
    fn check<T: DeserializeOwned + Debug + PartialEq>(text: &str, read: bool) {
        let ours: Option<T> = T::deserialize(FieldValue(text)).ok();
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("field", text).finish();
        let theirs: Option<Vec<(String, T)>> = serde_urlencoded::from_str(&body).ok();
        assert_eq!(ours.as_ref(), theirs.as_ref().map(|fields| &fields[0].1), "{text:?}");
        assert_eq!(ours.is_some(), read, "{text:?}");
    }

    #[test]
    fn a_field_is_read_as_serde_urlencoded_reads_it() {
        check::<String>("a b&=%", true);
        check::<String>("", true);
        check::<Option<String>>("", true);
        check::<Option<u8>>("5", true);
        check::<Option<u8>>("", false);
        check::<u8>("256", false);
        check::<u8>("+5", true);
        check::<i64>("-9223372036854775808", true);
        check::<i64>(" 1", false);
        check::<f64>("1e3", true);
        check::<bool>("true", true);
        check::<bool>("on", false);
        check::<char>("a", true);
        check::<char>("ab", false);
        check::<Stars>("3", true);
        check::<Stars>("300", false);
        check::<Colour>("red", true);
        check::<Colour>("blue", false);
        check::<Colour>("mixed", false);
        check::<Vec<u8>>("1", false);
        check::<(u8, u8)>("1", false);
    }
}
