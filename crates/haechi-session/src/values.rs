//! The values of a session: names and JSON texts, kept byte for byte unless they are set.
//!
//! Python writes what is not quite JSON (`NaN`, `Infinity`, lone surrogates, integers of any size). Parsing such a
//! session into numbers and writing it back would lose them, so only the outer object is taken apart here and a
//! value is parsed when somebody asks for it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// An object of JSON whose members stay text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Values {
    members: Vec<Member>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Member {
    /// The name as a JSON string, quoted and ASCII-escaped: a lone surrogate has no other form.
    name: Box<str>,
    json: Box<str>,
}

impl Values {
    /// Reads an object as Python's `json` writes it.
    ///
    /// # Errors
    /// Fails if the text is not an object, or goes on after its end.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut scanner = Scanner { text, at: 0 };
        let mut values = Self::default();
        scanner.object(&mut values).filter(|()| scanner.ended()).ok_or(Error::MalformedValues)?;
        Ok(values)
    }

    /// Returns the object as text: members in order, `,` and `:` without spaces, ASCII only.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (index, member) in self.members.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            json.push_str(&member.name);
            json.push(':');
            json.push_str(&member.json);
        }
        json.push('}');
        json
    }

    /// Returns the value called `name`, or `None` if there is none.
    ///
    /// # Errors
    /// Fails if the value is there but is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let parse =
            |json| serde_json::from_str(json).map_err(|cause| Error::Value { name: name.to_owned(), cause });
        self.json(name).map(parse).transpose()
    }

    /// Returns the text of the value called `name`.
    #[must_use]
    pub fn json(&self, name: &str) -> Option<&str> {
        let name = quoted(name);
        self.members.iter().find(|member| *member.name == *name).map(|member| &*member.json)
    }

    /// Sets `name`, in place if it is there already.
    ///
    /// # Errors
    /// Fails if `value` cannot be written as JSON.
    pub fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let json =
            serde_json::to_string(value).map_err(|cause| Error::Value { name: name.to_owned(), cause })?;
        self.set(quoted(name), ascii(&json));
        Ok(())
    }

    /// Removes `name`; returns whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let (name, before) = (quoted(name), self.members.len());
        self.members.retain(|member| *member.name != *name);
        self.members.len() < before
    }

    /// Iterates over the names; one that is no text (a lone surrogate of Python's) is left out.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.members.iter().filter_map(|member| serde_json::from_str(&member.name).ok())
    }

    /// Returns whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn set(&mut self, name: String, json: String) {
        match self.members.iter_mut().find(|member| *member.name == *name) {
            Some(member) => member.json = json.into(),
            None => self.members.push(Member { name: name.into(), json: json.into() }),
        }
    }
}

/// What a request did to the values, so that a store can apply it to what stands there by then: two requests that
/// set different names at the same time both keep theirs.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    cleared: bool,
    set: Values,
    removed: Vec<String>,
}

impl Changes {
    /// Returns whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.cleared && self.set.is_empty() && self.removed.is_empty()
    }

    /// Returns whether nothing was done but that `name` may have been removed.
    pub(crate) fn only_remove(&self, name: &str) -> bool {
        !self.cleared && self.set.is_empty() && self.removed.iter().all(|removed| removed == name)
    }

    /// Returns changes that set one name.
    ///
    /// # Errors
    /// Fails if `value` cannot be written as JSON.
    pub fn setting<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<Self, Error> {
        let mut changes = Self::default();
        changes.insert(name, value)?;
        Ok(changes)
    }

    /// Returns changes after which the session holds `values` and nothing else.
    #[must_use]
    pub fn replacing(values: Values) -> Self {
        Self { cleared: true, set: values, removed: Vec::new() }
    }

    /// Applies the changes.
    pub fn apply(&self, values: &mut Values) {
        if self.cleared {
            values.members.clear();
        }
        for name in &self.removed {
            values.remove(name);
        }
        for member in &self.set.members {
            values.set(member.name.to_string(), member.json.to_string());
        }
    }

    pub(crate) fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.set.insert(name, value)?;
        self.removed.retain(|removed| removed != name);
        Ok(())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.set.remove(name);
        self.removed.push(name.to_owned());
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { cleared: true, ..Self::default() };
    }
}

fn quoted(name: &str) -> String {
    ascii(&serde_json::Value::from(name).to_string())
}

/// Escapes what is not ASCII, in surrogate pairs as Python: Django reads the text as Latin-1.
fn ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // DEL among them, which Python leaves as it is, too.
        if character.is_ascii() {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn object(&mut self, values: &mut Values) -> Option<()> {
        self.expect(b'{')?;
        if self.expect(b'}').is_some() {
            return Some(());
        }
        loop {
            self.space();
            let name = self.taking(Self::string)?;
            self.expect(b':')?;
            self.space();
            let json = self.taking(Self::value)?;
            // A name twice: the last wins, as in Python.
            values.set(normal(name), ascii(json));
            if self.expect(b'}').is_some() {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    /// Passes over a value. What is open stands in a list: as recursion, a deep session would overflow the stack, and
    /// a limit would lose what Python nests deeper.
    fn value(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            let close = match self.peek()? {
                b'{' => Some(b'}'),
                b'[' => Some(b']'),
                b'"' => self.string().map(|()| None)?,
                _ => self.word().map(|()| None)?,
            };
            if let Some(close) = close {
                self.at += 1;
                open.push(close);
                if self.expect(close).is_none() {
                    self.member(close)?;
                    continue;
                }
                open.pop();
            }
            while open.last().is_some_and(|close| self.expect(*close).is_some()) {
                open.pop();
            }
            let Some(close) = open.last() else { return Some(()) };
            self.expect(b',')?;
            self.member(*close)?;
        }
    }

    /// Passes to the next value of what `close` ends, over its name if it has one.
    fn member(&mut self, close: u8) -> Option<()> {
        self.space();
        if close == b'}' {
            self.string()?;
            self.expect(b':')?;
            self.space();
        }
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        loop {
            self.at += 1;
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 1,
                0..0x20 => return None,
                _ => {}
            }
        }
        self.at += 1;
        Some(())
    }

    /// A number or a literal, Python's `NaN`, `Infinity` and `-Infinity` among them.
    fn word(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        let known = ["true", "false", "null", "NaN", "Infinity", "-Infinity"].contains(&word);
        let number = || serde_json::from_str::<serde_json::Number>(word).is_ok() || is_long_number(word);
        (known || number()).then(|| self.at += end)
    }

    fn taking(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'a str> {
        let from = self.at;
        read(self)?;
        self.text.get(from..self.at)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn ended(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }
}

/// Brings a name to the one form Python writes; a name that cannot be decoded stays as it is.
fn normal(name: &str) -> String {
    serde_json::from_str::<String>(name).map_or_else(|_| ascii(name), |decoded| quoted(&decoded))
}

/// A number whose value no machine type holds, such as 10¹⁰⁰⁰ written out or `1e999`.
fn is_long_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Values::parse(text).ok().map(|values| values.to_json()).as_deref(), expected, "{text}");
    }

    #[test]
    fn what_python_writes_comes_back_byte_for_byte() {
        for text in [
            "{}",
            r#"{"a":1}"#,
            r#"{"n":"zo\u00eb \u2603 \ud83d\ude00"}"#,
            r#"{"nan":NaN,"inf":Infinity,"minus":-Infinity,"lone":"\ud800","big":1180591620717411303424}"#,
            r#"{"\ud800":[1,{"x":[null,true,false,1.5e-7]}],"e":[],"o":{}}"#,
            r#"{"float":1e+22,"small":1.0,"z":-0.0}"#,
            "{\"del\":\"\u{7f}\"}",
            r#"{"huge":1e999,"tiny":-1.5E-999,"long":-NUMBER}"#.replace("NUMBER", &"7".repeat(400)).as_str(),
        ] {
            check(text, Some(text));
        }
        for depth in [65, 300, 100_000] {
            let (lists, objects) = ("[".repeat(depth), "{\"b\":".repeat(depth));
            let text = format!("{{\"a\":{lists}1{}}}", "]".repeat(depth));
            check(&text, Some(&text));
            let text = format!("{{\"a\":{objects}[]{}}}", "}".repeat(depth));
            check(&text, Some(&text));
        }
        check(" { \"a\" : [1, 2] ,\n\"b\":\"\" } ", Some(r#"{"a":[1, 2],"b":""}"#));
        check(r#"{"a":1,"a":2}"#, Some(r#"{"a":2}"#));
        check("{\"a\":\"zo\u{eb}\"}", Some(r#"{"a":"zo\u00eb"}"#));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let open = format!("{{\"a\":{}", "[".repeat(100_000));
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1}x",
            "{\"a\":nan}",
            "{\"a\":'x'}",
            "{\"a\":\"\n\"}",
            "{\"a\":1 2}",
            "{\"a\":\"\\",
            "{\"a\":e5}",
            "{\"a\":1e999x}",
            "{\"a\":-}",
            "{\"a\":[1,]}",
            "{\"a\":[,1]}",
            "{\"a\":[1 2]}",
            "{\"a\":[1}]",
            "{\"a\":{\"b\":1]}",
            "{\"a\":{\"b\"}}",
            "{\"a\":{\"b\":}}",
            "{\"a\":{\"b\":1,}}",
            "{\"a\":{1:1}}",
            "{\"a\":[\"b\":1]}",
            "{\"a\":[]]}",
            &open,
        ] {
            check(text, None);
        }
    }

    #[test]
    fn setting_one_name_leaves_the_bytes_of_the_others() {
        let mut values = Values::parse(r#"{"keep":NaN,"big":1180591620717411303424,"a":1}"#).unwrap();
        values.insert("a", "zo\u{eb} \u{1f600}").unwrap();
        values.insert("new", &[1, 2]).unwrap();
        assert!(values.remove("big") && !values.remove("big"));
        assert_eq!(values.to_json(), r#"{"keep":NaN,"a":"zo\u00eb \ud83d\ude00","new":[1,2]}"#);
        assert_eq!(values.get::<String>("a").unwrap().as_deref(), Some("zo\u{eb} \u{1f600}"));
        assert!(values.get::<f64>("keep").is_err(), "a NaN is there, but is no JSON number");
        assert_eq!(values.get::<u8>("missing").unwrap(), None);
    }

    #[test]
    fn changes_apply_to_what_another_request_wrote_meanwhile() {
        let (mut first, mut second) = (Changes::default(), Changes::default());
        first.insert("a", &1).unwrap();
        second.insert("b", &2).unwrap();
        second.remove("old");
        let mut values = Values::parse(r#"{"old":0}"#).unwrap();
        first.apply(&mut values);
        second.apply(&mut values);
        assert_eq!(values.to_json(), r#"{"a":1,"b":2}"#);
        let mut again = Changes::default();
        again.remove("a");
        again.remove("b");
        again.insert("b", &3).unwrap();
        let mut kept = values.clone();
        again.apply(&mut kept);
        assert_eq!(kept.to_json(), r#"{"b":3}"#, "what is set again is there, and the other removal stays");
        let mut third = Changes::default();
        third.insert("gone", &0).unwrap();
        third.clear();
        third.insert("c", &3).unwrap();
        third.apply(&mut values);
        assert_eq!(values.to_json(), r#"{"c":3}"#);
    }
}
