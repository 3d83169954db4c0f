//! The types of a source file that go over the wire.
//!
//! Such a type is public and serde reads or writes it, by derivation or by hand, or it has `pairs`:
//! then it is the parameters of a query or a form.

use anyhow::{Context as _, Result, bail};
use syn::parse::{Parse, ParseStream};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ExprLit, Fields, Ident, ImplItem, Item, ItemEnum, ItemImpl,
    ItemStruct, Lit, Token, Visibility,
};

use super::serde_words::SerdeWords;
use crate::docs::comment::Comment;
use crate::docs::markdown::sentence_case;
use crate::docs::rust_types::RustType;

/// A file's types, in its order.
pub(super) struct Source {
    pub(super) models: Vec<Model>,
    /// Public constants with a literal value.
    pub(super) constants: Vec<(String, String)>,
}

pub(super) struct Model {
    pub(super) name: String,
    /// The file, relative to the root.
    pub(super) path: String,
    pub(super) comment: Comment,
    pub(super) shape: Shape,
    /// The member that wraps it in the body of a request.
    pub(super) wrapper: Option<String>,
}

pub(super) enum Shape {
    /// An object with members.
    Object(Vec<Field>),
    /// One of several words.
    Words(Vec<Variant>),
    /// One of several objects.
    Either(Vec<Alternative>),
    /// The parameters of a query or a form, of one of several kinds.
    Form(Vec<Alternative>),
    /// One value, as its example shows it; of which type it is where that says more.
    Value(Option<RustType>),
    /// One value, which Rust takes apart.
    Variants(Vec<Variant>),
}

pub(super) struct Field {
    /// As the wire names it.
    pub(super) name: String,
    pub(super) rust_type: RustType,
    pub(super) comment: Comment,
    /// Its members are members of what it is in.
    pub(super) flattened: bool,
    /// Readers demand it.
    pub(super) required: bool,
}

pub(super) struct Variant {
    pub(super) name: String,
    /// As the wire spells it.
    pub(super) word: String,
    pub(super) comment: Comment,
}

pub(super) struct Alternative {
    pub(super) name: String,
    pub(super) comment: Comment,
    pub(super) members: Alternatives,
}

/// What an alternative is made of.
pub(super) enum Alternatives {
    Fields(Vec<Field>),
    Model(RustType),
}

pub(super) fn read(path: &str, text: &str) -> Result<Source> {
    let file = syn::parse_file(text).with_context(|| path.to_owned())?;
    let reader = Reader { path, items: &file.items };
    let mut models = Vec::new();
    for item in &file.items {
        let found = match item {
            Item::Struct(item) if reader.is_on_the_wire(&item.ident, &item.vis, &item.attrs) => {
                vec![reader.structure(item)?]
            }
            Item::Enum(item) if reader.is_on_the_wire(&item.ident, &item.vis, &item.attrs) => {
                vec![reader.enumeration(item)?]
            }
            Item::Macro(item) if item.mac.path.is_ident("ids") => {
                let ids: Ids = item.mac.parse_body()?;
                ids.0.into_iter().map(|id| reader.id(&id)).collect::<Result<_>>()?
            }
            _ => continue,
        };
        models.extend(found);
    }
    Ok(Source { models, constants: constants(&file.items) })
}

struct Reader<'a> {
    path: &'a str,
    items: &'a [Item],
}

impl Reader<'_> {
    fn is_on_the_wire(&self, name: &Ident, vis: &Visibility, attributes: &[Attribute]) -> bool {
        let is_public = matches!(vis, Visibility::Public(_));
        let derived = SerdeWords::are_derived(attributes);
        is_public && (derived || self.is_written_by_hand(name) || self.has_pairs(name))
    }

    fn implementations(&self, name: &Ident) -> impl Iterator<Item = &ItemImpl> {
        self.items.iter().filter_map(move |item| match item {
            Item::Impl(found) => {
                let target = RustType::read(&found.self_ty).ok()?;
                (*name == target.name).then_some(found)
            }
            _ => None,
        })
    }

    fn is_written_by_hand(&self, name: &Ident) -> bool {
        let is_serde = |path: &syn::Path| {
            path.segments
                .last()
                .is_some_and(|last| last.ident == "Serialize" || last.ident == "Deserialize")
        };
        self.implementations(name)
            .any(|found| found.trait_.as_ref().is_some_and(|(path, _)| is_serde(path)))
    }

    fn has_pairs(&self, name: &Ident) -> bool {
        self.implementations(name).filter(|found| found.trait_.is_none()).any(|found| {
            let is_pairs =
                |item: &ImplItem| matches!(item, ImplItem::Fn(f) if f.sig.ident == "pairs");
            found.items.iter().any(is_pairs)
        })
    }

    fn structure(&self, item: &ItemStruct) -> Result<Model> {
        let shape = match &item.fields {
            Fields::Named(_) => {
                let words = SerdeWords::read(&item.attrs)?;
                Shape::Object(fields(&item.fields, &words)?)
            }
            Fields::Unnamed(inner) => {
                let words = SerdeWords::read(&item.attrs)?;
                let inner = inner.unnamed.first().filter(|_| words.has("transparent"));
                Shape::Value(inner.map(|field| RustType::read(&field.ty)).transpose()?)
            }
            Fields::Unit => bail!("{}: {} has nothing to write", self.path, item.ident),
        };
        self.model(&item.ident, &item.attrs, shape)
    }

    fn enumeration(&self, item: &ItemEnum) -> Result<Model> {
        let words = SerdeWords::read(&item.attrs)?;
        let has_values = item.variants.iter().any(|variant| !variant.fields.is_empty());
        let names_models = |fields: &Fields| match fields {
            Fields::Unnamed(_) => item.generics.params.is_empty(),
            _ => true,
        };
        let shape = if self.has_pairs(&item.ident) {
            Shape::Form(self.form(item)?)
        } else if words.has("untagged") && item.variants.iter().all(|v| names_models(&v.fields)) {
            Shape::Either(item.variants.iter().map(alternative).collect::<Result<_>>()?)
        } else if has_values || !SerdeWords::are_derived(&item.attrs) {
            Shape::Variants(variants(item, &words)?)
        } else {
            Shape::Words(variants(item, &words)?)
        };
        self.model(&item.ident, &item.attrs, shape)
    }

    /// The kinds of a form. What its fields are made of stands in the same file, and its
    /// parameters are the form's own.
    fn form(&self, item: &ItemEnum) -> Result<Vec<Alternative>> {
        let mut kinds = Vec::new();
        for variant in &item.variants {
            let mut members = Vec::new();
            for field in &variant.fields {
                let rust_type = RustType::read(&field.ty)?;
                match self.items.iter().find(|item| name_of(item).as_ref() == Some(&rust_type.name))
                {
                    Some(Item::Struct(inner)) => {
                        for field in &inner.fields {
                            members.push(parameter(&field.attrs, RustType::read(&field.ty)?)?);
                        }
                    }
                    Some(Item::Enum(inner)) => {
                        for choice in &inner.variants {
                            for field in &choice.fields {
                                let rust_type = RustType::read(&field.ty)?;
                                let mut found = parameter(&choice.attrs, rust_type)?;
                                found.required = false;
                                members.push(found);
                            }
                        }
                    }
                    _ => members.push(parameter(&field.attrs, rust_type)?),
                }
            }
            let comment = Comment::read(&variant.attrs)?;
            let members = Alternatives::Fields(members);
            kinds.push(Alternative { name: variant.ident.to_string(), comment, members });
        }
        Ok(kinds)
    }

    fn id(&self, id: &Id) -> Result<Model> {
        self.model(&id.name, &id.attributes, Shape::Value(None))
    }

    fn model(&self, name: &Ident, attributes: &[Attribute], shape: Shape) -> Result<Model> {
        let comment =
            Comment::read(attributes).with_context(|| format!("{}: {name}", self.path))?;
        let path = self.path.to_owned();
        let wrapper = self.wrapper(name);
        Ok(Model { name: name.to_string(), path, comment, shape, wrapper })
    }

    /// The member that a request takes its record out of: what it hands to `unwrap_body`.
    fn wrapper(&self, name: &Ident) -> Option<String> {
        let mut finder = WrapperFinder(None);
        self.implementations(name).for_each(|found| finder.visit_item_impl(found));
        let constant = finder.0?;
        let constants = constants(self.items);
        let value = constants.into_iter().find(|(name, _)| *name == constant)?.1;
        Some(value.trim_matches('"').to_owned())
    }
}

struct WrapperFinder(Option<String>);

impl<'ast> Visit<'ast> for WrapperFinder {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let ends_with = |expression: &Expr| match expression {
            Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        if ends_with(&call.func).as_deref() == Some("unwrap_body") {
            self.0 = call.args.last().and_then(ends_with);
        }
        visit::visit_expr_call(self, call);
    }
}

fn name_of(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn fields(fields: &Fields, words: &SerdeWords) -> Result<Vec<Field>> {
    let mut found = Vec::new();
    for field in fields {
        let own = SerdeWords::read(&field.attrs)?;
        let Some(name) = field.ident.as_ref().filter(|_| !own.has("skip")) else {
            continue;
        };
        let rust_type = RustType::read(&field.ty)?;
        found.push(Field {
            name: own.rename.clone().unwrap_or_else(|| name.to_string()),
            comment: Comment::read(&field.attrs).with_context(|| name.to_string())?,
            flattened: own.has("flatten"),
            required: !rust_type.is_optional() && !own.has("default") && !words.has("default"),
            rust_type,
        });
    }
    Ok(found)
}

/// A parameter of a form is named by the code that its text begins with.
fn parameter(attributes: &[Attribute], rust_type: RustType) -> Result<Field> {
    let mut comment = Comment::read(attributes)?;
    let name = comment.leading_code().context("a parameter's text begins with its `name`")?;
    let name = name.to_owned();
    comment.text = sentence_case(comment.behind_leading_code());
    let required = !rust_type.is_optional();
    Ok(Field { name, rust_type, comment, flattened: false, required })
}

fn alternative(variant: &syn::Variant) -> Result<Alternative> {
    let members = match &variant.fields {
        Fields::Unnamed(inner) => {
            let inner = inner.unnamed.first().context("an alternative without a type")?;
            Alternatives::Model(RustType::read(&inner.ty)?)
        }
        named => Alternatives::Fields(fields(named, &SerdeWords::default())?),
    };
    let comment = Comment::read(&variant.attrs)?;
    Ok(Alternative { name: variant.ident.to_string(), comment, members })
}

fn variants(item: &ItemEnum, words: &SerdeWords) -> Result<Vec<Variant>> {
    let variant = |variant: &syn::Variant| {
        let own = SerdeWords::read(&variant.attrs)?;
        let name = variant.ident.to_string();
        let word = own.rename.map_or_else(|| words.rename_variant(&name), Ok)?;
        Ok(Variant { name, word, comment: Comment::read(&variant.attrs)? })
    };
    item.variants.iter().map(variant).collect()
}

/// Public constants with a literal value, as the source writes it.
fn constants(items: &[Item]) -> Vec<(String, String)> {
    let literal = |expression: &Expr| match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Some(number.base10_digits().to_owned()),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(format!("\"{}\"", text.value())),
        _ => None,
    };
    let constant = |item: &Item| match item {
        Item::Const(found) => Some((found.ident.to_string(), literal(&found.expr)?)),
        _ => None,
    };
    items.iter().filter_map(constant).collect()
}

/// The body of `ids!`: documented names.
struct Ids(Vec<Id>);

struct Id {
    attributes: Vec<Attribute>,
    name: Ident,
}

impl Parse for Ids {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut ids = Vec::new();
        while !input.is_empty() {
            let attributes = input.call(Attribute::parse_outer)?;
            let name = input.parse()?;
            input.parse::<Token![;]>()?;
            ids.push(Id { attributes, name });
        }
        Ok(Self(ids))
    }
}
