//! What a page gets beside the handler's data: the nonce, the CSRF token, globals of the request.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, Serde, Value};
use serde::Serialize;

/// The values of one response that templates may use, none of which the handler's data can replace.
///
/// ```
/// use haechi_template::Page;
/// let page = Page::new().nonce("r4nd0m").csrf(|| "token".to_owned()).global("user", "ada");
/// # format!("{page:?}");
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Page {
    nonce: Option<String>,
    csrf: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    globals: Vec<(String, Value)>,
}

impl Page {
    /// A page without a nonce, a token or globals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the nonce that every `<script>` and `<style>` gets; without it they get none.
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into());
        self
    }

    /// Sets where the CSRF token comes from. It is asked only if the page has a form, so that a page without one
    /// needs no session. Without it a page with a form that posts is an error.
    pub fn csrf(mut self, token: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.csrf = Some(Arc::new(token));
        self
    }

    /// Adds a value for every template of this response, like the signed-in user. The handler's data comes before it.
    pub fn global<T: Serialize>(mut self, name: impl Into<String>, value: T) -> Self {
        self.globals.push((name.into(), Value::from(Serde(value))));
        self
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let globals: Vec<&str> = self.globals.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Page").field("globals", &globals).finish_non_exhaustive()
    }
}

/// The root of a render: reserved names first, then the handler's data, then the globals of the request.
#[derive(Debug)]
pub(crate) struct Root {
    page: Page,
    data: Option<DynObject>,
    csrf_field: Arc<str>,
}

impl Root {
    pub(crate) fn new(page: &Page, data: &Value, csrf_field: &Arc<str>) -> Self {
        Self { page: page.clone(), data: data.as_object().cloned(), csrf_field: csrf_field.clone() }
    }

    fn token(&self) -> Result<String, Value> {
        let Some(token) = &self.page.csrf else {
            let error = minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, NO_TOKEN);
            return Err(Value::from(error));
        };
        Ok(token())
    }

    fn reserved(&self, name: &str) -> Option<Value> {
        match name {
            NONCE => {
                let mut attribute = String::new();
                if let Some(nonce) = &self.page.nonce {
                    attribute.push_str(" nonce=\"");
                    crate::escape::html_text(nonce, &mut attribute);
                    attribute.push('"');
                }
                Some(Value::from_safe_string(attribute))
            }
            "csp_nonce" => Some(Value::from(self.page.nonce.clone().unwrap_or_default())),
            "csrf_token" => Some(self.token().map_or_else(|error| error, Value::from)),
            CSRF => Some(self.token().map_or_else(|error| error, |token| self.csrf_input(&token))),
            _ => None,
        }
    }

    fn csrf_input(&self, token: &str) -> Value {
        let mut input = String::from("<input type=\"hidden\" name=\"");
        crate::escape::html_text(&self.csrf_field, &mut input);
        input.push_str("\" value=\"");
        crate::escape::html_text(token, &mut input);
        input.push_str("\">");
        Value::from_safe_string(input)
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if is_reserved(name) {
            return self.reserved(name);
        }
        let own = self.data.as_ref().and_then(|data| data.get_value_by_str(name));
        own.or_else(|| self.page.globals.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<Value> = self.page.globals.iter().map(|(name, _)| Value::from(name)).collect();
        names.extend(self.data.iter().flat_map(|data| data.try_iter().into_iter().flatten()));
        Enumerator::Values(names)
    }
}

/// Whether a name belongs to the escaper or to the page.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with("_hx_") || matches!(name, "csp_nonce" | "csrf_token")
}

/// The nonce attribute with a space before it, or nothing.
pub(crate) const NONCE: &str = "_hx_nonce";

/// The hidden field with the CSRF token.
pub(crate) const CSRF: &str = "_hx_csrf";

/// The text by which a render that lacks the token is recognised.
pub(crate) const NO_TOKEN: &str = "this page has no CSRF token";
