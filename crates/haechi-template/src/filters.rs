//! The engine's filters that need another meaning here, and ours.
//!
//! Markup stays markup where only white space is added or removed (`trim`, `indent`, `join`). A filter that changes
//! or cuts the text itself gives plain text: a piece of `<a title="…">` is no markup any more.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::value::{Kwargs, Rest, StringInput, Value, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State, filters, functions};

use crate::bound;
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
    env.add_filter(escape::PAID, paid);
    env.add_filter(escape::FLAT, flat);
    env.add_filter("upper", |state: &State<'_, '_>, value: &Value| Ok(text(state, value)?.to_uppercase()));
    env.add_filter("lower", |state: &State<'_, '_>, value: &Value| Ok(text(state, value)?.to_lowercase()));
    env.add_filter("title", |state: &State<'_, '_>, value: &Value| {
        Ok(filters::title(text(state, value)?.into()))
    });
    env.add_filter("capitalize", |state: &State<'_, '_>, value: &Value| {
        Ok(capitalized(&text(state, value)?))
    });
    env.add_filter("string", string);
    env.add_filter("reverse", |state: &State<'_, '_>, value: &Value| {
        bound::charge(state, value)?;
        filters::reverse(&text_of(value))
    });
    env.add_filter("lines", lines);
    env.add_filter("list", list);
    env.add_filter("split", split);
    env.add_filter("last", last);
    env.add_filter("trim", trim);
    env.add_filter("format", format);
    env.add_filter("replace", replace);
    install_choosing(env);
    env.add_filter("join", join);
    env.add_filter("indent", indent);
    env.add_filter("pprint", |state: &State<'_, '_>, value: &Value| {
        bound::charge_indented(state, value, INDENT)?;
        Ok(filters::pprint(value))
    });
    env.add_function("debug", debug);
    env.add_test("startingwith", |state: &State<'_, '_>, value: &Value, other: &Value| {
        Ok(written(state, value)?.starts_with(&*written(state, other)?))
    });
    env.add_test("endingwith", |state: &State<'_, '_>, value: &Value, other: &Value| {
        Ok(written(state, value)?.ends_with(&*written(state, other)?))
    });
}

/// The filters that choose by a test, whose name and arguments may be any value.
fn install_choosing(env: &mut Environment<'static>) {
    env.add_filter("select", |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        let args = paid_behind(state, args)?;
        let (value, test, rest) = from_args(&args)?;
        filters::select(state, value, test, rest)
    });
    env.add_filter("reject", |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        let args = paid_behind(state, args)?;
        let (value, test, rest) = from_args(&args)?;
        filters::reject(state, value, test, rest)
    });
    env.add_filter("selectattr", |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        let args = paid_behind(state, args)?;
        let (value, attribute, test, rest) = from_args(&args)?;
        filters::selectattr(state, value, attribute, test, rest)
    });
    env.add_filter("rejectattr", |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
        let args = paid_behind(state, args)?;
        let (value, attribute, test, rest) = from_args(&args)?;
        filters::rejectattr(state, value, attribute, test, rest)
    });
}

/// What an operator of the engine turns into text is paid for before.
fn paid(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    if value.as_object().is_some() {
        bound::charge(state, &value)?;
    }
    Ok(value)
}

/// A value that is nested too deeply would overflow the stack even when it is thrown away.
fn flat(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    bound::walk(state, &value)?;
    Ok(value)
}

/// Pays for every argument, named or not: a filter may turn each into text.
fn paid_all(state: &State<'_, '_>, args: Rest<ValueOrKwargs>) -> Result<Vec<Value>, Error> {
    let args = args.into_values();
    args.iter().try_for_each(|arg| bound::charge(state, arg))?;
    Ok(args)
}

/// As [`paid_all`] where the value itself is walked, not written: the engine counts its items.
fn paid_behind(state: &State<'_, '_>, args: Rest<ValueOrKwargs>) -> Result<Vec<Value>, Error> {
    let args = args.into_values();
    args.iter().skip(1).try_for_each(|arg| bound::charge(state, arg))?;
    Ok(args)
}

fn string(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    Ok(if value.as_str().is_some() { value.clone() } else { text(state, value)?.into() })
}

fn lines(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    bound::charge(state, value)?;
    filters::lines(&text_of(value))
}

fn list(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        state.consume_fuel(text.len() as u64 / LETTERS_PER_FUEL)?;
    }
    filters::list(state, text_of(value))
}

fn split(state: &State<'_, '_>, value: &Value, by: Option<Value>, most: Option<i64>) -> Result<Value, Error> {
    let by = by.map(|by| written(state, &by).map(|by| Arc::from(&*by))).transpose()?;
    let value = text_of(value);
    if let Some(text) = value.as_str() {
        state.consume_fuel(text.len() as u64 / LETTERS_PER_FUEL)?;
    }
    filters::split(&value, by, most)
}

fn last(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    bound::charge(state, value)?;
    filters::last(text_of(value))
}

fn replace(
    state: &State<'_, '_>,
    value: &Value,
    from: &Value,
    to: &Value,
    most: Option<usize>,
) -> Result<String, Error> {
    let (value, from, to) = (text(state, value)?, text(state, from)?, text(state, to)?);
    let most = most.unwrap_or(usize::MAX);
    let found = value.matches(&from).take(most).count();
    bound::charge_bytes(state, value.len().saturating_add(found.saturating_mul(to.len())))?;
    Ok(value.replacen(&from, &to, most))
}

fn join(state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = paid_all(state, args)?;
    let (value, joiner, attribute, kwargs) = from_args(&args)?;
    filters::join(state, value, joiner, attribute, kwargs)
}

fn indent(state: &State<'_, '_>, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = paid_all(state, args)?;
    let (value, width, first, blank, kwargs): (StringInput<'_>, Option<usize>, _, _, Kwargs) =
        from_args(&args)?;
    let named = kwargs.peek::<Option<usize>>("width").ok().flatten();
    let lines = value.as_str().matches('\n').count() + 1;
    bound::charge_bytes(state, width.or(named).unwrap_or(INDENT).saturating_mul(lines))?;
    filters::indent(value, width, first, blank, kwargs)
}

fn debug(state: &State<'_, '_>, args: Rest<Value>) -> Result<String, Error> {
    if args.is_empty() {
        for name in state.known_variables() {
            if let Some(value) = state.lookup(&name) {
                bound::charge_indented(state, &value, INDENT)?;
            }
        }
    }
    args.iter().try_for_each(|value| bound::charge_indented(state, value, INDENT))?;
    Ok(functions::debug(state, args))
}

/// `map` takes the name of a filter as a value, which may be data: the pass's own filters cannot be named.
fn map(state: &mut State<'_, '_>, value: Value, args: Rest<ValueOrKwargs>) -> Result<Vec<Value>, Error> {
    if args.first().and_then(|name| name.as_str()).is_some_and(escape::is_own_filter) {
        return Err(ErrorKind::UnknownFilter.into());
    }
    filters::map(state, value, args)
}

/// White space around markup may go; what a list of characters cuts off may be the end of a tag.
fn trim(state: &State<'_, '_>, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = paid_all(state, args)?;
    let (value, chars): (StringInput<'_>, Option<Cow<'_, str>>) = from_args(&args)?;
    if chars.is_none() || !value.is_safe() {
        return Ok(filters::trim(value, chars));
    }
    let trimmed = text(state, &filters::trim(value, None))?;
    Ok(trimmed.trim_matches(|c| chars.iter().any(|chars| chars.contains(c))).into())
}

/// A `%s` in markup may stand in a URL or in code, where HTML's escaper is the wrong one: the result is text.
fn format(state: &mut State<'_, '_>, format: &Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = args.into_values();
    let format = text_of(format);
    // `%(name)s` may print the same value again and again.
    let times = format.as_str().map_or(0, |format| format.matches("%(").count()).max(1);
    for _ in 0..times {
        args.iter().try_for_each(|arg| bound::charge(state, arg))?;
    }
    filters::format(state, &format, Rest(args.into_iter().map(ValueOrKwargs::from).collect()))
}

fn text(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    bound::charge(state, value)?;
    Ok(text_of(value).to_string())
}

/// The value as it is written, markup with its tags.
fn written<'v>(state: &State<'_, '_>, value: &'v Value) -> Result<Cow<'v, str>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.into());
    }
    bound::charge(state, value)?;
    Ok(value.to_string().into())
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + &chars.as_str().to_lowercase()
}

fn safe(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    Ok(Value::from_safe_string(written(state, value)?.into_owned()))
}

fn markup(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if value.is_safe() {
        return Ok(value.clone());
    }
    bound::charge(state, value)?;
    let mut out = String::new();
    html_text(&value.to_string(), &mut out);
    Ok(Value::from_safe_string(out))
}

fn json_of(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    if let Some(trusted) =
        value.downcast_object_ref::<Trusted>().filter(|trusted| trusted.language == Language::Js)
    {
        return Ok(trusted.text.clone());
    }
    let value = text_of(value);
    if value.is_undefined() {
        return Ok("null".into());
    }
    Ok(inert_json(&bound::json(state, &value)?))
}

fn to_json(state: &State<'_, '_>, value: &Value, _style: Rest<Value>) -> Result<Value, Error> {
    Ok(Language::Js.value(&json_of(state, value)?))
}

/// `{{ data|json_script("id") }}`: data for a script, in an element that runs nothing and needs no nonce.
fn json_script(state: &State<'_, '_>, value: &Value, id: Option<Value>) -> Result<Value, Error> {
    let mut out = String::from("<script type=\"application/json\"");
    if let Some(id) = id {
        out.push_str(" id=\"");
        html_text(&written(state, &id)?, &mut out);
        out.push('"');
    }
    out.push('>');
    out.push_str(&json_of(state, value)?);
    out.push_str("</script>");
    Ok(Value::from_safe_string(out))
}

/// Percent-encodes text, or a map as `key=value` pairs.
fn url_encode(state: &State<'_, '_>, value: &Value, _unused: Kwargs) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map && value.downcast_object_ref::<Trusted>().is_none() {
        let mut pairs = Vec::new();
        for key in value.try_iter()? {
            let item = value.get_item(&key)?;
            if !item.is_none() && !item.is_undefined() {
                pairs.push(format!("{}={}", percent(&text(state, &key)?), percent(&text(state, &item)?)));
            }
        }
        return Ok(Value::from(pairs.join("&")));
    }
    if value.is_none() || value.is_undefined() {
        return Ok(Value::from(""));
    }
    Ok(Language::UrlPart.value(&percent(&text(state, value)?)))
}

/// `{{ next|local_path }}`: the path if it stays on this site, else the other one, else nothing.
fn local_path(state: &State<'_, '_>, value: &Value, otherwise: Option<Value>) -> Result<Value, Error> {
    if value.downcast_object_ref::<Trusted>().is_some_and(|trusted| trusted.language == Language::Path) {
        return Ok(value.clone());
    }
    let otherwise = otherwise.map(|path| written(state, &path).map(Cow::into_owned)).transpose()?;
    let path = SafePath::parse(&text(state, value)?).or_else(|| SafePath::parse(&otherwise?));
    Ok(path.map_or(Value::UNDEFINED, Value::from))
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

/// What `pprint` and `indent` write before a line.
const INDENT: usize = 4;

/// A letter as a value of its own takes as much room as 32 in a text.
const LETTERS_PER_FUEL: u64 = 2;
