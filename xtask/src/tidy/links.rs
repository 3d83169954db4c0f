//! Links to RFCs: one site, one form, so that a reader can follow every one of them.

use super::{Finding, TextFile};

const SITE: &str = "rfc-editor.org/";
const PREFIX: &str = "https://www.rfc-editor.org/rfc/rfc";

/// Older homes of the same texts, whose section anchors differ.
const OTHER_SITES: [&str; 3] =
    ["tools.ietf.org/html/rfc", "datatracker.ietf.org/doc/html/rfc", "ietf.org/rfc/rfc"];

const REMEDY: &str = "write https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3";

pub(super) fn check(file: &TextFile) -> Vec<Finding> {
    if file.path.starts_with("xtask/src/tidy") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if OTHER_SITES.iter().any(|site| line.contains(site)) {
            let message = format!("an RFC linked elsewhere than at rfc-editor.org: {REMEDY}");
            findings.push(Finding::of_line(&file.path, index, message));
        }
        let malformed = line.match_indices(SITE).find(|(at, _)| !is_well_formed(line, *at));
        if malformed.is_some() {
            let message = format!("not a well-formed RFC link: {REMEDY}");
            findings.push(Finding::of_line(&file.path, index, message));
        }
    }
    findings
}

/// `at` is where the site's name starts.
fn is_well_formed(line: &str, at: usize) -> bool {
    let Some(start) = at.checked_sub("https://www.".len()) else {
        return false;
    };
    let Some(rest) = line.get(start..).and_then(|link| link.strip_prefix(PREFIX)) else {
        return false;
    };
    let is_end = |character: char| {
        character.is_whitespace() || matches!(character, ')' | '>' | ']' | '"' | '`' | '<' | ',')
    };
    let address = rest.split(is_end).next().unwrap_or_default().trim_end_matches(['.', ';', ':']);
    let (document, anchor) = address.split_once('#').unwrap_or((address, "section-1"));
    let number = document.strip_suffix(".html").unwrap_or(document);
    is_number(number) && is_anchor(anchor)
}

fn is_number(text: &str) -> bool {
    (1..=5).contains(&text.len())
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `section-4.1.3`, `appendix-B`, `page-12`, `name-…` as the site itself makes them.
fn is_anchor(anchor: &str) -> bool {
    let kinds = ["section-", "appendix-", "page-", "name-"];
    let rest = kinds.iter().find_map(|kind| anchor.strip_prefix(kind));
    rest.is_some_and(|rest| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
        !rest.is_empty() && rest.bytes().all(allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::file;
    use super::*;

    fn findings(line: &str) -> usize {
        check(&file("a.rs", line)).len()
    }

    #[test]
    fn links_to_a_document_a_section_or_an_appendix_are_well_formed() {
        for link in [
            "//! <https://www.rfc-editor.org/rfc/rfc6749>",
            "// (https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3).",
            "// see https://www.rfc-editor.org/rfc/rfc7636#appendix-B, and more",
            "[RFC 9700](https://www.rfc-editor.org/rfc/rfc9700.html#name-replay) and \
             [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)",
        ] {
            assert_eq!(findings(link), 0, "{link}");
        }
    }

    #[test]
    fn other_forms_and_other_sites_are_refused() {
        for link in [
            "rfc-editor.org/rfc/rfc6749",
            "http://www.rfc-editor.org/rfc/rfc6749",
            "https://www.rfc-editor.org/rfc6749",
            "https://www.rfc-editor.org/rfc/rfc",
            "https://www.rfc-editor.org/rfc/rfc6749#4.1.3",
            "https://www.rfc-editor.org/rfc/rfc6749#section-",
            "https://tools.ietf.org/html/rfc6749",
            "https://datatracker.ietf.org/doc/html/rfc6749#section-4.1",
        ] {
            assert_eq!(findings(link), 1, "{link}");
        }
    }
}
