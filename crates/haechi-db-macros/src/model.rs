//! `#[derive(Model)]`: the table, its typed columns, its keys and relations as items of the compiler.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{DeriveInput, Ident, LitStr, Path, Result, Token, Type, Visibility, punctuated::Punctuated};

use crate::{attribute, names};

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let model = Model::parse(item)?;
    let row = model.row();
    if model.row_only {
        return Ok(row);
    }
    let (module, implementations) = (model.module(), model.columns_impl());
    let (keys, relations, table) = (model.keys_impl(), model.relations_impl(), model.table_impl()?);
    Ok(quote! { #module #implementations #keys #relations #table #row })
}

struct Model<'a> {
    root: TokenStream,
    name: &'a Ident,
    visibility: &'a Visibility,
    module: Ident,
    table: String,
    row_only: bool,
    tenant: Option<Ident>,
    columns: Vec<Column<'a>>,
    unique: Vec<(Ident, Vec<Ident>)>,
    relations: Vec<Relation>,
}

struct Column<'a> {
    field: &'a Ident,
    kind: &'a Type,
    name: String,
    key: bool,
    default: bool,
}

/// A relation joins `column` of this model with `target_column` of another.
struct Relation {
    name: Ident,
    column: Ident,
    target: Path,
    target_column: TargetColumn,
    many: bool,
}

enum TargetColumn {
    Key,
    Named(Ident),
}

impl<'a> Model<'a> {
    fn parse(item: &'a DeriveInput) -> Result<Self> {
        let module = names::module(&item.ident);
        let mut model = Model {
            root: names::root(),
            name: &item.ident,
            visibility: &item.vis,
            table: names::plain(&module),
            module,
            row_only: false,
            tenant: None,
            columns: Vec::new(),
            unique: Vec::new(),
            relations: Vec::new(),
        };
        let fields = attribute::fields(item)?;
        for field in &fields {
            model.column(field)?;
        }
        model.keys(item)?;
        Ok(model)
    }

    fn column(&mut self, field: &'a syn::Field) -> Result<()> {
        let ident = field.ident.as_ref().expect("the fields were checked to be named");
        let mut column =
            Column { field: ident, kind: &field.ty, name: names::plain(ident), key: false, default: false };
        attribute::each(&field.attrs, "model", FIELD_KEYS, |meta, key| {
            match key {
                "key" => column.key = true,
                "default" => column.default = true,
                "column" => column.name = meta.value()?.parse::<LitStr>()?.value(),
                "unique" => {
                    self.unique.push((format_ident!("unique_{}", names::plain(ident)), vec![ident.clone()]));
                }
                "belongs_to" => self.relations.push(belongs_to(ident, meta)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        attribute::check_identifier(&column.name, ident.span())?;
        self.columns.push(column);
        Ok(())
    }

    fn keys(&mut self, item: &DeriveInput) -> Result<()> {
        attribute::each(&item.attrs, "model", ITEM_KEYS, |meta, key| {
            match key {
                "row" => self.row_only = true,
                "table" => {
                    let table: LitStr = meta.value()?.parse()?;
                    attribute::check_identifier(&table.value(), table.span())?;
                    self.table = table.value();
                }
                "tenant" => self.tenant = Some(meta.value()?.parse()?),
                "unique" => {
                    let columns = list(meta)?;
                    let joined: Vec<String> = columns.iter().map(names::plain).collect();
                    self.unique.push((format_ident!("unique_{}", joined.join("_")), columns));
                }
                "has_many" => {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    for relation in content.parse_terminated(parse_has_many, Token![,])? {
                        self.relations.push(Relation { column: self.key_field(item)?.clone(), ..relation });
                    }
                }
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    fn key_field(&self, item: &DeriveInput) -> Result<&'a Ident> {
        let marked: Vec<_> = self.columns.iter().filter(|column| column.key).collect();
        let key = match marked.as_slice() {
            [] => self.columns.iter().find(|column| column.field == "id"),
            [key] => Some(*key),
            _ => None,
        };
        key.map(|column| column.field).ok_or_else(|| {
            syn::Error::new(
                item.ident.span(),
                "mark one field as the primary key with #[model(key)], or call it `id`",
            )
        })
    }

    /// The module has a type and a const of the same name for each column, key and relation.
    fn module(&self) -> TokenStream {
        let Model { root, module, visibility, .. } = self;
        let inner = names::one_deeper(visibility);
        let columns = self.columns.iter().map(|column| (column.field, quote!(Field)));
        let unique = self.unique.iter().map(|(name, _)| (name, quote!(UniqueKey)));
        let relations = self.relations.iter().map(|relation| {
            (&relation.name, if relation.many { quote!(HasMany) } else { quote!(BelongsTo) })
        });
        let items = columns.chain(unique).chain(relations).map(|(name, kind)| {
            let doc = format!("`{}` of `{}`.", names::plain(name), self.name);
            quote! {
                #[doc = #doc]
                #[derive(Clone, Copy, Debug)]
                #inner struct #name {}
                #[doc = #doc]
                #inner const #name: #root::#kind<#name> = #root::#kind::new();
            }
        });
        let doc = format!("The columns, keys and relations of `{}`.", self.name);
        quote! {
            #[doc = #doc]
            #[allow(
                non_camel_case_types, non_upper_case_globals, dead_code, unreachable_pub, unused_qualifications,
                reason = "columns are called as they are in the table, and not each is used"
            )]
            #visibility mod #module { #(#items)* }
        }
    }

    fn columns_impl(&self) -> TokenStream {
        let Model { root, module, name: model, .. } = self;
        let columns = self.columns.iter().map(|column| {
            let Column { field, kind, name, .. } = column;
            let generated = column.default || self.is_generated(column);
            let from_form = (self.tenant.as_ref() != Some(field) && !self.is_generated(column))
                .then(|| quote!(impl #root::FormColumn for #module::#field {}));
            quote! {
                impl #root::Column for #module::#field {
                    type Model = #model;
                    type Type = #kind;
                    const NAME: &'static str = #name;
                    const HAS_DEFAULT: bool = #generated;
                    fn of(model: &#model) -> &#kind { &model.#field }
                }
                #from_form
            }
        });
        quote! { #(#columns)* }
    }

    /// An integer primary key is numbered by the database.
    fn is_generated(&self, column: &Column<'_>) -> bool {
        let is_key = column.key || (column.field == "id" && !self.columns.iter().any(|other| other.key));
        let integer = matches!(column.kind, Type::Path(path)
            if path.path.get_ident().is_some_and(|kind| kind == "i64" || kind == "i32" || kind == "i16"));
        is_key && integer
    }

    fn keys_impl(&self) -> TokenStream {
        let Model { root, module, .. } = self;
        let keys = self.unique.iter().map(|(name, columns)| {
            let model = self.name;
            quote! {
                impl #root::Unique for #module::#name {
                    type Model = #model;
                    const COLUMNS: &'static [#root::ColumnInfo] = &[#(#root::ColumnInfo::of::<#module::#columns>()),*];
                }
            }
        });
        quote! { #(#keys)* }
    }

    fn relations_impl(&self) -> TokenStream {
        let Model { root, module, .. } = self;
        let relations = self.relations.iter().map(|relation| {
            let Relation { name, column, target, target_column, .. } = relation;
            let target_column = match target_column {
                TargetColumn::Key => quote!(<#target as #root::Model>::Key),
                TargetColumn::Named(column) => {
                    let module = names::module_of(target);
                    quote!(#module::#column)
                }
            };
            quote! {
                impl #root::Relation for #module::#name {
                    type Column = #module::#column;
                    type TargetColumn = #target_column;
                }
            }
        });
        quote! { #(#relations)* }
    }

    fn table_impl(&self) -> Result<TokenStream> {
        let Model { root, module, name, table, visibility, .. } = self;
        let fields: Vec<_> = self.columns.iter().map(|column| column.field).collect();
        let key = match (
            self.columns.iter().find(|column| column.key),
            fields.iter().find(|name| **name == "id"),
        ) {
            (Some(key), _) => key.field,
            (None, Some(id)) => id,
            (None, None) => return Err(syn::Error::new(name.span(), NO_KEY)),
        };
        let (scope, start) = match &self.tenant {
            Some(tenant) => (
                quote!(#root::Tenant<#module::#tenant>),
                quote! {
                    /// Starts a query over the rows of one tenant; there is no way to start one over all.
                    #[allow(dead_code, reason = "not each model is queried")]
                    #visibility fn of_tenant(
                        tenant: impl ::core::convert::Into<<#module::#tenant as #root::Column>::Type>,
                    ) -> #root::Query<Self> { #root::Query::of_tenant(tenant) }
                },
            ),
            None => (
                quote!(#root::Everyone),
                quote! {
                    /// Starts a query over all rows.
                    #[allow(dead_code, reason = "not each model is queried")]
                    #visibility fn query() -> #root::Query<Self> { #root::Query::new() }
                },
            ),
        };
        Ok(quote! {
            impl #root::Model for #name {
                type Key = #module::#key;
                type Scope = #scope;
                const TABLE: &'static str = #table;
                const COLUMNS: &'static [#root::ColumnInfo] = &[#(#root::ColumnInfo::of::<#module::#fields>()),*];
            }
            #root::__private::register_model!(#name);
            #[allow(dead_code, reason = "not each model is inserted")]
            impl #name {
                #start
                /// Starts a row from what a form may set.
                #visibility fn insert(input: impl #root::Input<Self>) -> #root::Insert<Self> {
                    #root::Insert::new(input)
                }
                /// Starts many rows, stored by one statement.
                #visibility fn insert_many<I: #root::Input<Self>>(
                    inputs: impl ::core::iter::IntoIterator<Item = I>,
                ) -> #root::InsertMany<Self> { #root::InsertMany::new(inputs) }
            }
        })
    }

    fn row(&self) -> TokenStream {
        let Model { root, name, .. } = self;
        let fields = self.columns.iter().map(|column| column.field);
        let kinds = self.columns.iter().map(|column| column.kind);
        let names = self.columns.iter().map(|column| &column.name);
        let index = 0..self.columns.len();
        quote! {
            impl #root::FromRow for #name {
                const TYPES: &'static [#root::Type] = &[#(<#kinds as #root::FromValue>::TYPE),*];
                const NAMES: &'static [&'static str] = &[#(#names),*];
                fn from_row(row: &mut #root::Row) -> #root::Result<Self> {
                    ::core::result::Result::Ok(Self { #(#fields: row.take(#index)?),* })
                }
            }
        }
    }
}

/// `belongs_to = User` is called as its field without `_id`; `belongs_to(writer = User)` says the name.
fn belongs_to(field: &Ident, meta: &syn::meta::ParseNestedMeta<'_>) -> Result<Relation> {
    let column = field.clone();
    let (name, target) = if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        let name: Ident = content.parse()?;
        content.parse::<Token![=]>()?;
        (name, content.parse()?)
    } else {
        let target: Path = meta.value()?.parse()?;
        let plain = names::plain(field);
        let name = plain.strip_suffix("_id").ok_or_else(|| meta.error("write belongs_to(name = Model)"))?;
        (names::ident(name, field.span()), target)
    };
    Ok(Relation { name, column, target, target_column: TargetColumn::Key, many: false })
}

/// `comments = Comment::post_id`
fn parse_has_many(input: syn::parse::ParseStream<'_>) -> Result<Relation> {
    let name: Ident = input.parse()?;
    input.parse::<Token![=]>()?;
    let mut target: Path = input.parse()?;
    let wrong = || syn::Error::new(name.span(), "write has_many(comments = Comment::post_id)");
    let column = target.segments.pop().ok_or_else(wrong)?.into_value().ident;
    if target.segments.is_empty() {
        return Err(wrong());
    }
    target.segments.pop_punct();
    let here = Ident::new("_", Span::call_site());
    Ok(Relation { name, column: here, target, target_column: TargetColumn::Named(column), many: true })
}

fn list(meta: &syn::meta::ParseNestedMeta<'_>) -> Result<Vec<Ident>> {
    let content;
    syn::parenthesized!(content in meta.input);
    Ok(Punctuated::<Ident, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

const FIELD_KEYS: &str = "key, column = \"…\", default, unique, belongs_to = Model";
const ITEM_KEYS: &str = "table = \"…\", tenant = column, unique(a, b), has_many(name = Model::column), row";
const NO_KEY: &str = "mark one field as the primary key with #[model(key)], or call it `id`";
