//! What the templates of an application can and cannot do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bounds;
#[path = "../../../haechi-context/tests/corpus/browser.rs"]
mod browser;
mod corpus;
mod errors;
mod generated;
mod grammar;
mod lines;
mod pass;
mod random;
mod reload;
mod structure;
mod written;

use haechi_template::{Error, Page, Templates};
use serde_json::Value;

/// Loads templates by name and text; the first is the page.
fn load(files: &[(&str, &str)]) -> Result<Templates, Error> {
    Templates::embedded(files).build()
}

fn page() -> Page {
    Page::new().nonce("n0nce").csrf(|| "t0ken".into())
}

/// Renders the first template.
#[track_caller]
fn render(files: &[(&str, &str)], data: &Value) -> String {
    let templates = load(files).unwrap_or_else(|error| panic!("{error}"));
    templates.render(files[0].0, data, &page()).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the codes of the problems, in order.
#[track_caller]
fn codes(files: &[(&str, &str)]) -> Vec<&'static str> {
    match load(files) {
        Ok(_) => Vec::new(),
        Err(Error::Refused(problems)) => problems.iter().map(|problem| problem.code).collect(),
        Err(error) => panic!("{error}"),
    }
}
