//! What can go wrong: templates that were refused when loaded, and pages that cannot be rendered.

use std::fmt;

use crate::problem::Problem;

/// Why templates could not be loaded or a page not be rendered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Templates were refused: every problem of every template.
    #[error("{0}")]
    Refused(Problems),
    /// The folder of templates cannot be read.
    #[error("cannot read templates from {path:?}; check the folder's name and rights")]
    Read {
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A filter, test, function or global has a name that is ours.
    #[error("cannot add {what} {name:?}: the name belongs to the escaper; choose another")]
    Reserved {
        /// `filter`, `test`, `function` or `global`.
        what: &'static str,
        /// The refused name.
        name: String,
    },
    /// No template has this name.
    #[error("template {0:?} does not exist; check the spelling, or add the file")]
    NotFound(String),
    /// The template is a part (its name or its text says so) and no page.
    #[error("template {name:?} cannot be rendered alone: {reason}; include it, or render the page that does")]
    NotAPage {
        /// The template.
        name: String,
        /// Why.
        reason: String,
    },
    /// The page used up its fuel: an endless or very long loop.
    #[error("template {name:?} did more than {fuel} steps; shorten its loops or raise the limit of steps")]
    OutOfFuel {
        /// The template.
        name: String,
        /// The limit.
        fuel: u64,
    },
    /// The page is longer than allowed.
    #[error("template {name:?} wrote more than {limit} bytes; page the output or raise the limit")]
    TooLarge {
        /// The template.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// A form needs a CSRF token and the page was given none.
    #[error(
        "template {0:?} has a form that posts, but the page has no CSRF token; give it with `Page::csrf`"
    )]
    NoCsrfToken(String),
    /// A filter, a function or the engine's arithmetic panicked. The page is lost, the templates are not.
    #[error("template {0:?} panicked; standard error says where")]
    Panicked(String),
    /// The engine stopped: an undefined name, a failing filter.
    #[error("{}", whole(.0))]
    Render(Box<minijinja::Error>),
}

impl Error {
    /// Returns the template and the line (from 1) where it went wrong, for the error page of development. For refused
    /// templates that is the first problem; for a page the innermost template, whose lines are those of its file.
    pub fn location(&self) -> Option<(&str, usize)> {
        match self {
            Self::Refused(problems) => {
                problems.iter().find(|problem| problem.line > 0).map(|one| (&*one.template, one.line))
            }
            Self::Render(error) => {
                let places =
                    crate::templates::chain(error).filter_map(|error| error.name().zip(error.line()));
                // Behind `#` stands the number of the place from which the template was entered.
                places.last().map(|(name, line)| (name.split('#').next().unwrap_or(name), line))
            }
            _ => None,
        }
    }
}

/// An error of the engine with its causes, which stand in the included templates.
fn whole(error: &minijinja::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Every problem of every template, in the order of files and lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (&a.template, a.line, a.column, a.code).cmp(&(&b.template, b.line, b.column, b.code))
        });
        problems.dedup();
        Self(problems)
    }

    /// The problems one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}\n")?;
        }
        match self.0.len() {
            1 => write!(f, "1 problem in the templates"),
            many => write!(f, "{many} problems in the templates"),
        }
    }
}
