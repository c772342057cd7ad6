//! Bad input: long, deep, endless or broken. A clear error, never a panic, on the stack of a worker thread.

use std::thread;

use haechi_template::{Error, Templates};
use serde_json::json;

use super::{codes, load, page};

/// Runs on 2 MiB, what a worker thread has.
fn on_a_worker<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap()
}

#[track_caller]
fn refused(text: String, code: &'static str) {
    assert_eq!(on_a_worker(move || codes(&[("p.html", &text)])), [code]);
}

#[test]
fn deep_nesting_is_refused() {
    let many = 50_000;
    refused(format!("{{{{ {} }}}}", vec!["a"; many].join(" + ")), "too-deep");
    refused(format!("{{{{ a{} }}}}", ".b".repeat(many)), "too-deep");
    refused(format!("{{{{ a{} }}}}", "|e".repeat(many)), "too-deep");
    refused(format!("{{{{ {}a }}}}", "not ".repeat(many)), "too-deep");
    refused(format!("{{{{ {}a }}}}", "-".repeat(many)), "too-deep");
    refused(format!("{{{{ {}a{} }}}}", "(".repeat(many), ")".repeat(many)), "too-deep");
    refused(format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}".repeat(many)), "too-deep");
    refused(format!("{}{}", "{% if a %}".repeat(many), "{% endif %}".repeat(many)), "syntax");
}

#[test]
fn long_templates_are_fine_until_four_megabytes() {
    let long = "<p>text</p>\n".repeat(100_000);
    assert!(on_a_worker(move || codes(&[("p.html", &long)])).is_empty());
    let list = format!("{{% set a = [{}] %}}", "{'k': 1 + 2}, ".repeat(10_000));
    assert!(on_a_worker(move || codes(&[("p.html", &list)])).is_empty());
    refused("a".repeat((4 << 20) + 1), "too-large");
}

#[test]
fn recursion_is_an_error() {
    assert_eq!(
        codes(&[("a.html", "{% extends 'b.html' %}"), ("b.html", "{% extends 'a.html' %}")])[0],
        "extends-cycle"
    );
    let render = |files: &'static [(&str, &str)]| {
        on_a_worker(move || load(files).unwrap().render("p.html", &(), &page()).unwrap_err().to_string())
    };
    assert!(render(&[("p.html", "{% include 'p.html' %}")]).contains("recursion"));
    let text = render(&[("p.html", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]);
    assert!(text.contains("recursion"), "{text}");
    let chain: Vec<(String, String)> =
        (0..60).map(|n| (format!("{n}.html"), format!("{{% include '{}.html' %}}", n + 1))).collect();
    let error = on_a_worker(move || Templates::embedded(&chain).build().unwrap_err().to_string());
    assert!(error.contains("too-deep"), "{error}");
}

#[test]
fn a_render_is_bounded() {
    let endless = load(&[(
        "p.html",
        "{% for i in range(9999) %}{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}",
    )]);
    assert!(matches!(endless.unwrap().render("p.html", &(), &page()), Err(Error::OutOfFuel { .. })));
    let large = Templates::embedded(&[("p.html", "{{ x }}{{ x }}")]).max_bytes(1000).build().unwrap();
    assert!(large.render("p.html", &json!({ "x": "a".repeat(500) }), &page()).is_ok());
    let error = large.render("p.html", &json!({ "x": "a".repeat(501) }), &page());
    assert!(matches!(error, Err(Error::TooLarge { limit: 1000, .. })), "{error:?}");
}

#[test]
fn names_that_are_no_names_are_refused() {
    for name in ["a#1.html", "../a.html", "a\\b.html", "/a.html", "a\n.html"] {
        assert_eq!(codes(&[(name, "")]), ["name"], "{name}");
    }
}
