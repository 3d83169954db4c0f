//! What serde is told about a type, a field or a variant.

use anyhow::{Result, bail};
use syn::{Attribute, Expr, LitStr, Path, Token, punctuated::Punctuated};

/// The words of `#[serde(…)]` that change what is on the wire.
#[derive(Default)]
pub(super) struct SerdeWords {
    pub(super) rename: Option<String>,
    rename_all: Option<String>,
    flags: Vec<String>,
}

impl SerdeWords {
    pub(super) fn are_derived(attributes: &[Attribute]) -> bool {
        attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|derive| {
            let list = derive.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated);
            let is_serde = |path: &Path| {
                path.segments
                    .last()
                    .is_some_and(|last| last.ident == "Serialize" || last.ident == "Deserialize")
            };
            list.is_ok_and(|list| list.iter().any(is_serde))
        })
    }

    pub(super) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut words = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let word = meta.path.require_ident()?.to_string();
                match word.as_str() {
                    "rename" => words.rename = Some(meta.value()?.parse::<LitStr>()?.value()),
                    "rename_all" => {
                        words.rename_all = Some(meta.value()?.parse::<LitStr>()?.value());
                    }
                    "flatten" | "skip" | "transparent" | "untagged" | "default" => {
                        words.flags.push(word);
                    }
                    "skip_serializing_if" | "deserialize_with" | "try_from" | "into" | "with" => {
                        meta.value()?.parse::<Expr>()?;
                    }
                    other => return Err(meta.error(format!("serde({other}) is not known here"))),
                }
                Ok(())
            })?;
        }
        Ok(words)
    }

    /// Whether a word without a value is there.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    pub(super) fn rename_variant(&self, name: &str) -> Result<String> {
        match self.rename_all.as_deref() {
            None => Ok(name.to_owned()),
            Some("lowercase") => Ok(name.to_ascii_lowercase()),
            Some("snake_case") => Ok(snake_case(name)),
            Some(other) => bail!("rename_all = \"{other}\" is not known here"),
        }
    }
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
