//! `#[derive(Input)]`: the only columns that a form or a JSON body can set.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, LitInt, Path, Result};

use crate::{attribute, names};

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let root = names::root();
    let name = &item.ident;
    let mut model: Option<Path> = None;
    attribute::each(&item.attrs, "input", "model = Model", |meta, key| {
        if key == "model" {
            model = Some(meta.value()?.parse()?);
        }
        Ok(key == "model")
    })?;
    let model =
        model.ok_or_else(|| syn::Error::new(name.span(), "say whose columns: #[input(model = Post)]"))?;
    let module = names::module_of(&model);
    let mut sets = Vec::new();
    for field in attribute::fields(item)? {
        let ident = &field.ident;
        let mut longest = None;
        attribute::each(&field.attrs, "input", "max_length = 100", |meta, key| {
            if key == "max_length" {
                longest = Some(meta.value()?.parse::<LitInt>()?.base10_parse::<usize>()?);
            }
            Ok(key == "max_length")
        })?;
        sets.push(match longest {
            Some(longest) => quote!(values.from_form_up_to(#module::#ident, self.#ident, #longest);),
            None => quote!(values.from_form(#module::#ident, self.#ident);),
        });
    }
    Ok(quote! {
        impl #root::Input<#model> for #name {
            fn set_on(self, values: &mut #root::Values<#model>) { #(#sets)* }
        }
    })
}
