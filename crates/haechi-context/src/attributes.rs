//! Which language the value of an attribute is written in: the tables.

use crate::context::Context;
use crate::css::Css;
use crate::element::Element;
use crate::event::Written;
use crate::facts::{Fact, Facts};
use crate::js::{Js, Kind};
use crate::language::Language;
use crate::meta::Refresh;
use crate::srcset::Srcset;
use crate::url::{Purpose, Url};

/// Returns the language of an attribute, by its lower-case name, the element and what the tag has said before.
pub(crate) fn language(element: Element, name: &str, facts: &Facts) -> Language {
    if is_code(name) {
        return Language::Js(Js::new(Kind::Attribute));
    }
    if STATIC.contains(&name) || name.starts_with("xmlns") {
        return Language::Static;
    }
    // svg writes `xlink:href`.
    let local = name.rsplit(':').next().unwrap_or(name);
    match local {
        "style" => return Language::Css(Css::new()),
        "srcset" | "imagesrcset" => return Language::Srcset(Srcset::Start),
        "srcdoc" => return Language::Document(Box::new(Context::html())),
        "content" if element == Element::Meta => return content(facts),
        _ => {}
    }
    if is_policy(element, local) {
        return Language::Static;
    }
    match purpose(element, name, local, facts) {
        Some(purpose) => Language::Url(Url::new(purpose)),
        None => Language::Plain,
    }
}

/// Whether the text of the attribute is kept for [`Facts`].
pub(crate) fn fact(element: Element, name: &str) -> Option<Fact> {
    use Element::{A, Area, Button, Form, Input, Link, Meta, Script};
    Some(match (element, name) {
        (Script, "type") => Fact::Type,
        (Script, "src") | (Link, "href") => Fact::Source,
        (Link | A | Area | Form, "rel") => Fact::Rel,
        (Meta, "http-equiv") => Fact::HttpEquiv,
        (Form, "method") => Fact::Method,
        (Form, "action") => Fact::Action,
        (A | Area | Form, "target") => Fact::Target,
        (Button | Input, "formmethod") => Fact::FormMethod,
        (Button | Input, "formaction") => Fact::FormAction,
        _ => return None,
    })
}

/// Attributes that the platform or a client library runs as code.
fn is_code(name: &str) -> bool {
    CODE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with("x-") && !matches!(name, "x-ref" | "x-cloak" | "x-teleport"))
        || CODE.contains(&name)
}

/// Places that decide how the browser treats other text.
fn is_policy(element: Element, local: &str) -> bool {
    use Element::{Embed, Iframe, Link, Meta, Object, Script, Style};
    matches!(
        (element, local),
        (Script, "type" | "language")
            | (Style | Object | Embed, "type")
            | (Link, "rel" | "as")
            | (Iframe, "sandbox" | "allow" | "csp")
            | (Meta | Script | Link, "charset")
    ) || POLICY.contains(&local)
}

fn content(facts: &Facts) -> Language {
    match facts.said(Fact::HttpEquiv) {
        // A later `http-equiv` is an error if a value stood here.
        Written::Missing => Language::Plain,
        Written::Static(kind) if kind.trim().eq_ignore_ascii_case("refresh") => {
            Language::Refresh(Refresh::Delay)
        }
        Written::Static(kind) if !kind.trim().to_ascii_lowercase().starts_with("content-security") => {
            Language::Plain
        }
        _ => Language::Static,
    }
}

fn purpose(element: Element, name: &str, local: &str, facts: &Facts) -> Option<Purpose> {
    use Element::{
        Applet, Base, Button, Embed, FeImage, Form, Frame, Iframe, Input, Link, Object, Script, Use,
    };
    Some(match (element, local) {
        (Script, "src" | "href")
        | (Embed, "src")
        | (Object, "data" | "codebase" | "classid")
        | (Base | Use | FeImage, "href")
        | (Applet, _) => Purpose::Resource,
        (Link, "href") if !is_harmless(facts.said(Fact::Rel)) => Purpose::Resource,
        (Form, "action") | (Button | Input, "formaction") => Purpose::Action,
        (Iframe | Frame, "src") => Purpose::Frame,
        (_, "to" | "from" | "by" | "values") if element.is_animation() => Purpose::Animation,
        (_, "src" | "href" | "poster") if element.is_media() => Purpose::Media,
        (_, "poster" | "background" | "icon") => Purpose::Media,
        _ if NAVIGATION.contains(&local) || HTMX.contains(&name.strip_prefix("data-").unwrap_or(name)) => {
            Purpose::Navigation
        }
        _ if sounds_like_url(name.strip_prefix("data-").unwrap_or(name)) => Purpose::Navigation,
        _ => return None,
    })
}

/// Whether a `<link>` with this `rel` only points somewhere.
pub(crate) fn is_harmless(rel: &Written) -> bool {
    let Written::Static(rel) = rel else { return false };
    let mut words = rel.split_ascii_whitespace().peekable();
    words.peek().is_some() && words.all(|word| HARMLESS_RELS.iter().any(|rel| word.eq_ignore_ascii_case(rel)))
}

/// Scripts hand such attributes to `location` or `src`.
fn sounds_like_url(name: &str) -> bool {
    name.contains("url")
        || name.contains("uri")
        || name.contains("href")
        || name == "src"
        || name.ends_with("-src")
        || name == "action"
}

const CODE_PREFIXES: &[&str] = &[
    "on",
    "data-on",
    "hx-on",
    "data-hx-on",
    "up-on",
    "(",
    "[",
    "*",
    "@",
    ":",
    "v-",
    "ng-",
    "ng:",
    "data-ng-",
    "wire:",
];

const CODE: &[&str] = &[
    "data-bind",
    "hx-vals",
    "hx-vars",
    "hx-headers",
    "hx-request",
    "data-hx-vals",
    "data-hx-vars",
    "data-hx-headers",
    "data-hx-request",
];

/// Names that are code or policy on every element.
const STATIC: &[&str] = &[
    "hx-trigger",
    "data-hx-trigger",
    "hx-ext",
    "data-hx-ext",
    "hx-disable",
    "hx-disinherit",
    "_",
    "script",
    "data-script",
];

/// Local names that are policy on every element.
const POLICY: &[&str] =
    &["http-equiv", "is", "integrity", "attributename", "method", "formmethod", "enctype", "formenctype"];

const NAVIGATION: &[&str] = &[
    "href",
    "src",
    "action",
    "formaction",
    "cite",
    "longdesc",
    "usemap",
    "manifest",
    "profile",
    "data",
    "ping",
    "archive",
    "codebase",
    "classid",
    "lowsrc",
    "dynsrc",
];

const HTMX: &[&str] =
    &["hx-get", "hx-post", "hx-put", "hx-delete", "hx-patch", "hx-push-url", "hx-replace-url"];

const HARMLESS_RELS: &[&str] = &[
    "alternate",
    "apple-touch-icon",
    "author",
    "bookmark",
    "canonical",
    "cite",
    "dns-prefetch",
    "help",
    "icon",
    "license",
    "me",
    "next",
    "preconnect",
    "prev",
    "search",
    "shortcut",
    "shortlink",
    "webmention",
];
