//! Join, widen and settle: what a value behind branches and blocks may rely on.

use haechi_context::Context;

fn at(text: &str) -> Context {
    let mut context = Context::html();
    context.advance(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    context
}

/// What a value gets behind the context: the escaper's id, or the code of the refusal.
fn behind(mut context: Context, text: &str) -> String {
    match context.advance(text).and_then(|_| context.emit()) {
        Ok(escaper) => escaper.id(),
        Err(error) => error.code().id().to_owned(),
    }
}

#[test]
fn branches_join_or_are_refused() {
    for (a, b, rest, expected) in [
        ("<p>", "<p><b>c</b>", "", "html"),
        ("<p", "<p ", " title=\"", "plain_attr"),
        ("<p title=\"a", "<p title=\"b&amp;", "", "plain_attr"),
        ("<a href=\"/a", "<a href=\"/b", "", "url_path_attr"),
        ("<a href=\"/a", "<a href=\"/b?", "", "url-ambiguous"),
        ("<a href=\"/a", "<a href=\"/b?", "?c=", "url_component_attr"),
        ("<a href=\"", "<a href='", "", "branch-mismatch"),
        ("<a href=\"", "<a title=\"", "", "branch-mismatch"),
        ("<p>", "<p", "", "branch-mismatch"),
        ("<p>", "<script>", "", "branch-mismatch"),
        ("<p>", "<svg>", "", "branch-mismatch"),
        ("<script>'", "<script>\"", "", "branch-mismatch"),
        ("<style>@im", "<style>a", "port '", "css-import"),
        ("<a href=\"javascript:a", "<a href=\"/b", "?", "url-scheme"),
        ("<a href=\"javascript", "<a href=\"b", ":a?", "url-scheme"),
        ("<a href=\"a?b&", "<a href=\"a?b", "c=", "url_component_attr"),
        ("<a href=\"a?b&", "<a href=\"a?b", "", "entity-cut"),
        ("<a href=\"a?b&", "<a href=\"a?b", "#106;", "entity-cut"),
        ("<a href=\"a?b&", "<a href=\"a?b", "#106", "entity-cut"),
        ("<a href=\"a?b&", "<a href=\"a?b", "lt;", "entity-cut"),
        ("<a href=\"a?b&", "<a href=\"a?b", "lt ", "entity-cut"),
        ("<a href=\"a?b&", "<a href=\"a?b", "colon;", "entity-cut"),
        ("<a href=\"a?b&", "<a href=\"a?b", "&colon;", "url_component_attr"),
        ("<a href=\"a?b&#", "<a href=\"a?b", "", "branch-mismatch"),
        ("<a href=\"a?b&l", "<a href=\"a?b", "", "branch-mismatch"),
        ("<a href=\"&", "<a href=\"", "c=", "url-ambiguous"),
        ("<p onclick=\"a&", "<p onclick=\"a", "", "entity-cut"),
        ("<script>if", "<script>f", " (a) /b", "js-slash"),
        ("<script>i", "<script>x", "f (a) /b", "js-slash"),
        ("<script>i", "<script>x", " (a) ", "js"),
        ("<script>`$", "<script>`", "{", "token-cut"),
        ("<script>`$", "<script>`", " ", "js_template"),
        ("<script>a /", "<script>a +", "/b", "js-slash"),
        ("<script>import ", "<script>b = ", "'", "js_module"),
        ("<script>import", "<script>b", " '", "js_module"),
        ("<script>import '/a", "<script>b = '", "", "url-ambiguous"),
        ("<noscript>", "<p>", "<p title=\"</noscript ", "noscript"),
        ("<style>a { b: url(/a", "<style>a { b: url(/b", "", "css_url_path"),
        ("<style>a { b: '", "<style>a { b: \"", "", "branch-mismatch"),
    ] {
        let found = match at(a).join(&at(b)) {
            Ok(joined) => behind(joined, rest),
            Err(error) => error.code().id().to_owned(),
        };
        assert_eq!(found, expected, "{a} | {b} then {rest}");
    }
}

#[test]
fn a_block_forgets_what_its_override_may_change() {
    for (start, rest, expected) in [
        ("<p>", "", "html"),
        ("<a href=\"/a", "", "url-ambiguous"),
        ("<a href=\"", "", "url-ambiguous"),
        ("<a href=\"/a", "?", "url_component_attr"),
        ("<link rel=\"icon\" ", " href=\"", "url_attr"),
        ("<link ", " rel=\"icon\" href=\"", "url_resource_attr"),
        ("<meta ", " http-equiv=\"refresh\" content=\"1; url=", "static-attribute"),
        ("<p ", "title=\"", "token-cut"),
        ("<style>@imp", "ort '", "css-import"),
        ("<style>@", "", "css-import"),
        ("<style>url", "", "css-identifier"),
        ("<style>a { b: ", "", "css"),
        ("<a href=\"javascript:", "?", "url-scheme"),
        ("<a href=\"", ":a?", "url-scheme"),
        ("<script>", "(a) /b", "js-slash"),
        ("<script>", "f (a) /b", "js-slash"),
        ("<script>", "n /b", "js-slash"),
        ("<script>", " if (a) '", "js_string"),
        ("<script>`", "{", "token-cut"),
    ] {
        assert_eq!(behind(at(start).widen(), rest), expected, "{start} block {rest}");
    }
}

/// What an override leaves half written would change how the parent goes on.
#[test]
fn an_override_that_would_change_what_follows_is_not_covered() {
    #[track_caller]
    fn check(start: &str, inside: &str, expected: bool) {
        let wide = at(start).widen();
        let exit = at(&format!("{start}{inside}"));
        assert_eq!(wide.covers(&exit), expected, "{start} block {inside}");
    }
    for start in ["<style>", "<p style=\""] {
        check(start, "a: b;", true);
        check(start, "@import 'x';", true);
        check(start, "@import ", false);
        check(start, "@imp", false);
        check(start, "url", false);
    }
    for start in ["<script>", "<p onclick=\""] {
        check(start, "a = 1;", true);
        check(start, "a", true);
        check(start, "if", true);
        check(start, "a.", false);
        check(start, "import ", false);
        check(start, "import", false);
        check(start, "import 'a';", true);
        check(start, "a. ", false);
        check(start, "a <", false);
        check(start, "a -", false);
        check(start, "'", false);
    }
    check("<script>`", "$", true);
    check("<a href=\"", "/a?b", true);
    check("<a href=\"", "javascript:a", false);
    check("<img srcset=\"a", "b", true);
    check("<img srcset=\"", "javascript:a", false);
    check("<meta http-equiv=\"refresh\" content=\"1;url=", "javascript:a", false);
    check("<iframe srcdoc=\"<a href='", "javascript:a", false);
    check("<p>", "<b>", true);
    check("<p>", "<noscript>", false);
    check("<noscript>", "<p>", true);
    check("<p>", "<", false);
    check("<p ", "title=\"a\"", true);
    check("<p ", "title=", false);
}

/// A value may be empty: what stands around it must not become one sign.
#[test]
fn nothing_is_completed_across_an_empty_value() {
    let mut context = at("<script>`$");
    context.emit().unwrap();
    assert_eq!(behind(context, "{"), "token-cut");
}

#[test]
fn a_template_tag_ends_a_name() {
    for (start, rest, expected) in [
        ("<p", "q", "token-cut"),
        ("<p a", "b", "token-cut"),
        ("<p a", " title=\"", "plain_attr"),
        ("<scr", "ipt>", "token-cut"),
    ] {
        let mut context = at(start);
        context.settle().unwrap();
        assert_eq!(behind(context, rest), expected, "{start} tag {rest}");
    }
}
