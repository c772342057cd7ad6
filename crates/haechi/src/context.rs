//! The data of a page, from whatever serializes.

use haechi_template::value::{self, Value};
use serde::{Serialize, Serializer};

/// Makes the data of a page from names and values; each value is anything that implements [`Serialize`].
///
/// A name alone takes the variable of that name. Values are borrowed.
///
/// # Security
///
/// [`Html`](crate::Html) and its like stay trusted, each in its own language; all else is data, also text that
/// came out of JSON and looks like one of them.
///
/// # Examples
///
/// ```
/// use haechi::{Html, View, context};
///
/// #[derive(serde::Serialize)]
/// struct Post {
///     title: String,
/// }
///
/// async fn home() -> View {
///     let posts = vec![Post { title: "Hello".to_owned() }];
///     View::new("home.html", context! { posts, page => 1, note => Html::literal("<b>new</b>") })
/// }
/// ```
#[macro_export]
macro_rules! context {
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        $crate::__private::context([$((stringify!($name), $crate::context!(@ $name $($value)?))),*])
    };
    (@ $name:ident) => {
        &$name as &dyn $crate::__private::Shown
    };
    (@ $name:ident $value:expr) => {
        &$value as &dyn $crate::__private::Shown
    };
}

/// What a template can show.
#[doc(hidden)]
pub trait Shown {
    fn shown(&self) -> Value;
}

impl<T: Serialize> Shown for T {
    fn shown(&self) -> Value {
        Value::from(value::Serde(self))
    }
}

#[doc(hidden)]
pub fn context<const N: usize>(pairs: [(&'static str, &dyn Shown); N]) -> Value {
    Value::from_pairs(pairs.iter().map(|(name, value)| (*name, value.shown())))
}

/// A value by its serialization. [`context!`] needs it no more: it is here for data put together by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serde<T>(pub T);

impl<T: Serialize> Serialize for Serde<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
