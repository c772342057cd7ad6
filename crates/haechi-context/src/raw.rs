//! Elements whose content HTML reads as text up to their end tag.

use std::fmt;

use crate::css::Css;
use crate::element::Element;
use crate::error::{Code, Error};
use crate::escape::{Escaper, Rule};
use crate::event::Written;
use crate::facts::{Fact, Facts};
use crate::html::is_space;
use crate::js::{Js, Kind};
use crate::language::Language;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Raw {
    pub(crate) element: Element,
    content: Content,
    /// How much of `</name` has been read; it is held back from the language.
    matched: usize,
    /// In a script: how much of `<!--` has been read.
    comment: usize,
    /// In svg or math, where the parser may read the content as markup: it must mean the same both ways.
    pub(crate) dual: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Content {
    /// `<textarea>` and `<title>`: character references count.
    Text {
        /// Right behind `<textarea>`, where the browser drops a line break.
        first: bool,
    },
    Code(Language),
    /// `<xmp>`, `<iframe>` and others: nothing can be escaped.
    Inert,
}

impl Raw {
    pub(crate) fn new(element: Element, facts: &Facts, dual: bool) -> Self {
        let content = match element {
            Element::Textarea | Element::Title => Content::Text { first: element == Element::Textarea },
            Element::Script | Element::Style if dual => Content::Code(Language::Static),
            Element::Style => Content::Code(Language::Css(Css::new())),
            Element::Script => Content::Code(script(facts.said(Fact::Type))),
            _ => Content::Inert,
        };
        Self { element, content, matched: 0, comment: 0, dual }
    }

    /// Takes a character; true if it ended the name of the element's own end tag.
    pub(crate) fn push(&mut self, c: char) -> Result<bool, Error> {
        if self.element == Element::Plaintext {
            return Ok(false);
        }
        let name = self.element.name();
        if self.matched == name.len() + 2 && (is_space(c) || c == '/' || c == '>') {
            if let Content::Code(language) = &self.content {
                language.end()?;
            }
            return Ok(true);
        }
        let lower = c.to_ascii_lowercase();
        if self.expects(lower) {
            self.matched += 1;
            self.watch(c)?;
            return Ok(false);
        }
        if self.dual && self.matched > 0 {
            return Err(Error::with(Code::ForeignRaw, name));
        }
        self.release()?;
        self.watch(c)?;
        if c == '<' {
            self.matched = 1;
            return Ok(false);
        }
        self.feed(c)
    }

    fn expects(&self, lower: char) -> bool {
        match self.matched {
            0 => lower == '<',
            1 => lower == '/',
            n => self.element.name().as_bytes().get(n - 2).is_some_and(|byte| char::from(*byte) == lower),
        }
    }

    /// `<!--` in a script makes the HTML parser ignore the next `</script>` under some conditions.
    fn watch(&mut self, c: char) -> Result<(), Error> {
        if self.element != Element::Script {
            return Ok(());
        }
        self.comment = match (self.comment, c) {
            (_, '<') => 1,
            (1, '!') => 2,
            (2, '-') => 3,
            (3, '-') => return Err(Error::new(Code::ScriptComment)),
            _ => 0,
        };
        Ok(())
    }

    /// Hands what looked like an end tag to the language.
    fn release(&mut self) -> Result<(), Error> {
        let (held, name) = (std::mem::take(&mut self.matched), self.element.name());
        for c in ['<', '/'].into_iter().chain(name.chars()).take(held) {
            self.feed(c)?;
        }
        Ok(())
    }

    fn feed(&mut self, c: char) -> Result<bool, Error> {
        match &mut self.content {
            Content::Text { first } => *first = false,
            Content::Code(language) => language.push(c)?,
            Content::Inert => {}
        }
        Ok(false)
    }

    pub(crate) fn emit(&mut self) -> Result<Escaper, Error> {
        if self.element != Element::Plaintext
            && (self.matched > 1 || self.comment > 1 || (self.dual && self.matched > 0))
        {
            return Err(Error::new(Code::RawCut));
        }
        self.release()?;
        self.comment = 0;
        match &mut self.content {
            Content::Text { first: true } => {
                self.content = Content::Text { first: false };
                Ok(Escaper::new(Rule::TextareaStart, 1))
            }
            Content::Text { first: false } => Ok(Escaper::new(Rule::Plain, 1)),
            Content::Code(Language::Static) => Err(Error::with(Code::StaticRaw, self.element.name())),
            Content::Code(language) => language.emit(),
            Content::Inert => Err(Error::with(Code::RawText, self.element.name())),
        }
    }

    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        if self.matched == 1 && !self.dual {
            self.release()?;
        }
        if let Content::Code(language) = &mut self.content {
            language.settle()?;
        }
        Ok(())
    }

    pub(crate) fn widen(&mut self) {
        match &mut self.content {
            Content::Text { first } => *first = false,
            Content::Code(language) => language.widen(),
            Content::Inert => {}
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        let language = match (&self.content, &exit.content) {
            (Content::Code(wide), Content::Code(exit)) => wide.covers(exit),
            _ => true,
        };
        exit.comment <= self.comment && language
    }

    pub(crate) fn join(mut self, other: &Self) -> Option<Self> {
        let same = self.element == other.element && self.matched == other.matched && self.dual == other.dual;
        if !same {
            return None;
        }
        self.comment = self.comment.max(other.comment);
        self.content = match (self.content, &other.content) {
            (Content::Text { first: a }, Content::Text { first: b }) => Content::Text { first: a && *b },
            (Content::Code(a), Content::Code(b)) => Content::Code(a.join(b)?),
            (a, b) => (a == *b).then_some(a)?,
        };
        Some(self)
    }

    /// Whether characters wait that may become the end tag.
    pub(crate) fn holds_back(&self) -> bool {
        self.matched > 0
    }

    pub(crate) fn language(&self) -> Option<&Language> {
        match &self.content {
            Content::Code(language) => Some(language),
            _ => None,
        }
    }
}

/// The language of a script by its `type`; what the browser does not run may be anything, so no value may stand there.
fn script(kind: &Written) -> Language {
    let kind = match kind {
        Written::Missing => "",
        Written::Static(kind) => kind.trim(),
        Written::Dynamic { .. } => return Language::Static,
    };
    let kind = kind.to_ascii_lowercase();
    let essence = kind.split(';').next().unwrap_or_default().trim_end();
    match essence {
        "" | "module" => Language::Js(Js::new(Kind::Script)),
        _ if JAVASCRIPT_TYPES.contains(&essence) => Language::Js(Js::new(Kind::Script)),
        _ if essence.ends_with("json") => Language::Js(Js::new(Kind::Json)),
        _ => Language::Static,
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.element.name())?;
        match &self.content {
            Content::Text { .. } => f.write_str(" (text)"),
            Content::Code(Language::Js(js)) => write!(f, " (JavaScript, {js})"),
            Content::Code(Language::Css(css)) => write!(f, " (CSS, {css})"),
            Content::Code(_) | Content::Inert => f.write_str(" (no value may stand here)"),
        }
    }
}

const JAVASCRIPT_TYPES: &[&str] = &[
    "application/ecmascript",
    "application/javascript",
    "application/x-ecmascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/javascript",
    "text/javascript1.0",
    "text/javascript1.1",
    "text/javascript1.2",
    "text/javascript1.3",
    "text/javascript1.4",
    "text/javascript1.5",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
    "text/x-javascript",
];
