//! What a template's name says: a page, a text, or a part of something else.

use haechi_context::Context;

/// How a template is entered when it is rendered by its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTML (or XML, whose text and attributes have the same escapes).
    Page,
    /// Plain text without escaping: mails.
    Text,
    /// Something else, like a script: only ever included.
    Part,
}

impl Kind {
    pub(crate) fn of(name: &str) -> Self {
        let file = name.rsplit('/').next().unwrap_or(name);
        let file = ["jinja2", "jinja", "j2"]
            .iter()
            .find_map(|ending| file.strip_suffix(ending)?.strip_suffix('.'))
            .unwrap_or(file);
        match file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            None | Some("html" | "htm" | "xhtml" | "xml" | "svg") => Self::Page,
            Some("txt" | "md" | "text") => Self::Text,
            Some(_) => Self::Part,
        }
    }

    pub(crate) fn entry(self) -> Option<Context> {
        match self {
            Self::Page => Some(Context::html()),
            Self::Text => Some(Context::text()),
            Self::Part => None,
        }
    }
}

/// Whether a name can be a template's: relative, with `/`, and without the `#` that marks our variants.
pub(crate) fn is_valid(name: &str) -> bool {
    let bad = |c: char| c.is_control() || matches!(c, '#' | '\\');
    !name.is_empty() && !name.contains(bad) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
