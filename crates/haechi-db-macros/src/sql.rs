//! `sql!`: a literal with `{name}` for each value becomes a const text with `$1`, `$2` and an array of values.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Expr, Ident, LitStr, Result, Token, Type, parse::Parse, parse::ParseStream};

use crate::{lexer, names};

/// What stands between the parentheses.
pub(crate) struct Call {
    target: Option<Type>,
    sqlite: LitStr,
    postgres: Option<LitStr>,
    values: Vec<(Ident, Expr)>,
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> Result<Call> {
        let target = target(input)?;
        let mut call = if input.peek(LitStr) {
            Call { target, sqlite: input.parse()?, postgres: None, values: Vec::new() }
        } else if input.peek(Ident) && input.peek2(Token![:]) {
            let sqlite = engine(input, "sqlite")?;
            input.parse::<Token![,]>()?;
            Call { target, sqlite, postgres: Some(engine(input, "postgres")?), values: Vec::new() }
        } else {
            return Err(input.error(LITERAL_ONLY));
        };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let name: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            if call.values.iter().any(|(known, _)| *known == name) {
                return Err(syn::Error::new(name.span(), format!("`{name}` is given twice")));
            }
            call.values.push((name, input.parse()?));
        }
        Ok(call)
    }
}

/// Reads `Post,` in front of the text: what a row of the answer becomes.
fn target(input: ParseStream<'_>) -> Result<Option<Type>> {
    let ahead = input.fork();
    let named = ahead.parse::<Type>().is_ok()
        && ahead.peek(Token![,])
        && (ahead.peek2(LitStr) || (ahead.peek2(Ident) && ahead.peek3(Token![:])));
    if !named {
        return Ok(None);
    }
    let target = input.parse()?;
    input.parse::<Token![,]>()?;
    Ok(Some(target))
}

fn engine(input: ParseStream<'_>, expected: &str) -> Result<LitStr> {
    let name: Ident = input.parse()?;
    if name != expected {
        return Err(syn::Error::new(name.span(), "write sql!(sqlite: \"…\", postgres: \"…\", name = value)"));
    }
    input.parse::<Token![:]>()?;
    if input.peek(LitStr) { input.parse() } else { Err(input.error(LITERAL_ONLY)) }
}

pub(crate) fn expand(call: &Call) -> Result<TokenStream> {
    let root = names::root();
    let sqlite = Text::parse(&call.sqlite)?;
    let postgres = match &call.postgres {
        Some(literal) => Text::parse(literal)?,
        None => Text::parse(&call.sqlite)?,
    };
    let mut parameters: Vec<&String> = sqlite.names.iter().collect();
    parameters.extend(postgres.names.iter().filter(|name| !sqlite.names.contains(name)));
    if let Some((unused, _)) = call.values.iter().find(|(name, _)| !parameters.contains(&&name.to_string())) {
        return Err(syn::Error::new(unused.span(), format!("the text has no {{{unused}}}")));
    }
    let span = call.sqlite.span();
    let values =
        parameters.iter().map(|name| match call.values.iter().find(|(known, _)| known == name.as_str()) {
            Some((_, value)) => quote!(#root::ToValue::to_value(#value)),
            // As in `format!`, a name without a value is a variable in sight; it is not moved.
            None => {
                let variable = names::ident(name, span);
                quote_spanned!(span=> #root::ToValue::to_value(::core::clone::Clone::clone(&#variable)))
            }
        });
    let order = |text: &Text| -> Vec<usize> {
        text.names.iter().filter_map(|name| parameters.iter().position(|known| *known == name)).collect()
    };
    let (sqlite_order, postgres_order) = (order(&sqlite), order(&postgres));
    let (sqlite, postgres) = (sqlite.text, postgres.text);
    let answer = answer(&root, call.target.as_ref());
    Ok(quote! {{
        #[derive(Debug)]
        struct HandWritten;
        impl #root::SqlText for HandWritten {
            const SQLITE: &'static str = #sqlite;
            const POSTGRES: &'static str = #postgres;
            const SQLITE_ORDER: &'static [usize] = &[#(#sqlite_order),*];
            const POSTGRES_ORDER: &'static [usize] = &[#(#postgres_order),*];
        }
        #answer
        #root::Sql::<HandWritten>::new([#(#values),*])
    }})
}

/// What the statement may be read into: the type that was named, or any, for `check` to complain of.
fn answer(root: &TokenStream, target: Option<&Type>) -> TokenStream {
    match target {
        Some(target) => quote! {
            impl #root::Answers<#target> for HandWritten {}
            #root::__private::register_statement!(HandWritten, #target);
        },
        None => quote! {
            impl<T> #root::Answers<T> for HandWritten {}
            #root::__private::register_statement!(HandWritten);
        },
    }
}

/// A text with its placeholders numbered, and the names behind the numbers.
struct Text {
    text: String,
    names: Vec<String>,
}

impl Text {
    fn parse(literal: &LitStr) -> Result<Text> {
        let source = literal.value();
        let error = |message: &str, at: usize| {
            let rest = source.get(at..).unwrap_or_default();
            let shown: String = rest.chars().take(24).collect();
            syn::Error::new(literal.span(), format!("{message}\n  at byte {at}: {shown:?}"))
        };
        if let Some(at) = source.find('$') {
            return Err(error("write {name} for a value, and no dollar-quoted text", at));
        }
        let mut text = Text { text: String::with_capacity(source.len()), names: Vec::new() };
        let bytes = source.as_bytes();
        let (mut at, mut quoted_until) = (0, 0);
        while let Some(letter) = source.get(at..).and_then(|rest| rest.chars().next()) {
            if at >= quoted_until && matches!(letter, '\'' | '"') {
                quoted_until = lexer::quote_end(bytes, at).unwrap_or(bytes.len());
            }
            match letter {
                '{' | '}' if bytes.get(at + 1) == bytes.get(at) => {
                    text.text.push(letter);
                    at += 1;
                }
                '{' if at < quoted_until => return Err(error(IN_QUOTES, at)),
                '{' => at += text.parameter(&source[at..]).map_err(|message| error(message, at))?,
                '}' => return Err(error("a `}` stands alone: write `}}` for the brace itself", at)),
                other => text.text.push(other),
            }
            at += letter.len_utf8();
        }
        match lexer::fault(&text.text) {
            Some(fault) => Err(syn::Error::new(literal.span(), text.show(fault))),
            None => Ok(text),
        }
    }

    /// Reads `{name}` at the start of `rest` and returns how many bytes follow the brace.
    fn parameter(&mut self, rest: &str) -> std::result::Result<usize, &'static str> {
        let (name, _) =
            rest[1..].split_once('}').ok_or("a `{` is not closed: write `{{` for the brace itself")?;
        if syn::parse_str::<Ident>(name).is_err() {
            return Err("a value is written {name}, where the name is an identifier");
        }
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        // A digit or letter right behind the placeholder would become part of it.
        if rest[name.len() + 2..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
            return Err("leave a space behind the value");
        }
        write!(self.text, "${}", index + 1).map_err(|_| "the number cannot be written")?;
        Ok(name.len() + 1)
    }

    fn show(&self, fault: lexer::Fault) -> String {
        let start =
            (0..=fault.at.saturating_sub(16)).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let shown: String = self.text[start..].chars().take(40).collect();
        format!("{}\n  at byte {}: {shown:?}", fault.message, fault.at)
    }
}

const LITERAL_ONLY: &str = "sql! takes a string literal: text that is made at run time can never become SQL; \
                            give values by name, sql!(\"… {name} …\", name = value)";
const IN_QUOTES: &str =
    "a value inside quotes would be text: write {name} without the quotes, or {{ for the brace itself";

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[track_caller]
    fn check(source: &str, expected: std::result::Result<(&str, &[&str]), &str>) {
        let found = Text::parse(&LitStr::new(source, Span::call_site()));
        match (found, expected) {
            (Ok(found), Ok((text, names))) => {
                assert_eq!(found.text, text);
                assert_eq!(found.names, names);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{source:?}: {error}"),
            (Ok(found), Err(part)) => panic!("{source:?} became {:?}, expected {part:?}", found.text),
            (Err(error), Ok(_)) => panic!("{source:?}: {error}"),
        }
    }

    #[test]
    fn values_are_numbered_by_first_appearance() {
        check("select {b}, {a}, {b}", Ok(("select $1, $2, $1", &["b", "a"])));
        check("select 1", Ok(("select 1", &[])));
    }

    #[test]
    fn braces_are_doubled_as_in_format() {
        check("select '{{1,2}}'", Ok(("select '{1,2}'", &[])));
        check("select a->>'{{x}}' where b = {b}", Ok(("select a->>'{x}' where b = $1", &["b"])));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        check("select '{a}'", Err("inside quotes"));
        check("select \"{a}\"", Err("inside quotes"));
        check("select {a", Err("not closed"));
        check("select a}", Err("alone"));
        check("select {a b}", Err("identifier"));
        check("select {}", Err("identifier"));
        check("select {0}", Err("identifier"));
        check("select {a}1", Err("space"));
        check("select $1", Err("{name}"));
        check("select 1; drop table t", Err("second statement"));
        check("pragma x", Err("migration"));
    }
}
