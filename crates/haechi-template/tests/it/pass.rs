//! The structure of templates: every construct renders right or is refused.

use haechi_template::{Html, SafeAttrs, SafeCss, SafeJs, SafeUrl, Templates, danger};
use serde_json::json;

use super::{codes, load, page, render};

#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    let data =
        json!({ "x": "a\"<b>&'", "u": "javascript:alert(1)", "n": 5, "yes": true, "list": ["a", "b"] });
    assert_eq!(render(files, &data), expected);
}

#[track_caller]
fn page_is(text: &str, expected: &str) {
    check(&[("p.html", text)], expected);
}

#[test]
fn each_place_has_its_escaper() {
    page_is("{{ x }}", "a&#34;&lt;b&gt;&amp;&#39;");
    page_is("<a href=\"{{ u }}\">", "<a href=\"about:invalid#haechi\">");
    page_is("<a href=\"/s?q={{ x }}\">", "<a href=\"/s?q=a%22%3Cb%3E%26%27\">");
    page_is("<p onclick=\"f({{ n }})\">", "<p onclick=\"f( 5 )\">");
    page_is(
        "<style nonce=x>p{ color: {{ u }} }</style>",
        "<style nonce=x>p{ color: haechi-invalid }</style>",
    );
    page_is("<!-- {{ x }} -->", "<!--  -->");
}

#[test]
fn branches_and_loops_join() {
    page_is("<option{% if yes %} selected{% endif %}>", "<option selected>");
    page_is("<a href=\"/?{% for i in list %}{{ i }};{% endfor %}\">", "<a href=\"/?a;b;\">");
    page_is("{% for i in list %}{% if i == 'a' %}{% continue %}{% endif %}{{ i }}{% endfor %}", "b");
    page_is("{% for i in list %}{{ i }}{% if yes %}{% break %}{% endif %}<b>{% else %}-{% endfor %}", "a-");
    page_is("{% with y = x %}<i title=\"{{ y }}\">{% endwith %}", "<i title=\"a&#34;&lt;b&gt;&amp;&#39;\">");
    let broken = "<a href=\"{% for i in list %}/?{% break %}{% else %}{{ u }}{% endfor %}\">";
    assert_eq!(codes(&[("p.html", broken)]), ["url-ambiguous"]);
    assert_eq!(codes(&[("p.html", "{% if a %}<a href=\"{% endif %}{{ x }}")]), ["branch-mismatch"]);
    assert_eq!(codes(&[("p.html", "<a{% if x %}b{% endif %}c>")]).len(), 1);
}

#[test]
fn blocks_keep_their_place() {
    let base = (
        "base.html",
        "<title>{% block t %}{{ x }}{% endblock %}</title><i class=\"{% block c %}k{% endblock %}\">",
    );
    let child = "{% extends 'base.html' %}{% block t %}{{ super() }}!{% endblock %}{% block c %}{{ x }}{% endblock %}";
    let escaped = "a&#34;&lt;b&gt;&amp;&#39;";
    check(&[("p.html", child), base], &format!("<title>{escaped}!</title><i class=\"{escaped}\">"));
    let script = ("s.html", "<script nonce=x>{% block j %}var a = {{ n }};{% endblock %}</script>");
    check(
        &[
            ("p.html", "{% extends 's.html' %}{% block j %}{{ super() }}let b = '{{ x }}';{% endblock %}"),
            script,
        ],
        "<script nonce=x>var a =  5 ;let b = 'a\\u0022\\u003cb\\u003e\\u0026\\u0027';</script>",
    );
    let escapes = "{% extends 's.html' %}{% block j %}</script><b>{% endblock %}";
    assert_eq!(codes(&[("p.html", escapes), script]), ["block-context"]);
    assert_eq!(
        codes(&[("p.html", "{% extends 'base.html' %}{% block z %}{% endblock %}"), base]),
        ["unknown-block"]
    );
    let captured = "{% extends 'base.html' %}{% block c %}{{ super()|trim }}{% endblock %}";
    assert_eq!(codes(&[("p.html", captured), base]), ["captured-block"]);
    page_is("{% block a %}<b>{% endblock %}{{ self.a() }}", "<b><b>");
    assert_eq!(
        codes(&[("p.html", "{% block a %}{% endblock %}<i title=\"{{ self.a() }}\">")]),
        ["self-context"]
    );
}

#[test]
fn an_include_is_analysed_for_each_place() {
    let part = ("v.txt", "{{ x }}");
    check(
        &[
            (
                "p.html",
                "{% include 'v.txt' %}<i title='{% include \"v.txt\" %}'><script nonce=x>f('{% include 'v.txt' %}')</script>",
            ),
            part,
        ],
        "a&#34;&lt;b&gt;&amp;&#39;<i title='a&#34;&lt;b&gt;&amp;&#39;'><script nonce=x>f('a\\u0022\\u003cb\\u003e\\u0026\\u0027')</script>",
    );
    check(&[("p.html", "{% include ['no.html', 'b.html'] %}"), ("b.html", "<b>")], "<b>");
    check(&[("p.html", "{% include 'no.html' ignore missing %}-")], "-");
    let halves = [
        ("p.html", "{% include 'h.html' %}{{ n }}{% include 'f.html' %}"),
        ("h.html", "<b title=\""),
        ("f.html", "\">"),
    ];
    check(&halves, "<b title=\"5\">");
    assert!(load(&halves).unwrap().render("h.html", &(), &page()).is_err());
    assert_eq!(codes(&[("p.html", "{% include n %}")]), ["include-dynamic"]);
    assert_eq!(codes(&[("p.html", "{% include 'no.html' %}")]), ["not-found"]);
}

#[test]
fn captures_are_markup_in_text_and_text_elsewhere() {
    page_is(
        "{% macro m(a) %}<b>{{ a }}{% endmacro %}{{ m('<') }}<i title=\"{{ m('<') }}\">",
        "<b>&lt;<i title=\"&lt;b&gt;&lt;\">",
    );
    page_is("{% set s %}/p?{{ n }}{% endset %}<a href=\"{{ s }}\">", "<a href=\"/p?5\">");
    page_is(
        "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}<b>{{ x }}{% endcall %}",
        "[<b>a&#34;&lt;b&gt;&amp;&#39;]",
    );
    page_is("{% filter upper %}<b>{% endfilter %}", "&lt;B&gt;");
    page_is(
        "{% set s %}<b>{% endset %}{{ s|trim }}{{ s|upper }}{{ s|replace('b', 'i') }}",
        "<b>&lt;B&gt;&lt;i&gt;",
    );
    page_is("{% set s %} <b>{% endset %}{{ s|trim('>') }}{{ s|trim }}{{ s|last }}", "&lt;b<b>&gt;");
    page_is(
        "{% set s %}<a href=\"%s\">{% endset %}{{ s|format(x) }}",
        "&lt;a href=&#34;a&#34;&lt;b&gt;&amp;&#39;&#34;&gt;",
    );
    page_is("{% filter format(n) %}<p onclick=\"%s\">{% endfilter %}", "&lt;p onclick=&#34;5&#34;&gt;");
    page_is(
        "{% set s %}<b>{% endset %}{{ (s|list)[0] }}{{ s|reverse }}{{ s|split('b')|first }}",
        "&lt;&gt;b&lt;&lt;",
    );
    check(
        &[
            ("p.html", "{% import 'm.html' as m %}{{ m.f(x) }}"),
            ("m.html", "{% macro f(a) %}<b>{{ a }}{% endmacro %}"),
        ],
        "<b>a&#34;&lt;b&gt;&amp;&#39;",
    );
    check(
        &[
            ("p.html", "{% from 'm.html' import f %}{{ f(n) }}"),
            ("m.html", "{% macro f(a) %}<b>{{ a }}{% endmacro %}"),
        ],
        "<b>5",
    );
    assert_eq!(codes(&[("p.html", "{% macro m() %}<a title=\"{% endmacro %}")]), ["capture-context"]);
    assert_eq!(codes(&[("p.html", "<a title=\"{% call m() %}{% endcall %}\">")]), ["call-block"]);
    assert_eq!(codes(&[("p.html", "<a title=\"{% filter upper %}{% endfilter %}\">")]), ["filter-block"]);
    assert_eq!(
        codes(&[("p.html", "<a title=\"{% for i in x recursive %}{% endfor %}\">")]),
        ["recursive-loop"]
    );
    page_is("{% for i in [[1]] recursive %}({{ loop(i) if i is iterable else i }}){% endfor %}", "((1))");
}

#[test]
fn escaping_cannot_be_switched_off_or_imitated() {
    assert_eq!(codes(&[("p.html", "{% autoescape false %}{{ x }}{% endautoescape %}")]), ["autoescape"]);
    for text in [
        "{{ x|_hx_safe }}",
        "{{ _hx_csrf }}",
        "{% set _hx_a = 1 %}",
        "{% set csp_nonce = 1 %}",
        "{% macro _hx_m() %}{% endmacro %}",
        "{% for csrf_token in x %}{% endfor %}",
    ] {
        assert_eq!(codes(&[("p.html", text)]), ["reserved-name"], "{text}");
    }
    assert_eq!(codes(&[("p.html", "<a href=\"{{ x|safe }}\">")]), ["safe-misuse"]);
    assert_eq!(codes(&[("p.html", "{{ x|shout }}")]), ["unknown-filter"]);
    assert_eq!(codes(&[("p.html", "{{ x is loud }}")]), ["unknown-test"]);
    let templates = load(&[("p.html", "{{ ['<b>']|map(f)|join }}")]).unwrap();
    for name in ["safe", "_hx_safe", "_hx_js"] {
        assert!(templates.render("p.html", &json!({ "f": name }), &page()).is_err(), "{name}");
    }
    for ours in ["safe", "e", "tojson", "_hx_a"] {
        assert!(
            Templates::embedded(&[("p.html", "")]).filter(ours, |x: String| x).build().is_err(),
            "{ours}"
        );
    }
    assert!(Templates::embedded(&[("p.html", "")]).function("_hx_f", || 1).build().is_err());
}

#[test]
fn every_safe_is_listed() {
    let text = "{{ x|safe }}\n{{ (x|safe) ~ x }}\n{% set a = x|safe %}{% filter safe %}{% endfilter %}";
    let templates = load(&[("p.html", text)]).unwrap();
    let lines: Vec<usize> = templates.trust_sites().iter().map(|site| site.line).collect();
    assert_eq!(lines, [1, 2, 3, 3]);
    let html = templates.render("p.html", &json!({ "x": "<b>" }), &page()).unwrap();
    assert_eq!(html, "<b>\n<b>&lt;b&gt;\n");
    let denied = Templates::embedded(&[("p.html", text)]).deny_safe().build();
    assert!(denied.unwrap_err().to_string().contains("safe-denied"));
}

#[test]
fn trusted_values_are_trusted_in_their_language_only() {
    let text = "{{ v }}|<a href=\"{{ v }}\">|<p onclick=\"{{ v }}\">|<p style=\"{{ v }}\">|<p {{ v }}>";
    let templates = load(&[("p.html", text)]).unwrap();
    let rendered = |value: haechi_template::value::Value| {
        let page = templates.render("p.html", &json!({}), &page().global("v", value)).unwrap();
        page.split('|').map(str::to_owned).collect::<Vec<_>>()
    };
    let html = rendered(Html::literal("<b>").into());
    assert_eq!((html[0].as_str(), html[2].as_str()), ("<b>", "<p onclick=\"&#34;\\u003cb\\u003e&#34;\">"));
    let url = rendered(danger::url("data:x,<", "a test").into());
    assert_eq!((url[0].as_str(), url[1].as_str()), ("data:x,&lt;", "<a href=\"data:x,&lt;\">"));
    let js = rendered(SafeJs::json(&json!({ "a": "</script>" })).unwrap().into());
    assert_eq!(js[2], "<p onclick=\" {&#34;a&#34;:&#34;\\u003c/script\\u003e&#34;} \">");
    let css = rendered(danger::css("calc(1px)", "a test").into());
    assert_eq!(css[3], "<p style=\"calc(1px)\">");
    let attrs = rendered(danger::attrs("a=\"1\"", "a test").into());
    assert_eq!((attrs[0].as_str(), attrs[4].as_str()), ("a=&#34;1&#34;", "<p a=\"1\">"));
    assert!(danger::uses().iter().any(|one| one.what == "SafeUrl" && one.reason == "a test"));
    let _: Option<(SafeUrl, SafeCss, SafeAttrs)> = None;
}

#[test]
fn data_cannot_forge_a_trusted_value() {
    let data = json!({ "v": { "$html": "<b>", "text": "<b>", "__minijinja_ValueHandle": 1 }, "w": "<b>" });
    let html = render(&[("p.html", "{{ v }}{{ w }}{{ v['$html'] }}")], &data);
    assert!(!html.contains("<b>"), "{html}");
    #[derive(serde::Serialize)]
    struct Typed {
        bio: Html,
    }
    let templates = load(&[("p.html", "{{ bio }}")]).unwrap();
    assert_eq!(templates.render("p.html", &Typed { bio: Html::literal("<b>") }, &page()).unwrap(), "<b>");
    assert!(SafeUrl::local("//evil").is_none() && SafeUrl::local("/\\evil").is_none());
    assert!(SafeUrl::local("/\t/evil").is_none() && SafeUrl::local("/ok?x").is_some());
}

#[test]
fn data_cannot_replace_the_page() {
    let data = json!({ "_hx_nonce": "evil", "csp_nonce": "evil", "csrf_token": "evil", "_hx_csrf": "evil" });
    let html = render(
        &[("p.html", "<script></script>{{ csp_nonce }}{{ csrf_token }}<form method=post></form>")],
        &data,
    );
    assert!(!html.contains("evil"), "{html}");
}

#[test]
fn plain_files_are_plain_alone_and_escaped_when_included() {
    let files = [("m.txt", "{{ x }} <b>"), ("p.html", "{% include 'm.txt' %}")];
    let templates = load(&files).unwrap();
    assert_eq!(templates.render("m.txt", &json!({ "x": "<&" }), &page()).unwrap(), "<& <b>");
    assert_eq!(templates.render("p.html", &json!({ "x": "<&" }), &page()).unwrap(), "&lt;&amp; <b>");
}

#[test]
fn an_expression_can_be_explained() {
    let templates = load(&[("p.html", "{{ a }}\n<a href=\"/x?{{ b|upper }}\">")]).unwrap();
    let lines: Vec<String> = templates.explain("p.html", Some(2)).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["2:16: {{ b|upper }} stands in URL attribute `href` (query); written as URL component, then HTML"]
    );
}

#[test]
fn an_override_cannot_choose_the_language_of_the_parents_values() {
    #[track_caller]
    fn check(parent: &str, inside: &str, expected: &[&str]) {
        let child = format!("{{% extends 'base.html' %}}{{% block b %}}{inside}{{% endblock %}}");
        let parent = parent.replace("[]", "{% block b %}{% endblock %}");
        assert_eq!(
            codes(&[("base.html", &parent), ("child.html", &child)]),
            expected,
            "{parent} with {inside}"
        );
    }
    check("<style>[] '{{ x }}';</style>", "@import", &["block-context"]);
    check("<style>[]t '{{ x }}';</style>", "@impor", &["block-context"]);
    check("<style>a { b: []('{{ x }}') }</style>", "url", &["block-context"]);
    check("<a href=\"[]?{{ x }}\">", "javascript:a", &["block-context"]);
    check("<script>[]</script>", "a.", &["block-context"]);
    // The parent's own place depends on what a child may write.
    check("<script>[] (a) /{{ x }}/ 1</script>", "b", &["js-slash"]);
    check("<script>a = `[]{ {{ x }} }`</script>", "b", &["token-cut"]);
    check("<a href=\"[]:a?{{ x }}\">", "/b", &["url-scheme"]);
    check("<style>a { b: []; c: {{ x }} }</style>", "1px", &[]);
    check("<script>[]\nif (a) { b({{ x }}) }</script>", "c()", &[]);
}
