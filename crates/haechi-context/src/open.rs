//! The open elements that change how a browser reads what stands in them.

use crate::element::Element;
use crate::error::{Code, Error};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Open {
    /// `<svg>` and `<math>`.
    pub(crate) foreign: Vec<Element>,
    /// In `<noscript>`: how much of its end tag has been read. A browser that runs scripts reads all up to that as
    /// text, one that does not reads markup, and both must find the same end.
    noscript: Option<usize>,
}

impl Open {
    pub(crate) fn start(&mut self, element: Element, closed: bool) {
        match element {
            Element::Svg | Element::Math if !closed => self.foreign.push(element),
            Element::Noscript => self.noscript = Some(0),
            _ => {}
        }
    }

    pub(crate) fn end(&mut self, element: Element) {
        // An end tag that does not match may be ignored by the parser: then it is foreign still.
        if self.foreign.last() == Some(&element) {
            self.foreign.pop();
        }
        if element == Element::Noscript {
            self.noscript = None;
        }
    }

    /// Takes a character that has been read; `in_end_tag` if it belongs to the name of an end tag.
    pub(crate) fn watch(&mut self, c: char, in_end_tag: bool) -> Result<(), Error> {
        let Some(matched) = &mut self.noscript else { return Ok(()) };
        let expected = NOSCRIPT_END.get(*matched).copied().map(char::from);
        *matched = match (expected, c.to_ascii_lowercase()) {
            (Some(expected), c) if c == expected => *matched + 1,
            (_, '<') => 1,
            _ => 0,
        };
        if *matched == NOSCRIPT_END.len() && !in_end_tag {
            return Err(Error::new(Code::Noscript));
        }
        Ok(())
    }

    /// Takes text without a `<`.
    pub(crate) fn skip(&mut self) {
        self.noscript = self.noscript.map(|_| 0);
    }

    /// Takes a value, which could complete what has been read.
    pub(crate) fn emit(&mut self) -> Result<(), Error> {
        if self.noscript.is_some_and(|matched| matched > 0) {
            return Err(Error::new(Code::RawCut));
        }
        self.skip();
        Ok(())
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        exit.noscript <= self.noscript
    }

    pub(crate) fn join(self, other: &Self) -> Option<Self> {
        // In doubt the end tag is watched for: that refuses more, and escapes nothing differently.
        let noscript = self.noscript.max(other.noscript);
        (self.foreign == other.foreign).then_some(Self { noscript, ..self })
    }
}

const NOSCRIPT_END: &[u8] = b"</noscript";
