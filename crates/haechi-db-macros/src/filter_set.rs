//! `#[derive(FilterSet)]`: which fields, operators, sort keys and page sizes an outsider may use.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    DeriveInput, Field, Ident, LitInt, Path, Result, Token, parenthesized, punctuated::Punctuated,
    spanned::Spanned,
};

use crate::{attribute, names};

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let root = names::root();
    let name = &item.ident;
    let set = Settings::parse(item)?;
    let Settings { model, module, sort, per_page, max_per_page } = &set;
    let fields = attribute::fields(item)?;
    let mut parameters = Vec::new();
    for field in &fields {
        parameters.extend(operators(field, &root, module)?);
    }
    let sort_names = sort.iter().map(names::plain);
    let idents = fields.iter().map(|field| &field.ident);
    Ok(quote! {
        impl #root::FilterSet for #name {
            type Model = #model;
            const PARAMETERS: &'static [#root::Parameter<#model>] = &[#(#parameters),*];
            const SORT: &'static [#root::SortKey<#model>] =
                &[#(#root::SortKey::new(#sort_names, #module::#sort)),*];
            const PER_PAGE: u32 = #per_page;
            const MAX_PER_PAGE: u32 = #max_per_page;
        }
        #[allow(dead_code, reason = "the extractor of a framework may be the only caller")]
        impl #name {
            /// Reads the parameters of a query string.
            ///
            /// # Errors
            /// Fails if a parameter is not declared, not readable, too long or given twice: answer with 400.
            pub fn parse<K, V>(
                pairs: impl ::core::iter::IntoIterator<Item = (K, V)>,
            ) -> ::core::result::Result<#root::Filter<Self>, #root::FilterError>
            where
                K: ::core::convert::AsRef<str>,
                V: ::core::convert::AsRef<str>,
            { #root::Filter::parse(pairs) }
        }
        // The fields declare parameters and are never filled; this reads them, so that rustc does not call them dead.
        const _: fn(&#name) = |declared| { #(let _ = &declared.#idents;)* };
    })
}

struct Settings {
    model: Path,
    module: Path,
    sort: Vec<Ident>,
    per_page: u32,
    max_per_page: u32,
}

impl Settings {
    fn parse(item: &DeriveInput) -> Result<Settings> {
        let (mut model, mut sort, mut per_page, mut max_per_page) = (None, Vec::new(), 20, 100);
        attribute::each(&item.attrs, "filterset", KEYS, |meta, key| {
            match key {
                "model" => model = Some(meta.value()?.parse::<Path>()?),
                "per_page" => per_page = meta.value()?.parse::<LitInt>()?.base10_parse()?,
                "max_per_page" => max_per_page = meta.value()?.parse::<LitInt>()?.base10_parse()?,
                "sort" => {
                    let content;
                    parenthesized!(content in meta.input);
                    sort = Punctuated::<Ident, Token![,]>::parse_terminated(&content)?.into_iter().collect();
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let span = item.ident.span();
        let model =
            model.ok_or_else(|| syn::Error::new(span, "say whose rows: #[filterset(model = Post)]"))?;
        if per_page == 0 || per_page > max_per_page || max_per_page > 1000 {
            return Err(syn::Error::new(span, "1 <= per_page <= max_per_page <= 1000 must hold"));
        }
        Ok(Settings { module: names::module_of(&model), model, sort, per_page, max_per_page })
    }
}

fn operators(field: &Field, root: &TokenStream, module: &Path) -> Result<Vec<TokenStream>> {
    let ident = field.ident.as_ref().expect("the fields were checked to be named");
    let (kind, name, span) = (&field.ty, names::plain(ident), ident.span());
    let read = quote_spanned!(kind.span()=> <#kind as #root::Comparable>::parse(text)?);
    let mut parameters = Vec::new();
    attribute::each(&field.attrs, "filter", OPERATORS, |_, operator| {
        let column = quote!(#module::#ident);
        let predicate = match operator {
            "eq" => quote!(#column.eq(#read)),
            "ne" => quote!(#column.ne(#read)),
            "lt" => quote!(#column.lt(#read)),
            "lte" => quote!(#column.le(#read)),
            "gt" => quote!(#column.gt(#read)),
            "gte" => quote!(#column.ge(#read)),
            "any_of" => {
                quote!(#column.any_of(#root::__private::list(text, <#kind as #root::Comparable>::parse)?))
            }
            "contains" => quote!(#column.contains(#root::__private::pattern(text)?)),
            "startswith" => quote!(#column.starts_with(#root::__private::pattern(text)?)),
            "isnull" => quote!({
                let wanted = <bool as #root::Comparable>::parse(text)?;
                if wanted { #column.is_null() } else { #column.is_not_null() }
            }),
            _ => return Ok(false),
        };
        let parameter = if operator == "eq" { name.clone() } else { format!("{name}__{operator}") };
        parameters.push(quote_spanned!(span=>
            #root::Parameter::new(#parameter, |text| ::core::result::Result::Ok(#predicate))));
        Ok(true)
    })?;
    if parameters.is_empty() {
        return Err(syn::Error::new(
            span,
            format!("say how it may be filtered: #[filter(eq)]; known: {OPERATORS}"),
        ));
    }
    Ok(parameters)
}

const KEYS: &str = "model = Post, sort(id, title), per_page = 20, max_per_page = 100";
const OPERATORS: &str = "eq, ne, lt, lte, gt, gte, any_of, contains, startswith, isnull";
