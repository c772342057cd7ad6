//! Inside a tag, from its first letter to `>`.

use std::fmt;

use crate::attribute::{Attribute, Quote};
use crate::attributes;
use crate::element::Element;
use crate::error::{Code, Error};
use crate::escape::{Escaper, Rule};
use crate::event::{AssetElement, CodeElement, EventKind, Method, Sink, Written};
use crate::facts::{Fact, Facts};
use crate::html::is_space;
use crate::language::Language;
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tag {
    pub(crate) element: Element,
    pub(crate) end: bool,
    /// A `/` is the last character: in svg and math it would close the element.
    pub(crate) slash: bool,
    pub(crate) facts: Facts,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Name(Word),
    /// Between attributes; `glued` if a name may have been written right before.
    Between {
        glued: bool,
    },
    AttributeName {
        name: Word,
        dynamic: bool,
    },
    AfterName(Word),
    BeforeValue(Word),
    Value(Box<Attribute>),
}

/// Whether the tag goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    Closed,
}

impl Tag {
    pub(crate) fn new(first: char, end: bool) -> Self {
        Self {
            element: Element::Other,
            end,
            slash: false,
            facts: Facts::default(),
            place: Place::Name(Word::of(first.to_ascii_lowercase())),
        }
    }

    /// The rest of an end tag whose name has been read.
    pub(crate) fn ending(element: Element) -> Self {
        Self {
            element,
            end: true,
            slash: false,
            facts: Facts::default(),
            place: Place::Between { glued: false },
        }
    }

    pub(crate) fn push(&mut self, c: char, sink: &mut Sink<'_>) -> Result<Progress, Error> {
        match &mut self.place {
            Place::Name(name) => {
                if !is_space(c) && c != '/' && c != '>' {
                    name.push(c.to_ascii_lowercase());
                    return Ok(Progress::Open);
                }
                self.element = Element::named(name.as_str());
                self.place = Place::Between { glued: false };
                self.push(c, sink)
            }
            Place::Between { glued } => {
                let glued = *glued;
                self.between(c, glued, sink)
            }
            Place::AttributeName { .. } => self.attribute_name(c, sink),
            Place::AfterName(_) if is_space(c) => Ok(Progress::Open),
            Place::AfterName(name) if c == '=' => {
                self.place = Place::BeforeValue(std::mem::take(name));
                Ok(Progress::Open)
            }
            Place::AfterName(_) => {
                self.finish_name();
                self.push(c, sink)
            }
            Place::BeforeValue(_) => self.before_value(c, sink),
            Place::Value(value) => {
                if !value.is_ended_by(c) {
                    value.push(c)?;
                    return Ok(Progress::Open);
                }
                let Place::Value(value) = std::mem::replace(&mut self.place, Place::Between { glued: false })
                else {
                    return Ok(Progress::Open);
                };
                value.end(self.element, &mut self.facts)?;
                if c == '>' { self.push(c, sink) } else { Ok(Progress::Open) }
            }
        }
    }

    fn between(&mut self, c: char, glued: bool, sink: &mut Sink<'_>) -> Result<Progress, Error> {
        self.place = Place::Between { glued: false };
        match c {
            '>' => {
                self.report(sink);
                return Ok(Progress::Closed);
            }
            '/' => self.slash = true,
            c if is_space(c) => self.slash = false,
            '=' | '"' | '\'' | '<' => return Err(Error::with(Code::BadHtml, c)),
            _ if glued => return Err(Error::new(Code::TokenCut)),
            c => {
                self.slash = false;
                self.place = Place::AttributeName { name: Word::of(c.to_ascii_lowercase()), dynamic: false };
            }
        }
        Ok(Progress::Open)
    }

    fn attribute_name(&mut self, c: char, sink: &mut Sink<'_>) -> Result<Progress, Error> {
        let Place::AttributeName { name, dynamic } = &mut self.place else { return Ok(Progress::Open) };
        match c {
            '"' | '\'' | '<' => return Err(Error::with(Code::BadHtml, c)),
            '=' | '/' | '>' => {}
            c if is_space(c) => {}
            c => {
                name.push(c.to_ascii_lowercase());
                return Ok(Progress::Open);
            }
        }
        // Whatever the value made of the name, it is one of the harmless ones.
        let name = if *dynamic { Word::from("aria-") } else { std::mem::take(name) };
        self.place = Place::AfterName(name);
        self.push(c, sink)
    }

    fn before_value(&mut self, c: char, sink: &mut Sink<'_>) -> Result<Progress, Error> {
        let Place::BeforeValue(name) = &mut self.place else { return Ok(Progress::Open) };
        let quote = match c {
            c if is_space(c) => return Ok(Progress::Open),
            // An attribute inserted here would become the value.
            '>' => return Err(Error::with(Code::BadHtml, c)),
            '"' => Quote::Double,
            '\'' => Quote::Single,
            _ => Quote::None,
        };
        let name = std::mem::take(name);
        self.begin_value(name, quote, Some(sink));
        if quote == Quote::None { self.push(c, sink) } else { Ok(Progress::Open) }
    }

    fn begin_value(&mut self, name: Word, quote: Quote, sink: Option<&mut Sink<'_>>) {
        match name.as_str() {
            "nonce" => self.facts.nonce = true,
            "integrity" => self.facts.integrity = true,
            handler if handler.starts_with("on") && !self.end => {
                if let Some(sink) = sink {
                    sink.here(EventKind::Handler { attribute: handler.to_owned() });
                }
            }
            _ => {}
        }
        self.place = Place::Value(Box::new(Attribute::new(self.element, name, quote, &self.facts)));
    }

    /// An attribute without a value has ended.
    fn finish_name(&mut self) {
        let place = std::mem::replace(&mut self.place, Place::Between { glued: false });
        let (Place::AfterName(name) | Place::AttributeName { name, dynamic: false }) = place else { return };
        if name.as_str() == "nonce" {
            self.facts.nonce = true;
        }
        if let Some(fact) = attributes::fact(self.element, name.as_str()) {
            self.facts.record(fact, Written::Static(String::new()));
        }
    }

    pub(crate) fn emit(&mut self) -> Result<Escaper, Error> {
        match &mut self.place {
            Place::Name(_) => Err(Error::new(Code::DynamicTag)),
            Place::Between { glued: true } => Err(Error::new(Code::TokenCut)),
            Place::Between { glued: false } => self.spread(),
            Place::AfterName(_) => {
                self.finish_name();
                self.spread()
            }
            Place::AttributeName { name, dynamic } => {
                if *dynamic || !may_end_in_a_value(name.as_str(), self.element, &self.facts) {
                    return Err(Error::with(Code::DynamicAttributeName, name.as_str()));
                }
                *dynamic = true;
                Ok(Escaper::new(Rule::NamePart, 0))
            }
            Place::BeforeValue(name) => {
                let name = std::mem::take(name);
                self.begin_value(name, Quote::None, None);
                self.emit()
            }
            Place::Value(value) => value.emit(),
        }
    }

    pub(crate) fn emit_path(&mut self) -> Option<Escaper> {
        match &mut self.place {
            Place::Value(value) => value.emit_path(),
            _ => None,
        }
    }

    fn spread(&mut self) -> Result<Escaper, Error> {
        if self.element.refuses_spread() {
            return Err(Error::with(Code::AttributeSpread, self.element.name()));
        }
        self.slash = false;
        self.place = Place::Between { glued: true };
        Ok(Escaper::new(Rule::Attributes, 0))
    }

    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        match &mut self.place {
            Place::Name(name) => self.element = Element::named(name.as_str()),
            Place::AttributeName { .. } | Place::AfterName(_) => self.finish_name(),
            Place::Value(value) => return value.settle(),
            Place::Between { .. } | Place::BeforeValue(_) => return Ok(()),
        }
        self.place = Place::Between { glued: true };
        Ok(())
    }

    pub(crate) fn widen(&mut self) {
        match &mut self.place {
            Place::Between { glued } => {
                *glued = true;
                self.slash = false;
                // An override of the block may have written any attribute: nothing said later is the first.
                self.facts.forget(self.element);
            }
            Place::Value(value) => value.widen(),
            _ => {}
        }
    }

    pub(crate) fn covers(&self, exit: &Self) -> bool {
        match (&self.place, &exit.place) {
            (Place::Value(wide), Place::Value(exit)) => wide.covers(exit),
            _ => true,
        }
    }

    pub(crate) fn join(mut self, other: &Self) -> Option<Self> {
        if self.element != other.element || self.end != other.end {
            return None;
        }
        self.place = match (self.place, &other.place) {
            (Place::Between { glued: a }, Place::Between { glued: b }) => Place::Between { glued: a || *b },
            (Place::Value(a), Place::Value(b)) => Place::Value(Box::new(a.join(b)?)),
            (a, b) => (a == *b).then_some(a)?,
        };
        self.slash = self.slash && other.slash;
        self.facts = self.facts.join(&other.facts);
        Some(self)
    }

    pub(crate) fn in_name(&self) -> bool {
        matches!(self.place, Place::Name(_))
    }

    pub(crate) fn in_value(&self) -> bool {
        matches!(self.place, Place::BeforeValue(_) | Place::Value(_))
    }

    fn report(&self, sink: &mut Sink<'_>) {
        if self.end {
            return;
        }
        let (nonce, integrity) = (self.facts.nonce, self.facts.integrity);
        match self.element {
            Element::Script | Element::Style => {
                let element =
                    if self.element == Element::Script { CodeElement::Script } else { CodeElement::Style };
                sink.tag(self.slash, EventKind::Code { element, nonce });
            }
            Element::Form => sink.behind(EventKind::Form {
                method: self.facts.method(Fact::Method).unwrap_or(Method::Get),
                action: self.facts.said(Fact::Action).clone(),
            }),
            Element::Button | Element::Input => self.report_button(sink),
            Element::Link
                if self.facts.early_address && attributes::is_harmless(self.facts.said(Fact::Rel)) =>
            {
                sink.tag(self.slash, EventKind::LateRel);
            }
            _ => {}
        }
        let address = self.facts.said(Fact::Source).clone();
        if let (Some(element), true) = (self.asset(), address != Written::Missing) {
            sink.tag(self.slash, EventKind::Asset { element, address, integrity, nonce });
        }
        let new_window = match self.facts.said(Fact::Target) {
            Written::Missing => false,
            Written::Static(target) => target.eq_ignore_ascii_case("_blank"),
            Written::Dynamic { .. } => true,
        };
        if new_window {
            sink.tag(self.slash, EventKind::NewWindow { rel: self.facts.said(Fact::Rel).clone() });
        }
    }

    fn report_button(&self, sink: &mut Sink<'_>) {
        let method = self.facts.method(Fact::FormMethod);
        let action = self.facts.said(Fact::FormAction).clone();
        if method.is_some() || action != Written::Missing {
            sink.tag(self.slash, EventKind::Button { method, action });
        }
    }

    fn asset(&self) -> Option<AssetElement> {
        let Written::Static(rel) = self.facts.said(Fact::Rel) else {
            return (self.element == Element::Script).then_some(AssetElement::Script);
        };
        let has = |word: &str| rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case(word));
        match self.element {
            Element::Script => Some(AssetElement::Script),
            Element::Link if has("stylesheet") => Some(AssetElement::Stylesheet),
            Element::Link if has("preload") || has("modulepreload") => Some(AssetElement::Preload),
            _ => None,
        }
    }
}

/// `data-` and `aria-` names are data, except those that a client library runs; a value must not complete one.
fn may_end_in_a_value(name: &str, element: Element, facts: &Facts) -> bool {
    (name.starts_with("data-") || name.starts_with("aria-"))
        && name.ends_with('-')
        && !name.starts_with("data-hx-")
        && attributes::language(element, name, facts) == Language::Plain
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) => write!(f, "the tag name `{name}`"),
            Place::AttributeName { name, .. } => write!(f, "the attribute name `{name}`"),
            Place::BeforeValue(name) => write!(f, "attribute `{name}` (before its value)"),
            Place::Value(value) => value.describe(f),
            Place::Between { .. } | Place::AfterName(_) => match self.element {
                Element::Other => f.write_str("a tag, between attributes"),
                element => write!(f, "the tag <{}>, between attributes", element.name()),
            },
        }
    }
}
