//! Text and attributes of HTML.

use crate::value::Value;

/// Text between tags; trusted HTML passes.
pub(super) fn text(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Html(html) => out.push_str(html),
        value => escape(&value.text(), out),
    }
}

/// Escapes what could end a text or a quoted attribute. CR too: HTML would turn it into a line feed.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut written = 0;
    for (i, byte) in text.bytes().enumerate() {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&#34;",
            b'\'' => "&#39;",
            b'\r' => "&#13;",
            0 => "\u{fffd}",
            _ => continue,
        };
        out.push_str(&text[written..i]);
        out.push_str(replacement);
        written = i + 1;
    }
    out.push_str(&text[written..]);
}

/// Whether [`escape`] would change the text.
pub(super) fn is_special(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'' | b'\r' | 0))
}

/// The browser drops one line break right behind `<textarea>`.
pub(super) fn textarea_start(text: &str, out: &mut String) {
    if text.starts_with('\n') {
        out.push('\n');
    }
    out.push_str(text);
}

/// An attribute without quotes: everything but letters, digits and a few marks becomes a reference.
pub(super) fn unquoted(text: &str, out: &mut String) {
    if text.is_empty() {
        // CVE-2023-29400: nothing at all would make the next attribute the value.
        out.push_str("\"\"");
    }
    for c in text.chars() {
        match c {
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            '-' | '_' | '.' => out.push(c),
            c if c.is_ascii_alphanumeric() || (!c.is_ascii() && !c.is_control()) => out.push(c),
            c => {
                out.push_str("&#");
                out.push_str(&u32::from(c).to_string());
                out.push(';');
            }
        }
    }
}
