//! HTML between tags: text, comments, declarations, and what follows a tag.

use std::fmt;

use crate::element::Element;
use crate::error::{Code, Error};
use crate::escape::{Escaper, Rule};
use crate::event::Sink;
use crate::open::Open;
use crate::raw::Raw;
use crate::tag::{Progress, Tag};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Html {
    /// A file that is not HTML.
    Unescaped,
    Text,
    LessThan,
    EndLessThan,
    /// `<!`, and whether one `-` followed.
    Declaration {
        dash: bool,
    },
    Bogus,
    Comment(Comment),
    Tag(Box<Tag>),
    Raw(Box<Raw>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Comment {
    /// Right behind `<!--`: `>` ends it, and so does `->`.
    Start,
    StartDash,
    Inside,
    Dash,
    Dashes,
    /// `--!`
    Bang,
}

impl Html {
    /// Takes a character.
    pub(crate) fn push(&mut self, c: char, open: &mut Open, sink: &mut Sink<'_>) -> Result<(), Error> {
        match self {
            Self::Unescaped => {}
            Self::Text if c == '<' => *self = Self::LessThan,
            Self::Text => {}
            Self::LessThan => {
                *self = match c {
                    '/' => Self::EndLessThan,
                    '!' => Self::Declaration { dash: false },
                    '?' => Self::Bogus,
                    '<' => Self::LessThan,
                    c if c.is_ascii_alphabetic() => Self::Tag(Box::new(Tag::new(c, false))),
                    _ => Self::Text,
                }
            }
            Self::EndLessThan => {
                *self = match c {
                    '>' => Self::Text,
                    c if c.is_ascii_alphabetic() => Self::Tag(Box::new(Tag::new(c, true))),
                    _ => Self::Bogus,
                }
            }
            Self::Declaration { dash } => {
                *self = match c {
                    '-' if *dash => Self::Comment(Comment::Start),
                    '-' => Self::Declaration { dash: true },
                    '>' => Self::Text,
                    '[' if !*dash => return Err(Error::new(Code::Cdata)),
                    _ => Self::Bogus,
                }
            }
            Self::Bogus if c == '>' => *self = Self::Text,
            Self::Bogus => {}
            Self::Comment(comment) => match comment.after(c) {
                Some(next) => *comment = next,
                None => *self = Self::Text,
            },
            Self::Tag(tag) => {
                if tag.push(c, sink)? == Progress::Closed {
                    *self = after_tag(tag, open)?;
                }
            }
            Self::Raw(raw) => {
                if raw.push(c)? {
                    let mut tag = Tag::ending(raw.element);
                    tag.push(c, sink)?;
                    *self = if c == '>' { Self::Text } else { Self::Tag(Box::new(tag)) };
                }
            }
        }
        Ok(())
    }

    pub(crate) fn emit(&mut self) -> Result<Escaper, Error> {
        match self {
            Self::Unescaped => Ok(Escaper::new(Rule::Unescaped, 0)),
            Self::Text => Ok(Escaper::new(Rule::Html, 0)),
            Self::LessThan | Self::EndLessThan => Err(Error::new(Code::DynamicTag)),
            Self::Declaration { .. } | Self::Bogus => Err(Error::new(Code::MarkupDeclaration)),
            Self::Comment(_) => Ok(Escaper::new(Rule::Nothing, 0)),
            Self::Tag(tag) => tag.emit(),
            Self::Raw(raw) => raw.emit(),
        }
    }

    pub(crate) fn emit_path(&mut self) -> Option<Escaper> {
        match self {
            Self::Tag(tag) => tag.emit_path(),
            _ => None,
        }
    }

    pub(crate) fn is_end_tag_name(&self) -> bool {
        matches!(self, Self::Tag(tag) if tag.end && tag.in_name())
    }

    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        match self {
            Self::Tag(tag) => tag.settle(),
            Self::Raw(raw) => raw.settle(),
            _ => Ok(()),
        }
    }

    pub(crate) fn widen(&mut self) {
        match self {
            Self::Tag(tag) => tag.widen(),
            Self::Raw(raw) => raw.widen(),
            _ => {}
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        match (self, exit) {
            (Self::Tag(wide), Self::Tag(exit)) => wide.covers(exit),
            (Self::Raw(wide), Self::Raw(exit)) => wide.covers(exit),
            _ => true,
        }
    }

    pub(crate) fn join(self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Tag(a), Self::Tag(b)) => Self::Tag(Box::new(a.join(b)?)),
            (Self::Raw(a), Self::Raw(b)) => Self::Raw(Box::new(a.join(b)?)),
            (a, b) => (a == *b).then_some(a)?,
        })
    }
}

/// What follows the `>` of a tag.
fn after_tag(tag: &Tag, open: &mut Open) -> Result<Html, Error> {
    let element = tag.element;
    if tag.end {
        open.end(element);
        return Ok(Html::Text);
    }
    open.start(element, tag.slash);
    if !element.is_raw() {
        return Ok(Html::Text);
    }
    let dual = !open.foreign.is_empty();
    if dual && (tag.slash || element == Element::Plaintext) {
        return Err(Error::with(Code::ForeignRaw, element.name()));
    }
    Ok(Html::Raw(Box::new(Raw::new(element, &tag.facts, dual))))
}

impl Comment {
    /// The next state, or none if the comment has ended.
    fn after(self, c: char) -> Option<Self> {
        Some(match (self, c) {
            (Self::Start | Self::StartDash | Self::Dashes | Self::Bang, '>') => return None,
            (Self::Start, '-') => Self::StartDash,
            (Self::StartDash | Self::Dash | Self::Dashes, '-') => Self::Dashes,
            (Self::Inside | Self::Bang, '-') => Self::Dash,
            (Self::Dashes, '!') => Self::Bang,
            _ => Self::Inside,
        })
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unescaped => f.write_str("text without escaping"),
            Self::Text => f.write_str("HTML text"),
            Self::LessThan | Self::EndLessThan => f.write_str("HTML text after `<`"),
            Self::Declaration { .. } | Self::Bogus => f.write_str("a markup declaration"),
            Self::Comment(_) => f.write_str("an HTML comment"),
            Self::Tag(tag) => tag.fmt(f),
            Self::Raw(raw) => raw.fmt(f),
        }
    }
}

/// HTML's white space.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}
