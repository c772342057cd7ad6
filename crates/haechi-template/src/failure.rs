//! Where a page stopped, in the words and columns of the template as it was written.

use minijinja::ErrorKind;

use crate::error::Error;
use crate::problem::{Problem, Spot};
use crate::templates::{Templates, chain};

impl Templates {
    /// Returns what a developer wants to see of an error: file, line, column, the line itself, and a hint.
    ///
    /// Empty if the error has no place in a template.
    ///
    /// # Security
    ///
    /// The messages may quote the page's data. They are for the log and for the error page of development.
    pub fn problems_of(&self, error: &Error) -> Vec<Problem> {
        match error {
            Error::Refused(problems) => problems.iter().cloned().collect(),
            Error::Render(error) => self.failure(error).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn failure(&self, error: &minijinja::Error) -> Option<Problem> {
        // The innermost error stands in the template that was included last.
        let inner = chain(error).filter(|error| error.line().is_some()).last()?;
        let variant = inner.name()?;
        // Behind `#` stands the number of the place from which the template was entered.
        let name = variant.split('#').next().unwrap_or(variant);
        let source = self.source(name)?;
        let (offset, end) = place(inner, &source, self.rewritten(variant).as_deref())?;
        let spot = Spot { template: name, source: &source, offset, end };
        let message = inner.detail().map_or_else(|| inner.kind().to_string(), str::to_owned);
        Some(Problem::at(spot, "render", message, hint(inner.kind())))
    }
}

/// The bytes of the source as written. The pass adds no line, so only the column has to be found again.
fn place(error: &minijinja::Error, source: &str, rewritten: Option<&str>) -> Option<(usize, usize)> {
    let line = error.line()?;
    let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let text = source[start..].lines().next().unwrap_or_default();
    let whole = (start + text.len() - text.trim_start().len(), start + text.trim_end().len());
    Some(found_again(error, text, rewritten).map_or(whole, |(from, to)| (start + from, start + to)))
}

/// Finds the failed expression in its line by its text, and by how often that text stands before it.
fn found_again(error: &minijinja::Error, text: &str, rewritten: Option<&str>) -> Option<(usize, usize)> {
    let (range, rewritten) = (error.range()?, rewritten?);
    let line_start = rewritten.get(..range.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let expression = rewritten.get(range.clone())?.lines().next()?;
    // The escaper that the pass wrote around it is not the template's.
    let expression = expression.split(")|_hx_").next()?.trim_start_matches('(').trim();
    if expression.is_empty() {
        return None;
    }
    let from = line_start + rewritten[line_start..range.end].rfind(expression)?;
    let before = rewritten[line_start..from].matches(expression).count();
    let (start, found) = text.match_indices(expression).nth(before)?;
    Some((start, start + found.len()))
}

fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UndefinedError => {
            "check the spelling, give the value from the handler, or write |default(…)"
        }
        ErrorKind::UnknownFunction => "check the spelling, or add the function to the builder",
        ErrorKind::UnknownMethod => "check the spelling; the value has no such method",
        ErrorKind::UnknownFilter => "check the spelling, or add the filter to the builder",
        ErrorKind::MissingArgument | ErrorKind::TooManyArguments => {
            "compare the arguments with the definition"
        }
        ErrorKind::CannotUnpack | ErrorKind::NonKey => {
            "check what the handler gives: the value has another shape"
        }
        _ => "check the values that the handler gives",
    }
}
