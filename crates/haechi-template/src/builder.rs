//! Putting a set of templates together.

use std::path::PathBuf;
use std::sync::Arc;

use minijinja::functions::Function;
use minijinja::value::{FunctionArgs, FunctionResult, Value};
use minijinja::{Environment, UndefinedBehavior};

use crate::Asset;
use crate::engine::environment;
use crate::error::Error;
use crate::settings::Settings;
use crate::source::Layer;
use crate::templates::Templates;
use crate::trusted::SafePath;

/// Settings and sources of a set of templates.
///
/// A template of an earlier source hides one of the same name in a later source: the application's folder comes
/// before the framework's defaults.
///
/// ```
/// use haechi_template::{Page, Templates};
/// let templates = Templates::embedded(&[("hello.html", "<p title=\"{{ name }}\">Hello {{ name|shout }}")])
///     .filter("shout", |text: String| text.to_uppercase() + "!")
///     .build()?;
/// let page = templates.render("hello.html", &serde_json::json!({ "name": "<Ada>" }), &Page::new())?;
/// assert_eq!(page, "<p title=\"&lt;Ada&gt;\">Hello &lt;ADA&gt;!");
/// # Ok::<(), haechi_template::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct Builder {
    layers: Vec<Layer>,
    settings: Settings,
    env: Environment<'static>,
    refused: Option<Error>,
}

impl Builder {
    pub(crate) fn new(first: Layer) -> Self {
        let settings = Settings::default();
        let env = environment(&settings);
        Self { layers: vec![first], settings, env, refused: None }
    }

    /// Adds a folder behind the sources so far.
    pub fn then_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.layers.push(Layer::Dir(path.into()));
        self
    }

    /// Adds names and texts behind the sources so far.
    pub fn then_embedded<N: AsRef<str>, T: AsRef<[u8]>>(mut self, templates: &[(N, T)]) -> Self {
        self.layers.push(Layer::embedded(templates));
        self
    }

    /// Looks for changed files before every render, for development. A look costs a `stat` a file.
    pub fn reload_on_render(mut self) -> Self {
        self.settings.reload = true;
        self
    }

    /// Adds a filter. Its result is data like any other, unless it returns one of the trusted types.
    pub fn filter<F, R, A>(mut self, name: &str, filter: F) -> Self
    where
        F: Function<R, A>,
        R: FunctionResult,
        A: for<'a> FunctionArgs<'a>,
    {
        if self.accepts("filter", name) {
            self.settings.filters.insert(name.to_owned());
            self.env.add_filter(name.to_owned(), filter);
        }
        self
    }

    /// Adds a test (`{% if x is even %}`).
    pub fn test<F, R, A>(mut self, name: &str, test: F) -> Self
    where
        F: Function<R, A>,
        R: FunctionResult,
        A: for<'a> FunctionArgs<'a>,
    {
        if self.accepts("test", name) {
            self.settings.tests.insert(name.to_owned());
            self.env.add_test(name.to_owned(), test);
        }
        self
    }

    /// Adds a function that templates can call.
    pub fn function<F, R, A>(mut self, name: &str, function: F) -> Self
    where
        F: Function<R, A>,
        R: FunctionResult,
        A: for<'a> FunctionArgs<'a>,
    {
        if self.accepts("function", name) {
            self.env.add_function(name.to_owned(), function);
        }
        self
    }

    /// Adds a function whose result is a path on this site, such as `url("post", id)`: a form may post to it.
    ///
    /// Wherever a URL begins, what is printed is a [`SafePath`] or `about:invalid#haechi`, also if a template hides the
    /// function behind a macro of the same name.
    ///
    /// ```
    /// use haechi_template::{Page, SafePath, Templates};
    /// let post = |id: u32| SafePath::parse(&format!("/posts/{id}")).unwrap_or(SafePath::literal("/"));
    /// let form = "<form method=\"post\" action=\"{{ url(id) }}\"></form>";
    /// let templates = Templates::embedded(&[("form.html", form)]).path_function("url", post).build()?;
    /// let page = Page::new().csrf(|| "t".into());
    /// let html = templates.render("form.html", &serde_json::json!({ "id": 7 }), &page)?;
    /// assert!(html.starts_with("<form method=\"post\" action=\"/posts/7\"><input type=\"hidden\""));
    /// # Ok::<(), haechi_template::Error>(())
    /// ```
    pub fn path_function<F, A>(mut self, name: &str, function: F) -> Self
    where
        F: Function<SafePath, A>,
        A: for<'a> FunctionArgs<'a>,
    {
        if self.accepts("function", name) {
            self.settings.path_functions.insert(name.to_owned());
            self.env.add_function(name.to_owned(), function);
        }
        self
    }

    /// Adds a value for every template and every render.
    pub fn global(mut self, name: &str, value: impl Into<Value>) -> Self {
        if self.accepts("global", name) {
            self.env.add_global(name.to_owned(), value);
        }
        self
    }

    /// Says what an undefined name does; minijinja's default prints nothing.
    pub fn undefined(mut self, behavior: UndefinedBehavior) -> Self {
        self.env.set_undefined_behavior(behavior);
        self
    }

    /// Sets the name of the CSRF field (`csrf_token`); a site that shares its forms with Django uses
    /// `csrfmiddlewaretoken`.
    pub fn csrf_field(mut self, name: impl Into<Arc<str>>) -> Self {
        self.settings.csrf_field = name.into();
        self
    }

    /// Looks up our own static scripts and style sheets by the address in the template: the pass writes the
    /// `integrity` and the version of each into its tag.
    pub fn assets(mut self, lookup: impl Fn(&str) -> Option<Asset> + Send + Sync + 'static) -> Self {
        self.settings.assets = Some(Arc::new(lookup));
        self
    }

    /// Refuses `|safe` in templates: trust is then given in Rust only.
    pub fn deny_safe(mut self) -> Self {
        self.settings.deny_safe = true;
        self
    }

    /// Sets how many steps (instructions, and bytes and items of built-in filters) a render may do: 5,000,000.
    pub fn fuel(mut self, steps: u64) -> Self {
        self.settings.fuel = steps;
        self.env.set_fuel(Some(steps));
        self
    }

    /// Sets how many bytes a page may have: 16 MiB.
    pub fn max_bytes(mut self, limit: usize) -> Self {
        self.settings.max_bytes = limit;
        self
    }

    /// Reads and analyses every template.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with every problem of every template, [`Error::Read`], [`Error::Reserved`].
    pub fn build(self) -> Result<Templates, Error> {
        match self.refused {
            Some(error) => Err(error),
            None => Templates::build(self.settings, self.layers, self.env),
        }
    }

    /// Names of ours, and of the filters whose meaning the escaper relies on, cannot be taken.
    fn accepts(&mut self, what: &'static str, name: &str) -> bool {
        let taken = what == "filter" && (OURS.contains(&name) || crate::escape::is_own_filter(name));
        if taken || crate::page::is_reserved(name) {
            self.refused.get_or_insert(Error::Reserved { what, name: name.into() });
            return false;
        }
        true
    }
}

const OURS: &[&str] = &["safe", "e", "escape", "tojson", "urlencode", "json_script", "local_path"];
