//! The `content` of `<meta http-equiv="refresh">`: a delay, then perhaps a URL.

use crate::error::{Code, Error};
use crate::escape::Rule;
use crate::html::is_space;
use crate::url::{Purpose, Url};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refresh {
    /// Digits, up to `;` or `,`.
    Delay,
    /// This many characters of `url=` have been read.
    Prefix(u8),
    /// Behind `url=`; a quote may open.
    Equals,
    Address(Url),
    /// Text that this machine does not read: a value here is refused.
    Other,
}

impl Refresh {
    pub(crate) fn push(&mut self, c: char) {
        let state = std::mem::replace(self, Self::Other);
        *self = match (state, c.to_ascii_lowercase()) {
            (Self::Delay, '0'..='9' | '.') => Self::Delay,
            (Self::Delay, ';' | ',') => Self::Prefix(0),
            (Self::Prefix(0), 'u') => Self::Prefix(1),
            (Self::Prefix(1), 'r') => Self::Prefix(2),
            (Self::Prefix(2), 'l') => Self::Prefix(3),
            (Self::Prefix(3), '=') => Self::Equals,
            (state @ (Self::Delay | Self::Prefix(0 | 3) | Self::Equals), c) if is_space(c) => state,
            (Self::Equals, '"' | '\'') => Self::Address(Url::new(Purpose::Navigation)),
            (Self::Equals, _) => Self::address(Url::new(Purpose::Navigation), c),
            (Self::Address(url), _) => Self::address(url, c),
            _ => Self::Other,
        };
    }

    fn address(mut url: Url, c: char) -> Self {
        url.push(c);
        Self::Address(url)
    }

    pub(crate) fn emit(&mut self) -> Result<Rule, Error> {
        match self {
            Self::Address(url) => url.emit(),
            Self::Equals => {
                let mut url = Url::new(Purpose::Navigation);
                let rule = url.emit();
                *self = Self::Address(url);
                rule
            }
            Self::Delay | Self::Prefix(_) | Self::Other => Err(Error::new(Code::MetaRefresh)),
        }
    }

    pub(crate) fn widen(&mut self) {
        if let Self::Address(url) = self {
            url.widen();
        }
    }

    pub(crate) fn covers(&self, exit: &Self) -> bool {
        match (self, exit) {
            (Self::Address(wide), Self::Address(exit)) => wide.covers(exit),
            _ => true,
        }
    }

    pub(crate) fn join(self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => a.join(b).map(Self::Address),
            (a, b) => (a == *b).then_some(a),
        }
    }
}
