//! A whole `srcset`, read as the browser reads it.

use super::url::{INVALID, Schemes, normalised};
use crate::value::Value;

pub(super) fn candidates(value: &Value<'_>, out: &mut String) {
    if let Value::Url(url) | Value::Path(url) = value {
        return normalised(url, out);
    }
    let text = value.text();
    let mut rest = &*text;
    let mut separator = "";
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (mut url, mut tail) = rest.split_at(end);
        let mut descriptor = "";
        if url.ends_with(',') {
            url = url.trim_end_matches(',');
        } else {
            (descriptor, tail) = tail.split_at(tail.find(',').unwrap_or(tail.len()));
        }
        rest = tail;
        out.push_str(separator);
        separator = ", ";
        candidate(url, descriptor.trim(), out);
    }
}

fn candidate(url: &str, descriptor: &str, out: &mut String) {
    if Schemes::Web.allow(url) {
        let mut encoded = String::new();
        normalised(url, &mut encoded);
        // A comma at either end of the URL would divide it from its descriptor.
        out.push_str(&encoded.replace(',', "%2C"));
    } else {
        out.push_str(INVALID);
    }
    if !descriptor.is_empty()
        && descriptor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b' ')
    {
        out.push(' ');
        out.push_str(descriptor);
    }
}
