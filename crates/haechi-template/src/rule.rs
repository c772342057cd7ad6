//! The rules of the pass that are not about a single place: each has a code, a cause and a cure.
//!
//! What concerns one place (an unquoted attribute, a scheme) is a rule of `haechi-context`; its codes stand beside
//! these in an error.

/// A reason for refusing a template, as shown in error messages and in the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The short name in brackets, stable between versions.
    pub code: &'static str,
    /// A template that this rule refuses, as short as can be.
    pub example: &'static str,
    /// Why it is refused.
    pub cause: &'static str,
    /// What to write instead.
    pub cure: &'static str,
}

macro_rules! rules {
    ($($name:ident: $code:literal, $example:literal, $cause:literal, $cure:literal;)*) => {
        $(pub(crate) const $name: Rule = Rule { code: $code, example: $example, cause: $cause, cure: $cure };)*
        /// Every rule of the pass, in the order of the documentation.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    SYNTAX: "syntax", "{% if %}", "the template is not well-formed Jinja", "compare with the Jinja syntax";
    NAME: "name", "a#b.html", "a template name may not contain `#`, a backslash, a control character or `..`",
        "rename the file";
    NOT_UTF8: "not-utf8", "caf\\xe9", "the file is not UTF-8", "save the file as UTF-8";
    TOO_LARGE: "too-large", "more than 4 MiB", "a template may have 4 MiB", "move the data out of the template";
    TOO_DEEP: "too-deep", "{{ a + a + … }}", "an expression or a chain of templates is nested too deeply",
        "split it with {% set %}, or include fewer levels";
    NOT_FOUND: "not-found", "{% include 'x.html' %}", "the template does not exist", "check the spelling";
    RESERVED: "reserved-name", "{{ x|_hx_html }}", "names that begin with `_hx_` belong to the escaper, `csp_nonce` and \
        `csrf_token` to the page", "choose another name";
    UNKNOWN_FILTER: "unknown-filter", "{{ x|shout }}", "no filter has this name", "check the spelling, or add the \
        filter to the builder";
    UNKNOWN_TEST: "unknown-test", "{{ x is loud }}", "no test has this name", "check the spelling, or add the test to \
        the builder";
    AUTOESCAPE: "autoescape", "{% autoescape false %}{{ x }}{% endautoescape %}", "escaping is decided by the place \
        and cannot be switched off", "pass `Html` from Rust, or mark one value with |safe";
    SAFE_MISUSE: "safe-misuse", "<a href=\"{{ x|safe }}\">", "`|safe` says HTML, but the value does not stand in HTML \
        text", "pass a SafeUrl, SafeJs, SafeCss or SafeAttrs from Rust";
    SAFE_DENIED: "safe-denied", "{{ x|safe }}", "`|safe` is switched off", "pass `Html` from Rust";
    EXTENDS_DYNAMIC: "extends-dynamic", "{% extends parent %}", "the parent must be known when the template is \
        loaded", "name the parent in quotes; make one child template for each parent";
    EXTENDS_FIRST: "extends-first", "text {% extends 'base.html' %}", "nothing may be printed before {% extends %}",
        "put {% extends %} first, outside of any other tag";
    EXTENDS_CYCLE: "extends-cycle", "{% extends 'self.html' %}", "the template extends itself", "break the circle";
    UNKNOWN_BLOCK: "unknown-block", "{% extends 'base.html' %}{% block tilte %}{% endblock %}", "no parent has this \
        block, so it would never be shown", "check the spelling, or add the block to the parent";
    BLOCK_CONTEXT: "block-context", "{% block a %}<a href=\"{% endblock %}", "a block must end in the place where it \
        starts, so that a child can replace it", "open and close tags' quotes, strings and attributes inside the block";
    SUPER_CONTEXT: "super-context", "{% block a %}<a title=\"{{ super() }}\">{% endblock %}", "the parent's block was \
        written for the place where the block starts", "call super() where the block starts";
    SELF_CONTEXT: "self-context", "{% block a %}x{% endblock %}<a title=\"{{ self.a() }}\">", "a block was written \
        for the place where it stands", "use {% set %} for text that is shown in two places";
    CAPTURED_BLOCK: "captured-block", "<a title=\"{% block a %}{{ super()|trim }}{% endblock %}\">", "the text of a \
        block outside HTML text is escaped for that place only", "call it alone: {{ super() }}";
    INCLUDE_DYNAMIC: "include-dynamic", "{% include name %}", "the included template must be known when the template \
        is loaded", "choose with {% if %} between literal names";
    IMPORT_DYNAMIC: "import-dynamic", "{% import name as m %}", "the imported template must be known when the \
        template is loaded", "name it in quotes";
    RECURSION: "recursion", "{% include 'self.html' %}<a title=\"", "a template that includes itself must end where \
        it starts", "close what the template opens";
    CAPTURE: "capture-context", "{% macro m() %}<a title=\"{% endmacro %}", "what a macro, {% set %}, {% call %} or \
        {% filter %} collects must be whole HTML", "open and close tags, quotes and attributes inside it";
    RECURSIVE_LOOP: "recursive-loop", "<a title=\"{% for x in y recursive %}{% endfor %}\">", "a recursive loop can \
        be called from elsewhere, so it must print HTML text", "use it between tags only";
    CALL_BLOCK: "call-block", "<a title=\"{% call m() %}x{% endcall %}\">", "{% call %} prints HTML text", "use it \
        between tags only, or {% set %} the result and print it with {{ }}";
    FILTER_BLOCK: "filter-block", "<a title=\"{% filter upper %}x{% endfilter %}\">", "{% filter %} prints HTML text",
        "use it between tags only, or {% set %} the result and print it with {{ }}";
    LOOP: "loop-context", "{% for x in y %}<a title=\"{% endfor %}", "the loop body ends elsewhere than it starts",
        "close in the body what the body opens";
    END: "end-context", "<a title=\"", "a page must end in HTML text", "close the last tag, quote, comment or script";
    FORM_ACTION: "form-action", "<form method=\"post\" action=\"{{ url }}\">", "a form that posts gets the CSRF \
        token, which must not leave this site", "begin the action with one `/` in the template, as in \
        action=\"/{{ path }}\", print {{ path|local_path }} or a path function there, or leave it out";
    REWRITE: "rewrite", "", "the rewritten template does not read back as meant; this is a defect of haechi",
        "report it with the template";
}
