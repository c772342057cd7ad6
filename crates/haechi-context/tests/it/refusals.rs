//! What is refused at load, and that every code teaches.

use haechi_context::{Code, Context, Error};

use crate::render::refuse;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn places_without_an_escaper_are_refused() {
    for (source, code) in [
        ("<{{ x }}>", "dynamic-tag"),
        ("<h{{ x }}>", "dynamic-tag"),
        ("</{{ x }}>", "dynamic-tag"),
        ("<!DOCTYPE {{ x }}>", "markup-declaration"),
        ("<![CDATA[{{ x }}]]>", "cdata"),
        ("<a on{{ x }}=\"1\">", "dynamic-attribute-name"),
        ("<a data-on{{ x }}=\"1\">", "dynamic-attribute-name"),
        ("<a data-o{{ x }}=\"1\">", "dynamic-attribute-name"),
        ("<a data-hx-{{ x }}=\"1\">", "dynamic-attribute-name"),
        ("<a data-{{ x }}{{ x }}=\"1\">", "dynamic-attribute-name"),
        ("<noscript><p title=\"</noscript><img alt='{{ x }}'>\"></noscript>", "noscript"),
        ("<noscript><!-- </NoScript {{ x }} --></noscript>", "noscript"),
        ("<noscript><textarea></noscript>{{ x }}</textarea></noscript>", "noscript"),
        ("<noscript><p title=\"<{{ x }}\"></noscript>", "raw-cut"),
        ("<noscript><p title=\"</nos{{ x }}\"></noscript>", "raw-cut"),
        ("<style>a { background: url(\"/a\n{{ x }}\") }</style>", "css-string"),
        ("<style>@im\\port \"{{ x }}\";</style>", "css-import"),
        ("<style>@\\69mport \"{{ x }}\";</style>", "css-import"),
        ("<script>import({{ x }})</script>", "js-import"),
        ("<script>import({{ x }}{{ x }})</script>", "js-import"),
        ("<script>import /* a */ ( // b\n{{ x }})</script>", "js-import"),
        ("<script type=\"module\">import \"{{ x }}{{ x }}\"</script>", "resource-host"),
        ("<script type=\"module\">import a from \"//{{ x }}\"</script>", "resource-host"),
        ("<script type=\"module\">import \"data:text/javascript,{{ x }}\"</script>", "url-scheme"),
        ("<script type=\"module\">import \"\\x64ata:text/javascript,{{ x }}\"</script>", "url-scheme"),
        ("<script src=\"/a.js\" charset=\"{{ x }}\"></script>", "static-attribute"),
        ("<a href={{ x }}>", "unquoted"),
        ("<a onclick={{ x }}>", "unquoted"),
        ("<a href=/a{{ x }}>", "unquoted"),
        ("<a {{ x }}b>", "token-cut"),
        ("<a title='x\"'\"'>", "bad-html"),
        ("<a title=>", "bad-html"),
        ("<script {{ x }}></script>", "attribute-spread"),
        ("<iframe {{ x }}></iframe>", "attribute-spread"),
        ("<script type=\"{{ x }}\"></script>", "static-attribute"),
        ("<script type=\"text/template\">{{ x }}</script>", "static-raw"),
        ("<script type=\"importmap\">{{ x }}</script>", "static-raw"),
        ("<xmp>{{ x }}</xmp>", "raw-text"),
        ("<plaintext>{{ x }}", "raw-text"),
        ("<iframe>{{ x }}</iframe>", "raw-text"),
        ("<svg><style>{{ x }}</style></svg>", "static-raw"),
        ("<svg><script>{{ x }}</script></svg>", "static-raw"),
        ("<svg><style>a<b</style></svg>", "foreign-raw"),
        ("<svg><script/></svg>", "foreign-raw"),
        ("<a href=\"javascript:f('{{ x }}')\">", "url-scheme"),
        ("<a href=\"java&#115;cript:{{ x }}\">", "url-scheme"),
        ("<a href=\"java&#115cript:{{ x }}\">", "url-scheme"),
        ("<a href=\"java&Tab;script&colon;{{ x }}\">", "url-scheme"),
        ("<a href=\" \tJAVA\nSCRIPT:{{ x }}\">", "url-scheme"),
        ("<a href=\"data:text/html,{{ x }}\">", "url-scheme"),
        ("<a href=\"{{ x }}:{{ x }}\">", "url-scheme"),
        ("<a href=\"{{ x }}:alert(1)\">", "url-scheme"),
        ("<a href=\"java{{ x }}:alert(1)\">", "url-scheme"),
        ("<a href=\"{{ x }}&colon;alert(1)\">", "url-scheme"),
        ("<a href=\"&{{ x }}\">", "entity-cut"),
        ("<a href=\"&#{{ x }}\">", "entity-cut"),
        ("<a onclick=\"f(&foo;)\">", "entity"),
        ("<a href=\"https:{{ x }}\">", "url-authority"),
        ("<script src=\"https://{{ x }}/a.js\"></script>", "resource-host"),
        ("<script src=\"//{{ x }}/a.js\"></script>", "resource-host"),
        ("<script src=\"{{ x }}{{ x }}\"></script>", "resource-host"),
        ("<meta http-equiv=\"refresh\" content=\"{{ x }}\">", "meta-refresh"),
        ("<meta http-equiv=\"refresh\" content=\"1;{{ x }}\">", "meta-refresh"),
        ("<meta content=\"{{ x }}\" http-equiv=\"refresh\">", "meta-order"),
        ("<meta http-equiv=\"Content-Security-Policy\" content=\"{{ x }}\">", "static-attribute"),
        ("<script>var a{{ x }}</script>", "js-identifier"),
        ("<script>a.{{ x }}</script>", "js-identifier"),
        ("<script>a = {}\n/{{ x }}/</script>", "js-slash"),
        ("<script>yield /{{ x }}/</script>", "js-slash"),
        ("<script>/[{{ x }}]/</script>", "js-regex-class"),
        ("<script>'\\{{ x }}'</script>", "partial-escape"),
        ("<script>'a\n'</script>", "js-string"),
        ("<script>'a</script>'</script>", "js-end"),
        ("<script>f(</script>", "js-end"),
        ("<script>f)</script>", "js-brackets"),
        ("<script>a = '<!--'</script>", "script-comment"),
        ("<script><!-- a</script>", "script-comment"),
        ("<script>\n--> a</script>", "js-html-comment"),
        ("<script>#!a</script>", "js-hashbang"),
        ("<script>'</{{ x }}'</script>", "raw-cut"),
        ("<script>'<!{{ x }}'</script>", "raw-cut"),
        ("<script>'<!-{{ x }}'</script>", "raw-cut"),
        ("<style>@import '{{ x }}';</style>", "css-import"),
        ("<style>@{{ x }} a</style>", "css-identifier"),
        ("<style>a { b: url\\{{ x }}</style>", "partial-escape"),
        ("<style>a { b: url(\\{{ x }}) }</style>", "css-escape"),
        ("<style>a { b: url(//{{ x }}/) }</style>", "css-url-host"),
        ("<style>a { b: 'x\n' }</style>", "css-string"),
        ("<style>a { b: 'x</style>", "css-end"),
        ("<iframe srcdoc=\"<script>{{ x }}</script>\"></iframe>", "srcdoc"),
        ("<iframe srcdoc=\"<p title='\"></iframe>", "srcdoc"),
        ("<a hx-trigger=\"{{ x }}\">", "static-attribute"),
        ("<form method=\"{{ x }}\">", "static-attribute"),
        ("<a href=\"", "end-context"),
    ] {
        refuse(source, code);
    }
}

#[test]
fn every_code_has_a_name_of_its_own() {
    let mut ids: Vec<_> = Code::ALL.iter().map(|code| code.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Code::ALL.len());
    assert_eq!(ids.len(), 43);
}

/// The examples are written for people: `{{ anything }}` is a value, and an `if` is a branch.
fn code_error(example: &str) -> Option<Error> {
    let branches = |before: &str, first: &str, second: &str, after: &str| {
        let mut context = Context::html();
        context.advance(before)?;
        let mut other = context.clone();
        context.advance(first)?;
        other.advance(second)?;
        let mut context = context.join(&other)?;
        walk(&mut context, after)
    };
    if let Some((before, rest)) = example.split_once("{% if x %}") {
        let (inside, after) = rest.split_once("{% endif %}").unwrap();
        let (first, second) = inside.split_once("{% else %}").unwrap_or((inside, ""));
        return branches(before, first, second, after).err();
    }
    walk(&mut Context::html(), example).err()
}

fn example_code(example: &str) -> Option<Code> {
    code_error(example).map(|error| error.code())
}

fn walk(context: &mut Context, mut rest: &str) -> Result<(), Error> {
    while let Some((before, after)) = rest.split_once("{{ ") {
        context.advance(before)?;
        context.emit()?;
        rest = after.split_once(" }}").unwrap().1;
    }
    context.advance(rest)?;
    context.at_end()
}

#[test]
fn the_example_of_every_code_is_refused_with_it() {
    let wrong: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !matches!(example_code(code.example()), Some(found) if found == **code))
        .map(|code| (code.id(), code.example(), example_code(code.example())))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_texts_of_all_errors_are_as_reviewed() {
    let mut text = String::new();
    for code in Code::ALL {
        let example = code.example();
        let error = code_error(example).unwrap();
        text += &format!(
            "{code}\n  example: {example:?}\n  message: {}\n  cause: {}\n  cure: {}\n\n",
            error.message(),
            error.cause(),
            error.cure()
        );
    }
    expect_test::expect_file!["errors.txt"].assert_eq(&text);
}
