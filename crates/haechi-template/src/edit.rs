//! The edits of the pass: an escaper behind an expression, text or a value before a byte, another name.

use std::collections::BTreeMap;

use haechi_context::Escaper;

/// The edits of one template in one context, by byte offset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    /// Expressions, by their start: the end and the escaper.
    pub(crate) escapers: BTreeMap<usize, (usize, Escaper)>,
    /// Expressions that are paid for before the engine takes them, by start and end: the filter that does.
    pub(crate) paid: BTreeMap<(usize, usize), &'static str>,
    /// What is written before a byte of raw text, in order.
    pub(crate) inserts: BTreeMap<usize, Vec<Insert>>,
    /// Names (of filters and included templates) by their start: the end and the new name.
    pub(crate) renames: BTreeMap<usize, (usize, Rename)>,
    /// Raw blocks in which an insert stands, where `{{ }}` would be printed as it is.
    pub(crate) verbatim: Vec<(usize, usize)>,
}

/// Something written by the pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Insert {
    /// Markup, known when the template is loaded.
    Text(String),
    /// A value of the page, by its reserved name.
    Value(&'static str),
}

/// A name that is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rename {
    /// A filter becomes another.
    Filter(&'static str),
    /// The literal name of a template becomes another.
    Template(String),
}

impl Edits {
    /// Writes an insert once per place: a loop body is walked more than once.
    pub(crate) fn insert(&mut self, offset: usize, insert: Insert) {
        let here = self.inserts.entry(offset).or_default();
        if !here.contains(&insert) {
            here.push(insert);
        }
    }

    /// Returns the rewritten source.
    pub(crate) fn apply(&self, source: &str) -> String {
        let mut changes: Vec<(usize, u8, usize, String)> = Vec::new();
        for (start, (end, escaper)) in &self.escapers {
            if let Some(filter) = crate::escape::filter_name(*escaper) {
                changes.push((*start, 2, *start, "(".into()));
                changes.push((*end, 0, *end, format!(")|{filter}")));
            }
        }
        for ((start, end), filter) in &self.paid {
            changes.push((*start, 2, *start, "(".into()));
            changes.push((*end, 0, *end, format!(")|{filter}")));
        }
        for (start, (end, rename)) in &self.renames {
            let text = match rename {
                Rename::Filter(name) => (*name).to_owned(),
                Rename::Template(name) => format!("{name:?}"),
            };
            changes.push((*start, 3, *end, text));
        }
        for (offset, inserts) in &self.inserts {
            changes.push((*offset, 1, *offset, self.written(*offset, inserts)));
        }
        changes.sort();
        splice(source, &changes)
    }

    fn written(&self, offset: usize, inserts: &[Insert]) -> String {
        let verbatim = self.verbatim.iter().any(|(start, end)| (*start..=*end).contains(&offset));
        let (leave, back) = if verbatim { ("{% endraw %}", "{% raw %}") } else { ("", "") };
        let mut text = String::new();
        for insert in inserts {
            match insert {
                Insert::Text(markup) => text.push_str(markup),
                Insert::Value(name) => text.push_str(&format!("{leave}{{{{ {name} }}}}{back}")),
            }
        }
        text
    }
}

fn splice(source: &str, changes: &[(usize, u8, usize, String)]) -> String {
    let added: usize = changes.iter().map(|change| change.3.len()).sum();
    let mut text = String::with_capacity(source.len() + added);
    let mut at = 0;
    for (start, _, end, new) in changes {
        text.push_str(&source[at..*start]);
        text.push_str(new);
        at = *end;
    }
    text.push_str(&source[at..]);
    text
}
