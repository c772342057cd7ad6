//! Each place writes what its rule promises.

use haechi_context::{Context, EventKind, Method, Value, Written};

use crate::render::{Template, check};

const HOSTILE: &str = "</script>'\"<b>&`";

#[test]
fn html_places_escape_html() {
    let text = "&lt;/script&gt;&#39;&#34;&lt;b&gt;&amp;`";
    for (before, after) in [
        ("<p>", "</p>"),
        ("<title>", "</title>"),
        ("<textarea>", "</textarea>"),
        ("<p title=\"", "\">"),
        ("<p title='", "'>"),
    ] {
        let source = format!("{before}{{{{ x }}}}{after}");
        check(&source, &Value::Text(HOSTILE), &format!("{before}{text}{after}"));
    }
    check("<p>{{ x }}</p>", &Value::Html("<b>&amp;</b>"), "<p><b>&amp;</b></p>");
    check("<p title=\"{{ x }}\">", &Value::Html("<b>&amp;"), "<p title=\"&lt;b&gt;&amp;\">");
    check("<p title={{ x }}>", &Value::Text(""), "<p title=\"\">");
    check("<p title={{ x }}>", &Value::Text("a b>"), "<p title=a&#32;b&#62;>");
    check("<!-- {{ x }} -->", &Value::Text("-->"), "<!--  -->");
    check("<textarea>{{ x }}</textarea>", &Value::Text("\na"), "<textarea>\n\na</textarea>");
    check(
        "<iframe srcdoc=\"<b>{{ x }}</b>\"></iframe>",
        &Value::Text("<"),
        "<iframe srcdoc=\"<b>&amp;lt;</b>\"></iframe>",
    );
    check("<div data-{{ x }}=\"1\">", &Value::Text("onclick"), "<div data-x_onclick=\"1\">");
    check("<div {{ x }}>", &Value::Text("hidden onclick"), "<div hidden data-haechi-invalid >");
}

/// asvs_1_2_2: a value is a part of an address, or an address of an allowed scheme.
#[test]
fn url_places_keep_the_scheme_and_the_host() {
    for (source, value, expected) in [
        ("<a href=\"{{ x }}\">", "javascript:alert(1)", "<a href=\"about:invalid#haechi\">"),
        ("<a href=\"{{ x }}\">", "java\tscript:alert(1)", "<a href=\"about:invalid#haechi\">"),
        ("<a href=\"{{ x }}\">", "\u{1}javascript:alert(1)", "<a href=\"about:invalid#haechi\">"),
        (
            "<a href=\"{{ x }}\">",
            "https://a.example/?a=1&b=%20",
            "<a href=\"https://a.example/?a=1&amp;b=%20\">",
        ),
        ("<a href=\"java{{ x }}\">", "script:alert(1)", "<a href=\"javascript%3Aalert%281%29\">"),
        ("<a href=\"/{{ x }}\">", "/evil.example", "<a href=\"/%2Fevil.example\">"),
        ("<a href=\"/{{ x }}\">", "\\evil.example", "<a href=\"/%5Cevil.example\">"),
        ("<a href=\"/{{ x }}\">", "\t/evil.example", "<a href=\"/%09%2Fevil.example\">"),
        ("<a href=\"{{ x }}/{{ x }}\">", "", "<a href=\"/\">"),
        ("<a href=\"/a/{{ x }}\">", "b/c?d#e%", "<a href=\"/a/b/c%3Fd%23e%25\">"),
        ("<a href=\"/a?b={{ x }}\">", "c&d=é", "<a href=\"/a?b=c%26d%3D%C3%A9\">"),
        ("<a href=\"https://{{ x }}/\">", "a.example/x", "<a href=\"https://invalid.invalid/\">"),
        ("<script src=\"{{ x }}\"></script>", "/a.js", "<script src=\"about:invalid#haechi\"></script>"),
        ("<script src=\"/s/{{ x }}\"></script>", "../a.js", "<script src=\"/s/haechi-invalid\"></script>"),
        ("<script src=\"a{{ x }}\"></script>", "/../a.js", "<script src=\"ahaechi-invalid\"></script>"),
        ("<img src=\"{{ x }}\">", "data:image/png;base64,AA==", "<img src=\"data:image/png;base64,AA==\">"),
        ("<img src=\"{{ x }}\">", "data:image/svg+xml,<svg>", "<img src=\"about:invalid#haechi\">"),
        (
            "<img srcset=\"{{ x }}\">",
            "a.png 1x, javascript:b 2x",
            "<img srcset=\"a.png 1x, about:invalid#haechi 2x\">",
        ),
        ("<img srcset=\"a.png, {{ x }}\">", "javascript:b", "<img srcset=\"a.png, about:invalid#haechi\">"),
        (
            "<meta http-equiv=\"refresh\" content=\"1; url='{{ x }}'\">",
            "javascript:b",
            "<meta http-equiv=\"refresh\" content=\"1; url='about:invalid#haechi'\">",
        ),
        (
            "<animate values=\"{{ x }}\">",
            "0;a?;javascript:b",
            "<animate values=\"0;a?;about:invalid#haechi\">",
        ),
        ("<animate values=\"/a/{{ x }}\">", ";javascript:b", "<animate values=\"/a/%3Bjavascript%3Ab\">"),
        ("<animate values=\"/{{ x }}\">", ";javascript:b", "<animate values=\"/%3Bjavascript%3Ab\">"),
        ("<animate values=\"/a;{{ x }}\">", "javascript:b", "<animate values=\"/a;about:invalid#haechi\">"),
        ("<link rel=\"icon\" href=\"{{ x }}\">", "/a.png", "<link rel=\"icon\" href=\"/a.png\">"),
        (
            "<link href=\"{{ x }}\" rel=\"stylesheet\">",
            "/a",
            "<link href=\"about:invalid#haechi\" rel=\"stylesheet\">",
        ),
    ] {
        check(source, &Value::Text(value), expected);
    }
    check("<script src=\"{{ x }}\"></script>", &Value::Url("/a.js"), "<script src=\"/a.js\"></script>");
}

/// asvs_1_2_3: a value in a script is a literal that does not end it.
#[test]
fn javascript_places_quote_and_escape() {
    for (source, value, expected) in [
        ("<script>a = {{ x }}</script>", "</script>", "<script>a = \"\\u003c\\u002fscript\\u003e\"</script>"),
        ("<script>a = '{{ x }}'</script>", "'\\\n", "<script>a = '\\u0027\\\\\\n'</script>"),
        ("<script>a = `{{ x }}`</script>", "${a}`", "<script>a = `\\u0024\\u007ba\\u007d\\u0060`</script>"),
        ("<script>a = `${ {{ x }} }`</script>", "b", "<script>a = `${ \"b\" }`</script>"),
        ("<script>a = /{{ x }}/</script>", ".", "<script>a = /\\u002e/</script>"),
        ("<script>a = /{{ x }}/</script>", "", "<script>a = /(?:)/</script>"),
        ("<script>return /{{ x }}/</script>", "", "<script>return /(?:)/</script>"),
        ("<script>[.../{{ x }}/]</script>", "", "<script>[.../(?:)/]</script>"),
        ("<script>if (a) /{{ x }}/</script>", "", "<script>if (a) /(?:)/</script>"),
        ("<script>f(a) / {{ x }} / b</script>", "1", "<script>f(a) / \"1\" / b</script>"),
        (
            "<script>for await (a of b) /'/.test({{ x }})</script>",
            "1",
            "<script>for await (a of b) /'/.test(\"1\")</script>",
        ),
        ("<script>a++ / {{ x }}</script>", "1", "<script>a++ / \"1\"</script>"),
        ("<script>// {{ x }}\n</script>", "\n", "<script>// \n</script>"),
        ("<script>'<{{ x }}'</script>", "!--", "<script>'<\\u0021--'</script>"),
        ("<a onclick=\"f('{{ x }}')\">", "&#39;", "<a onclick=\"f('\\u0026#39;')\">"),
        ("<a onclick=\"f({{ x }})\">", "a", "<a onclick=\"f(&#34;a&#34;)\">"),
        (
            "<script type=\"application/json\">{\"a\": {{ x }}}</script>",
            "b",
            "<script type=\"application/json\">{\"a\": \"b\"}</script>",
        ),
    ] {
        check(source, &Value::Text(value), expected);
    }
    check("<script>a = {{ x }}</script>", &Value::Integer(-1), "<script>a =  -1 </script>");
    check("<script>a = {{ x }}</script>", &Value::Null, "<script>a =  null </script>");
    check("<script>a = {{ x }}</script>", &Value::Float(f64::NAN), "<script>a =  null </script>");
    check("<script>a = {{ x }}</script>", &Value::Js("b()"), "<script>a =  b() </script>");
    check("<script>a = {{ x }}</script>", &Value::Html("&lt;"), "<script>a = \"\\u003c\"</script>");
}

#[test]
fn a_module_is_named_by_whoever_is_trusted() {
    for (place, value, expected) in [
        ("import a from \"{{ x }}\"", Value::Text("data:text/javascript,b"), "about:invalid#haechi"),
        ("import '{{ x }}'", Value::Text("/a.js"), "about:invalid#haechi"),
        ("import '{{ x }}'", Value::Url("/a.js"), "/a.js"),
        ("export * from '{{ x }}'", Value::Url("/a'.js"), "/a\\u0027.js"),
        ("await import(`{{ x }}`)", Value::Url("/a.js"), "/a.js"),
        ("import('/a/{{ x }}.js')", Value::Text("b c'"), "b%20c%27"),
        ("import('/a/{{ x }}.js')", Value::Text("../b"), "haechi-invalid"),
        ("import('/a.js?{{ x }}')", Value::Text("'&"), "%27%26"),
        ("from('{{ x }}')", Value::Text("a/b"), "a/b"),
        ("Array.from('{{ x }}')", Value::Text("a/b"), "a/b"),
        ("a = { from: '{{ x }}' }", Value::Text("a/b"), "a/b"),
        ("import.meta.b('{{ x }}')", Value::Text("a/b"), "a/b"),
        ("import a from '/b.js'; c('{{ x }}')", Value::Text("a/b"), "a/b"),
    ] {
        let source = format!("<script type=\"module\">{place}</script>");
        let expected = source.replace("{{ x }}", expected).replace("\\u002f", "/");
        let template = Template::parse(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(template.render(&value).replace("\\u002f", "/"), expected, "{source}");
    }
}

#[test]
fn css_places_allow_only_values() {
    for (source, value, expected) in [
        ("<p style=\"color: {{ x }}\">", "red", "<p style=\"color: red\">"),
        ("<p style=\"color: {{ x }}\">", "red; a: b", "<p style=\"color: haechi-invalid\">"),
        ("<p style=\"a: url({{ x }})\">", "javascript:b", "<p style=\"a: url(about:invalid#haechi)\">"),
        ("<p style=\"a: url('/a?{{ x }}')\">", "')", "<p style=\"a: url('/a?%27%29')\">"),
        (
            "<style>a { b: '{{ x }}' }</style>",
            "'</style>",
            "<style>a { b: '\\27 \\3C \\2F style\\3E ' }</style>",
        ),
        ("<style>/* {{ x }} */</style>", "*/", "<style>/*  */</style>"),
    ] {
        check(source, &Value::Text(value), expected);
    }
}

#[test]
fn events_say_what_a_pass_may_write() {
    let text = "<script src='/a.js'></script><form method=POST action=\"/b\"><a target=_blank onclick='f()'>";
    let events = Context::html().advance(text).unwrap();
    let kinds: Vec<_> = events.iter().map(|event| (&text[..event.offset], &event.kind)).collect();
    assert!(kinds[0].0.ends_with("'/a.js'"));
    assert!(matches!(kinds[0].1, EventKind::Code { nonce: false, .. }));
    assert!(matches!(kinds[1].1, EventKind::Asset { address: Written::Static(a), .. } if a == "/a.js"));
    assert!(kinds[2].0.ends_with("\"/b\">"));
    assert!(
        matches!(kinds[2].1, EventKind::Form { method: Method::Post, action: Written::Static(a) } if a == "/b")
    );
    assert!(matches!(kinds[3].1, EventKind::Handler { attribute } if attribute == "onclick"));
    assert!(matches!(kinds[4].1, EventKind::NewWindow { rel: Written::Missing }));
}

#[test]
fn a_rel_that_comes_too_late_is_said() {
    #[track_caller]
    fn check(before: &str, after: &str, late: bool) {
        let mut context = Context::html();
        context.advance(before).unwrap();
        context.emit().unwrap();
        let events = context.advance(after).unwrap();
        assert_eq!(events.iter().any(|event| event.kind == EventKind::LateRel), late, "{before}{after}");
    }
    check("<link href=\"", "\" rel=icon>", true);
    check("<link href=\"", "\" rel=\"canonical\"/>", true);
    check("<link href=\"", "\" rel=stylesheet>", false);
    check("<link href=\"", "\">", false);
    check("<link href=\"/", "\" rel=icon>", false);
    check("<link rel=icon href=\"", "\">", false);
}

#[test]
fn a_dynamic_action_keeps_its_beginning() {
    let mut context = Context::html();
    context.advance("<form method=post action=\"/posts/").unwrap();
    context.emit().unwrap();
    let events = context.advance("/edit\">").unwrap();
    let action = Written::Dynamic { prefix: "/posts/".to_owned() };
    assert_eq!(events[0].kind, EventKind::Form { method: Method::Post, action });
}
