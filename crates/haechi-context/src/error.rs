//! Why a template is refused: a code, and for every code an example, the cause and the cure.

use std::fmt;

/// A template that cannot be escaped safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    offset: usize,
    subject: Box<str>,
}

impl Error {
    pub(crate) fn new(code: Code) -> Self {
        Self { code, offset: 0, subject: Box::default() }
    }

    /// An error whose message names something.
    pub(crate) fn with(code: Code, subject: impl fmt::Display) -> Self {
        Self { code, offset: 0, subject: subject.to_string().into() }
    }

    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// Returns what kind of error this is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the byte of the text given to [`Context::advance`](crate::Context::advance); 0 for other calls.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns what happened.
    #[must_use]
    pub fn message(&self) -> String {
        self.code.lesson().message.replace("{}", &self.subject)
    }

    /// Returns a template with this error.
    #[must_use]
    pub fn example(&self) -> &'static str {
        self.code.lesson().example
    }

    /// Returns why it is refused.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        self.code.lesson().cause
    }

    /// Returns what to do.
    #[must_use]
    pub fn cure(&self) -> &'static str {
        self.code.lesson().cure
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.message(), self.cause(), self.cure())
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

struct Lesson {
    id: &'static str,
    message: &'static str,
    example: &'static str,
    cause: &'static str,
    cure: &'static str,
}

impl Code {
    /// Returns the stable name of the code.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.lesson().id
    }

    /// Returns a template that is refused with this code.
    #[must_use]
    pub fn example(self) -> &'static str {
        self.lesson().example
    }

    /// Returns why it is refused.
    #[must_use]
    pub fn cause(self) -> &'static str {
        self.lesson().cause
    }

    /// Returns what to write instead.
    #[must_use]
    pub fn cure(self) -> &'static str {
        self.lesson().cure
    }

    fn lesson(self) -> &'static Lesson {
        &LESSONS[self as usize]
    }
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// Dynamic attributes on `<…>`.
    AttributeSpread,
    /// Unexpected `…` in a tag.
    BadHtml,
    /// The branches end in different contexts: ….
    BranchMismatch,
    /// `<![` in HTML.
    Cdata,
    /// The style ends inside a string, url() or comment.
    CssEnd,
    /// A backslash in a CSS url().
    CssEscape,
    /// A value right behind `…`.
    CssIdentifier,
    /// A value inside @import.
    CssImport,
    /// A line break inside a CSS string.
    CssString,
    /// The host of a CSS url() is a value.
    CssUrlHost,
    /// A value inside the attribute name `…`.
    DynamicAttributeName,
    /// A value inside a tag name.
    DynamicTag,
    /// The file ends in ….
    EndContext,
    /// The character reference `&…;` in code, style or a document.
    Entity,
    /// A value right behind `&`.
    EntityCut,
    /// `<…>` inside `<svg>` or `<math>.`
    ForeignRaw,
    /// Unbalanced `…` in JavaScript.
    JsBrackets,
    /// The script ends ….
    JsEnd,
    /// `#!` in JavaScript.
    JsHashbang,
    /// `<!--` or a `-->` that starts a line in JavaScript.
    JsHtmlComment,
    /// A value right behind the JavaScript name `…`.
    JsIdentifier,
    /// A value in `import(…)`, without quotes.
    JsImport,
    /// A line break inside a regular expression.
    JsRegex,
    /// A value inside a character class.
    JsRegexClass,
    /// `/` after … could divide or start a regular expression.
    JsSlash,
    /// A line break inside a JavaScript string.
    JsString,
    /// A value inside a markup declaration.
    MarkupDeclaration,
    /// `http-equiv` after a `content` that holds a value.
    MetaOrder,
    /// A value in the content of a refresh.
    MetaRefresh,
    /// `</noscript` inside a tag, comment or raw element of `<noscript>`.
    Noscript,
    /// A value right behind a backslash.
    PartialEscape,
    /// A value right behind `</`, `<!` or a part of an end tag.
    RawCut,
    /// A value inside `<…>.`
    RawText,
    /// The host of a script, style or object URL is a value.
    ResourceHost,
    /// `<!--` inside `<script>.`
    ScriptComment,
    /// Srcdoc: ….
    Srcdoc,
    /// A value in the attribute `…`.
    StaticAttribute,
    /// A value in a `<…>` that is not JavaScript, JSON or CSS as a browser reads it.
    StaticRaw,
    /// A name is glued to a value, a branch or a block.
    TokenCut,
    /// A value in the unquoted attribute `…`.
    Unquoted,
    /// The branches before this value end in different parts of the URL.
    UrlAmbiguous,
    /// A value right behind the scheme of a URL.
    UrlAuthority,
    /// A value inside a `…:` URL.
    UrlScheme,
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::AttributeSpread,
        Self::BadHtml,
        Self::BranchMismatch,
        Self::Cdata,
        Self::CssEnd,
        Self::CssEscape,
        Self::CssIdentifier,
        Self::CssImport,
        Self::CssString,
        Self::CssUrlHost,
        Self::DynamicAttributeName,
        Self::DynamicTag,
        Self::EndContext,
        Self::Entity,
        Self::EntityCut,
        Self::ForeignRaw,
        Self::JsBrackets,
        Self::JsEnd,
        Self::JsHashbang,
        Self::JsHtmlComment,
        Self::JsIdentifier,
        Self::JsImport,
        Self::JsRegex,
        Self::JsRegexClass,
        Self::JsSlash,
        Self::JsString,
        Self::MarkupDeclaration,
        Self::MetaOrder,
        Self::MetaRefresh,
        Self::Noscript,
        Self::PartialEscape,
        Self::RawCut,
        Self::RawText,
        Self::ResourceHost,
        Self::ScriptComment,
        Self::Srcdoc,
        Self::StaticAttribute,
        Self::StaticRaw,
        Self::TokenCut,
        Self::Unquoted,
        Self::UrlAmbiguous,
        Self::UrlAuthority,
        Self::UrlScheme,
    ];
}

/// In the order of [`Code`].
static LESSONS: &[Lesson] = &[
    Lesson {
        id: "attribute-spread",
        message: "dynamic attributes on `<{}>`",
        example: "<script {{ attrs }}>",
        cause: "the attributes of this element decide which code or document is loaded",
        cure: "write the attributes of this element out",
    },
    Lesson {
        id: "bad-html",
        message: "unexpected `{}` in a tag",
        example: "<a title=it's>",
        cause: "browsers read such a tag in a way that its writer did not mean, often because a quote is missing",
        cure: "check the quotes of the attributes before it, and any branch that cuts an attribute in two",
    },
    Lesson {
        id: "branch-mismatch",
        message: "the branches end in different contexts: {}",
        example: "<a href={% if x %}\"/a{% endif %}>",
        cause: "what follows would be read in two ways",
        cure: "make every branch open and close the same tags, quotes and strings",
    },
    Lesson {
        id: "cdata",
        message: "`<![` in HTML",
        example: "<![CDATA[ {{ x }} ]]>",
        cause: "CDATA sections exist only in svg and math; in HTML this is a comment",
        cure: "write &lt; instead",
    },
    Lesson {
        id: "css-end",
        message: "the style ends inside a string, url() or comment",
        example: "<style>a { content: \"</style>",
        cause: "the browser would read what follows as part of it, or drop the rule",
        cure: "close it before the end",
    },
    Lesson {
        id: "css-escape",
        message: "a backslash in a CSS url()",
        example: "<style>a { background: url(\\2f {{ x }}) }</style>",
        cause: "an escape may hide the scheme of the URL",
        cure: "write the character itself",
    },
    Lesson {
        id: "css-identifier",
        message: "a value right behind `{}`",
        example: "<style>@{{ rule }} \"x\"</style>",
        cause: "the value would complete a name that loads other code",
        cure: "put a space or the whole name into the template",
    },
    Lesson {
        id: "css-import",
        message: "a value inside @import",
        example: "<style>@import \"{{ url }}\";</style>",
        cause: "a style sheet of somebody else can read the page",
        cure: "make the URL static, or use <link> with a trusted URL",
    },
    Lesson {
        id: "css-string",
        message: "a line break inside a CSS string",
        example: "<style>a { content: \"x\n\" }</style>",
        cause: "the browser ends the string there, and the machine would not",
        cure: "close the string",
    },
    Lesson {
        id: "css-url-host",
        message: "the host of a CSS url() is a value",
        example: "<style>a { background: url(//{{ host }}/a.png) }</style>",
        cause: "a part of a host cannot be checked here",
        cure: "pass the whole URL as one value",
    },
    Lesson {
        id: "dynamic-attribute-name",
        message: "a value inside the attribute name `{}`",
        example: "<a on{{ name }}=\"1\">",
        cause: "the name decides whether the value is code, a URL or text",
        cure: "write the name out; only `data-` and `aria-` names may end in a value",
    },
    Lesson {
        id: "dynamic-tag",
        message: "a value inside a tag name",
        example: "<{{ tag }}>",
        cause: "the name decides how everything up to the end tag is read",
        cure: "write whole tags, inside branches if need be; write &lt; for a less-than sign",
    },
    Lesson {
        id: "end-context",
        message: "the file ends in {}",
        example: "<a href=\"/",
        cause: "what is appended would be read as part of it",
        cure: "close the last tag, quote or element",
    },
    Lesson {
        id: "entity",
        message: "the character reference `&{};` in code, style or a document",
        example: "<a onclick=\"f(&nbsp;)\">",
        cause: "it may stand for a character that changes the code",
        cure: "write the character itself",
    },
    Lesson {
        id: "entity-cut",
        message: "a value right behind `&`",
        example: "<a href=\"&{{ x }}\">",
        cause: "the value could complete a character reference, such as `#106;`, after it has been escaped",
        cure: "write &amp; in the attribute",
    },
    Lesson {
        id: "foreign-raw",
        message: "`<{}>` inside <svg> or <math>",
        example: "<svg><style> a<b </style></svg>",
        cause: "the HTML parser may read this element as text or as markup there",
        cure: "keep its content free of `<` and write a separate end tag",
    },
    Lesson {
        id: "js-brackets",
        message: "unbalanced `{}` in JavaScript",
        example: "<script>f)</script>",
        cause: "the machine cannot tell what a slash behind it means",
        cure: "balance the brackets inside one script and one branch",
    },
    Lesson {
        id: "js-end",
        message: "the script ends {}",
        example: "<script>f(\"</script>",
        cause: "the browser ends the script at the end tag, wherever it stands",
        cure: "close it before the end; inside strings write <\\/script>",
    },
    Lesson {
        id: "js-hashbang",
        message: "`#!` in JavaScript",
        example: "<script>#! {{ x }}</script>",
        cause: "it is a comment in some places and code in others",
        cure: "remove it",
    },
    Lesson {
        id: "js-html-comment",
        message: "`<!--` or a `-->` that starts a line in JavaScript",
        example: "<script>\n--> {{ x }}</script>",
        cause: "JavaScript reads it as a comment, many readers do not",
        cure: "remove the HTML comment from the script",
    },
    Lesson {
        id: "js-identifier",
        message: "a value right behind the JavaScript name `{}`",
        example: "<script>var user{{ id }} = 1</script>",
        cause: "the value would become a part of the name",
        cure: "write obj[{{ key }}]",
    },
    Lesson {
        id: "js-import",
        message: "a value names a module without quotes",
        example: "<script>import({{ path }})</script>",
        cause: "whoever chooses the module chooses the code",
        cure: "write import(\"/static/{{ name }}.js\"), or pass the whole URL as one trusted URL in quotes",
    },
    Lesson {
        id: "js-regex",
        message: "a line break inside a regular expression",
        example: "<script>a = /x\n/</script>",
        cause: "what was taken for a regular expression is a division",
        cure: "check the `/` before it",
    },
    Lesson {
        id: "js-regex-class",
        message: "a value inside a character class",
        example: "<script>/[{{ x }}]/</script>",
        cause: "a value of several characters is no class, and `-` would be a range",
        cure: "build the RegExp from a string",
    },
    Lesson {
        id: "js-slash",
        message: "`/` after {} could divide or start a regular expression",
        example: "<script>x = {}\n/{{ x }}/g</script>",
        cause: "one of the two readings makes the value code",
        cure: "add a `;` or round brackets before the `/`",
    },
    Lesson {
        id: "js-string",
        message: "a line break inside a JavaScript string",
        example: "<script>a = \"x\n\"</script>",
        cause: "the string would end there, and the machine would not",
        cure: "close the string or use a template literal",
    },
    Lesson {
        id: "markup-declaration",
        message: "a value inside a markup declaration",
        example: "<!DOCTYPE {{ x }}>",
        cause: "a `>` in the value would end it",
        cure: "write it outside of `<! >`",
    },
    Lesson {
        id: "meta-order",
        message: "`http-equiv` after a `content` that holds a value",
        example: "<meta content=\"{{ x }}\" http-equiv=\"refresh\">",
        cause: "the content was escaped as text, and this makes it a URL",
        cure: "write http-equiv before content",
    },
    Lesson {
        id: "meta-refresh",
        message: "a value in the content of a refresh",
        example: "<meta http-equiv=\"refresh\" content=\"{{ x }}\">",
        cause: "the value could bring its own `url=javascript:`",
        cure: "write content=\"5; url={{ u }}\" with a static number",
    },
    Lesson {
        id: "noscript",
        message: "`</noscript` inside a tag, comment or raw element",
        example: "<noscript><p title=\"</noscript>{{ x }}\"></noscript>",
        cause: "a browser that runs scripts ends the element there, whatever stands around it",
        cure: "write &lt;/noscript there",
    },
    Lesson {
        id: "partial-escape",
        message: "a value right behind a backslash",
        example: "<script>\"\\{{ x }}\"</script>",
        cause: "the backslash would change the first character of the escaped value",
        cure: "remove the backslash",
    },
    Lesson {
        id: "raw-cut",
        message: "a value right behind `</`, `<!` or a part of an end tag",
        example: "<script>\"</{{ x }}\"</script>",
        cause: "the value could complete an end tag or a comment",
        cure: "write the value elsewhere; in strings write <\\/",
    },
    Lesson {
        id: "raw-text",
        message: "a value inside <{}>",
        example: "<xmp>{{ x }}</xmp>",
        cause: "this element is text that the browser does not decode, so nothing can be escaped in it",
        cure: "use another element, such as <pre>",
    },
    Lesson {
        id: "resource-host",
        message: "the host of a script, style or object URL is a value",
        example: "<script src=\"https://{{ host }}/a.js\"></script>",
        cause: "whoever chooses the host chooses the code",
        cure: "pass the whole URL as one trusted URL",
    },
    Lesson {
        id: "script-comment",
        message: "`<!--` inside <script>",
        example: "<script>a = \"<!--\"</script>",
        cause: "it makes the HTML parser read past the end tag of the script under some conditions",
        cure: "write \\x3C!-- in strings, or remove the comment",
    },
    Lesson {
        id: "srcdoc",
        message: "srcdoc: {}",
        example: "<iframe srcdoc=\"<script>{{ x }}</script>\">",
        cause: "the value is decoded twice there",
        cure: "make the inner document whole, with values in text and attributes only, or render it first",
    },
    Lesson {
        id: "static-attribute",
        message: "a value in the attribute `{}`",
        example: "<script type=\"{{ t }}\">",
        cause: "this attribute is code or tells the browser how to treat code",
        cure: "write the value in the template",
    },
    Lesson {
        id: "static-raw",
        message: "a value in a <{}> that is not JavaScript, JSON or CSS as a browser reads it",
        example: "<script type=\"text/template\">{{ x }}</script>",
        cause: "the program that reads this text decides what is code in it",
        cure: "use a JSON script and read it, or a <template> element",
    },
    Lesson {
        id: "token-cut",
        message: "a name is glued to a value, a branch or a block",
        example: "<a {{ attrs }}b>",
        cause: "what stands before it may end in a part of a name",
        cure: "put a space before it",
    },
    Lesson {
        id: "unquoted",
        message: "a value in the unquoted attribute `{}`",
        example: "<a href={{ url }}>",
        cause: "a space in the value would start another attribute",
        cure: "quote it: attribute=\"{{ value }}\"",
    },
    Lesson {
        id: "url-ambiguous",
        message: "the branches before this value end in different parts of the URL",
        example: "<a href=\"{% if x %}/a{% else %}/b?{% endif %}{{ y }}\">",
        cause: "a path and a query are encoded differently",
        cure: "build the URL in one value, or close the attribute in each branch",
    },
    Lesson {
        id: "url-authority",
        message: "a value right behind the scheme of a URL",
        example: "<a href=\"https:{{ x }}\">",
        cause: "the value could be a host or a path",
        cure: "write the two slashes in the template: https://",
    },
    Lesson {
        id: "url-scheme",
        message: "a value inside a `{}:` URL",
        example: "<a href=\"javascript:f('{{ x }}')\">",
        cause: "the browser decodes such a URL before it runs it, so nothing can be escaped in it",
        cure: "use a handler in a script, or pass the whole URL as one value",
    },
];
