//! `docs/sdk/`: a page for every resource of `crates/client`, a section for every operation.
//!
//! A resource is a file of `src/resources/`; the public methods of its type are the operations, and
//! those of `Call<'_, C, …>` in the same file their options. The example of an operation is the
//! body of the function of its name in `examples/operations/`, which the tests of the crate run
//! against the real server. An operation without one is an error.

mod outline;
mod page;
mod source;
mod text;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Page;
use super::models::Library;
use source::Resource;

/// Where the pages lie.
pub(super) const FOLDER: &str = "docs/sdk";
/// The crate that they are about.
const CRATE: &str = "crates/client";

/// The resources, in the order of the index.
const RESOURCES: &str = "src/resources.rs";

/// What the pages are made of.
pub(super) struct Sdk {
    resources: Vec<Resource>,
    /// Files of the crate that the index is made of.
    files: page::Files,
}

/// An operation as another page names it.
pub(super) struct Reference {
    /// Its name with that of its resource: `oauth_tokens.show`.
    pub(super) name: String,
    /// Seen from `docs/models/`.
    pub(super) address: String,
    /// The model that answers it.
    pub(super) answer: Option<String>,
    /// The names of what it is made of.
    pub(super) sends: Vec<String>,
}

pub(super) fn read(root: &Path) -> Result<Sdk> {
    let read = |path: &str| {
        let path = format!("{CRATE}/{path}");
        fs::read_to_string(root.join(&path)).context(path)
    };
    let mut resources = Vec::new();
    for name in text::accessors(&read(RESOURCES)?) {
        let path = format!("src/resources/{name}.rs");
        let example_path = format!("examples/operations/{name}.rs");
        let file = source::File { path: format!("{CRATE}/{path}"), text: read(&path)? };
        let examples = source::File {
            path: format!("{CRATE}/{example_path}"),
            text: read(&example_path).unwrap_or_default(),
        };
        resources.push(source::read(&name, &file, &examples)?);
    }
    let files = page::Files {
        library: read("src/lib.rs")?,
        blocking: read("src/blocking.rs")?,
        call: read("src/call.rs")?,
        refusal: read("src/refusal.rs")?,
        error: read("src/error.rs")?,
    };
    Ok(Sdk { resources, files })
}

impl Sdk {
    /// Every operation, for the pages of the models that it sends and answers.
    pub(super) fn references(&self) -> Vec<Reference> {
        let of = |resource: &Resource| {
            let name = resource.name.clone();
            let reference = move |operation: &source::Operation| Reference {
                name: format!("{name}.{}", operation.name),
                address: format!("../sdk/{name}.md#{}", operation.name),
                answer: operation.answer.clone(),
                sends: operation.sends.clone(),
            };
            resource.operations.iter().map(reference).collect::<Vec<_>>()
        };
        self.resources.iter().flat_map(of).collect()
    }

    pub(super) fn pages(&self, library: &Library) -> Result<Vec<Page>> {
        let mut pages = vec![page::index(library, &self.resources, &self.files)?];
        pages.extend(self.resources.iter().map(|resource| page::of(library, resource)));
        Ok(pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = r#"
//! Token records: `/api/v2/tokens`.

const PATH: &str = "/api/v2/tokens";

/// Tokens.
pub struct Tokens<'c, C> {
    client: &'c C,
}

impl<'c, C> Tokens<'c, C> {
    /// Lists tokens.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): not for you.
    pub fn list(&self) -> Call<'c, C, ListTokens> {
        Call::new(self.client, ListTokens { all: false })
    }

    /// Makes one.
    pub fn create(&self, request: Ask) -> Call<'c, C, CreateToken> {
        Call::new(self.client, CreateToken { request })
    }
}

pub struct ListTokens { all: bool }

impl<C> Call<'_, C, ListTokens> {
    /// Everybody's; only the caller's without it.
    pub fn all(mut self, all: bool) -> Self {
        self
    }
}

impl Operation for ListTokens {
    type Answer = Token;
    fn outline(&self) -> R { Outline::get(PATH) }
}

impl List for ListTokens {}

pub struct CreateToken { request: Ask }

impl Operation for CreateToken {
    type Answer = ();
    fn outline(&self) -> R { Outline::post(format!("{PATH}/{}", 1)).json(&self.request) }
}
"#;

    const EXAMPLES: &str = "\
//! Tokens.

pub(crate) async fn list(client: &Client) -> Result<(), Error> {
    client.tokens().list().await?;
    Ok(())
}

pub(crate) async fn create(client: &Client) -> Result<(), Error> {
    client.tokens().create(Ask).await
}
";

    fn read_of(examples: &str) -> Result<Resource> {
        let file =
            |path: &str, text: &str| source::File { path: path.to_owned(), text: text.to_owned() };
        source::read("tokens", &file("a/tokens.rs", RESOURCE), &file("b/tokens.rs", examples))
    }

    fn library() -> Library {
        let source = "/// A token.\n///\n/// Example: `1`\n#[derive(Serialize)]\n\
                      pub struct Token(u8);";
        Library::of("tokens.rs", source).unwrap()
    }

    #[test]
    fn a_section_tells_everything_of_its_operation() {
        let page = page::of(&library(), &read_of(EXAMPLES).unwrap());
        assert_eq!(page.path, "docs/sdk/tokens.md");
        for part in [
            "# tokens\n\n<!-- Generated by `cargo xtask docs` from a/tokens.rs",
            "| [list](tokens.md#list) | `GET /api/v2/tokens` | [Token](../models/Token.md) |\n",
            "| [create](tokens.md#create) | `POST /api/v2/tokens/{id}` | nothing |\n",
            "## list\n\n`GET /api/v2/tokens`\n\nLists tokens.\n\n```rust\npub fn list(&self)",
            "| `all` | `all: bool` | Everybody's; only the caller's without it. |\n\nAnd those of \
             [every list]",
            "**Example**\n\n```rust\nclient.tokens().list().await?;\n```\n",
            "**Answer**: [Token](../models/Token.md)\n",
            "[`Forbidden`](README.md#errors): not for you.\n\nAnd those of [every call]",
            "**Answer**: nothing\n\n**Errors**\n\nThose of [every call]",
        ] {
            assert!(page.text.contains(part), "{part}\n\nis not in\n\n{}", page.text);
        }
    }

    #[test]
    fn an_operation_without_an_example_is_an_error_that_says_where_it_belongs() {
        let error = read_of(&EXAMPLES.replace("fn create", "fn make")).map(|_| ()).unwrap_err();
        let text = "a/tokens.rs: create has no example: write `async fn create` into b/tokens.rs";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn models_know_the_operations_that_send_and_answer_them() {
        let resources = vec![read_of(EXAMPLES).unwrap()];
        let empty = String::new;
        let files = page::Files {
            library: empty(),
            blocking: empty(),
            call: empty(),
            refusal: empty(),
            error: empty(),
        };
        let references = Sdk { resources, files }.references();
        let names: Vec<_> = references.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["tokens.list", "tokens.create"]);
        assert_eq!(references[0].answer.as_deref(), Some("Token"));
        assert_eq!(references[0].address, "../sdk/tokens.md#list");
        assert!(references[1].sends.iter().any(|name| name == "Ask"));
    }
}
