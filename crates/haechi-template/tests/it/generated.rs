//! What holds for every set of templates that the grammar makes; the fuzz target includes this file.

use haechi_template::{Page, Templates, value::Value};

use crate::grammar::Grammar;
use crate::structure;

/// Loads a generated set and renders it with harmless and with hostile values: a parser finds the same tags in both.
/// Returns whether the set loads.
pub(crate) fn check(choose: &mut dyn FnMut(usize) -> usize) -> bool {
    let files = Grammar::new(choose).files();
    let hostile = HOSTILE[choose(HOSTILE.len())];
    let templates = match Templates::embedded(&files).build() {
        Ok(templates) => templates,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("[rewrite]"), "{files:#?} {text}");
            return false;
        }
    };
    let page = Page::new().nonce("n0nce").csrf(|| "t0ken".into());
    let render = |value: &str| templates.render_value("page.html", &data(value), &page);
    // What a filter or the fuel refuses depends on the value.
    let (Ok(harmless), Ok(attacked)) = (render("abc"), render(hostile)) else { return true };
    let (expected, found) = (structure::of(&harmless), structure::of(&attacked));
    assert_eq!(found, expected, "{hostile:?} in {files:#?}\n{attacked}");
    true
}

fn data(value: &str) -> Value {
    let attributes = Value::from_pairs([("title", value), ("data-z", value), ("href", value)]);
    Value::from_pairs([
        ("x", Value::from(value)),
        ("y", Value::from(value)),
        ("xs", Value::from(vec![value.to_owned(), value.to_owned()])),
        ("o", Value::from_pairs([("k", value)])),
        ("c", Value::from(true)),
        ("attrs", attributes),
    ])
}

/// `zq()` stands for the call that must not be made.
const HOSTILE: &[&str] = &[
    "<img src=x onerror=zq()>",
    "\"><script>zq()</script>",
    "' onclick='zq()",
    "</script><script>zq()</script>",
    "</style><script>zq()</script>",
    "</textarea></title><b>",
    "--><b>",
    "javascript:zq()",
    "\tjava\nscript:zq()//",
    "\";zq();//",
    "';zq();//",
    "`${zq()}`",
    "${zq()}",
    "\\",
    "\\\";zq();//",
    "*/zq();/*",
    "/;zq();/",
    "\n\r\u{2028}zq()",
    "}*{color:red}",
    "');color:red;a:('",
    "red;color:red",
    "&quot; onclick=&quot;zq()",
    "&#39;);zq();//",
    "//evil.example/a",
    "%s%s",
    "a b c=d",
    "",
    "<!--<script>",
    "]]>",
    "{{ x }}{% if %}",
    "\0<b>",
];
