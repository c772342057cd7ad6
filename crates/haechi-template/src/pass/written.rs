//! What the pass writes into tags, so that nobody can forget it: nonces, CSRF fields, `integrity`, `rel=noopener`.

use haechi_context::{AssetElement, Event, EventKind, Method, Written};

use super::walk::{Refused, Walk};
use crate::edit::Insert;
use crate::page::{CSRF, NONCE};
use crate::problem::Spot;
use crate::report::Warning;
use crate::rule;

impl<'s> Walk<'_, 's> {
    /// Handles what the machine found in a piece of raw text that starts at byte `start`.
    pub(super) fn event(&mut self, start: usize, raw: &'s str, event: Event) -> Result<(), Refused> {
        let offset = start + event.offset;
        let spot = Spot { template: self.name, source: self.source, offset, end: offset };
        match event.kind {
            EventKind::Code { nonce: false, .. } => self.write(start, raw, offset, Insert::Value(NONCE)),
            EventKind::Form { method, action } => self.form(start, raw, spot, method, &action)?,
            EventKind::Button { method, action } => self.button(spot, method, &action)?,
            EventKind::Asset { element, address, integrity, nonce } => {
                if !integrity && let Written::Static(address) = &address {
                    self.asset(start, raw, spot, address);
                }
                // A script gets its nonce as code; a preload of one needs it too.
                if element == AssetElement::Preload && !nonce {
                    self.write(start, raw, offset, Insert::Value(NONCE));
                }
            }
            EventKind::NewWindow { rel: Written::Missing } => {
                self.write(start, raw, offset, Insert::Text(" rel=\"noopener\"".into()));
            }
            EventKind::NewWindow { rel } => self.new_window(spot, &rel),
            EventKind::LateRel => {
                let message =
                    "the address is read before `rel`, so text in it becomes about:invalid; write rel first";
                self.warn(self.tag_of(spot), "late-rel", message.into());
            }
            EventKind::Handler { attribute } => {
                let message =
                    format!("a strict content security policy does not run `{attribute}`; use a script");
                self.warn(spot, "inline-handler", message);
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, start: usize, raw: &'s str, offset: usize, insert: Insert) {
        let before = self.source[..start].trim_end();
        let tag = before.strip_suffix("%}").and_then(|before| Some(&before[before.rfind("{%")? + 2..]));
        if tag.is_some_and(|tag| {
            tag.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '+')) == "raw"
        }) {
            self.found.edits.verbatim.push((start, start + raw.len()));
        }
        self.found.edits.insert(offset, insert);
    }

    pub(super) fn warn(&mut self, spot: Spot<'_>, code: &'static str, message: String) {
        self.found.warnings.insert((spot.offset, code), Warning::of(spot, code, message));
    }

    fn form(
        &mut self,
        start: usize,
        raw: &'s str,
        spot: Spot<'s>,
        method: Method,
        action: &Written,
    ) -> Result<(), Refused> {
        if !matches!(method, Method::Post | Method::Dynamic) {
            return Ok(());
        }
        match target(action) {
            Target::Here => self.write(start, raw, spot.offset, Insert::Value(CSRF)),
            // A static address of another site is meant: it gets no token.
            Target::Elsewhere if method == Method::Post => {}
            Target::Elsewhere | Target::Unknown => {
                let spot = self.tag_of(spot);
                let message = format!("a form that posts to {} might leave this site", shown(action));
                return Err(self.refuse_at(spot, rule::FORM_ACTION, message));
            }
        }
        Ok(())
    }

    /// A button may send a form that holds the token elsewhere.
    fn button(&mut self, spot: Spot<'s>, method: Option<Method>, action: &Written) -> Result<(), Refused> {
        let may_post = !matches!(method, Some(Method::Get | Method::Dialog));
        if may_post && target(action) != Target::Here {
            let spot = self.tag_of(spot);
            let message =
                format!("a button that sends its form to {} might take the token along", shown(action));
            return Err(self.refuse_at(spot, rule::FORM_ACTION, message));
        }
        if method == Some(Method::Post) && *action == Written::Missing {
            self.warn(
                spot,
                "form-method",
                "formmethod=post in a form that does not post sends no token".into(),
            );
        }
        Ok(())
    }

    /// From the `<` of the tag to the end of its line, or to where the event stands.
    fn tag_of(&self, spot: Spot<'s>) -> Spot<'s> {
        let tag = self.source[..spot.offset].rfind('<').unwrap_or(spot.offset);
        Spot { offset: tag, end: spot.offset, ..spot }
    }

    /// Writes what is known of a static file: the `integrity` at the end of the tag, the version behind the address.
    fn asset(&mut self, start: usize, raw: &'s str, spot: Spot<'s>, address: &str) {
        let Some(asset) = self.settings().assets.as_ref().and_then(|lookup| lookup(address)) else {
            return;
        };
        if !asset.is_plain() {
            return;
        }
        if let Some(end) = self.end_of(address, self.tag_of(spot)).filter(|end| *end >= start) {
            self.write(start, raw, end, Insert::Text(format!("?v={}", asset.version)));
        }
        self.write(start, raw, spot.offset, Insert::Text(format!(" integrity=\"{}\"", asset.integrity)));
    }

    /// Finds where an address ends in its tag, if it stands there once, as it is, in quotes.
    fn end_of(&self, address: &str, tag: Spot<'s>) -> Option<usize> {
        let text = &self.source[tag.offset..tag.end];
        let at = text.find(address)?;
        let (before, behind) = (&text[..at], &text[at + address.len()..]);
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        let once = behind.starts_with(quote) && !behind.contains(address);
        let whole = !["{%", "{{", "{#"].iter().any(|mark| text.contains(mark));
        (once && whole).then_some(tag.offset + at + address.len())
    }

    fn new_window(&mut self, spot: Spot<'_>, rel: &Written) {
        let Written::Static(rel) = rel else { return };
        let keeps =
            |token: &str| token.eq_ignore_ascii_case("noopener") || token.eq_ignore_ascii_case("noreferrer");
        if rel.split_ascii_whitespace().any(|token| token.eq_ignore_ascii_case("opener"))
            && !rel.split_ascii_whitespace().any(keeps)
        {
            let message = "rel=opener lets the other page navigate this one".into();
            self.warn(spot, "opener", message);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Here,
    Elsewhere,
    Unknown,
}

/// Where a form goes. Browsers drop tab and line breaks and read `\` as `/`, so neither may stand at the start.
fn target(action: &Written) -> Target {
    let (text, whole) = match action {
        Written::Missing => return Target::Here,
        Written::Static(text) => (text.trim(), true),
        Written::Dynamic { prefix } => (prefix.trim_start(), false),
    };
    if text.chars().any(|c| matches!(c, '\t' | '\n' | '\r' | '\\')) {
        return Target::Unknown;
    }
    match text.as_bytes() {
        [] if whole => Target::Here,
        // The escaper of this place keeps a value behind the first slash from beginning with another.
        [b'/'] | [b'?' | b'#', ..] => Target::Here,
        [b'/', second, ..] if *second != b'/' => Target::Here,
        _ if is_relative(text) => Target::Here,
        _ if whole && !text.starts_with('/') && !text.contains(':') => Target::Here,
        _ if whole => Target::Elsewhere,
        _ => Target::Unknown,
    }
}

/// Whether the first segment is over and has no scheme, so that nothing behind it leads elsewhere.
fn is_relative(text: &str) -> bool {
    text.split_once(['/', '?', '#']).is_some_and(|(first, _)| !first.is_empty() && !first.contains(':'))
}

fn shown(action: &Written) -> String {
    match action {
        Written::Missing => "its own address".into(),
        Written::Static(text) => format!("`{text}`"),
        Written::Dynamic { prefix } => format!("`{prefix}{{{{ … }}}}`"),
    }
}
