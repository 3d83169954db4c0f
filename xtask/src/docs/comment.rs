//! Doc comments, and the convention by which they tell a page more than rustdoc needs.
//!
//! The last paragraphs of a comment may be of these:
//!
//! ```text
//! Present: when the token expires.
//!
//! Required: to create.
//!
//! Example: `"2026-03-02T09:15:04Z"`; created: `"2026-03-05T12:00:00Z"`
//! ```
//!
//! An example is JSON. What has a label belongs to the example of that name alone, and what has
//! none to the page's first one; `created and shown:` is two labels.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A doc comment, taken apart.
#[derive(Default, Clone)]
pub(super) struct Comment {
    /// Markdown, without the paragraphs below.
    pub(super) text: String,
    /// When the server sends it.
    pub(super) present: Option<String>,
    /// When a request must have it.
    pub(super) required: Option<String>,
    pub(super) examples: Vec<Example>,
}

/// A value, and which of several examples it belongs to.
#[derive(Clone)]
pub(super) struct Example {
    pub(super) labels: Vec<String>,
    pub(super) value: Value,
}

impl Comment {
    pub(super) fn read(attributes: &[Attribute]) -> Result<Self> {
        Self::parse(&text(attributes))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut comment = Self::default();
        let mut kept = Vec::new();
        for paragraph in paragraphs(text) {
            let line = paragraph.replace('\n', " ");
            if let Some(examples) = line.strip_prefix("Example: ") {
                comment.examples = parse_examples(examples)?;
            } else if let Some(present) = line.strip_prefix("Present: ") {
                comment.present = Some(present.trim_end_matches('.').to_owned());
            } else if let Some(required) = line.strip_prefix("Required: ") {
                comment.required = Some(required.trim_end_matches('.').to_owned());
            } else {
                kept.push(paragraph);
            }
        }
        comment.text = kept.join("\n\n");
        Ok(comment)
    }

    /// The name in code that the text begins with, where it does: the name of a parameter.
    pub(super) fn leading_code(&self) -> Option<&str> {
        self.text.strip_prefix('`')?.split('`').next()
    }

    /// The text behind the name that it begins with.
    pub(super) fn behind_leading_code(&self) -> &str {
        match self.leading_code() {
            Some(code) => {
                let rest = self.text.get(code.len() + 2..).unwrap_or_default();
                rest.trim_start_matches([':', ',', ';', ' '])
            }
            None => &self.text,
        }
    }

    /// What stands before the first heading.
    pub(super) fn introduction(&self) -> &str {
        self.text.split_once("\n\n# ").map_or(&self.text, |(introduction, _)| introduction)
    }

    /// The first heading and what follows.
    pub(super) fn sections(&self) -> &str {
        let at = self.introduction().len();
        self.text.get(at..).unwrap_or_default().trim_start()
    }

    /// The first sentence, for lists.
    pub(super) fn first_sentence(&self) -> String {
        let paragraph = self.text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        match paragraph.split_once(". ") {
            Some((sentence, _)) => format!("{sentence}."),
            None => paragraph,
        }
    }

    /// The value of the page's first example.
    pub(super) fn example(&self) -> Option<&Value> {
        self.labelled(None)
    }

    /// The value of the example of this label.
    pub(super) fn labelled(&self, label: Option<&str>) -> Option<&Value> {
        let belongs = |example: &&Example| match label {
            None => example.labels.is_empty(),
            Some(label) => example.labels.iter().any(|own| own == label),
        };
        self.examples.iter().find(belongs).map(|example| &example.value)
    }
}

/// The text of `///` and `//!` lines.
fn text(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> = lines
        .map(|line| line.strip_prefix(' ').map(str::to_owned).unwrap_or(line).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// Paragraphs; what is fenced as code is one, blank lines and all.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let (mut fenced, mut begins) = (false, true);
    for line in text.lines() {
        if line.is_empty() && !fenced {
            begins = true;
            continue;
        }
        fenced ^= line.starts_with("```");
        match paragraphs.last_mut() {
            Some(last) if !begins => {
                last.push('\n');
                last.push_str(line);
            }
            _ => paragraphs.push(line.to_owned()),
        }
        begins = false;
    }
    paragraphs
}

fn parse_examples(mut text: &str) -> Result<Vec<Example>> {
    let mut examples = Vec::new();
    while !text.trim().is_empty() {
        let mut parts = text.splitn(3, '`');
        let (Some(label), Some(json), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            bail!("Example: {text} is not JSON between backticks");
        };
        let label = label.trim().trim_end_matches(':');
        let labels = label.split(" and ").filter(|label| !label.is_empty());
        examples.push(Example {
            labels: labels.map(str::to_owned).collect(),
            value: serde_json::from_str(json).with_context(|| format!("Example: {json}"))?,
        });
        text = rest.trim_start_matches([';', '.', ' ']);
    }
    Ok(examples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_paragraphs_are_taken_out_of_the_text() {
        let comment = Comment::parse(
            "When it\nexpires.\n\nPresent: when it\nexpires.\n\nRequired: to create.\n\n\
             Example: `\"a\"`; created and shown: `[1,\n2]`",
        )
        .unwrap();
        assert_eq!(comment.text, "When it\nexpires.");
        assert_eq!(comment.present.as_deref(), Some("when it expires"));
        assert_eq!(comment.required.as_deref(), Some("to create"));
        assert_eq!(comment.example(), Some(&"a".into()));
        for label in ["created", "shown"] {
            assert_eq!(comment.labelled(Some(label)), Some(&serde_json::json!([1, 2])));
        }
        assert_eq!(comment.labelled(Some("else")), None);
    }

    #[test]
    fn an_example_that_is_not_json_is_an_error() {
        for text in ["Example: `{`", "Example: 7", "Example: `7"] {
            assert!(Comment::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn code_is_one_paragraph_and_headings_part_the_text() {
        let text = "One. Two.\n\n# More\n\n```\nlet a = 1;\n\nlet b = 2;\n```";
        let comment = Comment::parse(text).unwrap();
        assert_eq!(comment.text, text);
        assert_eq!(comment.first_sentence(), "One.");
        assert_eq!(comment.introduction(), "One. Two.");
        assert!(comment.sections().starts_with("# More\n\n```\nlet a"));
    }

    #[test]
    fn the_name_of_a_parameter_is_what_its_text_begins_with() {
        let comment = Comment::parse("`page[size]`: how many.").unwrap();
        assert_eq!(comment.leading_code(), Some("page[size]"));
        assert_eq!(comment.behind_leading_code(), "how many.");
        assert_eq!(Comment::parse("How many.").unwrap().leading_code(), None);
    }
}
