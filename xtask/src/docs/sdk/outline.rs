//! What an operation sends, read from the function that makes its request.

use std::collections::BTreeMap;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprField, ExprLit, Lit, Macro, Member, Path, Token};

/// What a function says of a request, as far as it can be read without running it.
#[derive(Default)]
struct Words {
    /// `get` of `Outline::get`.
    methods: Vec<String>,
    /// Text that looks like a path.
    paths: Vec<String>,
    /// Every name in it.
    names: Vec<String>,
    /// It sends to the path that the operation was made with.
    has_own_path: bool,
}

impl<'ast> Visit<'ast> for Words {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let mut segments = function.path.segments.iter().rev();
            let (name, of) = (segments.next(), segments.next());
            if let (Some(name), Some(of)) = (name, of)
                && of.ident == "Outline"
            {
                self.methods.push(name.ident.to_string());
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_lit(&mut self, literal: &'ast ExprLit) {
        if let Lit::Str(text) = &literal.lit {
            let text = text.value();
            if text.starts_with('/') || text.starts_with("{PATH}") {
                self.paths.push(text);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.names.extend(path.segments.iter().map(|segment| segment.ident.to_string()));
        visit::visit_path(self, path);
    }

    fn visit_expr_field(&mut self, field: &'ast ExprField) {
        self.has_own_path |= matches!(&field.member, Member::Named(name) if name == "path");
        visit::visit_expr_field(self, field);
    }

    fn visit_macro(&mut self, found: &'ast Macro) {
        let arguments = found.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        for argument in arguments.iter().flatten() {
            self.visit_expr(argument);
        }
    }
}

/// The functions of a file by name, and its own path.
pub(super) struct Functions<'a> {
    pub(super) by_name: BTreeMap<String, &'a Block>,
    pub(super) path: Option<String>,
}

/// What is sent: `GET /api/v2/oauth/tokens/{id}`, and the names of what it is made of.
pub(super) struct Sent {
    pub(super) requests: Vec<String>,
    pub(super) names: Vec<String>,
}

/// Reads what `outline` sends for an operation that `method` makes.
pub(super) fn read(outline: &Block, method: &Block, functions: &Functions) -> Sent {
    let mut words = Words::default();
    words.visit_block(outline);
    let called: Vec<_> =
        words.names.iter().filter_map(|name| functions.by_name.get(name)).copied().collect();
    for function in called {
        words.visit_block(function);
    }
    let mut paths = words.paths;
    if words.has_own_path {
        let mut made = Words::default();
        made.visit_block(method);
        paths = made.paths;
    }
    if paths.is_empty() {
        paths.extend(functions.path.clone());
    }
    let whole = |path: &String| {
        let base = functions.path.as_deref().unwrap_or_default();
        path.replace("{PATH}", base).replace("{}", "{id}")
    };
    let methods = words.methods.iter().map(|method| method.to_uppercase());
    // All arms of one request have one method.
    let method = methods.into_iter().next().unwrap_or_default();
    let requests = paths.iter().map(|path| format!("{method} {}", whole(path))).collect();
    Sent { requests, names: words.names }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(outline: &str, method: &str) -> Vec<String> {
        let helper: Block = syn::parse_str("{ Outline::post(path).form(pairs) }").unwrap();
        let functions = Functions {
            by_name: BTreeMap::from([("about".to_owned(), &helper)]),
            path: Some("/tokens".to_owned()),
        };
        let outline: Block = syn::parse_str(outline).unwrap();
        read(&outline, &syn::parse_str(method).unwrap(), &functions).requests
    }

    #[test]
    fn the_request_of_an_operation_is_read_from_the_function_that_makes_it() {
        for (outline, method, expected) in [
            ("{ Ok(Outline::get(PATH)) }", "{}", "GET /tokens"),
            (
                "{ Ok(Outline::delete(format!(\"{PATH}/{}\", given(\"id\", self.id)?))) }",
                "{}",
                "DELETE /tokens/{id}",
            ),
            ("{ Outline::get(self.path) }", "{ List { path: \"/mine\" } }", "GET /mine"),
            ("{ Outline::get(self.path) }", "{ List { path: PATH } }", "GET /tokens"),
            ("{ about(\"/revoke\", &self.token) }", "{}", "POST /revoke"),
            ("{ let path = format!(\"{PATH}/x\"); Outline::put(path) }", "{}", "PUT /tokens/x"),
        ] {
            assert_eq!(requests(outline, method), [expected], "{outline}");
        }
    }
}
