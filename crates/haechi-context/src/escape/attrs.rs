//! Attributes from a map, and parts of names.

use super::html;
use super::url::{Schemes, whole};
use crate::attributes;
use crate::element::Element;
use crate::facts::Facts;
use crate::language::Language;
use crate::url::Purpose;
use crate::value::Value;

/// A map becomes attributes, each escaped for its own name; text may list names that switch something harmless on.
pub(super) fn list(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Attributes(attributes) => return out.push_str(attributes),
        Value::Data(data) if data.entries(&mut |name, value| pair(name, &value, out)) => return,
        _ => {}
    }
    for name in value.text().split_ascii_whitespace() {
        let plain = matches!(language(name), Some(Language::Plain))
            && !IDENTITY.contains(&&*name.to_ascii_lowercase());
        out.push_str(if plain { name } else { "data-haechi-invalid" });
        out.push(' ');
    }
}

fn pair(name: &str, value: &Value<'_>, out: &mut String) {
    let mut text = String::new();
    match (language(name), value) {
        (_, Value::Null | Value::Bool(false)) => return,
        (Some(Language::Plain), Value::Bool(true)) => {
            out.push(' ');
            out.push_str(name);
            out.push(' ');
            return;
        }
        (Some(Language::Plain), value) => text.push_str(&value.text()),
        (Some(Language::Url(url)), value) if url.purpose() == Purpose::Navigation => {
            whole(value, Schemes::Navigation, &mut text);
        }
        (Some(Language::Url(url)), value) if url.purpose() == Purpose::Media => {
            whole(value, Schemes::Media, &mut text);
        }
        _ => return,
    }
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    html::escape(&text, out);
    out.push_str("\" ");
}

/// The language of an attribute that a value names, or none if it may not name it.
fn language(name: &str) -> Option<Language> {
    let lower = name.to_ascii_lowercase();
    let plain =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let language = attributes::language(Element::Other, &lower, &Facts::default());
    (plain && !NEVER.contains(&&*lower)).then_some(language)
}

/// The end of a `data-` or `aria-` name.
pub(super) fn name_part(text: &str, out: &mut String) {
    let lower = text.trim_start_matches('-').to_ascii_lowercase();
    if lower.is_empty() || CODE_STARTS.iter().any(|start| lower.starts_with(start)) {
        out.push_str("x_");
    }
    for c in text.chars() {
        let fits = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        out.push(if fits { c.to_ascii_lowercase() } else { '_' });
    }
}

/// Attributes that send a form elsewhere, choose how content is read, or let code run.
const NEVER: &[&str] = &[
    "action",
    "allow",
    "as",
    "async",
    "charset",
    "content",
    "defer",
    "form",
    "formaction",
    "formtarget",
    "language",
    "nonce",
    "sandbox",
    "srcdoc",
];

/// Attributes that a bare name must not set.
const IDENTITY: &[&str] = &["id", "name", "rel", "target", "type"];

/// After `data-`: names that client libraries run.
const CODE_STARTS: &[&str] = &["on", "hx-", "ng-", "x-", "v-", "script", "bind"];
