//! Ways around the escaper. Each takes a reason, and the uses that ran are listed by [`uses`].
//!
//! The list holds what ran in this process: a use in a handler that was never called is not in it. For all of them,
//! search the program for `danger::`.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use crate::trusted::{Html, SafeAttrs, SafeCss, SafeJs, SafeUrl};

macro_rules! trust {
    ($($function:ident -> $name:ident, $what:literal;)*) => {$(
        #[doc = concat!("Trusts ", $what, " that this program did not make.")]
        ///
        /// # Security
        ///
        /// Whoever controls `text` runs scripts on the site. Say in `reason` why nobody hostile does.
        #[track_caller]
        pub fn $function(text: impl Into<String>, reason: &'static str) -> $name {
            note(stringify!($name), reason);
            $name::new(text.into())
        }
    )*};
}

trust! {
    html -> Html, "markup";
    url -> SafeUrl, "a URL";
    js -> SafeJs, "a JavaScript expression";
    css -> SafeCss, "a CSS value";
    attrs -> SafeAttrs, "attributes";
}

/// Renders the text of a template that is no file, with `context` as its plain data. For tools and tests.
///
/// # Security
///
/// Whoever controls `source` reads everything in `context` and writes what it likes into the page.
///
/// # Errors
///
/// As [`Templates::render`](crate::Templates::render), and [`Error::Refused`](crate::Error::Refused).
#[track_caller]
pub fn render_source<C: serde::Serialize + ?Sized>(
    source: &str,
    context: &C,
    reason: &'static str,
) -> Result<String, crate::Error> {
    note("template", reason);
    let templates = crate::Templates::embedded(&[("page.html", source)]).build()?;
    templates.render("page.html", context, &crate::Page::default())
}

/// One use of this module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Use {
    /// The file of the program.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
    /// The type that was made.
    pub what: &'static str,
    /// The reason given.
    pub reason: &'static str,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} trusted: {}", self.file, self.line, self.what, self.reason)
    }
}

/// Lists the uses that ran in this process, each place once.
pub fn uses() -> Vec<Use> {
    USES.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

#[track_caller]
fn note(what: &'static str, reason: &'static str) {
    let place = Location::caller();
    let entry = Use { file: place.file(), line: place.line(), what, reason };
    let mut uses = USES.lock().unwrap_or_else(PoisonError::into_inner);
    uses.insert(entry);
}

// The one global of the crate: the values are made anywhere in a program, far from any object that could keep the list.
static USES: Mutex<BTreeSet<Use>> = Mutex::new(BTreeSet::new());
