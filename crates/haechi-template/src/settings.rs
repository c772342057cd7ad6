//! What the pass and the engine need to know beside the templates.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::Asset;
/// Looks one of our own static files up by its address.
pub(crate) type Assets = dyn Fn(&str) -> Option<Asset> + Send + Sync;

/// The settings of a set of templates.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) filters: BTreeSet<String>,
    pub(crate) tests: BTreeSet<String>,
    /// The functions that return a `SafePath`.
    pub(crate) path_functions: BTreeSet<String>,
    pub(crate) deny_safe: bool,
    pub(crate) csrf_field: Arc<str>,
    pub(crate) assets: Option<Arc<Assets>>,
    pub(crate) fuel: u64,
    pub(crate) max_bytes: usize,
    pub(crate) reload: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            filters: own(FILTERS),
            tests: own(TESTS),
            path_functions: BTreeSet::new(),
            deny_safe: false,
            csrf_field: "csrf_token".into(),
            assets: None,
            fuel: 5_000_000,
            max_bytes: 16 * 1024 * 1024,
            reload: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("deny_safe", &self.deny_safe)
            .field("csrf_field", &self.csrf_field)
            .field("fuel", &self.fuel)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// The filters of the engine and ours; a test compares the list with the engine.
pub(crate) const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "json_script",
    "last",
    "length",
    "lines",
    "list",
    "local_path",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

/// The tests of the engine.
pub(crate) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::{ErrorKind, value::Value};

    #[test]
    fn the_lists_are_what_the_engine_has() {
        let env = crate::engine::environment(&Settings::default());
        let shown = format!("{env:?}");
        for name in FILTERS {
            let called = env.empty_state().apply_filter(name, &[Value::from("a")]);
            assert!(!called.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter), "{name}");
            assert!(shown.contains(&format!("{name:?}")), "{name}");
        }
        for name in TESTS {
            let called = env.empty_state().perform_test(name, &[Value::from("a")]);
            assert!(!called.is_err_and(|error| error.kind() == ErrorKind::UnknownTest), "{name}");
        }
        let filters = shown.split("filters: [").nth(1).and_then(|rest| rest.split(']').next());
        let listed = filters.map(|names| names.split(',').filter(|name| !name.trim().is_empty()).count());
        // `_hx_safe`, `_hx_paid` and `_hx_flat` are those that templates cannot name.
        assert_eq!(listed.unwrap_or_default(), FILTERS.len() + 3, "{shown}");
    }
}
