//! Rust types as pages write them: each name of a model is a link to its page.

use anyhow::{Result, bail};
use syn::{GenericArgument, PathArguments, Type};

/// A type by its name, without the path to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RustType {
    pub(super) name: String,
    pub(super) arguments: Vec<RustType>,
}

impl RustType {
    pub(super) fn read(written: &Type) -> Result<Self> {
        let Type::Path(path) = written else {
            bail!("a type that is not a name cannot be documented");
        };
        let Some(segment) = path.path.segments.last() else {
            bail!("a type without a name");
        };
        let mut arguments = Vec::new();
        if let PathArguments::AngleBracketed(list) = &segment.arguments {
            for argument in &list.args {
                if let GenericArgument::Type(argument) = argument {
                    arguments.push(Self::read(argument)?);
                }
            }
        }
        Ok(Self { name: segment.ident.to_string(), arguments })
    }

    /// The type in Markdown; `link` knows the page of a name.
    pub(super) fn markdown(&self, link: &dyn Fn(&str) -> Option<String>) -> String {
        let name = match link(&self.name) {
            Some(page) => format!("[{}]({page})", self.name),
            None => self.name.clone(),
        };
        if self.arguments.is_empty() {
            return name;
        }
        let arguments: Vec<_> = self.arguments.iter().map(|inner| inner.markdown(link)).collect();
        format!("{name}\\<{}\\>", arguments.join(", "))
    }

    /// Every name in it.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = vec![self.name.clone()];
        names.extend(self.arguments.iter().flat_map(Self::names));
        names
    }

    /// Whether this name is anywhere in it.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.name == name || self.arguments.iter().any(|inner| inner.mentions(name))
    }

    /// The type that is left when what may be missing is there.
    pub(super) fn present(&self) -> &Self {
        match (self.name.as_str(), self.arguments.as_slice()) {
            ("Option" | "Sent", [inner]) => inner.present(),
            _ => self,
        }
    }

    /// Whether a value may be missing.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.name.as_str(), "Option" | "Sent")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_in_a_type_are_links() {
        let written = syn::parse_str("std::option::Option<Vec<super::open::Open<Kind>>>").unwrap();
        let read = RustType::read(&written).unwrap();
        let link = |name: &str| (name == "Kind").then(|| "Kind.md".to_owned());
        assert_eq!(read.markdown(&link), r"Option\<Vec\<Open\<[Kind](Kind.md)\>\>\>");
        assert!(read.mentions("Kind") && read.mentions("Vec") && !read.mentions("Other"));
        assert_eq!(read.present().name, "Vec");
        assert!(RustType::read(&syn::parse_str("(u8, u8)").unwrap()).is_err());
    }
}
