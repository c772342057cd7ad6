//! CSS: values, strings and URLs.

use std::fmt::Write;

use super::url::{Schemes, whole};
use crate::value::Value;

/// A value by allow-list: nothing that could end a declaration or call a function.
pub(super) fn value(value: &Value<'_>, out: &mut String) {
    if let Value::Css(css) = value {
        return out.push_str(css);
    }
    let text = value.text();
    out.push_str(if is_harmless(&text) { &text } else { "haechi-invalid" });
}

fn is_harmless(text: &str) -> bool {
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || " .,#%+_!-".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
    };
    let lower = text.to_ascii_lowercase();
    text.chars().all(plain) && !["--", "expression", "-binding"].iter().any(|word| lower.contains(word))
}

pub(super) fn string(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            c if c.is_ascii_alphanumeric() || (!c.is_ascii() && !c.is_control()) => out.push(c),
            // Writing to a string cannot fail.
            c => write!(out, "\\{:X} ", u32::from(c)).unwrap_or_default(),
        }
    }
}

pub(super) fn url(value: &Value<'_>, out: &mut String) {
    let mut url = String::new();
    whole(value, Schemes::Media, &mut url);
    for c in url.chars() {
        match c {
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            '\'' => out.push_str("%27"),
            '"' => out.push_str("%22"),
            '\\' => out.push_str("%5C"),
            '<' => out.push_str("%3C"),
            ' ' | '\t' | '\n' | '\r' | '\x0c' => out.push_str("%20"),
            // Means itself in a raw element and in an attribute.
            '&' => out.push_str("\\26 "),
            c => out.push(c),
        }
    }
}
