//! The bridge between the engine's values and the escapers of `haechi-context`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use haechi_context::{Context, Data, Escaper, Value as Plain};
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Error, ErrorKind, Output, State};

use crate::bound;
use crate::scan::{self, is_inert};
use crate::trusted::{Language, Trusted};

/// The engine's name of `|safe`: the pass writes it, so that data cannot name it.
pub(crate) const SAFE: &str = "_hx_safe";

/// The filter that the pass writes around what an operator of the engine turns into text.
pub(crate) const PAID: &str = "_hx_paid";

/// The filter that the pass writes around what a namespace is given.
pub(crate) const FLAT: &str = "_hx_flat";

/// The filter that the pass writes behind an expression; none in text, which the formatter writes.
///
/// A number, as the engine reads the name byte by byte at every call: whole words were 4 % of a page, and `_hx_` 2 %.
pub(crate) fn filter_name(escaper: Escaper) -> Option<String> {
    let plain = escaper.is_html_text() || escaper.is_unescaped();
    let number = Escaper::all().position(|one| one == escaper).filter(|_| !plain)?;
    Some(format!("_{number}"))
}

/// Whether a filter has a name that only the pass writes.
pub(crate) fn is_own_filter(name: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    name.starts_with("_hx_") || name.strip_prefix('_').is_some_and(number)
}

/// Escapes a value for a place.
///
/// A result that the formatter would leave alone is handed on without a copy on the heap: most values are names,
/// numbers and paths, and the copies were half the cost of a page.
pub(crate) fn apply(escaper: Escaper, state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    // Taken, not borrowed: an object that is printed may render something itself.
    let mut out = SCRATCH.take();
    out.clear();
    with_plain(state, value, |plain| escaper.escape(&plain, &mut out))?;
    let escaped = match out.as_str() {
        text if !is_inert(text) => Value::from_safe_string(text.to_owned()),
        text if text.len() > INLINE && value.as_str() == Some(text) => value.clone(),
        text => Value::from(text),
    };
    if out.capacity() <= KEPT {
        SCRATCH.set(out);
    }
    Ok(escaped)
}

/// What every other way must agree with.
#[cfg(test)]
pub(crate) fn whole(escaper: Escaper, state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    with_plain(state, value, |plain| escaper.escape(&plain, &mut out))?;
    Ok(Value::from_safe_string(out))
}

/// As [`apply`] for a quoted plain attribute: the formatter escapes text and numbers in the same way.
pub(crate) fn apply_plain(escaper: Escaper, state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    if (value.as_str().is_some() && !value.is_safe()) || value.is_integer() {
        return Ok(value.clone());
    }
    apply(escaper, state, value)
}

/// As [`apply`] for a URL, or for a part of one if not `WHOLE`: a number, a name and a local path are what they are.
pub(crate) fn apply_url<const WHOLE: bool>(
    escaper: Escaper,
    state: &State<'_, '_>,
    value: &Value,
) -> Result<Value, Error> {
    let kept = match value.as_str() {
        Some(text) => !value.is_safe() && scan::is_plain_url::<WHOLE>(text),
        // Digits and a sign mean themselves in each of these places.
        None => value.is_integer(),
    };
    if kept { Ok(value.clone()) } else { apply(escaper, state, value) }
}

/// As [`apply`] where a number and a plain word are what they are.
pub(crate) fn apply_word(escaper: Escaper, state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    // Ten letters: shorter text cannot hold `expression`, and `-binding` and `--` need a dash.
    let plain = |text: &str| {
        text.len() < 10
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b' '))
    };
    let kept = match value.as_str() {
        Some(text) => !value.is_safe() && plain(text),
        // Digits and a sign mean themselves in each of these places.
        None => value.is_integer(),
    };
    if kept { Ok(value.clone()) } else { apply(escaper, state, value) }
}

/// As [`apply`] for JavaScript, where a number stands between spaces.
pub(crate) fn apply_code(escaper: Escaper, state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    let Some(small) = small(value) else { return apply(escaper, state, value) };
    let digits = digits(small).as_bytes();
    let mut code = [b' '; 4];
    code[1..=digits.len()].copy_from_slice(digits);
    std::str::from_utf8(&code[..digits.len() + 2])
        .map_or_else(|_| apply(escaper, state, value), |code| Ok(Value::from(code)))
}

/// A number of at most two digits.
fn small(value: &Value) -> Option<usize> {
    // Not `as_i64`, which clones the value.
    value.is_integer().then(|| value.as_usize())?.filter(|number| *number < 100)
}

fn digits(small: usize) -> &'static str {
    &DIGITS[small * 2 + usize::from(small < 10)..small * 2 + 2]
}

/// Writes a value that stands in HTML text or in a plain file: what the pass left without a filter.
pub(crate) fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if matches!(state.auto_escape(), AutoEscape::None) {
        bound::charge(state, value)?;
        return write!(out, "{value}").map_err(Error::from);
    }
    if let Some(text) = value.as_str() {
        if value.is_safe() || is_inert(text) {
            return out.write_str(text).map_err(Error::from);
        }
        bound::charge_bytes(state, text.len())?;
        let mut escaped = String::with_capacity(text.len() + 32);
        html_text(text, &mut escaped);
        return out.write_str(&escaped).map_err(Error::from);
    }
    if let Some(small) = small(value) {
        return out.write_str(digits(small)).map_err(Error::from);
    }
    if matches!(value.kind(), ValueKind::Number | ValueKind::Undefined | ValueKind::None | ValueKind::Bool) {
        return write!(out, "{value}").map_err(Error::from);
    }
    bound::charge(state, value)?;
    let mut escaped = String::new();
    html_text(&value.to_string(), &mut escaped);
    out.write_str(&escaped).map_err(Error::from)
}

thread_local! {
    /// Room to escape in, kept between values.
    static SCRATCH: RefCell<String> = const { RefCell::new(String::new()) };
}

/// More room than this is given back.
const KEPT: usize = 64 * 1024;

/// The longest text that the engine keeps in a value itself.
const INLINE: usize = 22;

/// The numbers of ids and counters, two digits each.
const DIGITS: &str = "\
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// Escapes text for HTML text and quoted attributes.
pub(crate) fn html_text(text: &str, out: &mut String) {
    let html = Context::html().emit().expect("a value may stand in HTML text");
    html.escape(&Plain::Text(text), out);
}

/// The text of markup: its character references decoded.
pub(crate) fn text_of(value: &Value) -> Value {
    match value.as_str() {
        Some(markup) if value.is_safe() => Value::from(Plain::Html(markup).text().as_ref()),
        _ => value.clone(),
    }
}

/// JSON that is inert wherever a browser may read it: as a script, an attribute or markup.
pub(crate) fn inert_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\'' | '`' | '\u{2028}' | '\u{2029}' | '\u{7f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Calls `use_it` with the value as the escapers see it.
fn with_plain(state: &State<'_, '_>, value: &Value, use_it: impl FnOnce(Plain<'_>)) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        bound::charge_bytes(state, text.len())?;
        use_it(if value.is_safe() { Plain::Html(text) } else { Plain::Text(text) });
        return Ok(());
    }
    if let Some(trusted) = value.downcast_object_ref::<Trusted>() {
        use_it(trusted.plain());
        return Ok(());
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => use_it(Plain::Null),
        ValueKind::Bool => use_it(Plain::Bool(value.is_true())),
        ValueKind::Number => use_it(number(value)),
        _ => {
            let container = Container { value, state, failed: RefCell::new(None) };
            use_it(Plain::Data(&container));
            return container.failed.into_inner().map_or(Ok(()), Err);
        }
    }
    Ok(())
}

fn number(value: &Value) -> Plain<'_> {
    match value.as_i64() {
        Some(integer) if value.is_integer() => Plain::Integer(integer.into()),
        _ => match i128::try_from(value.clone()) {
            Ok(integer) if value.is_integer() => Plain::Integer(integer),
            _ => Plain::Float(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
        },
    }
}

impl Trusted {
    fn plain(&self) -> Plain<'_> {
        let text = self.text.as_str();
        match self.language {
            Language::Html => Plain::Html(text),
            Language::Url => Plain::Url(text),
            Language::Path => Plain::Path(text),
            Language::UrlPart => Plain::UrlPart(text),
            Language::Js => Plain::Js(text),
            Language::Css => Plain::Css(text),
            Language::Attrs => Plain::Attributes(text),
        }
    }
}

/// A list, a map or any other object of the engine.
struct Container<'v, 's, 't, 'e> {
    value: &'v Value,
    state: &'s State<'t, 'e>,
    /// Why there is nothing, or not all.
    failed: RefCell<Option<Error>>,
}

impl Container<'_, '_, '_, '_> {
    fn kept<T>(&self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.failed.borrow_mut().get_or_insert(error).kind()).ok()
    }
}

impl fmt::Debug for Container<'_, '_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container").field("kind", &self.value.kind()).finish_non_exhaustive()
    }
}

impl Data for Container<'_, '_, '_, '_> {
    fn text(&self) -> Cow<'_, str> {
        let paid = self.kept(bound::charge(self.state, self.value));
        paid.map(|()| self.value.to_string()).unwrap_or_default().into()
    }

    fn json(&self, out: &mut String) -> fmt::Result {
        let json = match bound::json(self.state, self.value) {
            // The escaper knows what to write instead.
            Err(error) if error.kind() == ErrorKind::BadSerialization => None,
            json => self.kept(json),
        };
        out.push_str(&json.ok_or(fmt::Error)?);
        Ok(())
    }

    fn entries(&self, visit: &mut dyn FnMut(&str, Plain<'_>)) -> bool {
        if self.value.kind() != ValueKind::Map {
            return false;
        }
        let Ok(keys) = self.value.try_iter() else { return false };
        for key in keys {
            if let (Some(name), Ok(value)) = (key.as_str(), self.value.get_item(&key)) {
                let visited = with_plain(self.state, &value, |plain| visit(name, plain));
                if self.kept(visited).is_none() {
                    break;
                }
            }
        }
        true
    }
}
