//! The escapers: one rule for each kind of place, and the layers of HTML around it.
//!
//! Every rule for code or style writes no `<`, `>`, `&`, quote or back-tick of the data. Its output is inert
//! whether the browser reads the place as raw text, as a decoded attribute or as foreign content, so a wrong guess
//! between neighbours costs fidelity, not safety.

mod attrs;
mod css;
mod html;
mod js;
mod srcset;
mod url;

use std::fmt;

use crate::value::Value;

/// Writes a value so that it stays a value in one kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Escaper {
    rule: Rule,
    /// How often the browser decodes HTML before it reads the language of the rule.
    layers: u8,
}

macro_rules! rules {
    ($($variant:ident $id:literal $text:literal $inert:literal)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Rule { $($variant),* }

        impl Rule {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            fn describe(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// Whether the output holds nothing that HTML would read, so that its layers add nothing.
            fn is_inert(self) -> bool {
                match self { $(Self::$variant => $inert),* }
            }
        }
    };
}

rules! {
    Html "html" "text, its markup escaped" false
    Plain "plain" "text" false
    TextareaStart "textarea_start" "text at the start of a textarea" false
    Unquoted "unquoted" "unquoted attribute" true
    UrlNavigation "url" "URL, scheme checked" false
    UrlMedia "url_media" "URL of an image or medium, scheme checked" false
    UrlFrame "url_frame" "URL of a frame, scheme checked" false
    UrlAnimation "url_animation" "URLs of an animation, schemes checked" false
    UrlResource "url_resource" "URL of code, only if trusted" false
    UrlSegment "url_segment" "URL segment" true
    UrlPath "url_path" "URL path" true
    UrlPathStart "url_path_start" "URL path after its first slash" true
    UrlFirst "url_first" "URL path after its first slash, not empty" true
    UrlFirstResource "url_first_resource" "path of code after its first slash, not empty" true
    UrlLocal "url_local" "URL on this site, only if trusted" false
    UrlPathResource "url_path_resource" "path of code, without `..`" true
    UrlComponent "url_component" "URL component" true
    UrlHost "url_host" "URL host" true
    UrlOpaque "url_opaque" "address in a URL" true
    Srcset "srcset" "image candidates, schemes checked" false
    JsValue "js" "JavaScript value" false
    JsString "js_string" "JavaScript string" true
    JsTemplate "js_template" "JavaScript template literal" true
    JsModule "js_module" "name of a JavaScript module, only if trusted" true
    JsRegex "js_regex" "JavaScript regular expression" true
    CssValue "css" "CSS value" false
    CssString "css_string" "CSS string" true
    CssUrl "css_url" "URL in CSS, scheme checked" false
    CssUrlPath "css_url_path" "URL path in CSS" true
    CssUrlComponent "css_url_component" "URL component in CSS" true
    Nothing "nothing" "nothing: the place is a comment" true
    Attributes "attributes" "attributes, each escaped for its name" true
    NamePart "name_part" "part of a name" true
    Unescaped "unescaped" "it is" true
}

impl Escaper {
    pub(crate) fn new(rule: Rule, layers: u8) -> Self {
        Self { rule, layers }
    }

    pub(crate) fn in_attribute(self) -> Self {
        Self { layers: self.layers.saturating_add(1), ..self }
    }

    pub(crate) fn rule(self) -> Rule {
        self.rule
    }

    /// Returns every escaper that a context can ask for.
    pub fn all() -> impl Iterator<Item = Self> {
        Rule::ALL.iter().flat_map(|rule| (0..=MOST_LAYERS).map(|layers| Self::new(*rule, layers)))
    }

    /// Returns a stable name of letters, digits and `_`.
    #[must_use]
    pub fn id(self) -> String {
        format!("{}{}", self.rule.id(), SUFFIXES[usize::from(self.layers.min(MOST_LAYERS))])
    }

    /// Returns the escaper of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::all().find(|escaper| escaper.id() == id)
    }

    /// Whether this is the escaper of HTML text, which template engines have of their own.
    #[must_use]
    pub fn is_html_text(self) -> bool {
        self.rule == Rule::Html && self.layers == 0
    }

    /// Whether the place is in a file without escaping.
    #[must_use]
    pub fn is_unescaped(self) -> bool {
        self.rule == Rule::Unescaped
    }

    /// Appends the value, escaped for the place.
    pub fn escape(self, value: &Value<'_>, out: &mut String) {
        if self.layers == 0 || self.rule.is_inert() {
            return self.rule.write(value, out);
        }
        if self.rule == Rule::Plain && self.layers == 1 {
            return html::escape(&value.text(), out);
        }
        let start = out.len();
        self.rule.write(value, out);
        if !html::is_special(&out[start..]) {
            return;
        }
        let mut inner = out.split_off(start);
        for _ in 1..self.layers {
            let mut outer = String::with_capacity(inner.len() + 16);
            html::escape(&inner, &mut outer);
            inner = outer;
        }
        html::escape(&inner, out);
    }
}

impl Rule {
    fn write(self, value: &Value<'_>, out: &mut String) {
        match self {
            Self::Html => html::text(value, out),
            Self::Plain | Self::Unescaped => match value {
                Value::Html(html) if self == Self::Unescaped => out.push_str(html),
                _ => out.push_str(&value.text()),
            },
            Self::TextareaStart => html::textarea_start(&value.text(), out),
            Self::Unquoted => html::unquoted(&value.text(), out),
            Self::UrlNavigation => url::whole(value, url::Schemes::Navigation, out),
            Self::UrlMedia => url::whole(value, url::Schemes::Media, out),
            Self::UrlFrame => url::whole(value, url::Schemes::Web, out),
            Self::UrlAnimation => url::animation(value, out),
            Self::UrlResource => url::trusted(value, out),
            Self::UrlSegment => url::segment(&value.text(), out),
            Self::UrlPath => url::path(&value.text(), out),
            Self::UrlPathStart => url::path_start(&value.text(), out),
            Self::UrlFirst => url::first(&value.text(), out),
            Self::UrlFirstResource => url::first_resource(&value.text(), out),
            Self::UrlLocal => url::local(value, out),
            Self::UrlPathResource => url::path_resource(&value.text(), out),
            Self::UrlComponent | Self::CssUrlComponent => url::component(value, out),
            Self::UrlHost => url::host(&value.text(), out),
            Self::UrlOpaque => url::opaque(&value.text(), out),
            Self::Srcset => srcset::candidates(value, out),
            Self::JsValue => js::value(value, out),
            Self::JsString => js::string(&value.text(), js::Within::String, out),
            Self::JsTemplate => js::string(&value.text(), js::Within::Template, out),
            Self::JsModule => js::module(value, out),
            Self::JsRegex => js::regex(&value.text(), out),
            Self::CssValue => css::value(value, out),
            Self::CssString => css::string(&value.text(), out),
            Self::CssUrl => css::url(value, out),
            Self::CssUrlPath => url::segment(&value.text(), out),
            Self::Nothing => {}
            Self::Attributes => attrs::list(value, out),
            Self::NamePart => attrs::name_part(&value.text(), out),
        }
    }
}

impl fmt::Display for Escaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule.describe())?;
        match self.layers {
            0 => Ok(()),
            1 => f.write_str(", then HTML"),
            n => write!(f, ", then HTML {n} times"),
        }
    }
}

const SUFFIXES: [&str; 3] = ["", "_attr", "_attr2"];
const MOST_LAYERS: u8 = 2;
