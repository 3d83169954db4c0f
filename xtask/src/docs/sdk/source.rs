//! A resource of the client, from its source.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use syn::{
    Attribute, Block, Expr, Fields, ImplItem, ImplItemFn, Item, ItemImpl, Lit, ReturnType, Type,
    Visibility,
};

use super::outline::{self, Functions};
use super::text;
use crate::docs::comment::Comment;
use crate::docs::rust_types::RustType;

pub(super) struct File {
    /// Relative to the root.
    pub(super) path: String,
    pub(super) text: String,
}

pub(super) struct Resource {
    /// As a client has it: `oauth_tokens`.
    pub(super) name: String,
    pub(super) path: String,
    /// The first words of the file, and those of its type.
    pub(super) title: String,
    pub(super) comment: Comment,
    pub(super) operations: Vec<Operation>,
}

pub(super) struct Operation {
    pub(super) name: String,
    pub(super) signature: String,
    pub(super) comment: Comment,
    pub(super) options: Vec<Method>,
    /// `GET /api/v2/oauth/tokens/{id}`
    pub(super) requests: Vec<String>,
    /// Names of the types that the request is made of.
    pub(super) sends: Vec<String>,
    /// The model that answers it; `None` when nothing does.
    pub(super) answer: Option<String>,
    /// Its answer is one page of several.
    pub(super) is_list: bool,
    pub(super) example: String,
}

/// A method that takes values.
pub(super) struct Method {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) comment: Comment,
}

pub(super) fn read(name: &str, file: &File, examples: &File) -> Result<Resource> {
    let syntax = syn::parse_file(&file.text).with_context(|| file.path.clone())?;
    let reader = Reader { file, examples, items: &syntax.items };
    let (type_name, attributes) = reader.resource_type()?;
    let mut operations = Vec::new();
    for implementation in reader.implementations(None, &type_name) {
        let block = reader.text_of(&format!("impl<'c, C> {type_name}"))?;
        for method in public_methods(implementation) {
            operations.push(reader.operation(method, block)?);
        }
    }
    if operations.is_empty() {
        bail!("{}: {type_name} has no operations", file.path);
    }
    let title = Comment::read(&syntax.attrs)?.first_sentence();
    let comment = Comment::read(attributes)?;
    let path = file.path.clone();
    Ok(Resource { name: name.to_owned(), path, title, comment, operations })
}

/// The public methods of `impl … Call<…, …>` blocks in a file, whose header begins so.
pub(super) fn methods(text: &str, header: &str) -> Result<Vec<Method>> {
    let written = text::block(text, header).with_context(|| header.to_owned())?;
    let parsed: ItemImpl = syn::parse_str(&format!("{written}\n}}"))?;
    public_methods(&parsed).map(|method| described(method, written)).collect()
}

struct Reader<'a> {
    file: &'a File,
    examples: &'a File,
    items: &'a [Item],
}

impl Reader<'_> {
    /// The first public type that holds a client.
    fn resource_type(&self) -> Result<(String, &[Attribute])> {
        let found = self.items.iter().find_map(|item| match item {
            Item::Struct(item) if item.fields.iter().any(is_client) => {
                Some((item.ident.to_string(), item.attrs.as_slice()))
            }
            _ => None,
        });
        found.with_context(|| format!("{}: no type of a resource", self.file.path))
    }

    fn implementations<'s>(
        &'s self,
        of: Option<&'s str>,
        name: &'s str,
    ) -> impl Iterator<Item = &'s ItemImpl> {
        self.items.iter().filter_map(move |item| match item {
            Item::Impl(found) => {
                let path = found.trait_.as_ref().map(|(path, _)| path);
                let own = path.and_then(|path| path.segments.last());
                let is_of = own.map(|last| last.ident.to_string()).as_deref() == of;
                let target = RustType::read(&found.self_ty).ok()?;
                (is_of && target.name == name).then_some(found)
            }
            _ => None,
        })
    }

    fn text_of(&self, header: &str) -> Result<&str> {
        let found = text::block(&self.file.text, header);
        found.with_context(|| format!("{}: no {header}", self.file.path))
    }

    fn operation(&self, method: &ImplItemFn, block: &str) -> Result<Operation> {
        let name = method.sig.ident.to_string();
        let made = operation_of(&method.sig.output)
            .with_context(|| format!("{}: {name} gives no Call", self.file.path))?;
        let described = described(method, block)?;
        let (answer, outline) = self.implementation(&made)?;
        let sent = outline::read(outline, &method.block, &self.functions());
        let mut sends = sent.names;
        sends.extend(self.fields(&made));
        let example = text::body(&self.examples.text, &name).with_context(|| {
            let path = &self.examples.path;
            format!(
                "{}: {name} has no example: write `async fn {name}` into {path}",
                self.file.path
            )
        })?;
        Ok(Operation {
            signature: text::signature(block, &name).unwrap_or_default(),
            comment: described.comment,
            options: self.options(&made)?,
            requests: sent.requests,
            sends,
            answer,
            is_list: self.implementations(Some("List"), &made).next().is_some(),
            example,
            name,
        })
    }

    /// The answer of an operation, and the function that makes its request.
    fn implementation<'s>(&'s self, made: &'s str) -> Result<(Option<String>, &'s Block)> {
        let missing = || format!("{}: {made} is no Operation", self.file.path);
        let found = self.implementations(Some("Operation"), made).next().with_context(missing)?;
        let (mut answer, mut outline) = (None, None);
        for item in &found.items {
            match item {
                ImplItem::Type(item) if item.ident == "Answer" => {
                    answer = RustType::read(&item.ty).ok().map(|read| read.name);
                }
                ImplItem::Fn(item) if item.sig.ident == "outline" => outline = Some(&item.block),
                _ => {}
            }
        }
        Ok((answer, outline.with_context(missing)?))
    }

    fn options(&self, made: &str) -> Result<Vec<Method>> {
        let header = format!("impl<C> Call<'_, C, {made}>");
        match text::block(&self.file.text, &header) {
            Some(_) => methods(&self.file.text, &header),
            None => Ok(Vec::new()),
        }
    }

    fn fields(&self, made: &str) -> Vec<String> {
        let structure = self.items.iter().find_map(|item| match item {
            Item::Struct(item) if item.ident == made => Some(&item.fields),
            _ => None,
        });
        let types = structure.into_iter().flat_map(Fields::iter);
        let read = types.filter_map(|field| RustType::read(&field.ty).ok());
        read.flat_map(|read| read.names()).collect()
    }

    fn functions(&self) -> Functions<'_> {
        let by_name: BTreeMap<_, _> = self.items.iter().filter_map(function_of).collect();
        Functions { by_name, path: self.path_constant() }
    }

    fn path_constant(&self) -> Option<String> {
        self.items.iter().find_map(|item| match item {
            Item::Const(item) if item.ident == "PATH" => match &*item.expr {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
    }
}

fn function_of(item: &Item) -> Option<(String, &Block)> {
    match item {
        Item::Fn(item) => Some((item.sig.ident.to_string(), &item.block)),
        _ => None,
    }
}

fn is_client(field: &syn::Field) -> bool {
    let is_reference = matches!(&field.ty, Type::Reference(_));
    is_reference && field.ident.as_ref().is_some_and(|name| name == "client")
}

fn public_methods(found: &ItemImpl) -> impl Iterator<Item = &ImplItemFn> {
    found.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => Some(method),
        _ => None,
    })
}

fn described(method: &ImplItemFn, block: &str) -> Result<Method> {
    let name = method.sig.ident.to_string();
    let signature = text::signature(block, &name).with_context(|| name.clone())?;
    let arguments = text::arguments(&signature);
    let comment = Comment::read(&method.attrs).with_context(|| name.clone())?;
    Ok(Method { name, arguments, comment })
}

/// `ListTokens` of `Call<'c, C, ListTokens>`.
fn operation_of(output: &ReturnType) -> Option<String> {
    let ReturnType::Type(_, output) = output else {
        return None;
    };
    let call = RustType::read(output).ok().filter(|call| call.name == "Call")?;
    call.arguments.last().map(|operation| operation.name.clone())
}
