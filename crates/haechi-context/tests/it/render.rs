//! Renders `{{ x }}` templates with one value, as an engine would.

use haechi_context::{Context, Error, Escaper, Value};

/// A template, cut at its holes: the text before each, and the escaper there.
pub(crate) struct Template {
    pub(crate) parts: Vec<(String, Escaper)>,
    pub(crate) rest: String,
}

impl Template {
    pub(crate) fn parse(source: &str) -> Result<Self, Error> {
        let mut context = Context::html();
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once("{{ x }}") {
            context.advance(before)?;
            parts.push((before.to_owned(), context.emit()?));
            rest = after;
        }
        context.advance(rest)?;
        context.at_end()?;
        Ok(Self { parts, rest: rest.to_owned() })
    }

    pub(crate) fn render(&self, value: &Value<'_>) -> String {
        let mut out = String::new();
        for (text, escaper) in &self.parts {
            out.push_str(text);
            escaper.escape(value, &mut out);
        }
        out + &self.rest
    }
}

#[track_caller]
pub(crate) fn check(source: &str, value: &Value<'_>, expected: &str) {
    match Template::parse(source) {
        Ok(template) => assert_eq!(template.render(value), expected, "{source}"),
        Err(error) => panic!("{source}: {error}"),
    }
}

#[track_caller]
pub(crate) fn refuse(source: &str, code: &str) {
    match Template::parse(source) {
        Ok(template) => panic!("{source} was accepted: {:?}", template.parts),
        Err(error) => assert_eq!(error.code().id(), code, "{source}: {error}"),
    }
}
