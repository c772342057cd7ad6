//! Reading attributes and fields; an unknown key is an error, never ignored.

use syn::{Attribute, Data, DeriveInput, Field, Fields, Result, meta::ParseNestedMeta, spanned::Spanned};

use crate::{lexer, names};

/// Calls `read` for each key of the attributes called `name`; it returns `false` for a key it does not know.
pub(crate) fn each(
    attributes: &[Attribute],
    name: &str,
    known: &str,
    mut read: impl FnMut(&ParseNestedMeta<'_>, &str) -> Result<bool>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        attribute.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(names::plain).unwrap_or_default();
            if read(&meta, &key)? {
                Ok(())
            } else {
                Err(meta.error(format!("unknown {name} key `{key}`; known: {known}")))
            }
        })?;
    }
    Ok(())
}

/// Returns the named fields of a struct without generics.
pub(crate) fn fields(item: &DeriveInput) -> Result<Vec<&Field>> {
    if !item.generics.params.is_empty() {
        return Err(syn::Error::new(item.generics.span(), "generics are not supported here"));
    }
    match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => Ok(named.named.iter().collect()),
            _ => Err(syn::Error::new(item.ident.span(), "give the fields names: they name the columns")),
        },
        _ => Err(syn::Error::new(item.ident.span(), "only a struct can be derived here")),
    }
}

/// Refuses a name that could not stand in a statement as it is.
pub(crate) fn check_identifier(name: &str, span: proc_macro2::Span) -> Result<()> {
    if lexer::is_identifier(name) {
        return Ok(());
    }
    let message = format!("{name:?} is not a plain identifier: write [a-z_][a-z0-9_]*, at most 63 letters");
    Err(syn::Error::new(span, message))
}
