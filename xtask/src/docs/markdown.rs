//! Doc comments as Markdown of pages: links between items, code and headings differ.

use super::models::Library;

/// Where the links of a page lead.
pub(super) struct Links<'a> {
    pub(super) library: &'a Library,
    /// The folder of the models' pages, seen from the page, with a slash at its end.
    pub(super) models: &'static str,
}

impl Links<'_> {
    pub(super) fn page(&self, name: &str) -> Option<String> {
        self.library.page(name).map(|page| format!("{}{page}", self.models))
    }
}

/// The text of a comment as a page has it.
pub(super) fn text(comment: &str, to: &Links) -> String {
    let mut lines = Vec::new();
    let mut fence: Option<bool> = None;
    for line in comment.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let is_rust = matches!(language, "" | "rust" | "no_run");
                fence = Some(is_rust);
                lines.push(if is_rust { "```rust".to_owned() } else { line.to_owned() });
            }
            (Some(_), Some(_)) => {
                fence = None;
                lines.push(line.to_owned());
            }
            // What rustdoc compiles and does not show.
            (Some(true), None) if line == "#" || line.starts_with("# ") => {}
            (Some(_), None) => lines.push(line.to_owned()),
            // The page's own title is the first level.
            (None, None) if line.starts_with('#') => lines.push(format!("#{line}")),
            (None, None) => lines.push(standards(&links(line, to))),
        }
    }
    lines.join("\n")
}

const RFC_SITE: &str = "https://www.rfc-editor.org";

/// `RFC 6749 §5.1` as a link to that section.
fn standards(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, found)) = rest.split_once("RFC ") {
        let digits = found.len() - found.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = found.split_at(digits);
        let section = behind.strip_prefix(" §").unwrap_or_default();
        let is_end = |c: char| !c.is_ascii_digit() && c != '.';
        let section = section.split(is_end).next().unwrap_or_default().trim_end_matches('.');
        let name = match section {
            "" => format!("RFC {number}"),
            section => format!("RFC {number} §{section}"),
        };
        let anchor = if section.is_empty() { "" } else { "#section-" };
        let address = format!("[{name}]({RFC_SITE}/rfc/rfc{number}{anchor}{section})");
        text.push_str(before);
        text.push_str(if number.is_empty() { &name } else { &address });
        rest = found.get(name.len() - "RFC ".len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Rustdoc's links as links between pages: a model is a link to its page, a constant its value,
/// and everything else a name.
pub(super) fn links(line: &str, to: &Links) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, found)) = rest.split_once("[`") {
        text.push_str(before);
        let Some((name, behind)) = found.split_once("`]") else {
            text.push_str("[`");
            rest = found;
            continue;
        };
        let target = behind.strip_prefix('(').and_then(|behind| behind.split_once(')'));
        let (shown, behind) = match target {
            Some((target, behind)) if target.contains('.') => {
                (format!("[`{name}`]({target})"), behind)
            }
            Some((target, behind)) => (item(target, name, to), behind),
            None => (item(name, name, to), behind),
        };
        text.push_str(&shown);
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn item(path: &str, shown: &str, to: &Links) -> String {
    let name = path.rsplit("::").next().unwrap_or(path);
    if let Some(value) = to.library.constant(name) {
        return thousands(value);
    }
    if path.contains("RefusalKind::") {
        return format!("[`{shown}`](README.md#errors)");
    }
    match to.page(name) {
        Some(page) => format!("[`{shown}`]({page})"),
        None => format!("`{shown}`"),
    }
}

/// A number with its digits in groups; other text stays.
fn thousands(value: &str) -> String {
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.to_owned();
    }
    let mut text = String::new();
    for (index, digit) in value.chars().enumerate() {
        if index > 0 && (value.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text as a cell of a table has it: one line, and no block of code, for which there is no room.
pub(super) fn cell(text: &str) -> String {
    let prose: Vec<_> = text.split("```").step_by(2).map(str::trim).collect();
    prose.join("\n\n").trim().replace('|', "\\|").replace("\n\n", "<br>").replace('\n', " ")
}

pub(super) fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(comment: &str) -> String {
        let source = "pub const MANY: u32 = 100_000;\n/// A token.\n///\n/// Example: `1`\n\
                      #[derive(Serialize)]\npub struct Token(u8);";
        let library = Library::of("tokens.rs", source).unwrap();
        text(comment, &Links { library: &library, models: "../models/" })
    }

    #[test]
    fn links_of_rustdoc_lead_to_pages_or_are_names() {
        for (comment, expected) in [
            ("a [`Token`] b", "a [`Token`](../models/Token.md) b"),
            ("[`it`](crate::api::Token)", "[`it`](../models/Token.md)"),
            ("[`reveal`](Token::reveal)", "`reveal`"),
            ("up to [`MANY`].", "up to 100,000."),
            ("[`page`](https://a.test/) [`open", "[`page`](https://a.test/) [`open"),
        ] {
            assert_eq!(shown(comment), expected, "{comment}");
        }
    }

    #[test]
    fn standards_are_links_to_their_sections() {
        for (comment, expected) in [
            (
                "a (RFC 6749 §5.1).",
                "a ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).",
            ),
            ("RFC 7009. b", "[RFC 7009](https://www.rfc-editor.org/rfc/rfc7009). b"),
            ("an RFC says", "an RFC says"),
        ] {
            assert_eq!(shown(comment), expected);
        }
    }

    #[test]
    fn headings_are_one_level_down_and_code_shows_what_rustdoc_shows() {
        let comment = "# Life\n\n```\n# use x;\n#\nlet a = [`b`];\n```\n\n```json\n# x\n```";
        let expected = "## Life\n\n```rust\nlet a = [`b`];\n```\n\n```json\n# x\n```";
        assert_eq!(shown(comment), expected);
    }

    #[test]
    fn a_cell_is_one_line() {
        assert_eq!(cell("a | b\nc\n\nd"), "a \\| b c<br>d");
        assert_eq!(cell("a\n\n```rust\nlet b;\n```\n"), "a");
        assert_eq!(sentence_case("shown later"), "Shown later");
    }
}
