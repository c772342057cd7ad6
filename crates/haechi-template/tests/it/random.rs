//! Random templates: no panic, the same answer twice, and no value outside of its place.

use haechi_template::Templates;
use serde_json::json;

use super::{generated, page};

/// A small generator (xorshift), so that a failing seed can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn template(&mut self) -> String {
        (0..=self.below(12)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

const PIECES: &[&str] = &[
    "text",
    "<p>",
    "</p>",
    "<a href=\"",
    "\"",
    "'",
    ">",
    " title=",
    "<script>",
    "</script>",
    "<style>",
    "</style>",
    "<!--",
    "-->",
    "/",
    "?q=",
    "{{ x }}",
    "{{ x|safe }}",
    "{{ x|tojson }}",
    "{{ m }}",
    "{% if x %}",
    "{% else %}",
    "{% endif %}",
    "{% for i in [1] %}",
    "{% endfor %}",
    "{% block b %}",
    "{% endblock %}",
    "{% include 'i.html' %}",
    "{% extends 'i.html' %}",
    "{% raw %}",
    "{% endraw %}",
    "{% set y %}",
    "{% endset %}",
    "{{ y }}",
    "<form method=post>",
    "{% macro f() %}",
    "{% endmacro %}",
    "{{ f() }}",
    "onclick=\"",
    "style=\"",
    "<textarea>",
    "</textarea>",
    "é",
    "\n",
    "{{ super() }}",
    "{{ x|upper }}",
    "{# c #}",
    "{%- if x -%}",
    "`${",
    "}`",
    "url(",
    ")",
    ";",
    "var a = ",
];

#[test]
fn random_templates_never_panic_and_never_leak() {
    let mut loaded = 0;
    for seed in 1..6000 {
        let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let files = [("p.html", random.template()), ("i.html", random.template())];
        let first = Templates::embedded(&files).build();
        let second = Templates::embedded(&files).build();
        match (first, second) {
            (Ok(first), Ok(second)) => {
                loaded += 1;
                assert_eq!(first.rewritten("p.html"), second.rewritten("p.html"), "seed {seed}");
                let trusted = files.iter().any(|(_, text)| text.contains("|safe"));
                let html = first.render("p.html", &json!({ "x": "<zz>\"'" }), &page()).unwrap_or_default();
                assert!(trusted || !html.contains("<zz>"), "seed {seed}: {files:?}");
            }
            (Err(first), Err(second)) => {
                let text = first.to_string();
                assert_eq!(text, second.to_string(), "seed {seed}");
                assert!(!text.contains("[rewrite]"), "seed {seed}: {files:?} {text}");
            }
            _ => panic!("seed {seed} is not deterministic"),
        }
    }
    assert!(loaded > 50, "only {loaded} random templates load: the test has lost its sense");
}

#[test]
fn no_value_changes_the_structure_of_a_generated_page() {
    let (sets, mut loaded) = (800, 0);
    for seed in 1..=sets {
        let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        loaded += u64::from(generated::check(&mut |bound| random.below(bound)));
    }
    println!("{loaded} of {sets} generated sets load");
    assert!(loaded * 10 > sets * 7, "only {loaded} of {sets} load: the grammar has lost its sense");
}
