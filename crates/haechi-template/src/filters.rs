//! The engine's filters that need another meaning here, and ours.
//!
//! Markup stays markup where only white space is added or removed (`trim`, `indent`, `join`). A filter that changes
//! or cuts the text itself gives plain text: a piece of `<a title="…">` is no markup any more.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::value::{Kwargs, Rest, StringInput, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters};

use crate::escape::{self, html_text, inert_json, text_of};
use crate::trusted::{Language, SafePath, Trusted};

/// Replaces the engine's filters.
pub(crate) fn install(env: &mut Environment<'static>) {
    env.remove_filter("safe");
    env.add_filter(escape::SAFE, safe);
    env.add_filter("e", markup);
    env.add_filter("escape", markup);
    env.add_filter("tojson", to_json);
    env.add_filter("urlencode", url_encode);
    env.add_filter("json_script", json_script);
    env.add_filter("local_path", local_path);
    env.add_filter("map", map);
    env.add_filter("upper", |value: &Value| text(value).to_uppercase());
    env.add_filter("lower", |value: &Value| text(value).to_lowercase());
    env.add_filter("title", |value: &Value| filters::title(text(value).into()));
    env.add_filter("capitalize", |value: &Value| capitalized(&text(value)));
    env.add_filter(
        "string",
        |value: &Value| if value.as_str().is_some() { value.clone() } else { text(value).into() },
    );
    env.add_filter("reverse", |value: &Value| filters::reverse(&text_of(value)));
    env.add_filter("lines", |value: &Value| filters::lines(&text_of(value)));
    env.add_filter("list", |state: &State<'_, '_>, value: Value| filters::list(state, text_of(&value)));
    env.add_filter("split", |value: &Value, by: Option<Arc<str>>, most: Option<i64>| {
        filters::split(&text_of(value), by, most)
    });
    env.add_filter("last", |value: &Value| filters::last(text_of(value)));
    env.add_filter("trim", trim);
    env.add_filter("format", format);
    env.add_filter("replace", |value: &Value, from: &Value, to: &Value, most: Option<usize>| {
        let (value, from, to) = (text(value), text(from), text(to));
        most.map_or_else(|| value.replace(&from, &to), |most| value.replacen(&from, &to, most))
    });
}

/// `map` takes the name of a filter as a value, which may be data: the pass's own filters cannot be named.
fn map(state: &mut State<'_, '_>, value: Value, args: Rest<ValueOrKwargs>) -> Result<Vec<Value>, Error> {
    if args.first().and_then(|name| name.as_str()).is_some_and(|name| name.starts_with("_hx_")) {
        return Err(ErrorKind::UnknownFilter.into());
    }
    filters::map(state, value, args)
}

/// White space around markup may go; what a list of characters cuts off may be the end of a tag.
fn trim(value: StringInput<'_>, chars: Option<Cow<'_, str>>) -> Value {
    if chars.is_none() || !value.is_safe() {
        return filters::trim(value, chars);
    }
    text(&filters::trim(value, None)).trim_matches(|c| chars.iter().any(|chars| chars.contains(c))).into()
}

/// A `%s` in markup may stand in a URL or in code, where HTML's escaper is the wrong one: the result is text.
fn format(state: &mut State<'_, '_>, format: &Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    filters::format(state, &text_of(format), args)
}

fn text(value: &Value) -> String {
    text_of(value).to_string()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + &chars.as_str().to_lowercase()
}

fn safe(value: &Value) -> Value {
    if value.is_safe() { value.clone() } else { Value::from_safe_string(value.to_string()) }
}

fn markup(value: &Value) -> Value {
    if value.is_safe() {
        return value.clone();
    }
    let mut out = String::new();
    html_text(&value.to_string(), &mut out);
    Value::from_safe_string(out)
}

fn json_of(value: &Value) -> Result<String, Error> {
    if let Some(trusted) =
        value.downcast_object_ref::<Trusted>().filter(|trusted| trusted.language == Language::Js)
    {
        return Ok(trusted.text.clone());
    }
    let value = text_of(value);
    let json = if value.is_undefined() { Ok("null".into()) } else { serde_json::to_string(&value) };
    let failed =
        |error| Error::new(ErrorKind::InvalidOperation, "cannot write the value as JSON").with_source(error);
    json.map(|json| inert_json(&json)).map_err(failed)
}

fn to_json(value: &Value, _style: Rest<Value>) -> Result<Value, Error> {
    Ok(Language::Js.value(&json_of(value)?))
}

/// `{{ data|json_script("id") }}`: data for a script, in an element that runs nothing and needs no nonce.
fn json_script(value: &Value, id: Option<String>) -> Result<Value, Error> {
    let mut out = String::from("<script type=\"application/json\"");
    if let Some(id) = id {
        out.push_str(" id=\"");
        html_text(&id, &mut out);
        out.push('"');
    }
    out.push('>');
    out.push_str(&json_of(value)?);
    out.push_str("</script>");
    Ok(Value::from_safe_string(out))
}

/// Percent-encodes text, or a map as `key=value` pairs.
fn url_encode(value: &Value, _unused: Kwargs) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map && value.downcast_object_ref::<Trusted>().is_none() {
        let mut pairs = Vec::new();
        for key in value.try_iter()? {
            let item = value.get_item(&key)?;
            if !item.is_none() && !item.is_undefined() {
                pairs.push(format!("{}={}", percent(&text(&key)), percent(&text(&item))));
            }
        }
        return Ok(Value::from(pairs.join("&")));
    }
    if value.is_none() || value.is_undefined() {
        return Ok(Value::from(""));
    }
    Ok(Language::UrlPart.value(&percent(&text(value))))
}

/// `{{ next|local_path }}`: the path if it stays on this site, else the other one, else nothing.
fn local_path(value: &Value, otherwise: Option<String>) -> Value {
    if value.downcast_object_ref::<Trusted>().is_some_and(|trusted| trusted.language == Language::Path) {
        return value.clone();
    }
    let path = SafePath::parse(&text(value)).or_else(|| SafePath::parse(&otherwise?));
    path.map_or(Value::UNDEFINED, Value::from)
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
