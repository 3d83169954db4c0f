//! The page of a resource, and the index with the first steps.

use anyhow::{Context as _, Result};
use syn::Item;

use super::source::{self, Method, Operation, Resource};
use super::{CRATE, FOLDER};
use crate::docs::comment::Comment;
use crate::docs::markdown::{self, Links, cell, sentence_case};
use crate::docs::models::Library;
use crate::docs::{MARK, Page};

/// Files of the crate, as they are written.
pub(super) struct Files {
    /// The crate's own documentation.
    pub(super) library: String,
    pub(super) blocking: String,
    /// The options of every call.
    pub(super) call: String,
    pub(super) refusal: String,
    pub(super) error: String,
}

const ERRORS: &str = "those of [every call](README.md#errors).";
const LIST: &str = "those of [every list](README.md#options-of-every-list) and of \
                    [every call](README.md#options-of-every-call).";
const CALL: &str = "those of [every call](README.md#options-of-every-call).";

pub(super) fn of(library: &Library, resource: &Resource) -> Page {
    let links = links(library);
    let Resource { name, path, title, comment, operations } = resource;
    let mut parts = vec![
        format!("# {name}"),
        format!("{MARK} from {path}: change the comments there. -->"),
        markdown::text(title, &links),
        markdown::text(&comment.text, &links),
        format!("A client has them as `client.{name}()`."),
        table(resource, &links),
    ];
    for operation in operations {
        parts.extend(section(operation, &links));
    }
    parts.push(format!("---\n\nSource: [`{path}`](../../{path}). All: [operations](README.md)."));
    Page { path: format!("{FOLDER}/{name}.md"), text: joined(&parts) }
}

pub(super) fn index(library: &Library, resources: &[Resource], files: &Files) -> Result<Page> {
    let links = links(library);
    let documentation = |text: &str| Comment::read(&syn::parse_file(text)?.attrs);
    let (start, blocking) = (documentation(&files.library)?, documentation(&files.blocking)?);
    let mut parts = vec![
        "# SDK".to_owned(),
        format!("{MARK} from {CRATE}: change the comments there. -->"),
        markdown::text(start.introduction(), &links),
        "## Without an async runtime".to_owned(),
        markdown::text(&blocking.text, &links),
        "## Operations".to_owned(),
        "Each has an example, which the tests run against the real server.".to_owned(),
    ];
    for resource in resources {
        parts.push(format!("### [{name}]({name}.md)", name = resource.name));
        parts.push(markdown::text(&resource.title, &links));
        parts.push(table(resource, &links));
    }
    let of_lists = source::methods(&files.call, "impl<'c, C, O: List> Call<'c, C, O>")?;
    let of_calls = source::methods(&files.call, "impl<'c, C, O> Call<'c, C, O>")?;
    parts.extend([
        "## Options of every list".to_owned(),
        options(&of_lists, &links),
        "## Options of every call".to_owned(),
        options(&of_calls, &links),
        "## Errors".to_owned(),
        variants(&files.error, "Error", &links)?,
        "A refusal is one of these kinds:".to_owned(),
        variants(&files.refusal, "RefusalKind", &links)?,
        markdown::text(start.sections(), &links),
    ]);
    Ok(Page { path: format!("{FOLDER}/README.md"), text: joined(&parts) })
}

fn links(library: &Library) -> Links<'_> {
    Links { library, models: "../models/" }
}

fn joined(parts: &[String]) -> String {
    let parts: Vec<_> =
        parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect();
    format!("{}\n", parts.join("\n\n"))
}

/// The operations of a resource, each with its request and its answer.
fn table(resource: &Resource, links: &Links) -> String {
    let row = |operation: &Operation| {
        let name = &operation.name;
        let requests = requests(operation);
        let answer = answer(operation, links);
        format!("| [{name}]({}.md#{name}) | {requests} | {answer} |\n", resource.name)
    };
    let rows: String = resource.operations.iter().map(row).collect();
    format!("| Operation | Request | Answer |\n|---|---|---|\n{rows}")
}

fn requests(operation: &Operation) -> String {
    let requests: Vec<_> = operation.requests.iter().map(|line| format!("`{line}`")).collect();
    requests.join(" or ")
}

fn answer(operation: &Operation, links: &Links) -> String {
    match &operation.answer {
        None => "nothing".to_owned(),
        Some(name) => match links.page(name) {
            Some(page) => format!("[{name}]({page})"),
            None => format!("`{name}`"),
        },
    }
}

fn section(operation: &Operation, links: &Links) -> Vec<String> {
    let Operation { name, signature, comment, example, .. } = operation;
    let general = if operation.is_list { LIST } else { CALL };
    let options = match operation.options.as_slice() {
        [] => sentence_case(general),
        own => format!("{}\nAnd {general}", options(own, links)),
    };
    // Clippy's and rustdoc's own name for it.
    let errors = comment.sections().trim_start_matches("# Errors").trim();
    let errors = match markdown::text(errors, links) {
        own if own.is_empty() => sentence_case(ERRORS),
        own => format!("{own}\n\nAnd {ERRORS}"),
    };
    vec![
        format!("## {name}"),
        requests(operation),
        markdown::text(comment.introduction(), links),
        format!("```rust\n{signature}\n```"),
        "**Options**".to_owned(),
        options,
        "**Example**".to_owned(),
        format!("```rust\n{example}\n```"),
        format!("**Answer**: {}", answer(operation, links)),
        "**Errors**".to_owned(),
        errors,
    ]
}

fn options(methods: &[Method], links: &Links) -> String {
    let row = |method: &Method| {
        let types: Vec<_> =
            method.arguments.iter().map(|argument| format!("`{argument}`")).collect();
        let meaning = cell(&markdown::text(&method.comment.text, links));
        format!("| `{}` | {} | {meaning} |\n", method.name, cell(&types.join(", ")))
    };
    let rows: String = methods.iter().map(row).collect();
    format!("| Option | Takes | What it does |\n|---|---|---|\n{rows}")
}

/// The variants of an enum with what they mean.
fn variants(text: &str, name: &str, links: &Links) -> Result<String> {
    let file = syn::parse_file(text)?;
    let found = file.items.iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let found = found.with_context(|| format!("{CRATE} has no {name}"))?;
    let row = |variant: &syn::Variant| {
        let meaning = cell(&markdown::text(&Comment::read(&variant.attrs)?.text, links));
        Ok(format!("| `{}` | {meaning} |\n", variant.ident))
    };
    let rows: String = found.variants.iter().map(row).collect::<Result<_>>()?;
    Ok(format!("| `{name}` | Meaning |\n|---|---|\n{rows}"))
}
