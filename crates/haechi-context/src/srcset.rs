//! The candidates of a `srcset`: URLs, each with a descriptor, divided by commas.

use crate::error::Error;
use crate::escape::Rule;
use crate::html::is_space;
use crate::url::{Purpose, Url};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Srcset {
    Start,
    /// A URL that ends in a comma ends its candidate; a comma inside belongs to the URL.
    Address {
        url: Url,
        comma: bool,
    },
    Descriptor,
}

impl Srcset {
    pub(crate) fn push(&mut self, c: char) {
        match self {
            Self::Start if is_space(c) || c == ',' => {}
            Self::Start => {
                let mut url = Url::new(Purpose::Media);
                url.push(c);
                *self = Self::Address { url, comma: false };
            }
            Self::Address { comma: true, .. } if is_space(c) => *self = Self::Start,
            Self::Address { .. } if is_space(c) => *self = Self::Descriptor,
            Self::Address { url, comma } => {
                url.push(c);
                *comma = c == ',';
            }
            Self::Descriptor if c == ',' => *self = Self::Start,
            Self::Descriptor => {}
        }
    }

    pub(crate) fn emit(&mut self) -> Result<Rule, Error> {
        match self {
            Self::Start => {
                *self = Self::Address { url: Url::dynamic(Purpose::Media), comma: false };
                Ok(Rule::Srcset)
            }
            Self::Address { url, comma } => {
                *comma = false;
                // Only these two leave no comma and no space of the value.
                match url.emit()? {
                    Rule::UrlComponent => Ok(Rule::UrlComponent),
                    _ => Ok(Rule::UrlSegment),
                }
            }
            Self::Descriptor => Ok(Rule::NamePart),
        }
    }

    pub(crate) fn widen(&mut self) {
        if let Self::Address { url, .. } = self {
            url.widen();
        }
    }

    pub(crate) fn covers(&self, exit: &Self) -> bool {
        match (self, exit) {
            (Self::Address { url: wide, .. }, Self::Address { url: exit, .. }) => wide.covers(exit),
            _ => true,
        }
    }

    pub(crate) fn join(self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Address { url: a, comma }, Self::Address { url: b, comma: other }) if comma == *other => {
                Some(Self::Address { url: a.join(b)?, comma })
            }
            (a, b) => (a == *b).then_some(a),
        }
    }
}
