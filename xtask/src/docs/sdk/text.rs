//! Pieces of source as they are written, which syn does not keep. All of it is formatted by
//! rustfmt, so that indentation says where a piece ends.

/// The methods by which a client gives its resources, in their order.
pub(super) fn accessors(text: &str) -> Vec<String> {
    let accessor = |line: &str| {
        let (name, _) = line.trim_start().strip_prefix("pub const fn ")?.split_once('(')?;
        Some(name.to_owned())
    };
    text.lines().filter_map(accessor).collect()
}

/// A block of the first level from its first line on, which begins so, to its end.
pub(super) fn block<'t>(text: &'t str, beginning: &str) -> Option<&'t str> {
    let at = text.find(&format!("\n{beginning}")).map(|at| at + 1)?;
    let rest = text.get(at..)?;
    let end = rest.find("\n}").unwrap_or(rest.len());
    rest.get(..end)
}

/// The signature of a public method in a block, without its indentation and its brace.
pub(super) fn signature(block: &str, name: &str) -> Option<String> {
    let is_after = |at: &usize| {
        let behind = block.get(at + "    pub fn ".len() + name.len()..);
        behind.is_some_and(|behind| behind.starts_with(['(', '<']))
    };
    let beginning = format!("    pub fn {name}");
    let at = block.match_indices(&beginning).map(|(at, _)| at).find(is_after)?;
    let written = block.get(at..)?.split(" {\n").next()?;
    let lines = written.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// What a method takes beside itself: `id: impl IntoId<TokenId>`.
pub(super) fn arguments(signature: &str) -> Vec<String> {
    let line: String = signature.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut depth = 0_i32;
    let mut arguments = vec![String::new()];
    for letter in line.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match (letter, depth) {
            (')', 0) => break,
            (_, 0) | ('(', 1) => {}
            _ => {
                if let Some(last) = arguments.last_mut() {
                    last.push(letter);
                }
            }
        }
        let is_whole =
            |argument: &String| argument.matches('<').count() == argument.matches('>').count();
        if letter == ',' && depth == 1 && arguments.last().is_some_and(is_whole) {
            arguments.push(String::new());
        }
    }
    // A generic parameter is named by what it must be.
    let generic = line.split_once('(').and_then(|(head, _)| head.split_once('<'));
    let generic = generic.and_then(|(_, list)| list.strip_suffix('>')?.split_once(": "));
    if let Some((parameter, bound)) = generic {
        for argument in &mut arguments {
            *argument = argument.replace(&format!("= {parameter}>"), &format!("= impl {bound}>"));
        }
    }
    let trimmed = arguments.iter().map(|argument| argument.trim().trim_end_matches(','));
    let own = trimmed.filter(|argument| !argument.is_empty() && !argument.ends_with("self"));
    own.map(str::to_owned).collect()
}

/// The body of a function of the first level, without its indentation and its last `Ok(())`.
pub(super) fn body(text: &str, name: &str) -> Option<String> {
    let mut functions = text.split("\n}").map(str::trim_start);
    let is_it = |piece: &&str| piece.contains(&format!("async fn {name}("));
    let function = functions.find(is_it)?;
    let (_, body) = function.split_once(&format!("async fn {name}("))?;
    let (_, body) = body.split_once("{\n")?;
    let lines: Vec<_> =
        body.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let shown = match lines.as_slice() {
        [shown @ .., "Ok(())"] => shown,
        all => all,
    };
    Some(shown.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! Tokens.

impl Tokens {
    /// Lists.
    pub fn list_all(&self) {}

    pub fn list<S: Into<String>>(
        &self,
        map: impl Into<Map<u8, S>>,
        page: u32,
    ) -> Call<S> {
        go()
    }
}
";

    #[test]
    fn a_signature_is_kept_as_it_is_written() {
        let block = block(SOURCE, "impl Tokens").unwrap();
        let signature = signature(block, "list").unwrap();
        assert!(
            signature.starts_with("pub fn list<S: Into<String>>(\n    &self,\n"),
            "{signature}"
        );
        assert!(signature.ends_with("\n) -> Call<S>"), "{signature}");
        assert_eq!(arguments(&signature), ["map: impl Into<Map<u8, S>>", "page: u32"]);
        let generic = "pub fn scopes<S: Into<String>>(mut self, all: impl Iterator<Item = S>) -> A";
        assert_eq!(arguments(generic), ["all: impl Iterator<Item = impl Into<String>>"]);
        assert_eq!(arguments("pub fn all(mut self, all: bool) -> Self"), ["all: bool"]);
        assert_eq!(arguments("pub fn list(&self) -> Call<'c, C, List>"), [""; 0]);
    }

    #[test]
    fn an_example_is_the_body_of_its_function() {
        let text = "\
use a;

pub(crate) async fn show(id: u64) -> R {
    if a {
        b;
    }
    Ok(())
}

async fn show_all() -> R {
    c()
}
";
        assert_eq!(body(text, "show").as_deref(), Some("if a {\n    b;\n}"));
        assert_eq!(body(text, "show_all").as_deref(), Some("c()"));
        assert_eq!(body(text, "hide"), None);
        let text = "pub mod b;\n    pub const fn b(\n  &self,\n    pub const fn a(&self) {\n";
        assert_eq!(accessors(text), ["b", "a"]);
    }
}
