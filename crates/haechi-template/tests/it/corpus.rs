//! The corpus of `haechi-context` through the engine, in a real Chromium: every place × how a template can print a
//! value there × payload.

use std::collections::BTreeMap;

use haechi_template::{Page, Templates};
use minijinja::{AutoEscape, Environment};
use serde_json::json;

use super::browser::{BENIGN, Case, PAYLOADS, TEMPLATES, judge, line};

/// Ways to print a value: name, what stands before the page, instead of `{{ x }}`, and behind the page.
const INSIDE: &[(&str, &str, &str, &str)] = &[
    ("alone", "", "{{ x }}", ""),
    ("loop", "", "{% for y in [x] %}{{ y }}{% endfor %}", ""),
    ("whole loop", "{% for y in [x] %}", "{{ y }}", "{% endfor %}"),
    ("if", "", "{% if x is defined %}{{ x }}{% else %}{{ x }}{% endif %}", ""),
    ("include", "", "{% include 'value.html' %}", ""),
    ("macro", "{% macro m(v) %}{{ v }}{% endmacro %}", "{{ m(x) }}", ""),
    ("whole macro", "{% macro m(x) %}", "{{ x }}", "{% endmacro %}{{ m(x) }}"),
    ("block", "", "{% block b %}{{ x }}{% endblock %}", ""),
    ("set", "{% set y %}{{ x }}{% endset %}", "{{ y }}", ""),
    ("call", "{% macro w() %}{{ caller() }}{% endmacro %}{% call w() %}", "{{ x }}", "{% endcall %}"),
    ("with", "{% with y = x %}", "{{ y }}", "{% endwith %}"),
    ("child", "{% extends 'base.html' %}{% block b %}", "{{ x }}", "{% endblock %}"),
    ("super", "{% extends 'base.html' %}{% block c %}{{ super() }}", "", "{% endblock %}"),
];

/// Each place is tried in every sixth way, with every twelfth payload; the shares move with the place. All pairs
/// together take Chromium many minutes.
const WAYS: usize = 6;
const SHARE: usize = 12;

struct Shape {
    files: BTreeMap<&'static str, String>,
    templates: Templates,
    plain: Environment<'static>,
}

impl Shape {
    /// Nothing if the way is refused in this place.
    fn new(source: &str, way: &(&str, &str, &str, &str)) -> Option<Self> {
        let (_, before, value, behind) = way;
        let (own, of_parent) =
            if value.is_empty() { (String::new(), source) } else { (source.replace("{{ x }}", value), "") };
        let page = format!("{before}{own}{behind}");
        let base = format!("{{% block b %}}{{% endblock %}}{{% block c %}}{of_parent}{{% endblock %}}");
        let files =
            BTreeMap::from([("page.html", page), ("base.html", base), ("value.html", "{{ x }}".into())]);
        let list: Vec<_> = files.iter().collect();
        let templates = Templates::embedded(&list).build().ok()?;
        let mut plain = Environment::new();
        plain.set_auto_escape_callback(|_| AutoEscape::None);
        for (name, text) in files.clone() {
            plain.add_template_owned(name, text).ok()?;
        }
        Some(Self { files, templates, plain })
    }

    fn render(&self, x: &str) -> String {
        let page = Page::new().csrf(|| "token".into());
        let html = self.templates.render("page.html", &json!({ "x": x }), &page);
        html.unwrap_or_else(|error| panic!("{:?}: {error}", self.files))
    }

    fn unescaped(&self, x: &str) -> String {
        let page = self.plain.get_template("page.html");
        page.and_then(|page| page.render(minijinja::context! { x => x })).unwrap_or_default()
    }
}

/// asvs_1_2_1: in every shape that a template can have.
#[test]
fn no_payload_runs_in_any_shape_of_template() {
    let payloads: Vec<String> = PAYLOADS.lines().map(line).collect();
    let benign: Vec<String> = BENIGN.lines().map(line).collect();
    let (mut cases, mut pairs, mut refused) = (Vec::new(), 0, BTreeMap::<&str, usize>::new());
    for (row, (kind, source)) in TEMPLATES.lines().filter_map(|row| row.split_once('\t')).enumerate() {
        let source = line(source);
        for (number, way) in INSIDE.iter().enumerate().skip(row % WAYS).step_by(WAYS) {
            let Some(shape) = Shape::new(&source, way) else {
                *refused.entry(way.0).or_default() += 1;
                continue;
            };
            let name = format!("{}: {source}", way.0);
            let mut case = Case { name, kind: kind.into(), ..Case::default() };
            let harmless = shape.render("abc");
            for payload in payloads.iter().skip((row * 7 + number * 2) % SHARE).step_by(SHARE) {
                pairs += 1;
                case.base += &harmless;
                case.safe += &shape.render(payload);
                case.raw += &shape.unescaped(payload);
            }
            if !matches!(kind, "-" | "here" | "spread") {
                let some = benign.iter().skip((row + number) % INSIDE.len()).step_by(INSIDE.len());
                case.benign = some.map(|value| (value.clone(), shape.render(value))).collect();
            }
            cases.push(case);
        }
    }
    println!("refused of {} places: {refused:?}", TEMPLATES.lines().count());
    assert!(refused.values().sum::<usize>() * 4 < cases.len(), "too much is refused: {refused:?}");
    judge(&cases, pairs, 100);
}
