//! What the pass writes: nonces, CSRF fields, integrity, rel.

use haechi_template::{Asset, SafePath, Templates};
use serde_json::json;

use super::{codes, load, page, render};

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(render(&[("p.html", text)], &json!({ "id": "//x", "yes": true })), expected);
}

const FIELD: &str = "<input type=\"hidden\" name=\"csrf_token\" value=\"t0ken\">";

#[test]
fn scripts_and_styles_get_the_nonce() {
    check("<script>f()</script>", "<script nonce=\"n0nce\">f()</script>");
    check("<script src=\"/a.js\"></script>", "<script src=\"/a.js\" nonce=\"n0nce\"></script>");
    check("<style>p{}</style>", "<style nonce=\"n0nce\">p{}</style>");
    check("<script nonce=\"own\"></script>", "<script nonce=\"own\"></script>");
    check("{% raw %}<script>{{ a }}</script>{% endraw %}", "<script nonce=\"n0nce\">{{ a }}</script>");
    check("<script{% if yes %} async{% endif %}>f()</script>", "<script async nonce=\"n0nce\">f()</script>");
    let templates = load(&[("p.html", "<script></script>")]).unwrap();
    let html = templates.render("p.html", &(), &haechi_template::Page::new()).unwrap();
    assert_eq!(html, "<script></script>");
}

#[test]
fn forms_that_post_here_get_the_token() {
    for tag in [
        "<form method=post>",
        "<form method=\"POST\" action=\"/a\">",
        "<form action=\"\" method=post>",
        "<form method=post action=\"?a=1\">",
        "<form method=post action=\"edit\">",
    ] {
        check(&format!("{tag}</form>"), &format!("{tag}{FIELD}</form>"));
    }
    check(
        "<form method=post action=\"/{{ id }}\">",
        &format!("<form method=post action=\"/%2F%2Fx\">{FIELD}"),
    );
    check("{% raw %}<form method=post>{% endraw %}-", &format!("<form method=post>{FIELD}-"));
    check("<form>", "<form>");
    check("<form method=get action=\"{{ id }}\">", "<form method=get action=\"//x\">");
    // Another site, written out: it must not learn the token.
    for tag in
        ["<form method=post action=\"https://pay.example/\">", "<form method=post action=\"//pay.example/\">"]
    {
        check(tag, tag);
    }
}

fn with_paths(text: &str) -> Result<Templates, haechi_template::Error> {
    let path = |text: &str| SafePath::parse(text).unwrap_or(SafePath::literal("/"));
    Templates::embedded(&[("p.html", text)])
        .path_function("url", path)
        .function("other", |text: &str| text.to_owned())
        .build()
}

#[test]
fn a_form_posts_to_a_path_function() {
    let data = json!({ "a": "/posts/7", "b": "//evil.example", "c": "/evil.example", "yes": true });
    for (action, written) in [
        ("{{ url(a) }}", "/posts/7"),
        ("{{ url(b) }}", "/"),
        ("{{ url(a) }}?b={{ b }}", "/posts/7?b=%2F%2Fevil.example"),
        ("{{ url(b) }}{{ c }}", "/%2Fevil.example"),
        ("{{ url(a) if yes else url(b) }}", "/posts/7"),
        ("{{ a|local_path }}", "/posts/7"),
        ("{{ b|local_path }}", "about:invalid#haechi"),
        ("{{ b|local_path('/home') }}", "/home"),
        ("{{ b|local_path(b) }}", "about:invalid#haechi"),
        ("{{ url(a)|local_path }}", "/posts/7"),
        ("{% if yes %}/posts/1{% else %}/users{% endif %}", "/posts/1"),
        ("posts/{{ c }}", "posts//evil.example"),
        // A name that hides the function has no path to give.
        ("{% set url = other %}{{ url(b) }}", "about:invalid#haechi"),
        ("{% with url = other %}{{ url(a) }}{% endwith %}", "about:invalid#haechi"),
    ] {
        let text = format!("<form method=post action=\"{action}\">");
        let templates = with_paths(&text).unwrap_or_else(|error| panic!("{error}"));
        let html = templates.render("p.html", &data, &page()).unwrap();
        assert_eq!(html, format!("<form method=post action=\"{written}\">{FIELD}"), "{action}");
    }
    let text = "<form method=post><button formaction=\"{{ url(a) }}\"><a href=\"{{ url(a) }}\"><img src=\"{{ url(a) }}\">";
    let html = with_paths(text).unwrap().render("p.html", &data, &page()).unwrap();
    assert_eq!(html.matches("\"/posts/7\"").count(), 3, "{html}");
    // Elsewhere it is text.
    let html = with_paths("{{ url(a) }}<i title='{{ url(a) }}'>").unwrap().render("p.html", &data, &page());
    assert_eq!(html.unwrap(), "/posts/7<i title='/posts/7'>");
}

#[test]
fn a_form_to_another_function_is_refused_with_the_cure() {
    for action in [
        "{{ other(a) }}",
        "{{ url(a) ~ '' }}",
        "{{ url(a) if yes else a }}",
        "{{ url(a) if yes }}",
        "{{ x.url(a) }}",
        "{{ url }}",
        "x{{ url(a) }}",
        "//{{ url(a) }}",
        "{{ url(a) }}/evil.example",
        "{{ url(a) }}\\evil.example",
        "{{ url(a) }}{% if yes %}/evil.example{% endif %}",
        "/{% if yes %}a{% endif %}/evil.example",
        "/{% block b %}{% endblock %}",
        "{% block b %}{% endblock %}",
    ] {
        let text = format!("<form method=post action=\"{action}\">");
        let error = with_paths(&text).expect_err(action).to_string();
        assert!(error.contains("[form-action]") && error.contains("local_path"), "{action}: {error}");
    }
}

#[test]
fn an_empty_value_does_not_make_a_host_of_what_follows() {
    let data = json!({ "a": "", "b": "evil.example" });
    for (text, expected) in [
        ("<form action=\"/{{ a }}/{{ b }}\">", "<form action=\"/./evil.example\">"),
        (
            "<script src=\"/{{ a }}/{{ b }}\">",
            "<script src=\"/haechi-invalid/evil.example\" nonce=\"n0nce\">",
        ),
    ] {
        let text = [text, if text.contains("script") { "</script>" } else { "" }].concat();
        assert!(render(&[("p.html", &text)], &data).starts_with(expected), "{text}");
    }
}

#[test]
fn a_form_that_might_leave_this_site_is_refused() {
    for text in [
        "<form method=post action=\"{{ id }}\">",
        "<form method=post action=\"https://{{ id }}/\">",
        "<form method=post action=\"/\\evil\">",
        "<form method=\"post\" action=\"{% if a %}/a{% else %}//b{% endif %}\">",
        "<form method=post><button formaction=\"//evil\">",
        "<form method=post><button formaction=\"{{ id }}\">",
    ] {
        assert_eq!(codes(&[("p.html", text)]), ["form-action"], "{text}");
    }
}

#[test]
fn a_form_without_a_token_is_an_error() {
    let templates = load(&[("p.html", "<form method=post>")]).unwrap();
    let error = templates.render("p.html", &(), &haechi_template::Page::new()).unwrap_err();
    assert!(matches!(error, haechi_template::Error::NoCsrfToken(_)), "{error}");
}

#[test]
fn the_field_can_have_djangos_name() {
    let templates =
        Templates::embedded(&[("p.html", "<form method=post>")]).csrf_field("csrfmiddlewaretoken").build();
    let html = templates.unwrap().render("p.html", &(), &page()).unwrap();
    assert!(html.contains("name=\"csrfmiddlewaretoken\""), "{html}");
}

#[test]
fn own_files_get_integrity_and_a_version() {
    #[track_caller]
    fn check(tag: &str, expected: &str) {
        let lookup = |path: &str| {
            let (integrity, version) = ("sha384-AbC=".to_owned(), "a-1".to_owned());
            (path == "/static/a.js").then_some(Asset { integrity, version })
        };
        let built = Templates::embedded(&[("p.html", tag)]).assets(lookup).build();
        let html = built.unwrap().render("p.html", &serde_json::json!({ "x": true }), &page()).unwrap();
        assert_eq!(html.replace(" nonce=\"n0nce\"", ""), expected, "{tag}");
    }
    check(
        "<script src=\"/static/a.js\"></script>",
        "<script src=\"/static/a.js?v=a-1\" integrity=\"sha384-AbC=\"></script>",
    );
    check(
        "{% for i in [1, 2] %}<script src='/static/a.js'></script>{% endfor %}",
        &"<script src='/static/a.js?v=a-1' integrity=\"sha384-AbC=\"></script>".repeat(2),
    );
    check(
        "<link rel=\"stylesheet\" href=\"/static/a.js\" title=\"b\"/>",
        "<link rel=\"stylesheet\" href=\"/static/a.js?v=a-1\" title=\"b\" integrity=\"sha384-AbC=\"/>",
    );
    // Where the address cannot be found for sure it stays as it is, and is asked for anew each time.
    check(
        "<script src=/static/a.js></script>",
        "<script src=/static/a.js integrity=\"sha384-AbC=\"></script>",
    );
    check(
        "<script src=\"/static/a.js\" data-from=\"/static/a.js\"></script>",
        "<script src=\"/static/a.js\" data-from=\"/static/a.js\" integrity=\"sha384-AbC=\"></script>",
    );
    check(
        "<script{% if x %} defer{% endif %} src=\"/static/a.js\"></script>",
        "<script defer src=\"/static/a.js\" integrity=\"sha384-AbC=\"></script>",
    );
    // A file of somebody else, and a tag that has its own.
    check("<script src=\"/b.js\"></script>", "<script src=\"/b.js\"></script>");
    check(
        "<script src=\"/static/a.js\" integrity=\"sha384-B=\"></script>",
        "<script src=\"/static/a.js\" integrity=\"sha384-B=\"></script>",
    );
}

#[test]
fn what_is_looked_up_cannot_leave_its_attribute() {
    for (integrity, version) in [("sha384-\"", "1"), ("sha384-A", "\"><script>"), ("sha384-A", "a b")] {
        let (integrity, version) = (integrity.to_owned(), version.to_owned());
        let asset = Asset { integrity, version };
        let lookup = move |_: &str| Some(asset.clone());
        let built =
            Templates::embedded(&[("p.html", "<link rel=\"stylesheet\" href=\"/a.css\">")]).assets(lookup);
        let html = built.build().unwrap().render("p.html", &(), &page()).unwrap();
        assert_eq!(html, "<link rel=\"stylesheet\" href=\"/a.css\">");
    }
}

#[test]
fn new_windows_get_no_opener() {
    let templates = load(&[("p.html", "<a target=_blank href=\"/\">")]).unwrap();
    let html = templates.render("p.html", &(), &page()).unwrap();
    assert_eq!(html, "<a target=_blank href=\"/\" rel=\"noopener\">");
}

#[test]
fn an_inline_handler_is_a_warning() {
    let templates = load(&[("p.html", "<p onclick=\"f()\">")]).unwrap();
    assert_eq!(templates.warnings()[0].code, "inline-handler");
}

#[test]
fn what_is_safe_and_probably_not_meant_is_a_warning() {
    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let files = [("base.html", "{% block b %}{% endblock %}"), ("p.html", source)];
        let templates = load(&files).unwrap_or_else(|error| panic!("{error}"));
        let found: Vec<String> = templates
            .warnings()
            .iter()
            .map(|one| format!("{}:{} {}", one.line, one.column, one.code))
            .collect();
        assert_eq!(found, expected, "{source}");
    }
    check("{% extends 'base.html' %}\n{# note #}{% set a = 1 %}{% block b %}c{% endblock %}", &[]);
    check("{% extends 'base.html' %}\n<p>lost</p>{% block b %}c{% endblock %}", &["2:1 dead-text"]);
    check("{% extends 'base.html' %}{% if a %}{{ b }}{% endif %}", &["1:39 dead-text"]);
    check("<div v-if=\"a\"><p title=\"{{ x }}\">{{ x }}{{ y }}</p></div>", &["1:37 client-template"]);
    check("\n<link href=\"{{ x }}\" rel=\"icon\">", &["2:1 late-rel"]);
    check("<link {% if a %}href='{{ x }}'{% else %}href='/a'{% endif %} rel=icon>", &["1:1 late-rel"]);
    check("<link rel=\"icon\" href=\"{{ x }}\"><link href=\"/a?b={{ x }}\" rel=\"icon\">", &[]);
    check("<link href=\"{{ x }}\" rel=\"stylesheet\"><link href=\"{{ x }}\">", &[]);
    check("<div ng-app><p>{% for x in y %}{{ x }}{% endfor %}", &["1:35 client-template"]);
    check("<div v-if=\"a\"><p v-pre>{{ x }}</p></div>", &[]);
    check("<div x-data=\"{}\"><p>{{ x }}</p></div> <p>v-if ng-app {{ x }}", &[]);
}
