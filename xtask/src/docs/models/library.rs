//! All types that go over the wire, by the files that they stand in.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

#[cfg(test)]
use super::source::Source;
use super::source::{self, Alternatives, Field, Model, Shape};
use crate::docs::rust_types::RustType;

/// The crate of the wire's types.
const CRATE: &str = "crates/protocol/src";

/// Which of a file's types have a page.
#[derive(PartialEq, Eq)]
enum Extent {
    All,
    /// Those that a type of another file is made of.
    Used,
}

/// The files by what they are about, in the order of the index.
const GROUPS: [(&str, Extent, &[&str]); 10] = [
    ("OAuth tokens", Extent::All, &["api/tokens.rs"]),
    (
        "Token endpoint and introspection",
        Extent::All,
        &[
            "oauth/token/request.rs",
            "oauth/token.rs",
            "oauth/jwt_access_token.rs",
            "oauth/introspection.rs",
        ],
    ),
    ("OAuth clients", Extent::All, &["api/clients.rs"]),
    ("Global clients", Extent::All, &["api/global_clients.rs"]),
    ("API tokens", Extent::All, &["api/api_tokens.rs"]),
    ("Users", Extent::All, &["api/users.rs"]),
    ("The server itself", Extent::All, &["oauth/metadata.rs"]),
    ("Pages of lists", Extent::All, &["api/pagination.rs"]),
    ("Errors", Extent::All, &["api/error.rs", "oauth/error.rs"]),
    (
        "Values",
        Extent::Used,
        &[
            "ids.rs",
            "time.rs",
            "api/secret_text.rs",
            "api/open.rs",
            "api/extra.rs",
            "api/request.rs",
        ],
    ),
];

/// The folders whose files all have pages.
const FOLDERS: [&str; 2] = ["api", "oauth"];

pub(crate) struct Library {
    pub(super) groups: Vec<Group>,
    constants: Vec<(String, String)>,
}

/// Types that are about one thing.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) models: Vec<Model>,
}

impl Library {
    pub(super) fn read(root: &Path) -> Result<Self> {
        all_files_are_listed(root)?;
        let mut library = Self { groups: Vec::new(), constants: Vec::new() };
        for (title, extent, files) in GROUPS {
            let mut models = Vec::new();
            for name in files {
                let path = format!("{CRATE}/{name}");
                let text = fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
                let source = source::read(&path, &text)?;
                models.extend(source.models);
                library.constants.extend(source.constants);
            }
            if extent == Extent::Used {
                models.retain(|model| library.users(&model.name).next().is_some());
            }
            library.groups.push(Group { title, models });
        }
        Ok(library)
    }

    #[cfg(test)]
    pub(crate) fn of(path: &str, text: &str) -> Result<Self> {
        let Source { models, constants } = source::read(path, text)?;
        Ok(Self { groups: vec![Group { title: "Tokens", models }], constants })
    }

    pub(super) fn models(&self) -> impl Iterator<Item = &Model> {
        self.groups.iter().flat_map(|group| &group.models)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Model> {
        self.models().find(|model| model.name == name)
    }

    /// The page of a model, relative to its folder.
    pub(crate) fn page(&self, name: &str) -> Option<String> {
        self.find(name).map(|model| format!("{}.md", model.name))
    }

    /// The value of a constant, as the source writes it.
    pub(crate) fn constant(&self, name: &str) -> Option<&str> {
        let found = self.constants.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Models that have this one among their members.
    pub(super) fn users(&self, name: &str) -> impl Iterator<Item = &Model> {
        self.models().filter(move |model| model.name != name && uses(model, name))
    }

    /// What JSON calls the values of a field. A type that is no model is told by the example.
    pub(super) fn json_type_of(&self, field: &Field) -> String {
        let by_type = self.json_type(&field.rust_type);
        match field.comment.example() {
            Some(example) if by_type == ANY => json_type(example).to_owned(),
            _ => by_type,
        }
    }

    fn json_type(&self, rust_type: &RustType) -> String {
        let rust_type = rust_type.present();
        let inner = || rust_type.arguments.last().map(|inner| self.json_type(inner));
        match rust_type.name.as_str() {
            "Vec" => format!("array of {}", inner().unwrap_or_default()),
            "BTreeMap" => format!("object of {}", inner().unwrap_or_default()),
            "String" => "string".to_owned(),
            "bool" => "boolean".to_owned(),
            "u8" | "u16" | "u32" | "u64" | "i64" => "integer".to_owned(),
            "Open" => inner().unwrap_or_default(),
            name => self.find(name).map_or(ANY, json_type_of_model).to_owned(),
        }
    }
}

/// Any value at all.
const ANY: &str = "any";

fn json_type_of_model(model: &Model) -> &'static str {
    match &model.shape {
        Shape::Object(_) | Shape::Either(_) | Shape::Form(_) => "object",
        Shape::Words(_) => "string",
        Shape::Value(_) | Shape::Variants(_) => model.comment.example().map_or(ANY, json_type),
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Number(_) => "integer",
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::Bool(_) => "boolean",
        Value::Null => ANY,
    }
}

/// Whether a model has a member of this type.
fn uses(model: &Model, name: &str) -> bool {
    let in_alternative = |alternative: &source::Alternative| match &alternative.members {
        Alternatives::Fields(fields) => fields.iter().any(|f| f.rust_type.mentions(name)),
        Alternatives::Model(model) => model.mentions(name),
    };
    match &model.shape {
        Shape::Object(fields) => fields.iter().any(|field| field.rust_type.mentions(name)),
        Shape::Either(all) | Shape::Form(all) => all.iter().any(in_alternative),
        Shape::Value(inner) => inner.as_ref().is_some_and(|inner| inner.mentions(name)),
        Shape::Words(_) | Shape::Variants(_) => false,
    }
}

/// A type in a file that nobody listed would silently have no page.
fn all_files_are_listed(root: &Path) -> Result<()> {
    for folder in FOLDERS {
        for entry in fs::read_dir(root.join(CRATE).join(folder))? {
            let file = entry?.path();
            let file_name = file.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{folder}/{file_name}");
            let is_rust = file.extension().is_some_and(|extension| extension == "rs");
            if !is_rust || GROUPS.iter().any(|(_, _, files)| files.contains(&name.as_str())) {
                continue;
            }
            let path = format!("{CRATE}/{name}");
            let found = source::read(&path, &fs::read_to_string(root.join(&path))?)?;
            if let Some(model) = found.models.first() {
                bail!(
                    "{path} has {} for the wire and no place in the index: \
                     add the file to xtask/src/docs/models/library.rs",
                    model.name
                );
            }
        }
    }
    Ok(())
}
