//! The names that generated code uses: the path of the data layer, the module of a model, visibilities.

use std::{env, fs, path::Path};

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Ident, Visibility, parse_quote};

/// Returns `::haechi_db`, or `::haechi::db` in a crate that depends on the whole framework only.
pub(crate) fn root() -> TokenStream {
    // Cargo gives a macro no other way to learn under which name its own crate is known.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join("Cargo.toml"));
    let manifest = manifest.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    if depends_on(&manifest, "haechi-db") || !depends_on(&manifest, "haechi") {
        quote!(::haechi_db)
    } else {
        quote!(::haechi::db)
    }
}

fn depends_on(manifest: &str, name: &str) -> bool {
    let is_name = |text: &str| {
        text.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['=', '.', ']']))
    };
    manifest.lines().map(str::trim).any(|line| {
        is_name(line)
            || line
                .strip_suffix(']')
                .and_then(|table| table.rsplit_once('.'))
                .is_some_and(|(_, last)| last == name)
    })
}

/// Returns the module of a model's columns: `blog_post` for `BlogPost`.
pub(crate) fn module(model: &Ident) -> Ident {
    let mut name = String::new();
    for letter in model.to_string().trim_start_matches("r#").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    match syn::parse_str::<Ident>(&name) {
        Ok(_) => Ident::new(&name, model.span()),
        Err(_) => format_ident!("r#{}", name, span = model.span()),
    }
}

/// Returns the module next to the model that `path` names.
pub(crate) fn module_of(path: &syn::Path) -> syn::Path {
    let mut path = path.clone();
    if let Some(last) = path.segments.last_mut() {
        last.ident = module(&last.ident);
    }
    path
}

/// Returns the visibility for items one module below an item of visibility `outer`.
pub(crate) fn one_deeper(outer: &Visibility) -> Visibility {
    match outer {
        Visibility::Inherited => parse_quote!(pub(super)),
        Visibility::Restricted(limit) if limit.path.is_ident("self") => parse_quote!(pub(super)),
        Visibility::Restricted(limit)
            if limit.path.segments.first().is_some_and(|first| first.ident == "super") =>
        {
            let path = &limit.path;
            parse_quote!(pub(in super::#path))
        }
        other => other.clone(),
    }
}

/// Returns an identifier made of `text`, standing at `span`.
pub(crate) fn ident(text: &str, span: Span) -> Ident {
    Ident::new(text, span)
}

/// Returns the name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_called_as_its_model() {
        for (model, expected) in
            [("Post", "post"), ("BlogPost", "blog_post"), ("Type", "r#type"), ("A1b", "a1b")]
        {
            assert_eq!(module(&ident(model, Span::call_site())).to_string(), expected);
        }
    }

    #[test]
    fn a_dependency_is_found_in_each_of_its_spellings() {
        for manifest in
            ["haechi-db.workspace = true", "haechi-db = \"1\"", "[dependencies.haechi-db]", "haechi-db={}"]
        {
            assert!(depends_on(manifest, "haechi-db"), "{manifest}");
        }
        for manifest in
            ["haechi-db-macros = \"1\"", "name = \"haechi-db\"", "[dependencies.haechi-db-macros]"]
        {
            assert!(!depends_on(manifest, "haechi-db"), "{manifest}");
        }
        assert!(!depends_on("haechi-db = \"1\"", "haechi"));
    }
}
