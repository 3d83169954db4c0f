//! The page of a model, and the index of all.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::examples::{self, ModelExample};
use super::library::{Group, Library};
use super::source::{Alternative, Alternatives, Field, Model, Shape, Variant};
use super::{FOLDER, json};
use crate::docs::comment::Comment;
use crate::docs::markdown::{self, Links, cell, sentence_case};
use crate::docs::rust_types::RustType;
use crate::docs::sdk::Reference;
use crate::docs::{MARK, Page};

/// What the index says before its lists.
const INDEX: &str = "\
Every type that goes over the wire, from the source of `crates/protocol`, which the server and its \
clients share. The types alone need nothing but serde.

Readers are lenient, because the same types read the answers of other servers of this API: a field \
that is not required may be missing or `null`, unknown members are kept ([`Extra`](Extra.md)) and \
so are unknown words ([`Open`](Open.md)). What the server writes is exact: a field without a value \
is left out. On each page **Required** says what a reader or a request must have, and behind it \
when the server sends it. Every example is read and written again by a test.";

pub(super) fn of(library: &Library, model: &Model, operations: &[Reference]) -> Result<Page> {
    let writer = Writer { library, links: links(library), operations, model, text: String::new() };
    let page = writer.write();
    let text = page.with_context(|| format!("{}: {}", model.path, model.name))?;
    Ok(Page { path: format!("{FOLDER}/{}.md", model.name), text })
}

pub(super) fn index(library: &Library) -> Page {
    let lists: String = library.groups.iter().map(|group| list(group, &links(library))).collect();
    let text = format!("# Models\n\n{MARK}: each page tells its source. -->\n\n{INDEX}\n{lists}");
    Page { path: format!("{FOLDER}/README.md"), text }
}

fn list(group: &Group, links: &Links) -> String {
    let row = |model: &Model| {
        let sentence = cell(&markdown::links(&model.comment.first_sentence(), links));
        format!("| [`{name}`]({name}.md) | {sentence} |\n", name = model.name)
    };
    let rows: String = group.models.iter().map(row).collect();
    format!("\n## {}\n\n| Model | What it is |\n|---|---|\n{rows}", group.title)
}

struct Writer<'a> {
    library: &'a Library,
    links: Links<'a>,
    operations: &'a [Reference],
    model: &'a Model,
    text: String,
}

impl Writer<'_> {
    fn write(mut self) -> Result<String> {
        let (name, path) = (&self.model.name, &self.model.path);
        self.text = format!("# {name}\n\n{MARK} from {path}: change the comments there. -->\n");
        self.paragraph(&markdown::text(self.model.comment.introduction(), &self.links));
        self.operations();
        let users = self.library.users(name).map(|user| link(&user.name));
        let users: Vec<String> = users.collect();
        if !users.is_empty() {
            self.paragraph(&format!("Part of {}.", users.join(", ")));
        }
        self.shape()?;
        self.paragraph(&markdown::text(self.model.comment.sections(), &self.links));
        self.paragraph(&format!(
            "---\n\nSource: [`{path}`](../../{path}). All: [models](README.md)."
        ));
        Ok(self.text)
    }

    /// Which operations send the model, and which are answered with it or with what it is part of.
    fn operations(&mut self) {
        let name = &self.model.name;
        let holders: Vec<_> = self.library.users(name).map(|user| user.name.as_str()).collect();
        let answers = |operation: &&Reference| {
            let answer = operation.answer.as_deref().unwrap_or_default();
            answer == name || holders.contains(&answer)
        };
        let sends = |operation: &&Reference| operation.sends.contains(name);
        let is_record = matches!(self.model.shape, Shape::Object(_) | Shape::Either(_));
        let answered = listed(self.operations.iter().filter(|_| is_record).filter(answers));
        let sent = listed(self.operations.iter().filter(sends));
        if !answered.is_empty() {
            self.paragraph(&format!("Answered by {answered}."));
        }
        if !sent.is_empty() && answered.is_empty() {
            self.paragraph(&format!("Sent by {sent}."));
        }
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.push('\n');
            self.text.push_str(text.trim_end());
            self.text.push('\n');
        }
    }

    fn shape(&mut self) -> Result<()> {
        match &self.model.shape {
            Shape::Object(fields) => {
                self.examples(&examples::of(self.library, self.model)?);
                self.paragraph(&format!("## Fields\n\n{}", self.table(fields)));
            }
            Shape::Words(variants) => {
                let words: String = variants.iter().map(|word| self.word(word)).collect();
                self.paragraph(&format!(
                    "## Words\n\n| On the wire | In Rust | Meaning |\n|---|---|---|\n{words}"
                ));
            }
            Shape::Either(all) => {
                let examples = examples::of(self.library, self.model)?;
                for (alternative, example) in all.iter().zip(&examples) {
                    self.alternative(alternative, &example.value)?;
                }
            }
            Shape::Form(kinds) => {
                for kind in kinds {
                    self.form(kind)?;
                }
            }
            Shape::Value(inner) => {
                self.examples(&examples::of(self.library, self.model)?);
                if let Some(inner) = inner {
                    self.paragraph(&format!("In Rust it wraps {}.", self.rust(inner)));
                }
            }
            Shape::Variants(variants) => {
                self.examples(&examples::of(self.library, self.model)?);
                let rows: String = variants.iter().map(|variant| self.variant(variant)).collect();
                self.paragraph(&format!("## In Rust\n\n| Variant | Meaning |\n|---|---|\n{rows}"));
            }
        }
        Ok(())
    }

    fn examples(&mut self, examples: &[ModelExample]) {
        let title = if examples.len() == 1 { "## Example" } else { "## Examples" };
        self.paragraph(title);
        for example in examples {
            if let Some(label) = &example.label {
                self.paragraph(&format!("### {}", sentence_case(label)));
            }
            self.json(&example.value);
        }
    }

    fn json(&mut self, value: &Value) {
        self.paragraph(&format!("```json\n{}\n```", json::pretty(value)));
    }

    fn alternative(&mut self, alternative: &Alternative, example: &Value) -> Result<()> {
        self.paragraph(&format!("## {}", alternative.name));
        self.paragraph(&markdown::text(&alternative.comment.text, &self.links));
        self.json(example);
        match &alternative.members {
            Alternatives::Fields(fields) => self.paragraph(&self.table(fields)),
            Alternatives::Model(inner) => {
                self.library.find(&inner.name).context("an alternative is a model")?;
                self.paragraph(&format!("Its fields: {}.", self.rust(inner)));
            }
        }
        Ok(())
    }

    fn form(&mut self, kind: &Alternative) -> Result<()> {
        self.paragraph(&format!("## {}", kind.name));
        self.paragraph(&markdown::text(&kind.comment.text, &self.links));
        self.paragraph(&format!("```text\n{}\n```", examples::of_form(kind)?));
        if let Alternatives::Fields(fields) = &kind.members {
            self.paragraph(&self.table(fields));
        }
        Ok(())
    }

    fn table(&self, fields: &[Field]) -> String {
        let head = "| Field | Type | Required | Description | Example |\n|---|---|---|---|---|\n";
        let rows: String = fields.iter().map(|field| self.row(field)).collect();
        format!("{head}{rows}")
    }

    fn row(&self, field: &Field) -> String {
        let name = match (field.flattened, field.rust_type.present().name.as_str()) {
            (true, "Extra") => "any other".to_owned(),
            (true, inner) => format!("members of {}", link(inner)),
            (false, _) => format!("`{}`", field.name),
        };
        let json = if field.flattened && field.rust_type.name == "Extra" {
            "any".to_owned()
        } else {
            self.library.json_type_of(field)
        };
        let rust = self.rust(&field.rust_type);
        let description = cell(&markdown::text(&field.comment.text, &self.links));
        let required = cell(&markdown::text(&required(field), &self.links));
        let example = self.example(field);
        format!("| {name} | {json}<br>{rust} | {required} | {description} | {example} |\n")
    }

    /// The field's own value, or where the example of its type is.
    fn example(&self, field: &Field) -> String {
        let own = field.comment.examples.iter().map(|example| &example.value);
        let value = field.comment.example().or_else(|| own.into_iter().next());
        match (value, self.library.find(&field.rust_type.present().name)) {
            _ if field.rust_type.name == "Extra" => String::new(),
            _ if field.flattened => "above".to_owned(),
            (Some(value), _) => format!("`{}`", cell(&value.to_string())),
            (None, Some(model)) => self.value_of(model),
            (None, None) => "above".to_owned(),
        }
    }

    /// The example of a type whose values are short.
    fn value_of(&self, model: &Model) -> String {
        let is_short = matches!(model.shape, Shape::Value(_) | Shape::Words(_));
        let first = examples::of(self.library, model).ok().filter(|_| is_short);
        match first.and_then(|examples| examples.into_iter().next()) {
            Some(example) => format!("`{}`", cell(&example.value.to_string())),
            None => "above".to_owned(),
        }
    }

    fn word(&self, variant: &Variant) -> String {
        let meaning = self.meaning(&variant.comment);
        format!("| `\"{}\"` | `{}` | {meaning} |\n", variant.word, variant.name)
    }

    fn variant(&self, variant: &Variant) -> String {
        format!("| `{}` | {} |\n", variant.name, self.meaning(&variant.comment))
    }

    fn meaning(&self, comment: &Comment) -> String {
        cell(&markdown::text(&comment.text, &self.links))
    }

    fn rust(&self, rust_type: &RustType) -> String {
        rust_type.markdown(&|name| self.links.page(name))
    }
}

fn links(library: &Library) -> Links<'_> {
    Links { library, models: "" }
}

fn listed<'r>(operations: impl Iterator<Item = &'r Reference>) -> String {
    let links = operations.map(|found| format!("[{}]({})", found.name, found.address));
    links.collect::<Vec<_>>().join(", ")
}

fn link(name: &str) -> String {
    format!("[{name}]({name}.md)")
}

/// Who demands it, and when the server sends it.
fn required(field: &Field) -> String {
    let demanded = match &field.comment.required {
        Some(when) => when.clone(),
        None if field.required => "yes".to_owned(),
        None => "no".to_owned(),
    };
    match &field.comment.present {
        Some(when) => format!("{demanded}; sent {when}"),
        None => demanded,
    }
}
