//! URLs and their parts.

use std::borrow::Cow;

use crate::value::Value;

/// What stands in place of a URL whose scheme is not allowed: harmless, and easy to find in a page.
pub(super) const INVALID: &str = "about:invalid#haechi";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schemes {
    /// `http`, `https`.
    Web,
    /// And `mailto`, `tel`, `sms`.
    Navigation,
    /// The web, and images inside a `data:` URL.
    Media,
}

impl Schemes {
    /// An allow-list. Browsers drop tabs and line ends anywhere and controls at the ends: so does this check.
    pub(super) fn allow(self, url: &str) -> bool {
        let mut url = Cow::Borrowed(url);
        if url.bytes().any(|byte| byte <= b' ') {
            url = url.chars().filter(|c| *c > ' ').collect();
        }
        let end = url.find(['/', '?', '#', '\\']).unwrap_or(url.len());
        let Some(colon) = url[..end].find(':') else { return true };
        match url[..colon].to_ascii_lowercase().as_str() {
            "http" | "https" => true,
            "mailto" | "tel" | "sms" => self == Self::Navigation,
            "data" => self == Self::Media && is_image(&url),
            _ => false,
        }
    }
}

fn is_image(url: &str) -> bool {
    let Some((head, data)) = url.split_once(',') else { return false };
    let known = ["png", "jpeg", "jpg", "gif", "webp", "avif"]
        .iter()
        .any(|kind| head.eq_ignore_ascii_case(&format!("data:image/{kind};base64")));
    known && data.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b))
}

/// A URL from its first character; a trusted one passes.
pub(super) fn whole(value: &Value<'_>, schemes: Schemes, out: &mut String) {
    if let Value::Url(url) | Value::Path(url) = value {
        return out.push_str(url);
    }
    let text = value.text();
    if schemes.allow(&text) { normalised(&text, out) } else { out.push_str(INVALID) }
}

/// The values of an animation, divided by `;`: each is a URL of its own.
pub(super) fn animation(value: &Value<'_>, out: &mut String) {
    if let Value::Url(url) | Value::Path(url) = value {
        return out.push_str(url);
    }
    for (i, url) in value.text().split(';').enumerate() {
        if i > 0 {
            out.push(';');
        }
        whole(&Value::Text(url), Schemes::Web, out);
    }
}

/// Encodes what no URL may hold and keeps the rest, also valid `%xx`.
pub(super) fn normalised(url: &str, out: &mut String) {
    percent(url.trim_matches(|c| c <= ' '), "!#$&*+,/:;=?@[]'()", Percent::Keep, out);
}

/// A URL of code: the caller vouches for it, or there is none.
pub(super) fn trusted(value: &Value<'_>, out: &mut String) {
    out.push_str(if let Value::Url(url) | Value::Path(url) = value { url } else { INVALID });
}

/// A URL on this site: the caller vouches for it, or there is none.
pub(super) fn local(value: &Value<'_>, out: &mut String) {
    out.push_str(if let Value::Path(path) = value { path } else { INVALID });
}

/// A part that must not hold a colon, so that it cannot complete a scheme.
pub(super) fn segment(text: &str, out: &mut String) {
    percent(text, "/", Percent::Keep, out);
}

pub(super) fn path(text: &str, out: &mut String) {
    percent(text, PATH, Percent::Encode, out);
}

/// Behind one slash: another slash or backslash would start a host.
pub(super) fn path_start(text: &str, out: &mut String) {
    let rest = text.trim_start_matches(|c: char| matches!(c, '/' | '\\') || c <= ' ');
    percent(&text[..text.len() - rest.len()], "", Percent::Encode, out);
    percent(rest, PATH, Percent::Encode, out);
}

/// The same where nothing at all would let a slash behind it start a host: `.` is the folder itself.
pub(super) fn first(text: &str, out: &mut String) {
    if text.is_empty() { out.push('.') } else { path_start(text, out) }
}

pub(super) fn first_resource(text: &str, out: &mut String) {
    if text.is_empty() { out.push_str("haechi-invalid") } else { path_resource(text, out) }
}

/// A path below a fixed one: it must not climb out of it.
pub(super) fn path_resource(text: &str, out: &mut String) {
    let climbs = |part: &str| {
        let plain = part.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if text.starts_with(['/', '\\']) || text.split(['/', '\\']).any(climbs) {
        out.push_str("haechi-invalid");
    } else {
        percent(text, "/", Percent::Encode, out);
    }
}

pub(super) fn component(value: &Value<'_>, out: &mut String) {
    match value {
        Value::UrlPart(part) => percent(part, "", Percent::Keep, out),
        value => percent(&value.text(), "", Percent::Encode, out),
    }
}

pub(super) fn host(text: &str, out: &mut String) {
    let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b));
    out.push_str(if fits { text } else { "invalid.invalid" });
}

pub(super) fn opaque(text: &str, out: &mut String) {
    percent(text, "@+,", Percent::Encode, out);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Percent {
    /// `%xx` stays: the text is a URL already.
    Keep,
    /// `%` is a character like others.
    Encode,
}

fn percent(text: &str, keep: &str, percent: Percent, out: &mut String) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (i, &byte) in bytes.iter().enumerate() {
        let encoded = || {
            percent == Percent::Keep
                && matches!(bytes.get(i + 1..i + 3), Some(hex) if hex.iter().all(u8::is_ascii_hexdigit))
        };
        let plain = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || keep.as_bytes().contains(&byte)
            || (byte == b'%' && encoded());
        if plain {
            continue;
        }
        // Inside a character of several bytes there is nothing plain to write.
        out.push_str(text.get(written..i).unwrap_or_default());
        written = i + 1;
        out.push('%');
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
    out.push_str(&text[written..]);
}

const PATH: &str = "/!$*+,=@:;";
const HEX: &[u8; 16] = b"0123456789ABCDEF";
