//! The values that an escaper writes.

use std::borrow::Cow;
use std::fmt;

use crate::entity;

/// A value as the escapers see it.
///
/// Everything is data except the trusted kinds, and each of those is trusted in one language only: in any other
/// place it is text like the rest.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Text from anywhere.
    Text(&'a str),
    /// HTML that the application vouches for.
    Html(&'a str),
    /// A URL that the application vouches for, also as the source of a script.
    Url(&'a str),
    /// A path on this site that the application vouches for: it begins with exactly one `/`.
    Path(&'a str),
    /// A part of a URL that has been percent-encoded already.
    UrlPart(&'a str),
    /// A JavaScript expression that the application vouches for.
    Js(&'a str),
    /// A CSS value that the application vouches for.
    Css(&'a str),
    /// Attributes that the application vouches for, as they stand in a tag.
    Attributes(&'a str),
    /// A whole number.
    Integer(i128),
    /// A number; `null` in JavaScript if it is not finite.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Nothing: the empty text, `null` in JavaScript.
    Null,
    /// A list, a map, or whatever else the caller holds.
    Data(&'a dyn Data),
}

/// Structured data, asked only for what the place needs.
pub trait Data: fmt::Debug {
    /// Returns the data as text, as a template would print it.
    fn text(&self) -> Cow<'_, str>;

    /// Appends the data as JSON; an error is printed as `null`.
    ///
    /// # Errors
    ///
    /// When the data has no JSON form.
    ///
    /// # Security
    ///
    /// The escaper trusts this to be well-formed JSON. What could end a script or an attribute is escaped
    /// afterwards, but text that is not JSON would be code.
    fn json(&self, out: &mut String) -> fmt::Result;

    /// Calls `visit` with every name and value if the data is a map, and says whether it is one.
    fn entries(&self, visit: &mut dyn FnMut(&str, Value<'_>)) -> bool;
}

impl<'a> Value<'a> {
    /// Returns the value as plain text. Trusted HTML becomes text again: its character references are decoded.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match *self {
            Self::Text(s)
            | Self::Url(s)
            | Self::Path(s)
            | Self::UrlPart(s)
            | Self::Js(s)
            | Self::Css(s)
            | Self::Attributes(s) => Cow::Borrowed(s),
            Self::Html(s) if s.contains('&') => Cow::Owned(entity::decode(s)),
            Self::Html(s) => Cow::Borrowed(s),
            Self::Integer(n) => Cow::Owned(n.to_string()),
            Self::Float(n) => Cow::Owned(format!("{n:?}")),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Null => Cow::Borrowed(""),
            Self::Data(data) => data.text(),
        }
    }
}
