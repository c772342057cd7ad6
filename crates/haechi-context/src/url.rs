//! Where in a URL a value stands: at the start, where it may choose the scheme, or behind it.

use std::fmt;

use crate::error::{Code, Error};
use crate::escape::Rule;
use crate::word::Word;

/// The state of a URL and what the browser does with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Url {
    part: Part,
    purpose: Purpose,
}

/// What the browser does with the URL: the more it can do, the less a value may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    Navigation,
    /// Where a form goes, with what its user wrote.
    Action,
    Media,
    Frame,
    /// `values` and its like: a list, divided by `;`, of what an animation writes into an attribute.
    Animation,
    /// Code, style or a base for other URLs: whoever chooses the host owns the page.
    Resource,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Start,
    /// Characters that may still turn out to be a scheme.
    Scheme(Word),
    /// One slash: a second one would start a host.
    Slash,
    /// After `https:` and this many slashes.
    Colon(u8),
    Authority,
    Path,
    Query,
    Fragment,
    /// After a value that stood at the start.
    Dynamic,
    /// `mailto:` and its like.
    Opaque,
    /// A scheme that can hold code.
    Code(Word),
    /// Branches ended in different parts.
    Unknown,
}

impl Url {
    pub(crate) fn new(purpose: Purpose) -> Self {
        Self { part: Part::Start, purpose }
    }

    /// A URL whose start has been written by a value.
    pub(crate) fn dynamic(purpose: Purpose) -> Self {
        Self { part: Part::Dynamic, purpose }
    }

    pub(crate) fn push(&mut self, c: char) {
        if self.purpose == Purpose::Animation && c == ';' {
            self.part = Part::Start;
            return;
        }
        let part = std::mem::replace(&mut self.part, Part::Unknown);
        self.part = part.after(c);
    }

    pub(crate) fn emit(&mut self) -> Result<Rule, Error> {
        let resource = self.purpose == Purpose::Resource;
        let path = if resource { Rule::UrlPathResource } else { Rule::UrlPath };
        let (rule, next) = match &self.part {
            Part::Start => (self.start(), Part::Dynamic),
            // Two values side by side could together name another host.
            Part::Dynamic if resource => return Err(Error::new(Code::ResourceHost)),
            Part::Scheme(_) if resource => (path, Part::Path),
            Part::Scheme(_) | Part::Dynamic => (Rule::UrlSegment, Part::Dynamic),
            Part::Slash if resource => (Rule::UrlFirstResource, Part::Path),
            // Empty, and with a `/` behind it, the value would make a host of what follows.
            Part::Slash if self.purpose == Purpose::Action => (Rule::UrlFirst, Part::Path),
            Part::Slash => (Rule::UrlPathStart, Part::Path),
            Part::Colon(0 | 1) => return Err(Error::new(Code::UrlAuthority)),
            Part::Colon(_) | Part::Authority if resource => return Err(Error::new(Code::ResourceHost)),
            Part::Colon(_) | Part::Authority => (Rule::UrlHost, Part::Authority),
            Part::Path => (path, Part::Path),
            Part::Query => (Rule::UrlComponent, Part::Query),
            Part::Fragment => (Rule::UrlComponent, Part::Fragment),
            Part::Opaque => (Rule::UrlOpaque, Part::Opaque),
            Part::Code(scheme) => return Err(Error::with(Code::UrlScheme, scheme.as_str())),
            Part::Unknown => return Err(Error::new(Code::UrlAmbiguous)),
        };
        self.part = next;
        // A path may hold `;` and `:`, and would begin another URL of the list.
        Ok(match rule {
            Rule::UrlPath if self.purpose == Purpose::Animation => Rule::UrlSegment,
            Rule::UrlPathStart if self.purpose == Purpose::Animation => Rule::UrlComponent,
            rule => rule,
        })
    }

    /// The rule of a path on this site that is the first thing here; none if it is not the first.
    pub(crate) fn emit_path(&mut self) -> Option<Rule> {
        if self.part != Part::Start || self.purpose == Purpose::Animation {
            return None;
        }
        // It may be a `/` alone.
        self.part = Part::Slash;
        Some(Rule::UrlLocal)
    }

    fn start(&self) -> Rule {
        match self.purpose {
            Purpose::Navigation | Purpose::Action => Rule::UrlNavigation,
            Purpose::Media => Rule::UrlMedia,
            Purpose::Frame => Rule::UrlFrame,
            Purpose::Animation => Rule::UrlAnimation,
            Purpose::Resource => Rule::UrlResource,
        }
    }

    /// Checks that no value chose the scheme: `{{ x }}:f()` runs what follows if it is `javascript`.
    pub(crate) fn end(&self) -> Result<(), Error> {
        match &self.part {
            Part::Code(scheme) if scheme.as_str() == ANY_SCHEME => {
                Err(Error::with(Code::UrlScheme, scheme.as_str()))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Forgets the part: whatever follows must not depend on it. A scheme that can hold code is not forgotten.
    pub(crate) fn widen(&mut self) {
        if !matches!(self.part, Part::Code(_)) {
            self.part = Part::Unknown;
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        matches!(self.part, Part::Code(_)) || !matches!(exit.part, Part::Code(_))
    }

    pub(crate) fn join(mut self, other: &Self) -> Option<Self> {
        if self.purpose != other.purpose {
            return None;
        }
        if self.part != other.part {
            // `javascript:` of one branch would decode what the other only encodes.
            let code = [&self.part, &other.part].into_iter().find(|part| matches!(part, Part::Code(_)));
            self.part = code.cloned().unwrap_or(Part::Unknown);
        }
        Some(self)
    }
}

impl Part {
    fn after(self, c: char) -> Self {
        match (self, c) {
            // The URL parser takes tabs and line ends out wherever they stand.
            (part, '\t' | '\n' | '\r') => part,
            (Self::Start, c) if c <= ' ' => Self::Start,
            (Self::Start, '/' | '\\') => Self::Slash,
            (Self::Start, ':') => Self::Code(Word::default()),
            (Self::Start | Self::Scheme(_) | Self::Slash | Self::Colon(_), '?') => Self::Query,
            (Self::Start | Self::Scheme(_) | Self::Slash | Self::Colon(_), '#') => Self::Fragment,
            (Self::Start, c) => Self::Scheme(Word::of(c.to_ascii_lowercase())),
            (Self::Scheme(word), ':') => Self::after_scheme(word),
            (Self::Scheme(_), '/' | '\\') => Self::Path,
            (Self::Scheme(mut word), c) => {
                word.push(c.to_ascii_lowercase());
                Self::Scheme(word)
            }
            (Self::Slash, '/' | '\\') => Self::Authority,
            (Self::Slash, _) => Self::Path,
            (Self::Colon(slashes), '/' | '\\') => Self::Colon(slashes.saturating_add(1).min(2)),
            (Self::Colon(_), _) => Self::Authority,
            (Self::Authority, '/' | '\\') => Self::Path,
            // The value may have been empty: `{{ base }}/{{ path }}` must not become `//evil.example`.
            (Self::Dynamic, '/' | '\\') => Self::Slash,
            (Self::Dynamic | Self::Unknown, ':') => Self::Code(Word::from(ANY_SCHEME)),
            (Self::Authority | Self::Path | Self::Dynamic, '?') => Self::Query,
            (Self::Authority | Self::Path | Self::Dynamic | Self::Query, '#') => Self::Fragment,
            // Behind either of them only a component can stand, and both encode alike.
            (Self::Unknown, '?' | '#') => Self::Query,
            (part, _) => part,
        }
    }

    fn after_scheme(scheme: Word) -> Self {
        match scheme.as_str() {
            "http" | "https" | "ftp" | "ws" | "wss" => Self::Colon(0),
            "mailto" | "tel" | "sms" | "xmpp" | "geo" | "webcal" => Self::Opaque,
            _ => Self::Code(scheme),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.part {
            Part::Start => "start",
            Part::Scheme(_) => "first segment",
            Part::Slash => "after the first slash",
            Part::Colon(_) => "after the scheme",
            Part::Authority => "host",
            Part::Path => "path",
            Part::Query => "query",
            Part::Fragment => "fragment",
            Part::Dynamic => "after a value",
            Part::Opaque => "address",
            Part::Code(_) => "scheme that can hold code",
            Part::Unknown => "part unknown",
        })
    }
}

/// Stands for a scheme that a value or a branch wrote.
const ANY_SCHEME: &str = "…";
