//! No public function takes text that could become SQL.

use std::{collections::BTreeSet, fs, path::Path};

use quote::ToTokens as _;
use syn::{FnArg, Generics, ImplItem, Item, Signature, TraitItem, Visibility};

/// The functions that take text, each with what becomes of it.
const ALLOWED: &[(&str, &str)] = &[
    ("check::answer", "the names of a source file and of a type, shown in a report"),
    ("check::model", "the name of a source file, shown in a report"),
    ("check::statement", "the name of a source file, shown in a report"),
    ("column::contains", "a value, bound"),
    ("column::parse", "a value from a query string, read into the type of its column"),
    ("column::starts_with", "a value, bound"),
    ("config::file", "the path of the database"),
    ("error::involves", "the name of a column, compared with those of a violation"),
    ("error::rule", "the text of a validation error"),
    ("filter_set::list", "values from a query string, each read into its type"),
    ("filter_set::new", "the name of a parameter, compared with those of a query string"),
    ("filter_set::parse", "the query string, whose names are compared with consts"),
    ("filter_set::pattern", "a value from a query string, bounded and bound"),
    ("mod::adopt_django", "names of migrations, compared with those of the program"),
];

#[test]
fn text_enters_only_where_it_is_a_value() {
    let mut found = BTreeSet::new();
    folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(), &mut found);
    let allowed: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unlisted: Vec<_> = found.difference(&allowed).collect();
    assert!(unlisted.is_empty(), "public functions that take text: {unlisted:#?}");
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(gone.is_empty(), "listed, but not there: {gone:#?}");
}

#[test]
fn the_search_sees_text_in_each_disguise() {
    for (source, expected) in [
        ("pub fn f(a: &str) {}", true),
        ("pub fn f(a: &'static str) {}", true),
        ("pub fn f(a: String) {}", true),
        ("pub fn f(a: impl Into<String>) {}", true),
        ("pub fn f<T: AsRef<str>>(a: T) {}", true),
        ("pub fn f<T>(a: T) where T: ToString {}", true),
        ("pub fn f(a: impl std::fmt::Display) {}", true),
        ("pub fn f(a: std::borrow::Cow<'_, str>) {}", true),
        ("pub fn f(a: Vec<(String, i64)>) {}", true),
        ("pub struct A; impl A { pub fn f(self, a: Box<str>) {} }", true),
        ("pub trait A { fn f(a: &str); }", true),
        ("pub fn f(a: i64) -> String {}", false),
        ("pub(crate) fn f(a: &str) {}", false),
        ("struct A; impl A { fn f(a: &str) {} }", false),
    ] {
        let mut found = BTreeSet::new();
        items("x", &syn::parse_file(source).unwrap().items, &mut found);
        assert_eq!(!found.is_empty(), expected, "{source}");
    }
}

fn folder(path: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                folder(&path, found);
            }
        } else {
            let file = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            items(&name, &file.items, found);
        }
    }
}

fn items(file: &str, items_of: &[Item], found: &mut BTreeSet<String>) {
    for item in items_of {
        match item {
            Item::Fn(function) if public(&function.vis) => note(file, &function.sig, None, found),
            Item::Impl(implementation) if implementation.trait_.is_none() => {
                for item in &implementation.items {
                    if let ImplItem::Fn(function) = item
                        && public(&function.vis)
                    {
                        note(file, &function.sig, Some(&implementation.generics), found);
                    }
                }
            }
            Item::Trait(definition) if public(&definition.vis) => {
                for item in &definition.items {
                    if let TraitItem::Fn(function) = item {
                        note(file, &function.sig, Some(&definition.generics), found);
                    }
                }
            }
            Item::Mod(module) => {
                if let Some((_, inner)) = &module.content {
                    items(file, inner, found);
                }
            }
            _ => {}
        }
    }
}

fn public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Text may hide in a parameter's type, or in a bound on one.
fn note(file: &str, signature: &Signature, outer: Option<&Generics>, found: &mut BTreeSet<String>) {
    let typed = |input: &FnArg| match input {
        FnArg::Typed(typed) => typed.ty.to_token_stream().to_string(),
        FnArg::Receiver(_) => String::new(),
    };
    let mut shown: Vec<String> = signature.inputs.iter().map(typed).collect();
    for generics in outer.into_iter().chain([&signature.generics]) {
        shown.push(generics.params.to_token_stream().to_string());
        shown.push(generics.where_clause.to_token_stream().to_string());
    }
    let word = |text: &String| {
        text.split(|letter: char| !letter.is_alphanumeric()).any(|word| {
            ["str", "String", "Display", "ToString", "Write", "OsStr", "Path", "PathBuf"].contains(&word)
        })
    };
    if shown.iter().any(word) {
        found.insert(format!("{file}::{}", signature.ident));
    }
}
