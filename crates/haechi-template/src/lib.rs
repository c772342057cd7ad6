//! Jinja templates whose escaping is decided by the place of each value when the template is loaded.
//!
//! [`Templates`] reads every template at start-up, walks its syntax tree with the state machine of `haechi-context`
//! and writes the right escaper behind each expression. What cannot be escaped safely is an error with file, line,
//! column and a cure, before the first request. The engine is minijinja; the language is Jinja's.
//!
//! ```
//! use haechi_template::{Page, Templates};
//!
//! let templates = Templates::embedded(&[("page.html", "<a href=\"{{ link }}\">{{ text }}</a>")]).build()?;
//! let data = serde_json::json!({ "link": "javascript:alert(1)", "text": "<b>" });
//! let html = templates.render("page.html", &data, &Page::new())?;
//! assert!(!html.contains("javascript:") && html.contains("&lt;b&gt;"));
//!
//! let error = Templates::embedded(&[("page.html", "<a title={{ name }} href={{ link }}>")]).build().unwrap_err();
//! assert!(error.to_string().starts_with("page.html:1:"));
//! # Ok::<(), haechi_template::Error>(())
//! ```

mod asset;
mod bound;
mod builder;
mod canon;
pub mod danger;
mod edit;
mod engine;
mod error;
mod escape;
mod failure;
mod filters;
mod name;
mod output;
mod page;
mod parse;
mod pass;
mod problem;
mod report;
mod rule;
#[cfg(feature = "sanitize")]
mod sanitize;
mod scan;
mod settings;
mod source;
mod templates;
mod trusted;

pub use asset::Asset;
pub use builder::Builder;
pub use error::{Error, Problems};
pub use minijinja::functions::Function;
pub use minijinja::{
    Error as FunctionError, ErrorKind as FunctionErrorKind, State, UndefinedBehavior, context, value,
};
pub use page::Page;
pub use problem::Problem;
pub use report::{Explained, TrustSite, WARNINGS, Warning};
pub use rule::{RULES, Rule};
#[cfg(feature = "sanitize")]
pub use sanitize::sanitize;
pub use templates::Templates;
pub use trusted::{Html, SafeAttrs, SafeCss, SafeJs, SafePath, SafeUrl};
