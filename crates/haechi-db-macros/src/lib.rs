//! The macros of `haechi-db`: [`sql!`], [`Model`], [`Input`] and [`FilterSet`].
//!
//! They write associated consts and calls of typed functions, never code that puts text together at run time. What
//! they write could be written by hand and is checked again by `haechi-db`, so they are a convenience and not the
//! fence. Use them through `haechi_db`, whose manual describes them.

mod attribute;
mod filter_set;
mod input;
#[path = "../../haechi-db/src/lexer.rs"]
#[allow(dead_code, reason = "haechi-db uses the rest; one lexer stands for both")]
mod lexer;
mod model;
mod names;
mod sql;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Writes one statement by hand: a literal with named values, `{name}`.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    let call = parse_macro_input!(input as sql::Call);
    finish(sql::expand(&call))
}

/// Makes a struct the rows of a table, with a module of its typed columns and relations.
#[proc_macro_derive(Model, attributes(model))]
pub fn model(input: TokenStream) -> TokenStream {
    let item = parse_macro_input!(input as syn::DeriveInput);
    finish(model::expand(&item))
}

/// Makes a struct the columns of a model that a form or a JSON body may set.
#[proc_macro_derive(Input, attributes(input))]
pub fn input(input: TokenStream) -> TokenStream {
    let item = parse_macro_input!(input as syn::DeriveInput);
    finish(input::expand(&item))
}

/// Makes a struct the list of what an outsider may filter and sort by.
#[proc_macro_derive(FilterSet, attributes(filterset, filter))]
pub fn filter_set(input: TokenStream) -> TokenStream {
    let item = parse_macro_input!(input as syn::DeriveInput);
    finish(filter_set::expand(&item))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
