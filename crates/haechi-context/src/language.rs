//! The language inside an attribute value or a raw element.

use crate::context::Context;
use crate::css::Css;
use crate::error::{Code, Error};
use crate::escape::{Escaper, Rule};
use crate::js::Js;
use crate::meta::Refresh;
use crate::srcset::Srcset;
use crate::url::Url;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Plain,
    Url(Url),
    Js(Js),
    Css(Css),
    Srcset(Srcset),
    Refresh(Refresh),
    /// A document inside a `srcdoc`.
    Document(Box<Context>),
    /// Code or browser policy, where no value may stand.
    Static,
}

impl Language {
    pub(crate) fn push(&mut self, c: char) -> Result<(), Error> {
        match self {
            Self::Plain | Self::Static => Ok(()),
            Self::Js(js) => js.push(c),
            Self::Css(css) => css.push(c),
            // Nobody writes into an inner document: its events are dropped.
            Self::Document(inner) => inner.advance(c.encode_utf8(&mut [0; 4])).map(drop),
            Self::Url(url) => {
                url.push(c);
                Ok(())
            }
            Self::Srcset(srcset) => {
                srcset.push(c);
                Ok(())
            }
            Self::Refresh(refresh) => {
                refresh.push(c);
                Ok(())
            }
        }
    }

    /// The escaper for a value here, without the layer of the attribute around it.
    pub(crate) fn emit(&mut self) -> Result<Escaper, Error> {
        let rule = match self {
            Self::Plain => Rule::Plain,
            Self::Url(url) => url.emit()?,
            Self::Js(js) => js.emit()?,
            Self::Css(css) => css.emit()?,
            Self::Srcset(srcset) => srcset.emit()?,
            Self::Refresh(refresh) => refresh.emit()?,
            Self::Document(inner) => return inner.emit().and_then(inside_document),
            Self::Static => return Err(Error::new(Code::StaticAttribute)),
        };
        Ok(Escaper::new(rule, 0))
    }

    pub(crate) fn end(&self) -> Result<(), Error> {
        match self {
            Self::Js(js) => js.end(),
            Self::Css(css) => css.end(),
            Self::Url(url) => url.end(),
            Self::Document(inner) if !inner.is_text() => {
                Err(Error::with(Code::Srcdoc, format_args!("the document in it ends in {inner}")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        match self {
            Self::Js(js) => js.settle()?,
            Self::Css(css) => css.settle(),
            Self::Document(inner) => inner.settle()?,
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn widen(&mut self) {
        match self {
            Self::Url(url) => url.widen(),
            Self::Js(js) => js.widen(),
            Self::Css(css) => css.widen(),
            Self::Srcset(srcset) => srcset.widen(),
            Self::Refresh(refresh) => refresh.widen(),
            Self::Document(inner) => **inner = inner.widen(),
            Self::Plain | Self::Static => {}
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        match (self, exit) {
            (Self::Url(wide), Self::Url(exit)) => wide.covers(exit),
            (Self::Js(wide), Self::Js(exit)) => wide.covers(exit),
            (Self::Css(wide), Self::Css(exit)) => wide.covers(exit),
            (Self::Srcset(wide), Self::Srcset(exit)) => wide.covers(exit),
            (Self::Refresh(wide), Self::Refresh(exit)) => wide.covers(exit),
            (Self::Document(wide), Self::Document(exit)) => wide.covers(exit),
            _ => true,
        }
    }

    pub(crate) fn join(self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Url(a), Self::Url(b)) => Self::Url(a.join(b)?),
            (Self::Js(a), Self::Js(b)) => Self::Js(a.join(b)?),
            (Self::Css(a), Self::Css(b)) => Self::Css(a.join(b)?),
            (Self::Srcset(a), Self::Srcset(b)) => Self::Srcset(a.join(b)?),
            (Self::Refresh(a), Self::Refresh(b)) => Self::Refresh(a.join(b)?),
            (Self::Document(a), Self::Document(b)) => Self::Document(Box::new(a.join(b).ok()?)),
            (a, b) => (a == *b).then_some(a)?,
        })
    }

    /// Whether a character reference can move the machine, so that it must be decoded.
    pub(crate) fn reads_entities(&self) -> bool {
        *self != Self::Plain
    }
}

/// Code in an inner document would need a second proof; text, plain attributes and URLs only gain a layer.
fn inside_document(escaper: Escaper) -> Result<Escaper, Error> {
    match escaper.rule() {
        Rule::Html
        | Rule::Plain
        | Rule::Nothing
        | Rule::UrlNavigation
        | Rule::UrlMedia
        | Rule::UrlSegment
        | Rule::UrlPath
        | Rule::UrlPathStart
        | Rule::UrlComponent
        | Rule::UrlHost
        | Rule::UrlOpaque => Ok(escaper),
        _ => Err(Error::with(Code::Srcdoc, "a value in code, style or a raw element of the document in it")),
    }
}
