//! JavaScript: values, strings, template literals, regular expressions.

use std::fmt::Write;

use crate::value::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    String,
    Template,
}

/// A whole expression: JSON, and numbers with spaces so that no sign meets another.
pub(super) fn value(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Js(code) => padded(code, out),
        Value::Integer(n) => padded(&n.to_string(), out),
        Value::Float(n) if n.is_finite() => padded(&format!("{n:?}"), out),
        Value::Bool(b) => padded(if *b { "true" } else { "false" }, out),
        Value::Null | Value::Float(_) => padded("null", out),
        Value::Data(data) => {
            let mut json = String::new();
            // The reason belongs into a log, not into a script (CVE-2024-24785).
            if data.json(&mut json).is_err() {
                return padded("null", out);
            }
            out.push(' ');
            json.chars().for_each(|c| if HOSTILE.contains(&c) { unicode(c, out) } else { out.push(c) });
            out.push(' ');
        }
        text => {
            out.push('"');
            string(&text.text(), Within::String, out);
            out.push('"');
        }
    }
}

fn padded(code: &str, out: &mut String) {
    out.push(' ');
    out.push_str(code);
    out.push(' ');
}

/// The inside of a string or template literal; valid in JSON too.
pub(super) fn string(text: &str, within: Within, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // `!` so that no value completes `<!--` behind a static `<`.
            '"' | '/' | '=' | '+' | '!' => unicode(c, out),
            '$' | '{' | '}' if within == Within::Template => unicode(c, out),
            c if c < ' ' || HOSTILE.contains(&c) => unicode(c, out),
            c => out.push(c),
        }
    }
}

/// The name of a module: the caller vouches for it, or there is none.
pub(super) fn module(value: &Value<'_>, out: &mut String) {
    let mut url = String::new();
    super::url::trusted(value, &mut url);
    string(&url, Within::Template, out);
}

/// The inside of a regular expression that matches the text; empty it would start a comment.
pub(super) fn regex(text: &str, out: &mut String) {
    if text.is_empty() {
        out.push_str("(?:)");
    }
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c),
            c if !c.is_ascii() && !HOSTILE.contains(&c) => out.push(c),
            c => unicode(c, out),
        }
    }
}

fn unicode(c: char, out: &mut String) {
    // Writing to a string cannot fail.
    write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
}

const HOSTILE: &[char] = &['<', '>', '&', '\'', '`', '\u{7f}', '\u{2028}', '\u{2029}'];
