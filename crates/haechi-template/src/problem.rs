//! What is wrong in a template, and where: one problem as a person wants to read it.

use std::fmt;

use crate::rule::Rule;

/// One refused place in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The name of the template.
    pub template: String,
    /// The line, from 1; 0 if the problem concerns the whole file.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters the caret underlines.
    pub width: usize,
    /// The text of the line.
    pub source_line: String,
    /// The stable code, see [`RULES`](crate::RULES) and `haechi-context`.
    pub code: &'static str,
    /// What is wrong, with the names involved.
    pub message: String,
    /// What to write instead.
    pub cure: String,
}

impl Problem {
    /// A problem of a whole file.
    pub(crate) fn of_file(template: &str, rule: Rule, message: String) -> Self {
        Self {
            template: template.into(),
            line: 0,
            column: 0,
            width: 0,
            source_line: String::new(),
            code: rule.code,
            message,
            cure: rule.cure.into(),
        }
    }

    pub(crate) fn at(spot: Spot<'_>, code: &'static str, message: String, cure: impl Into<String>) -> Self {
        let place = Place::of(spot.source, spot.offset);
        Self {
            template: spot.template.into(),
            line: place.line,
            column: place.column,
            width: spot.width(),
            source_line: place.text.into(),
            code,
            message,
            cure: cure.into(),
        }
    }

    /// The part of the line around the caret and the caret's column in it: a minified file may be one line.
    fn window(&self) -> (String, usize) {
        const BEFORE: usize = 60;
        const SHOWN: usize = 110;
        let skip = self.column.saturating_sub(1).saturating_sub(BEFORE);
        let skip = if self.source_line.chars().count() <= SHOWN { 0 } else { skip };
        let shown = self.source_line.chars().skip(skip).take(SHOWN);
        let shown = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        (shown, self.column.saturating_sub(1) - skip)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: [{}] {}; {}", self.template, self.code, self.message, self.cure);
        }
        let Self { template, line, column, code, message, cure, .. } = self;
        writeln!(f, "{template}:{line}:{column}: [{code}] {message}")?;
        let (text, indent) = self.window();
        let margin = line.to_string();
        let room = text.chars().count().saturating_sub(indent).max(1);
        writeln!(f, "  {margin} │ {text}")?;
        let (gap, indent) = (" ".repeat(margin.len()), " ".repeat(indent));
        write!(f, "  {gap} │ {indent}{} {cure}", "^".repeat(self.width.clamp(1, room)))
    }
}

/// A byte range in a named source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'s> {
    pub(crate) template: &'s str,
    pub(crate) source: &'s str,
    pub(crate) offset: usize,
    pub(crate) end: usize,
}

impl Spot<'_> {
    fn width(&self) -> usize {
        let text = self.source.get(self.offset..self.end).unwrap_or_default();
        text.lines().next().unwrap_or_default().chars().count().max(1)
    }
}

/// Line and column of a byte offset.
pub(crate) struct Place<'s> {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) text: &'s str,
}

impl<'s> Place<'s> {
    pub(crate) fn of(source: &'s str, offset: usize) -> Self {
        let before = source.get(..offset.min(source.len())).unwrap_or(source);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let text = source[start..].lines().next().unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        Self { line, column: before[start..].chars().count() + 1, text }
    }
}
