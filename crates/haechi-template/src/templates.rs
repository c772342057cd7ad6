//! A checked set of templates: loading, reloading, rendering, explaining.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{Environment, ErrorKind};
use serde::Serialize;

use crate::builder::Builder;
use crate::engine::add_escaper;
use crate::error::{Error, Problems};
use crate::name::Kind;
use crate::output::Bounded;
use crate::page::{NO_TOKEN, Page, Root};
use crate::pass::{Analysis, Known, Pass};
use crate::problem::Problem;
use crate::report::{Explained, TrustSite, Warning};
use crate::rule;
use crate::settings::Settings;
use crate::source::{Layer, Texts};

/// Templates that were all analysed. Made by [`Templates::dir`] or [`Templates::embedded`].
pub struct Templates {
    settings: Settings,
    work: Mutex<Work>,
    loaded: RwLock<Arc<Loaded>>,
}

/// What reloading needs.
struct Work {
    texts: Texts,
    known: Known,
    env: Environment<'static>,
}

/// What rendering needs.
struct Loaded {
    env: Environment<'static>,
    pages: BTreeMap<String, State>,
    problems: Problems,
    analyses: Vec<Arc<Analysis>>,
}

/// Whether a template can be rendered by its name.
enum State {
    Ready,
    Part(String),
    Refused,
}

impl Templates {
    /// Begins a set of templates from a folder; see [`Builder`].
    pub fn dir(path: impl Into<std::path::PathBuf>) -> Builder {
        Builder::new(Layer::Dir(path.into()))
    }

    /// Begins a set of templates from names and texts, for instance embedded into the program.
    pub fn embedded<N: AsRef<str>, T: AsRef<[u8]>>(templates: &[(N, T)]) -> Builder {
        Builder::new(Layer::embedded(templates))
    }

    pub(crate) fn build(
        settings: Settings,
        layers: Vec<Layer>,
        env: Environment<'static>,
    ) -> Result<Self, Error> {
        let mut work = Work { texts: Texts::new(layers), known: Known::default(), env };
        work.texts.refresh()?;
        let loaded = load(&settings, &mut work);
        if loaded.problems.iter().next().is_some() {
            return Err(Error::Refused(loaded.problems));
        }
        Ok(Self { settings, work: Mutex::new(work), loaded: RwLock::new(Arc::new(loaded)) })
    }

    /// Looks for changed files and analyses them and the templates that use them. Returns whether there were any.
    ///
    /// A refused template stays refused until its file changes again; the others go on.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the folder cannot be read, [`Error::Refused`] with all problems of the templates.
    pub fn reload(&self) -> Result<bool, Error> {
        let changed = self.refresh()?;
        let loaded = self.loaded();
        if loaded.problems.iter().next().is_some() {
            return Err(Error::Refused(loaded.problems.clone()));
        }
        Ok(changed)
    }

    fn refresh(&self) -> Result<bool, Error> {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = work.texts.refresh()?;
        if changed.is_empty() {
            return Ok(false);
        }
        for variant in work.known.forget(&changed) {
            work.env.remove_template(&variant);
        }
        let loaded = load(&self.settings, &mut work);
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        Ok(true)
    }

    /// Renders a page: `context` is the handler's data, `page` what the response adds.
    ///
    /// # Errors
    ///
    /// An unknown template, one that is only a part, and whatever the engine meets: see [`Error`].
    pub fn render<C: Serialize + ?Sized>(
        &self,
        name: &str,
        context: &C,
        page: &Page,
    ) -> Result<String, Error> {
        self.render_value(name, &Value::from(Serde(context)), page)
    }

    /// Renders a page from data that is a minijinja value already (`context! { … }`).
    ///
    /// # Errors
    ///
    /// As [`Templates::render`].
    pub fn render_value(&self, name: &str, context: &Value, page: &Page) -> Result<String, Error> {
        if self.settings.reload {
            self.refresh()?;
        }
        let loaded = self.loaded();
        match loaded.pages.get(name) {
            Some(State::Ready) => {}
            Some(State::Refused) => return Err(Error::Refused(loaded.problems.clone())),
            Some(State::Part(reason)) => {
                return Err(Error::NotAPage { name: name.into(), reason: reason.clone() });
            }
            None => return Err(Error::NotFound(name.into())),
        }
        if context.kind() == ValueKind::Invalid {
            let failed = minijinja::Error::new(ErrorKind::BadSerialization, context.to_string());
            return Err(Error::Render(Box::new(failed)));
        }
        let root = Value::from_object(Root::new(page, context, &self.settings.csrf_field));
        let mut out = Bounded::new(self.settings.max_bytes);
        let template = loaded.env.get_template(name).map_err(|error| self.failed(name, error, false))?;
        // The engine's arithmetic and the application's own functions may panic; what they touched ends here.
        match catch_unwind(AssertUnwindSafe(|| template.render_captured_to(root, &mut out).map(drop))) {
            Ok(Ok(())) => Ok(out.into_text()),
            Ok(Err(error)) => Err(self.failed(name, error, out.is_full())),
            Err(_) => Err(Error::Panicked(name.into())),
        }
    }

    fn failed(&self, name: &str, error: minijinja::Error, full: bool) -> Error {
        if full {
            return Error::TooLarge { name: name.into(), limit: self.settings.max_bytes };
        }
        if chain(&error).any(|error| error.kind() == ErrorKind::OutOfFuel) {
            return Error::OutOfFuel { name: name.into(), fuel: self.settings.fuel };
        }
        if chain(&error).any(|error| error.detail() == Some(NO_TOKEN)) {
            return Error::NoCsrfToken(name.into());
        }
        Error::Render(Box::new(error))
    }

    /// Returns the names of the templates that can be rendered, sorted.
    pub fn pages(&self) -> Vec<String> {
        let loaded = self.loaded();
        let ready = loaded.pages.iter().filter(|(_, state)| matches!(state, State::Ready));
        ready.map(|(name, _)| name.clone()).collect()
    }

    /// Returns context and escaper of the expressions in one line, or of all if `line` is nothing. An expression of a
    /// template that is included in different places comes once for each place.
    pub fn explain(&self, name: &str, line: Option<usize>) -> Vec<Explained> {
        let loaded = self.loaded();
        let here = loaded.analyses.iter().filter(|analysis| &*analysis.name == name);
        let found: BTreeSet<Explained> =
            here.flat_map(|analysis| analysis.explained.iter().cloned()).collect();
        found.into_iter().filter(|one| line.is_none_or(|line| one.line == line)).collect()
    }

    /// Returns what is safe, but will not work as written: inline handlers that a strict CSP blocks, for instance.
    pub fn warnings(&self) -> Vec<Warning> {
        let loaded = self.loaded();
        let all = loaded.analyses.iter().flat_map(|analysis| analysis.warnings.iter().cloned());
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns every `|safe`, for an audit.
    pub fn trust_sites(&self) -> Vec<TrustSite> {
        let loaded = self.loaded();
        let all = loaded.analyses.iter().flat_map(|analysis| analysis.trust_sites.iter().cloned());
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the source of a page as the engine runs it, with the escapers written in.
    pub fn rewritten(&self, name: &str) -> Option<String> {
        let loaded = self.loaded();
        let found =
            loaded.analyses.iter().find(|analysis| analysis.variant == name && analysis.exit.is_some());
        found.map(|analysis| analysis.rewritten.clone())
    }

    /// Returns the text of a template as it was read.
    pub(crate) fn source(&self, name: &str) -> Option<Arc<str>> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.texts.sources.get(name).cloned()
    }

    fn loaded(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("pages", &self.pages()).field("settings", &self.settings).finish()
    }
}

/// An error of the engine and its causes, the innermost last.
pub(crate) fn chain(error: &minijinja::Error) -> impl Iterator<Item = &minijinja::Error> {
    std::iter::successors(Some(error), |error| cause(error))
}

fn cause(error: &minijinja::Error) -> Option<&minijinja::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

/// Analyses what is not known yet and hands it to the engine.
fn load(settings: &Settings, work: &mut Work) -> Loaded {
    let Work { texts, known, env } = work;
    let mut pass = Pass::new(&texts.sources, settings, known);
    for name in texts.sources.keys() {
        if let Some(entry) = Kind::of(name).entry() {
            pass.analyse(name, &entry);
        }
    }
    let analyses: Vec<Arc<Analysis>> = known.all().into_iter().cloned().collect();
    let mut problems: Vec<Problem> = texts.problems.values().cloned().collect();
    let pages =
        texts.sources.keys().map(|name| (name.to_string(), state(name, &analyses, &mut problems))).collect();
    for analysis in analyses.iter().filter(|analysis| analysis.exit.is_some()) {
        if env.get_template(&analysis.variant).is_ok() {
            continue;
        }
        analysis.escapers.iter().for_each(|escaper| add_escaper(env, *escaper));
        if let Err(error) = env.add_template_owned(analysis.variant.clone(), analysis.rewritten.clone()) {
            problems.push(Problem::of_file(&analysis.name, rule::REWRITE, error.to_string()));
        }
    }
    Loaded { env: env.clone(), pages, problems: Problems::new(problems), analyses }
}

/// Decides whether a template is a page, and notes its problems unless another template shows it without any.
fn state(name: &str, analyses: &[Arc<Analysis>], problems: &mut Vec<Problem>) -> State {
    let own = || analyses.iter().filter(|analysis| &*analysis.name == name);
    let works_elsewhere = own().any(|analysis| analysis.variant != name && analysis.exit.is_some());
    let is_used = || analyses.iter().any(|analysis| analysis.uses.contains(name));
    for analysis in own().filter(|analysis| analysis.variant != name || !works_elsewhere) {
        problems.extend(analysis.problems.iter().cloned());
    }
    let Some(page) = own().find(|analysis| analysis.variant == name) else {
        return State::Part("its name says that it is no page".into());
    };
    let Some(exit) = &page.exit else {
        let first = page.problems.first();
        return match first {
            Some(problem) if works_elsewhere => State::Part(problem.message.clone()),
            _ => State::Refused,
        };
    };
    if exit.at_end().is_ok() {
        return State::Ready;
    }
    if is_used() {
        return State::Part(format!("it ends in {exit}"));
    }
    problems.push(Problem::of_file(name, rule::END, format!("the template ends in {exit}")));
    State::Refused
}
