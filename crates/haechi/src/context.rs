//! The data of a page, from whatever serializes.

use haechi_template::value::{self, Value};
use serde::{Serialize, Serializer};

/// Makes the data of a page from names and values; each value is anything that implements [`Serialize`].
///
/// A name alone takes the variable of that name. Values are moved in; write `posts => &posts` to keep one.
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
        $crate::__private::shown($name)
    };
    (@ $name:ident $value:expr) => {
        $crate::__private::shown($value)
    };
}

#[doc(hidden)]
pub fn shown<T: Serialize>(value: T) -> Value {
    Value::from(value::Serde(value))
}

#[doc(hidden)]
pub fn context<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::from_pairs(pairs)
}

/// A value by its serialization. [`context!`] needs it no more: it is here for data put together by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Serde<T>(pub T);

impl<T: Serialize> Serialize for Serde<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
