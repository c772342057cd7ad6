//! The example that any outside corpus drives: one answer for each line, in order, whatever the line is.

#[path = "../../examples/render_lines.rs"]
#[allow(dead_code, reason = "the example's main is not called")]
mod render_lines;

use serde_json::{Value, json};

/// What the example answers to these lines.
#[track_caller]
fn answers(lines: &[Vec<u8>]) -> Vec<Value> {
    let mut out = Vec::new();
    render_lines::render_lines(&*lines.join(&b'\n'), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.is_ascii() && (out.is_empty() || out.ends_with('\n')), "{out:?}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn is_one_answer(answer: &Value) -> bool {
    answer["html"].is_string() != answer["error"].is_string()
}

#[test]
fn a_line_is_a_template_with_its_files_and_plain_variables() {
    let lines = [
        json!({ "template": "<p>{{ x }}", "vars": { "x": "<\u{2028}" }, "id": 7 }),
        json!({ "template": "{% include 'a.html' %}", "files": { "a.html": "a{{ y }}" }, "vars": { "y": 1 } }),
        json!({ "template": "{{ x }}", "vars": { "x": { "$html": "<b>" } }, "id": [null] }),
        json!({ "template": "<{{ x }}>", "id": null }),
    ];
    let lines = lines.map(|line| line.to_string().into_bytes());
    let found = answers(&lines);
    assert_eq!(found[0], json!({ "id": 7, "html": "<p>&lt;\u{2028}" }));
    assert_eq!(found[1], json!({ "html": "a1" }));
    assert_eq!(
        found[2],
        json!({ "id": [null], "html": "{&#39;$html&#39;: &#39;&lt;b&gt;&#39;}" }),
        "no value of a line is trusted"
    );
    assert_eq!(found[3]["id"], Value::Null);
    assert!(found[3]["error"].as_str().unwrap().contains("page.html:1:"), "{}", found[3]);
}

#[test]
fn a_line_that_is_no_request_is_answered_in_its_turn() {
    let bad: Vec<Vec<u8>> = [
        &b"{"[..],
        b"[]",
        b"1",
        b"null",
        b"\"a\"",
        b"\xff\xfe",
        b"{\"template\":1}",
        b"{\"vars\":{}}",
        b"{\"template\":\"\\ud800\"}",
        b"{\"template\":\"a\"} more",
        b"{\"template\":\"a\",\"files\":[]}",
        b"{\"template\":\"a\",\"files\":{\"../a\":\"\"}}",
        b"{\"template\":\"{{ x }}\",\"vars\":{\"x\":1e999}}",
    ]
    .map(<[u8]>::to_vec)
    .into();
    let deep = [b"[".repeat(5_000), b"{\"a\":".repeat(5_000)];
    let good = json!({ "template": "{{ x }}", "vars": { "x": "here" } }).to_string().into_bytes();
    let lines: Vec<Vec<u8>> = bad.into_iter().chain(deep).flat_map(|line| [line, good.clone()]).collect();
    let found = answers(&lines);
    assert_eq!(found.len(), lines.len());
    for (answer, line) in found.iter().zip(&lines) {
        let expected =
            if *line == good { json!({ "html": "here" }) } else { json!({ "error": answer["error"] }) };
        assert_eq!(*answer, expected, "{}", String::from_utf8_lossy(line));
    }
    assert!(answers(&[b" \t\r".to_vec(), Vec::new()]).is_empty(), "an empty line is no line");
}

/// Every kind of place with every kind of value, and what costs most.
#[test]
fn odd_lines_are_answered_to_the_end() {
    let long = "<".repeat(30_000);
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    let values = [
        json!(null),
        json!(true),
        json!(-0.0),
        json!(1e308),
        json!(u64::MAX),
        json!(""),
        json!(long),
        json!("\0\r\n\u{2028}\u{feff}한글"),
        json!("</script>--><!--`${1}\\"),
        json!([]),
        json!({ "": { "<": ["&"] } }),
        nested(90),
    ];
    let mut lines = Vec::new();
    for place in PLACES {
        for x in &values {
            let id = lines.len();
            lines.push(json!({ "template": place, "vars": { "x": x }, "id": id }).to_string().into_bytes());
        }
    }
    for template in COSTLY {
        let line = json!({ "template": template, "vars": { "x": [1, 2] }, "id": lines.len() });
        lines.push(line.to_string().into_bytes());
    }
    let found = answers(&lines);
    assert_eq!(found.len(), lines.len());
    for (id, answer) in found.iter().enumerate() {
        let line = String::from_utf8_lossy(&lines[id][..lines[id].len().min(200)]);
        assert!(answer["id"] == id && is_one_answer(answer), "{line}: {answer}");
    }
}

const PLACES: &[&str] = &[
    "{{ x }}",
    "<p title=\"{{ x }}\">",
    "<p title={{ x }}>",
    "<p {{ x }}>",
    "<{{ x }}>",
    "<a href=\"{{ x }}\">",
    "<a href=\"/a?b={{ x }}\">",
    "<script>var a = {{ x }};</script>",
    "<script>var a = \"{{ x }}\";</script>",
    "<script>`${ {{ x }} }`</script>",
    "<script>/{{ x }}/</script>",
    "<p style=\"color: {{ x }}\">",
    "<style>a { b: {{ x }} }</style>",
    "<p onclick=\"f({{ x }})\">",
    "<img srcset=\"{{ x }}\">",
    "<iframe srcdoc=\"{{ x }}\"></iframe>",
    "<!-- {{ x }} -->",
    "<textarea>{{ x }}</textarea>",
    "<meta http-equiv=\"refresh\" content=\"0;url={{ x }}\">",
    "<form method=\"post\" action=\"{{ x }}\"></form>",
    "<script src=\"{{ x }}\"></script>",
    "{% set m %}{{ x }}{% endset %}{{ m }}",
    "{{ x|tojson }}{{ x|json_script('a') }}",
    "{% for a in x %}{{ a }}{% endfor %}",
    "{{ x.a.b }}{{ x[0] }}",
    "{{ x ~ x }}{{ x * 3 }}",
    "{{ x / 0 }}",
    "{{ x ** 99999 }}",
    "{{ x[::x] }}",
    "{{",
    "{% if %}",
    "{% endfor %}",
    "{{ x|nothing }}",
    "{{ x|_1 }}",
];

const COSTLY: &[&str] = &[
    "{{ 'a' * 99999999 }}",
    "{{ x[::-9223372036854775808] }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'page.html' %}",
    "{% extends 'page.html' %}",
];
