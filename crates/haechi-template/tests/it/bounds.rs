//! Bad input: long, deep, endless or broken. A clear error, never a panic, on the stack of a worker thread.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

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

/// A tokenizer whose columns have 16 bits.
#[test]
fn an_error_far_to_the_right_is_an_error() {
    for unclosed in ["{# ", "{{ 'a", "{% raw %}", "{{ ? }}"] {
        refused(format!("{}{unclosed}", "a".repeat(70_000)), "syntax");
    }
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

/// The engine negates a step that has no opposite.
#[test]
fn a_panic_of_the_engine_or_of_a_function_is_an_error() {
    let templates = Templates::embedded(&[
        ("p.html", "{{ 'abc'[::n] }}"),
        ("f.html", "{% if on %}{{ fail() }}{% endif %}<p>"),
    ]);
    let templates = templates.function("fail", || -> String { panic!("as planned") }).build().unwrap();
    let stopped = templates.render("p.html", &json!({ "n": i64::MIN }), &page());
    assert!(matches!(stopped, Err(Error::Panicked(name)) if name == "p.html"));
    assert_eq!(templates.render("p.html", &json!({ "n": -1 }), &page()).unwrap(), "cba");
    let stopped = templates.render("f.html", &json!({ "on": true }), &page());
    assert!(matches!(stopped, Err(Error::Panicked(name)) if name == "f.html"));
    assert_eq!(templates.render("f.html", &json!({ "on": false }), &page()).unwrap(), "<p>");
}

/// Renders on a worker; the answer has to come before the deadline, or the test ends without it.
#[track_caller]
fn ended(source: String) -> Result<usize, String> {
    let (send, receive) = mpsc::channel();
    let shown = source.chars().take(100).collect::<String>();
    thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || {
            let templates = Templates::embedded(&[("p.html", &source)]).fuel(100_000).build();
            let templates = templates.map_err(|error| error.to_string());
            let html = templates.and_then(|templates| {
                let data = json!({ "x": "<'&\"", "rows": [{ "a": [1, 2] }] });
                templates.render("p.html", &data, &page()).map_err(|error| error.to_string())
            });
            send.send(html.map(|html| html.len())).unwrap_or_default();
        })
        .unwrap();
    receive.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("did not end: {shown}"))
}

/// Whoever writes templates could stop a worker with one line.
#[test]
fn a_value_that_is_huge_as_text_is_an_error() {
    let set = "{% set l = [1] * 99999999 %}{% set n = [[[[['<'] * 99] * 99] * 99] * 99] * 99 %}";
    for printed in [
        "{{ l }}",
        "{{ n }}",
        "{{ {'a': n} }}",
        "<p title=\"{{ l }}\">",
        "<p title=\"{{ n }}\">",
        "<a href=\"{{ l }}\">",
        "<a href=\"/a?b={{ n }}\">",
        "<script>var a = {{ l }};</script>",
        "<script>var a = {{ n }};</script>",
        "<script>var a = \"{{ n }}\";</script>",
        "<p onclick=\"f({{ n }})\">",
        "<p style=\"color: {{ n }}\">",
        "<p {{ {'class': n} }}>",
        "{% set m %}{{ n }}{% endset %}",
        "{{ n ~ '' }}",
        "{{ '' ~ x ~ l }}",
        "{{ [1] * 99999999 ~ '' }}",
        "{{ (l ~ 1)|length }}",
        "{{ l in 'abc' }}",
        "{{ n not in x }}",
        "{{ [1] * 999999999999 == [1] * 999999999999 }}",
        "{{ 2 in [1] * 999999999999 }}",
        "{{ l == [1] * 99999999 }}",
        "{{ ([1] * 999999999999)[::2]|tojson }}",
        "{{ l is startingwith 'a' }}",
        "{{ x is endingwith n }}",
        "{{ debug(n) }}",
        "{{ debug() }}",
        "{{ '%s'|format(n) }}",
        "{{ ('%(a)s' * 5000)|format({'a': 'x' * 60000}) }}",
        "{{ ','|join(l) }}{{ l|join(l) }}",
        "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}",
        "{{ ('a' * 9999999)|indent(9999999) }}",
        "{{ ('a\\n' * 9999)|indent(999999) }}",
        "{{ '<' * 99999999 }}",
        "{{ ('<' * 99999999)|e }}",
        "{{ ('<' * 99999999)|urlencode }}",
        "{{ ('<' * 99999999)|tojson }}",
        "{{ ('<' * 99999999)|upper }}",
        "<script>var a = {{ '<' * 99999999 }};</script>",
        "{{ ('<' * 99999999)|split('') }}",
        "{{ ('<' * 99999999)|list|length }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ x * 999999999999 }}",
        "{{ range(999999999999)|list }}",
        "{{ l|sum }}",
        "{{ l|batch(99999999) }}",
        "{% set n = namespace(a=1) %}{% for i in range(100000) %}{% set n.a = [n.a] %}{% endfor %}{{ n.a }}",
        "{% set n = namespace(a='b') %}{% for i in range(64) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
    ] {
        let ended = ended(format!("{set}{printed}"));
        let Err(error) = ended else { panic!("{printed}: {ended:?}") };
        let known = ["steps", "bytes", "nested", "range", "invalid operation"];
        assert!(known.iter().any(|word| error.contains(word)), "{printed}: {error}");
    }
}

/// Whatever a filter makes of it, it ends.
#[test]
fn every_filter_ends_with_a_huge_value_in_every_place() {
    for filter in FILTERS.split_whitespace() {
        for large in ["[1] * 99999999", "[[[[[1] * 999] * 999] * 999] * 999] * 999"] {
            for printed in ["l|F", "l|F(l)", "x|F(l)", "x|F('a', l)"] {
                let printed = printed.replace('F', filter);
                ended(format!("{{% set l = {large} %}}{{{{ {printed} }}}}")).unwrap_or_default();
            }
        }
    }
}

/// What pays is no other value, and an application's data is far from the end.
#[test]
fn what_is_paid_for_is_what_it_was() {
    let data = json!({ "x": "<", "l": [1, "a"], "m": { "a": [1] }, "n": null });
    for (source, expected) in [
        ("{{ x ~ l ~ m ~ n ~ 1.5 }}", "&lt;[1, &#39;a&#39;]{&#39;a&#39;: [1]}None1.5"),
        ("{{ (x ~ 'b')|upper ~ x }}", "&lt;B&lt;"),
        ("{{ (x ~ 'b') * 2 ~ (l|first) }}", "&lt;b&lt;b1"),
        ("{{ x in '<>' and 'a' in l and 'b' not in l }}", "True"),
        ("{{ [1] * 2 == [1, 1] }}{{ 1 in [1] * 2 }}", "TrueTrue"),
        ("{{ x|e ~ '<' }}", "&lt;&lt;"),
        ("{{ l|join('-') }}{{ [m, m]|join('-', attribute='a') }}", "1-a[1]-[1]"),
        ("{{ 'a\nb'|indent(2) }}{{ 'a\nb'|indent(width=1) }}", "a\n  ba\n b"),
        ("{{ 'abcd'|replace('b', '--')|replace('d', '') }}", "a--c"),
        ("{{ 'a,b'|split(',') }}{{ '-a-'|trim('-') }}", "[&#39;a&#39;, &#39;b&#39;]a"),
        ("{{ '%s %s'|format(x, l) }}", "&lt; [1, &#39;a&#39;]"),
        ("{{ 'abc' is startingwith 'a' }}{{ 12 is endingwith 2 }}", "TrueTrue"),
        ("<script>{{ m }}{{ l|tojson }}</script>", "<script> {\"a\":[1]}  [1,\"a\"] </script>"),
    ] {
        assert_eq!(
            super::render(&[("p.html", source)], &data).replace(" nonce=\"n0nce\"", ""),
            expected,
            "{source}"
        );
    }
    let rows: Vec<_> =
        (0..20_000).map(|n| json!({ "id": n, "name": "a name of a row", "tags": ["a"] })).collect();
    let page = super::render(
        &[("p.html", "<script>var a = {{ rows }};</script>{{ rows|tojson }}{{ rows }}")],
        &json!({ "rows": rows }),
    );
    assert!(page.len() > 2_000_000, "{}", page.len());
}

#[test]
fn names_that_are_no_names_are_refused() {
    for name in ["a#1.html", "../a.html", "a\\b.html", "/a.html", "a\n.html"] {
        assert_eq!(codes(&[(name, "")]), ["name"], "{name}");
    }
}

/// Many times what the slowest needs; without the bounds they take hours.
const DEADLINE: Duration = Duration::from_secs(30);

const FILTERS: &str = "abs attr batch bool capitalize chain count d default dictsort e escape first float format \
    groupby indent int items join json_script last length lines list local_path lower map max min pprint reject \
    rejectattr replace reverse round select selectattr slice sort split string sum title tojson trim unique upper \
    urlencode zip";
