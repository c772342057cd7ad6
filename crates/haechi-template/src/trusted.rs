//! Values that are trusted in one language each: `Html`, `SafeUrl`, `SafePath`, `SafeJs`, `SafeCss`, `SafeAttrs`.
//!
//! In any other place such a value is plain text and escaped as that. A handler puts them into its serializable
//! context like any string; data from outside (JSON, forms) can never become one.
//!
//! ```
//! use haechi_template::{Html, SafeUrl};
//! const LOGO: SafeUrl = SafeUrl::literal("https://cdn.example.com/logo.svg"); // checked by the compiler
//! const NOTE: Html = Html::literal("<em>new</em>");
//! # assert_eq!(LOGO.as_str().len(), 32); assert_eq!(NOTE.as_str(), "<em>new</em>");
//! ```

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use serde::{Serialize, Serializer};

macro_rules! trusted {
    ($(#[$doc:meta])* $name:ident, $language:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for Value {
            fn from(trusted: $name) -> Self {
                Language::$language.value(&trusted.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Language::$language.value(&self.0).serialize(serializer)
            }
        }
    };
}

trusted! {
    /// Markup that is written as it is in HTML text, and as its text (tags kept, entities decoded) elsewhere.
    Html, Html
}
trusted! {
    /// A URL that is written as it is where a URL begins, scheme and host included.
    SafeUrl, Url
}
trusted! {
    /// A path on this site, with its query: a URL that leads to no other host, so that a form may post to it.
    SafePath, Path
}
trusted! {
    /// A JavaScript expression, written as it is where an expression may stand.
    SafeJs, Js
}
trusted! {
    /// A CSS value, written as it is inside a declaration.
    SafeCss, Css
}
trusted! {
    /// Attributes with their names, written as they are inside a tag.
    SafeAttrs, Attrs
}

impl Html {
    /// Trusts a literal of the program.
    pub const fn literal(markup: &'static str) -> Self {
        Self(Cow::Borrowed(markup))
    }

    /// Escapes text into markup.
    pub fn text(text: &str) -> Self {
        let mut markup = String::with_capacity(text.len());
        crate::escape::html_text(text, &mut markup);
        Self::new(markup)
    }
}

impl SafeUrl {
    /// Trusts a literal of the program that is a local path or begins with `https://`, `http://`, `mailto:` or
    /// `tel:`.
    ///
    /// # Panics
    ///
    /// If it is not; in a `const` the program then does not compile:
    ///
    /// ```compile_fail
    /// use haechi_template::SafeUrl;
    /// const BAD: SafeUrl = SafeUrl::literal("javascript:alert(1)");
    /// # assert_eq!(BAD.as_str(), "");
    /// ```
    pub const fn literal(url: &'static str) -> Self {
        let bytes = url.as_bytes();
        let known = is_local(bytes)
            || begins(bytes, b"https://")
            || begins(bytes, b"http://")
            || begins(bytes, b"mailto:")
            || begins(bytes, b"tel:");
        assert!(known, "a SafeUrl literal is a path that begins with one `/`, or has a harmless scheme");
        Self(Cow::Borrowed(url))
    }

    /// Makes a URL of a path on this site: one that begins with exactly one `/`, has no backslash and no control
    /// character. Browsers read `//host`, `/\host` and `/<TAB>/host` as another site.
    pub fn local(path: &str) -> Option<Self> {
        SafePath::parse(path).map(Self::from)
    }
}

impl SafePath {
    /// Trusts a literal of the program.
    ///
    /// # Panics
    ///
    /// If it does not begin with exactly one `/`; in a `const` the program then does not compile.
    pub const fn literal(path: &'static str) -> Self {
        let bytes = path.as_bytes();
        assert!(is_local(bytes) && is_printable(bytes), "a SafePath literal begins with exactly one `/`");
        Self(Cow::Borrowed(path))
    }

    /// Accepts a path that begins with exactly one `/` and has no backslash and no control character.
    ///
    /// # Security
    ///
    /// Browsers read `//host`, `/\host` and `/<TAB>/host` as another site. Which path of this site it is, is not
    /// checked.
    pub fn parse(path: &str) -> Option<Self> {
        (is_local(path.as_bytes()) && is_printable(path.as_bytes())).then(|| Self::new(path.to_owned()))
    }
}

impl From<SafePath> for SafeUrl {
    fn from(path: SafePath) -> Self {
        Self(path.0)
    }
}

impl SafeJs {
    /// Writes a value as JSON, which is JavaScript once `<`, `>`, `&`, U+2028 and U+2029 are written as `\u` escapes.
    ///
    /// # Errors
    ///
    /// What the serializer says, for instance of a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self::new(crate::escape::inert_json(&serde_json::to_string(value)?)))
    }
}

/// The language in which a value is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Language {
    Html,
    Url,
    Path,
    Js,
    Css,
    Attrs,
    /// Percent-encoded already, by `|urlencode`.
    UrlPart,
}

impl Language {
    pub(crate) fn value(self, text: &str) -> Value {
        match self {
            Self::Html => Value::from_safe_string(text.to_owned()),
            _ => Value::from_object(Trusted { language: self, text: text.to_owned() }),
        }
    }
}

/// The form of a trusted value inside the engine. Only Rust code can make one.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) language: Language,
    pub(crate) text: String,
}

impl Object for Trusted {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.text.is_empty()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const fn is_local(path: &[u8]) -> bool {
    !path.is_empty() && path[0] == b'/' && (path.len() == 1 || (path[1] != b'/' && path[1] != b'\\'))
}

const fn is_printable(path: &[u8]) -> bool {
    let mut at = 0;
    while at < path.len() {
        if path[at] < b' ' || path[at] == 0x7f || path[at] == b'\\' {
            return false;
        }
        at += 1;
    }
    true
}

const fn begins(text: &[u8], prefix: &[u8]) -> bool {
    let mut at = 0;
    while at < prefix.len() {
        if at >= text.len() || text[at] != prefix[at] {
            return false;
        }
        at += 1;
    }
    true
}
