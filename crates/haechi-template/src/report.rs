//! What the pass tells a person: contexts of expressions, places of trust, warnings.

use std::fmt;

use crate::problem::{Place, Spot};

/// One expression of a template: where it stands and what escapes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Explained {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of the expression.
    pub expression: String,
    /// The place, in words.
    pub context: String,
    /// The escaper for the place.
    pub escaper: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expression, context, escaper } = self;
        write!(f, "{line}:{column}: {{{{ {expression} }}}} stands in {context}; written as {escaper}")
    }
}

/// A `|safe` in a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct TrustSite {
    /// The name of the template.
    pub template: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The text of the line.
    pub source_line: String,
}

impl TrustSite {
    pub(crate) fn of(spot: Spot<'_>) -> Self {
        let Place { line, column, text } = Place::of(spot.source, spot.offset);
        Self { template: spot.template.into(), line, column, source_line: text.trim().into() }
    }
}

impl fmt::Display for TrustSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.template, self.line, self.column, self.source_line)
    }
}

/// Something that is safe and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Warning {
    /// The name of the template.
    pub template: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The stable code.
    pub code: &'static str,
    /// What will happen.
    pub message: String,
}

/// Every code of a [`Warning`], with what will happen.
pub const WARNINGS: &[(&str, &str)] = &[
    ("client-template", "a value in text that a library in the browser may read as its own template"),
    ("dead-text", "text outside of the blocks of a child template is never shown"),
    ("form-method", "a button posts a form that sends no token"),
    ("inline-handler", "a strict content security policy does not run the attribute"),
    ("late-rel", "a value in the address of a `<link>` is refused, as its `rel` is not known yet"),
    ("opener", "`rel=opener` lets the other page navigate this one"),
];

impl Warning {
    pub(crate) fn of(spot: Spot<'_>, code: &'static str, message: String) -> Self {
        let Place { line, column, .. } = Place::of(spot.source, spot.offset);
        Self { template: spot.template.into(), line, column, code, message }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: [{}] {}", self.template, self.line, self.column, self.code, self.message)
    }
}
