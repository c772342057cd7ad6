//! Templates as people write them, by a grammar: what comes out mostly loads, so that rendering is reached.

/// A set of templates; the first is the page.
pub(crate) type Files = Vec<(&'static str, String)>;

/// Makes templates out of choices: `choose(n)` is a number below `n`, by a seed or by a fuzzer.
pub(crate) struct Grammar<'c> {
    choose: &'c mut dyn FnMut(usize) -> usize,
    depth: usize,
    blocks: usize,
}

type Piece<'c> = fn(&mut Grammar<'c>) -> String;

impl<'c> Grammar<'c> {
    pub(crate) fn new(choose: &'c mut dyn FnMut(usize) -> usize) -> Self {
        Self { choose, depth: 0, blocks: 0 }
    }

    pub(crate) fn files(&mut self) -> Files {
        let part = self.nodes();
        let macros = format!(
            "{{% macro m(v) %}}{{{{ v }}}}{{% endmacro %}}{{% macro n(v) %}}<b title=\"{{{{ v }}}}\">{}</b>{{% endmacro %}}\
             {{% macro w() %}}<i>{{{{ caller() }}}}</i>{{% endmacro %}}",
            self.value()
        );
        let import = "{% from 'macros.html' import m, n, w %}";
        let body = self.nodes();
        let (page, base) = if self.one_in(3) {
            let child = self.nodes();
            let shown = self.pick(&["", "{{ super() }}"]);
            (
                format!(
                    "{{% extends 'base.html' %}}{{% block main %}}{import}{shown}{child}{{% endblock %}}"
                ),
                format!(
                    "{import}<!DOCTYPE html><title>{}</title>{{% block main %}}{import}{body}{{% endblock %}}",
                    self.value()
                ),
            )
        } else {
            (format!("{import}{body}"), String::new())
        };
        vec![
            ("page.html", page),
            ("base.html", base),
            ("part.html", format!("{import}{part}")),
            ("macros.html", macros),
        ]
    }

    fn below(&mut self, end: usize) -> usize {
        (self.choose)(end)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    /// A template text in which `@` stands for a value.
    fn with_values(&mut self, items: &[&str]) -> String {
        let text = self.pick(items);
        let mut out = String::new();
        for (i, piece) in text.split('@').enumerate() {
            if i > 0 {
                out.push_str(&self.value());
            }
            out.push_str(piece);
        }
        out
    }

    fn value(&mut self) -> String {
        let (open, close) = if self.one_in(8) { ("{{- ", " -}}") } else { ("{{ ", " }}") };
        format!("{open}{}{close}", self.expression())
    }

    fn expression(&mut self) -> String {
        self.pick(&[
            "x",
            "x",
            "y",
            "x|upper",
            "x|title|lower",
            "x|trim",
            "x|replace('a', y)",
            "x|tojson",
            "x|urlencode",
            "x|e",
            "x|default(y)",
            "x ~ y",
            "x if c else y",
            "x|string|indent(2)",
            "xs|join(y)",
            "xs|map('upper')|join",
            "xs|first",
            "xs",
            "o",
            "o.k",
            "m(x)",
            "n(x)",
            "n(x) ~ x",
            "n(x)|replace('b', x)",
            "n(x)|trim(x)",
            "n(x)|format(x)",
            "n(x)|list|join(x)",
            "[n(x), x]|join",
            "'%s'|format(x)",
            "x|format",
            "7",
            "'it\\'s'",
        ])
        .to_owned()
    }

    /// A piece, perhaps inside tags of the template language.
    fn wrapped(&mut self, piece: Piece<'c>) -> String {
        if self.depth >= 4 {
            return piece(self);
        }
        self.depth += 1;
        let inner = piece(self);
        let text = match self.below(9) {
            0 => format!("{{% if c %}}{inner}{{% else %}}{}{{% endif %}}", piece(self)),
            1 => format!("{{% if not d %}}{inner}{{% endif %}}"),
            2 => format!("{{% for x in xs %}}{inner}{{% endfor %}}"),
            3 => format!("{{% with y = x %}}{inner}{{% endwith %}}"),
            4 => format!("{{# {{{{ x }}}} #}}{inner}"),
            _ => inner,
        };
        self.depth -= 1;
        text
    }

    fn several(&mut self, piece: Piece<'c>, most: usize) -> String {
        (0..=self.below(most)).map(|_| self.wrapped(piece)).collect()
    }

    fn nodes(&mut self) -> String {
        self.several(Grammar::node, 4)
    }

    fn node(&mut self) -> String {
        match self.below(20) {
            0..=3 if self.depth < 4 => self.element(),
            4 => format!("<script>\n{}</script>", self.several(Grammar::statement, 4)),
            5 => format!("<style>{}</style>", self.several(Grammar::rule, 3)),
            6 => self.fragment(),
            7 if self.depth < 3 => {
                self.blocks += 1;
                let name = self.blocks;
                format!("{{% block b{name} %}}{}{{% endblock %}}", self.nodes())
            }
            8 if self.depth < 3 => {
                "{% include 'part.html' ignore missing %}".replace("part.html", "macros.html")
            }
            9 => self.form(),
            10 => format!(
                "<svg viewBox=\"0 0 1 1\"><title>{}</title><text{}>{}</text></svg>",
                self.value(),
                self.attributes(),
                self.value()
            ),
            11 => self.with_values(&[
                "<textarea>@</textarea>",
                "<title>a @</title>",
                "<noscript><p title=\"@\">@</p></noscript>",
                "<script type=\"application/json\">{\"a\": @, \"b\": \"@\"}</script>",
                "<!-- @ -->",
                "<select><option value=\"@\">@</option></select>",
                "<table><tr><td>@</td></tr></table>",
                "<iframe srcdoc=\"<b title='@'>@</b>\"></iframe>",
                "<meta http-equiv=\"refresh\" content=\"9; url=@\">",
                "{{ o|json_script('i') }}",
            ]),
            _ => self.with_values(&["@", "text @ &amp; more", "a < b\n@", "é@", "@@", " @\n"]),
        }
    }

    fn element(&mut self) -> String {
        self.depth += 1;
        let name = self.pick(&["p", "div", "a", "ul", "h1", "button", "x-y"]);
        let text = format!("<{name}{}>{}</{name}>", self.attributes(), self.nodes());
        self.depth -= 1;
        text
    }

    /// Markup that is collected first and printed somewhere.
    fn fragment(&mut self) -> String {
        self.depth += 1;
        let inner = self.nodes();
        let text = match self.below(4) {
            0 => format!("{{% set s %}}{inner}{{% endset %}}{{{{ s }}}}<i title=\"{{{{ s }}}}\"></i>"),
            1 => format!("{{% call w() %}}{inner}{{% endcall %}}"),
            2 => format!(
                "{{% filter {} %}}{inner}{{% endfilter %}}",
                self.pick(&["upper", "trim", "indent(1)", "format(x)"])
            ),
            _ => format!("{{% set s %}}{}{{% endset %}}<a href=\"{{{{ s }}}}\">{inner}</a>", self.value()),
        };
        self.depth -= 1;
        text
    }

    fn form(&mut self) -> String {
        let action = self.with_values(&[
            "",
            " action=\"/a/@\"",
            " action=\"/@/b\"",
            " action=\"?q=@\"",
            " action=\"{{ x|local_path }}\"",
        ]);
        format!("<form method=\"post\"{action}><input name=\"@\" value=\"@\"></form>")
            .replace('@', &self.value())
    }

    fn attributes(&mut self) -> String {
        (0..self.below(4)).map(|_| self.wrapped(Grammar::attribute)).collect()
    }

    fn attribute(&mut self) -> String {
        self.with_values(&[
            " title=\"@\"",
            " class='a @ b'",
            " alt=@",
            " id=\"i-@\" hidden",
            " href=\"@\"",
            " href=\"/a/@?b=@&amp;c=@#@\"",
            " href='/@'",
            " src=\"https://a.example/@\"",
            " srcset=\"@ 1x, /b?@ 2x\"",
            " style=\"color: @; width: @px\"",
            " style=\"background: url('@')\"",
            " onclick=\"f(@, '@')\"",
            " onclick='g(\"@\")'",
            " x-data=\"{ a: @ }\"",
            " data-a=\"@\"",
            " data-@=\"@\"",
            " aria-label=\"@\"",
            " {{ attrs }}",
        ])
    }

    fn statement(&mut self) -> String {
        self.with_values(&[
            "var v = @;\n",
            "f('@', \"a@b\");\n",
            "h(`a@${ @ }b`);\n",
            "if (@) { f(1); }\n",
            "o = { a: @, 'b': '@' };\n",
            "// @\n",
            "/* @ */\n",
            "r = /a@b/.test(s);\n",
            "a = [@, -@, @ ? 1 : 2];\n",
            "z = w / 2;\n",
            "import('/m/@.js');\n",
            "k = (u) => u[@];\n",
        ])
    }

    fn rule(&mut self) -> String {
        self.with_values(&[
            "p { color: @; width: @px }\n",
            ".a { background: url(@) no-repeat }\n",
            ".b { background: url(\"/b?@\") }\n",
            "b::after { content: '@' }\n",
            "/* @ */\n",
        ])
    }
}
