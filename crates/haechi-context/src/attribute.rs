//! The value of one attribute, from its first character to the one that ends it.

use crate::attributes;
use crate::element::Element;
use crate::entity::{Decoded, Entity, Step};
use crate::error::{Code, Error};
use crate::escape::{Escaper, Rule};
use crate::event::Written;
use crate::facts::{Fact, Facts};
use crate::html::is_space;
use crate::language::Language;
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attribute {
    name: Word,
    quote: Quote,
    entity: Option<Entity>,
    /// Only one of two branches ended in the `&` of `entity`: what follows may not make it a reference.
    entity_doubtful: bool,
    language: Language,
    capture: Option<Capture>,
    /// A value stood here; only `<meta content>` asks.
    dynamic: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Quote {
    Double,
    Single,
    None,
}

/// The static text of a value that the tag, or an event, needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Capture {
    fact: Fact,
    text: String,
    /// The text goes on in a way that is not known.
    dynamic: bool,
    /// The `/` of the text stands for a path on this site.
    path: bool,
}

impl Attribute {
    pub(crate) fn new(element: Element, name: Word, quote: Quote, facts: &Facts) -> Self {
        let language = attributes::language(element, name.as_str(), facts);
        let capture = attributes::fact(element, name.as_str()).map(Capture::new);
        Self { name, quote, entity: None, entity_doubtful: false, language, capture, dynamic: false }
    }

    pub(crate) fn is_ended_by(&self, c: char) -> bool {
        match self.quote {
            Quote::Double => c == '"',
            Quote::Single => c == '\'',
            Quote::None => is_space(c) || c == '>',
        }
    }

    pub(crate) fn push(&mut self, c: char) -> Result<(), Error> {
        if let Some(entity) = &mut self.entity {
            match entity.push(c) {
                Step::Taken => return Ok(()),
                Step::Ended(decoded) => {
                    self.entity = None;
                    return self.feed(decoded);
                }
                Step::Before(decoded) => {
                    self.entity = None;
                    self.feed(decoded)?;
                }
            }
        }
        if self.quote == Quote::None && matches!(c, '"' | '\'' | '<' | '`' | '=') {
            return Err(Error::with(Code::BadHtml, c));
        }
        if c == '&' && (self.language.reads_entities() || self.capture.is_some()) {
            self.entity = Some(Entity::new());
            return Ok(());
        }
        self.feed_char(c)
    }

    fn feed(&mut self, decoded: Decoded) -> Result<(), Error> {
        if std::mem::take(&mut self.entity_doubtful) {
            return match decoded {
                // Its `&` was read where it stood.
                Decoded::Literal(text) => text.chars().skip(1).try_for_each(|c| self.feed_char(c)),
                _ => Err(Error::new(Code::EntityCut)),
            };
        }
        match decoded {
            Decoded::Char(c) => self.feed_char(c),
            Decoded::Literal(text) => text.chars().try_for_each(|c| self.feed_char(c)),
            // In a URL it is some character beyond ASCII, or text; neither moves the machine.
            Decoded::Unknown(name) => match self.language {
                Language::Js(_) | Language::Css(_) | Language::Document(_) => {
                    Err(Error::with(Code::Entity, name.as_str()))
                }
                _ => self.feed_char(char::REPLACEMENT_CHARACTER),
            },
        }
    }

    fn feed_char(&mut self, c: char) -> Result<(), Error> {
        if let Some(capture) = &mut self.capture {
            capture.push(c);
        }
        self.language.push(c)
    }

    pub(crate) fn emit(&mut self) -> Result<Escaper, Error> {
        if self.entity.is_some() {
            return Err(Error::new(Code::EntityCut));
        }
        if self.language == Language::Static {
            return Err(Error::with(Code::StaticAttribute, self.name.as_str()));
        }
        if self.quote == Quote::None && self.language != Language::Plain {
            return Err(Error::with(Code::Unquoted, self.name.as_str()));
        }
        if let Some(capture) = &mut self.capture {
            capture.dynamic = true;
        }
        self.dynamic = true;
        if self.quote == Quote::None {
            return Ok(Escaper::new(Rule::Unquoted, 0));
        }
        self.language.emit().map(Escaper::in_attribute)
    }

    /// The escaper of a path on this site that is the first thing here.
    pub(crate) fn emit_path(&mut self) -> Option<Escaper> {
        let Language::Url(url) = &mut self.language else { return None };
        if self.entity.is_some() || self.quote == Quote::None {
            return None;
        }
        let rule = url.emit_path()?;
        if let Some(capture) = &mut self.capture {
            capture.begin_with_path();
        }
        Some(Escaper::new(rule, 0).in_attribute())
    }

    /// Ends the value and writes what it said into the tag's facts.
    pub(crate) fn end(mut self, element: Element, facts: &mut Facts) -> Result<(), Error> {
        if let Some(entity) = self.entity.take() {
            self.feed(entity.end(None))?;
        }
        self.language.end()?;
        if element == Element::Meta && self.name.as_str() == "content" && self.dynamic {
            facts.dynamic_content = true;
        }
        if let Some(capture) = self.capture {
            if capture.fact == Fact::HttpEquiv && facts.dynamic_content {
                return Err(Error::new(Code::MetaOrder));
            }
            let (fact, written) = (capture.fact, capture.written());
            let begins_with_a_value = written == Written::Dynamic { prefix: String::new() };
            if element == Element::Link && begins_with_a_value && *facts.said(Fact::Rel) == Written::Missing {
                facts.early_address = true;
            }
            facts.record(fact, written);
        }
        Ok(())
    }

    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        self.language.settle()
    }

    pub(crate) fn widen(&mut self) {
        self.language.widen();
        if let Some(capture) = &mut self.capture {
            capture.forget_slash();
        }
        self.dynamic = true;
    }

    pub(crate) fn covers(&self, exit: &Self) -> bool {
        self.language.covers(&exit.language)
    }

    pub(crate) fn join(mut self, other: &Self) -> Option<Self> {
        if self.name != other.name || self.quote != other.quote {
            return None;
        }
        let mut other = other.clone();
        if self.entity != other.entity {
            self.doubt_ampersand()?;
            other.doubt_ampersand()?;
            self.entity = Some(Entity::new());
            self.entity_doubtful = true;
        } else if self.entity_doubtful != other.entity_doubtful {
            return None;
        }
        self.language = self.language.join(&other.language)?;
        self.dynamic |= other.dynamic;
        if let (Some(a), Some(b)) = (&mut self.capture, &other.capture) {
            a.join(b);
        }
        Some(self)
    }

    /// Reads an `&` as the character that it most likely is; half a reference stays one.
    fn doubt_ampersand(&mut self) -> Option<()> {
        if let Some(entity) = self.entity.take() {
            if entity != Entity::new() {
                return None;
            }
            if !self.entity_doubtful {
                self.feed_char('&').ok()?;
            }
        }
        Some(())
    }

    pub(crate) fn describe(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = &self.name;
        match &self.language {
            Language::Plain => write!(f, "attribute `{name}`"),
            Language::Static => write!(f, "attribute `{name}` (must be static)"),
            Language::Url(url) => write!(f, "URL attribute `{name}` ({url})"),
            Language::Js(js) => write!(f, "JavaScript attribute `{name}` ({js})"),
            Language::Css(css) => write!(f, "CSS attribute `{name}` ({css})"),
            Language::Srcset(_) => write!(f, "image list attribute `{name}`"),
            Language::Refresh(_) => write!(f, "refresh attribute `{name}`"),
            Language::Document(inner) => write!(f, "document attribute `{name}` ({inner})"),
        }
    }
}

impl Capture {
    fn new(fact: Fact) -> Self {
        Self { fact, text: String::new(), dynamic: false, path: false }
    }

    fn push(&mut self, c: char) {
        if self.text.len() >= LONGEST {
            self.dynamic = true;
        }
        if !self.dynamic {
            self.text.push(c);
        }
    }

    fn join(&mut self, other: &Self) {
        if self != other {
            let before = self.text.clone();
            let same = self.text.chars().zip(other.text.chars()).take_while(|(a, b)| a == b);
            self.text.truncate(same.map(|(c, _)| c.len_utf8()).sum());
            self.dynamic = true;
            self.path |= other.path;
            let second = [&before, &other.text].map(|text| text[self.text.len()..].chars().next());
            if second.iter().any(|second| matches!(second, None | Some('/' | '\\'))) {
                self.forget_slash();
            }
        }
    }

    /// A path that is not known stands at the start, at least a `/`.
    fn begin_with_path(&mut self) {
        self.text = "/".into();
        self.path = true;
    }

    /// What follows is not known and may be another slash: the first one says nothing.
    fn forget_slash(&mut self) {
        self.dynamic = true;
        if self.text.trim_start() == "/" {
            self.text.clear();
        }
    }

    fn written(self) -> Written {
        if self.dynamic || self.path {
            Written::Dynamic { prefix: self.text }
        } else {
            Written::Static(self.text)
        }
    }
}

/// A longer address is not kept: it counts as dynamic.
const LONGEST: usize = 2048;
