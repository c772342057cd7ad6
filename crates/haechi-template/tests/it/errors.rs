//! Errors as a person reads them.

use expect_test::{Expect, expect};
use haechi_template::{Error, RULES};

use super::{codes, load};

#[track_caller]
fn check(files: &[(&str, &str)], expected: &Expect) {
    expected.assert_eq(&load(files).map_or_else(|error| error.to_string(), |_| "no problem".into()));
}

#[test]
fn all_problems_of_all_templates_are_shown_at_once() {
    check(
        &[
            ("a.html", "<p>\n<a title={{ n }} href={{ name }}>"),
            ("b.html", "{% if %}"),
            (
                "c.html",
                "{% block a %}<a href=javascript:{{ x }}>{% endblock %}{% block b %}{{ x|nope }}{% endblock %}",
            ),
            ("d.html", "{% extends 'missing.html' %}"),
            ("e.html", "text <a href=\""),
        ],
        &expect![[r#"
            a.html:2:26: [unquoted] a value in the unquoted attribute `href`
              2 │ <a title={{ n }} href={{ name }}>
                │                          ^^^^ quote it: attribute="{{ value }}"

            b.html:1:7: [syntax] unexpected end of block
              1 │ {% if %}
                │       ^^ compare with the Jinja syntax

            c.html:1:36: [unquoted] a value in the unquoted attribute `href`
              1 │ {% block a %}<a href=javascript:{{ x }}>{% endblock %}{% block b %}{{ x|nope }}{% endblock %}
                │                                    ^ quote it: attribute="{{ value }}"

            c.html:1:73: [unknown-filter] no filter is called `nope`
              1 │ {% block a %}<a href=javascript:{{ x }}>{% endblock %}{% block b %}{{ x|nope }}{% endblock %}
                │                                                                         ^^^^ check the spelling, or add the filter to the builder

            d.html:1:4: [not-found] template `missing.html` does not exist
              1 │ {% extends 'missing.html' %}
                │    ^^^^^^^^^^^^^^^^^^^^^^ check the spelling

            e.html: [end-context] the template ends in URL attribute `href` (start); close the last tag, quote, comment or script

            6 problems in the templates"#]],
    );
}

#[test]
fn every_rule_has_an_example_that_it_refuses() {
    let by_other_means =
        ["name", "not-utf8", "too-large", "too-deep", "safe-denied", "rewrite", "safe-misuse"];
    for rule in RULES.iter().filter(|rule| !by_other_means.contains(&rule.code)) {
        let base = ("base.html", "{% block title %}{% endblock %}");
        let name = if rule.example.contains("self.html") { "self.html" } else { "page.html" };
        assert_eq!(codes(&[(name, rule.example), base]), [rule.code], "{}", rule.example);
    }
}

#[test]
fn a_partial_with_a_problem_is_reported_once_and_its_users_are_not_blamed() {
    let files = [
        ("p.html", "{% include 'bad.html' %}"),
        ("q.html", "{% include 'bad.html' %}"),
        ("bad.html", "{{ x|nope }}"),
    ];
    let Err(Error::Refused(problems)) = load(&files) else { panic!("loaded") };
    assert_eq!(problems.iter().map(|one| one.template.as_str()).collect::<Vec<_>>(), ["bad.html"]);
}

#[test]
fn every_rule_stands_in_the_documentation() {
    let documentation = include_str!("../../../../docs/templates.md");
    for rule in RULES {
        let row =
            format!("| `{}` | {} | {} |", rule.code, rule.cause, rule.cure).replace("`|safe`", "`\\|safe`");
        let row = row.replace("with |safe", "with \\|safe");
        assert!(documentation.contains(&row), "docs/templates.md lacks the row {row}");
    }
}

#[test]
fn every_code_of_a_place_and_every_warning_stands_in_the_documentation() {
    let documentation = include_str!("../../../../docs/templates.md");
    let cell = |text: &str| text.replace('|', "\\|");
    for code in haechi_context::Code::ALL {
        let row = format!("| `{code}` | {} | {} |", cell(code.cause()), cell(code.cure()));
        assert!(documentation.contains(&row), "docs/templates.md lacks the row\n{row}");
    }
    for (code, what) in haechi_template::WARNINGS {
        let row = format!("| `{code}` | {what} |");
        assert!(documentation.contains(&row), "docs/templates.md lacks the row\n{row}");
    }
}

#[test]
fn an_error_knows_its_template_and_line() {
    let files =
        [("page.html", "<p>\n<i title=\"{% include 'part.html' %}\">"), ("part.html", "a\n{{ 1 / x }}")];
    let templates = load(&files).unwrap();
    let error = templates.render("page.html", &serde_json::json!({ "x": "no" }), &crate::page()).unwrap_err();
    assert_eq!(error.location(), Some(("part.html", 2)), "{error}");
    let error = load(&[("page.html", "\n<a title={{ x }} href={{ y }}>")]).unwrap_err();
    assert_eq!(error.location(), Some(("page.html", 2)), "{error}");
}
