//! The pass over a template's syntax tree: which context each expression stands in, and what to write there.
//!
//! [`Pass`] decides which templates are walked from which context and remembers the results, [`Walk`] walks one.
//! A template is analysed once for every context from which it is entered; each such variant has its own name in the
//! engine (`header.html#2`), as its expressions may need other escapers.

mod client;
mod expr;
mod inherit;
mod inspect;
mod structure;
mod walk;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use haechi_context::{Context, Escaper};

use crate::name::Kind;
use crate::problem::Problem;
use crate::report::{Explained, TrustSite, Warning};
use crate::rule;
use crate::settings::Settings;
use walk::Walk;

/// The text of every template by its name.
pub(crate) type Sources = BTreeMap<Arc<str>, Arc<str>>;

/// What is known of a template entered in one context.
#[derive(Clone, Debug)]
pub(crate) struct Analysis {
    pub(crate) name: Arc<str>,
    /// The name of this variant in the engine.
    pub(crate) variant: String,
    /// Where it ends; nothing if it was refused.
    pub(crate) exit: Option<Context>,
    pub(crate) blocks: BTreeMap<String, Context>,
    pub(crate) rewritten: String,
    /// The templates that it names, whether they exist or not.
    pub(crate) uses: BTreeSet<String>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) explained: Vec<Explained>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) trust_sites: Vec<TrustSite>,
    pub(crate) escapers: Vec<Escaper>,
}

/// The results so far; kept between reloads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    done: HashMap<(Arc<str>, Context), Arc<Analysis>>,
    variants: HashMap<Context, usize>,
}

impl Known {
    /// Forgets the templates in `changed` and all that use them, and returns their variants' names.
    pub(crate) fn forget(&mut self, changed: &BTreeSet<String>) -> Vec<String> {
        let mut stale = changed.clone();
        loop {
            let uses_stale = |done: &&Arc<Analysis>| {
                !stale.contains(&*done.name) && done.uses.iter().any(|name| stale.contains(name))
            };
            let more: Vec<String> =
                self.done.values().filter(uses_stale).map(|done| done.name.to_string()).collect();
            if more.is_empty() {
                break;
            }
            stale.extend(more);
        }
        let mut variants = Vec::new();
        self.done.retain(|(name, _), done| {
            let keep = !stale.contains(&**name);
            if !keep {
                variants.push(done.variant.clone());
            }
            keep
        });
        variants
    }

    /// Every result, in a fixed order.
    pub(crate) fn all(&self) -> Vec<&Arc<Analysis>> {
        let mut all: Vec<_> = self.done.values().collect();
        all.sort_by(|a, b| a.variant.cmp(&b.variant));
        all
    }

    fn variant(&mut self, name: &str, entry: &Context) -> String {
        if Kind::of(name).entry().as_ref() == Some(entry) {
            return name.into();
        }
        if *entry == Context::text() {
            return format!("{name}{TEXT_VARIANT}");
        }
        let next = self.variants.len() + 1;
        let number = *self.variants.entry(entry.clone()).or_insert(next);
        format!("{name}#{number}")
    }
}

/// Walks templates on demand.
pub(crate) struct Pass<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) settings: &'s Settings,
    known: &'s mut Known,
    busy: Vec<Busy>,
}

struct Busy {
    name: Arc<str>,
    entry: Context,
    entered_again: bool,
}

impl<'s> Pass<'s> {
    pub(crate) fn new(sources: &'s Sources, settings: &'s Settings, known: &'s mut Known) -> Self {
        Self { sources, settings, known, busy: Vec::new() }
    }

    /// Analyses a template from a context, once.
    pub(crate) fn analyse(&mut self, name: &str, entry: &Context) -> Reached {
        let Some((name, source)) = self.sources.get_key_value(name) else { return Reached::Missing };
        if let Some(done) = self.known.done.get(&(name.clone(), entry.clone())) {
            return Reached::Done(done.clone());
        }
        if let Some(busy) = self.busy.iter_mut().find(|busy| busy.name == *name && busy.entry == *entry) {
            busy.entered_again = true;
            return Reached::Again(self.known.variant(name, entry));
        }
        if self.busy.len() >= MAX_TEMPLATES {
            return Reached::TooDeep;
        }
        let variant = self.known.variant(name, entry);
        self.busy.push(Busy { name: name.clone(), entry: entry.clone(), entered_again: false });
        let mut analysis = Walk::run(self, name, source, entry);
        let again = self.busy.pop().is_some_and(|busy| busy.entered_again);
        if again && analysis.exit.as_ref().is_some_and(|exit| exit != entry) {
            analysis.exit = None;
            analysis.problems.push(Problem::of_file(name, rule::RECURSION, rule::RECURSION.cause.into()));
        }
        analysis.variant = variant;
        let analysis = Arc::new(analysis);
        self.known.done.insert((name.clone(), entry.clone()), analysis.clone());
        Reached::Done(analysis)
    }
}

/// What came of asking for a template.
pub(crate) enum Reached {
    Done(Arc<Analysis>),
    /// It is being walked right now, under this name.
    Again(String),
    Missing,
    TooDeep,
}

/// The ending of the name of an HTML template that is included in plain text.
pub(crate) const TEXT_VARIANT: &str = "#text";

/// How many templates may stand in one another; minijinja renders 50.
const MAX_TEMPLATES: usize = 40;
