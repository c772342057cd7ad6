//! The place where a template stands.

use std::fmt;

use crate::error::{Code, Error};
use crate::escape::Escaper;
use crate::event::{Event, Sink};
use crate::html::Html;
use crate::language::Language;
use crate::open::Open;

/// The complete state of the machine at one point of a template.
///
/// Everything is in it, also tokens that are only half read, so a template may be cut at any character. After an
/// error the state says nothing.
///
/// # Examples
///
/// ```
/// use haechi_context::{Context, Value};
///
/// let mut context = Context::html();
/// context.advance("<a href=\"/search?q=")?;
/// assert_eq!(context.to_string(), "URL attribute `href` (query)");
///
/// let escaper = context.emit()?;
/// let mut out = String::new();
/// escaper.escape(&Value::Text("a&b=\""), &mut out);
/// assert_eq!(out, "a%26b%3D%22");
/// # Ok::<(), haechi_context::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    html: Html,
    open: Open,
}

impl Context {
    /// The start of an HTML file.
    #[must_use]
    pub fn html() -> Self {
        Self { html: Html::Text, open: Open::default() }
    }

    /// A file that is not HTML and has no escaping, such as the text of a mail.
    #[must_use]
    pub fn text() -> Self {
        Self { html: Html::Unescaped, open: Open::default() }
    }

    /// Reads text of the template and returns what it found for [events](crate::EventKind).
    ///
    /// # Errors
    ///
    /// When a value behind this text could not be escaped, or a browser could read the text in two ways;
    /// [`Error::offset`] is the byte in `text`.
    pub fn advance(&mut self, text: &str) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut offset = 0;
        while let Some(c) = text[offset..].chars().next() {
            if self.html == Html::Text && c != '<' {
                self.open.skip();
                match text[offset..].find('<') {
                    Some(skipped) => offset += skipped,
                    None => break,
                }
                continue;
            }
            let mut sink = Sink { events: &mut events, text, offset };
            self.html.push(c, &mut self.open, &mut sink).map_err(|error| error.at(offset))?;
            self.open.watch(c, self.html.is_end_tag_name()).map_err(|error| error.at(offset))?;
            offset += c.len_utf8();
        }
        Ok(events)
    }

    /// Returns the escaper for a value that stands here, and moves behind the value.
    ///
    /// # Errors
    ///
    /// When no escaper makes a value safe here.
    pub fn emit(&mut self) -> Result<Escaper, Error> {
        self.open.emit()?;
        self.html.emit()
    }

    /// As [`emit`](Self::emit), for a value that is [`Value::Path`](crate::Value::Path) if it is anything: where a URL
    /// begins, the escaper writes no other, and a form whose action it begins stays on this site.
    ///
    /// # Errors
    ///
    /// As [`emit`](Self::emit).
    pub fn emit_path(&mut self) -> Result<Escaper, Error> {
        self.open.emit()?;
        match self.html.emit_path() {
            Some(escaper) => Ok(escaper),
            None => self.emit(),
        }
    }

    /// Returns the context behind two branches.
    ///
    /// # Errors
    ///
    /// When the branches end in different contexts.
    pub fn join(&self, other: &Self) -> Result<Self, Error> {
        if self == other {
            return Ok(self.clone());
        }
        let (mut a, mut b) = (self.clone(), other.clone());
        a.settle()?;
        b.settle()?;
        let mismatch = || Error::with(Code::BranchMismatch, format_args!("{self} and {other}"));
        let open = a.open.join(&b.open).ok_or_else(mismatch)?;
        let html = a.html.join(&b.html).ok_or_else(mismatch)?;
        Ok(Self { html, open })
    }

    /// Returns the context behind a block that starts here, whatever an override of it may hold: it depends on the
    /// start only.
    #[must_use]
    pub fn widen(&self) -> Self {
        let mut wide = self.clone();
        if wide.settle().is_err() {
            // A slash that cannot be told stays undecided; what follows it is refused.
            wide = self.clone();
        }
        wide.html.widen();
        wide
    }

    /// Whether this, the exit of a block by [`widen`](Self::widen), is right for an override that ends in `exit`: the
    /// two join, and nothing that `exit` left half written changes what may follow.
    #[must_use]
    pub fn covers(&self, exit: &Self) -> bool {
        let mut settled = exit.clone();
        self.join(exit).is_ok()
            && settled.settle().is_ok()
            && self.html.covers(&settled.html)
            && self.open.covers(&settled.open)
    }

    /// Decides what waits for the next character, because a template tag stands here.
    ///
    /// # Errors
    ///
    /// When it cannot be decided.
    pub fn settle(&mut self) -> Result<(), Error> {
        self.html.settle()
    }

    /// Whether this is HTML text, where whole tags may follow.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.html == Html::Text
    }

    /// Whether this is a file without escaping.
    #[must_use]
    pub fn is_unescaped(&self) -> bool {
        self.html == Html::Unescaped
    }

    /// Checks that a file may end here.
    ///
    /// # Errors
    ///
    /// When a tag, a quote or an element is open.
    pub fn at_end(&self) -> Result<(), Error> {
        if self.is_text() || self.is_unescaped() {
            return Ok(());
        }
        Err(Error::with(Code::EndContext, self))
    }

    /// A name for tests that compare this machine with a parser.
    #[doc(hidden)]
    #[must_use]
    pub fn place(&self) -> Place {
        match &self.html {
            Html::Unescaped | Html::Text => Place::Text,
            Html::LessThan | Html::EndLessThan => Place::LessThan,
            Html::Declaration { .. } | Html::Bogus | Html::Comment(_) => Place::Comment,
            Html::Tag(tag) if tag.in_value() => Place::Value,
            Html::Tag(_) => Place::Tag,
            Html::Raw(raw) if raw.holds_back() => Place::LessThan,
            Html::Raw(raw) => match raw.language() {
                Some(Language::Js(js)) => js.place(),
                _ => Place::Raw,
            },
        }
    }
}

/// What a parser would call the place.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Text,
    LessThan,
    Comment,
    Tag,
    Value,
    Raw,
    JsCode,
    JsString,
    JsTemplate,
    JsRegex,
    JsComment,
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.html.fmt(f)
    }
}
