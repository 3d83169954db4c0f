//! Files that the pages refer to: their own, below `/twin/assets/`, and the server's.

use std::sync::LazyLock;

use tokenry_server::views::{self, Asset};

const STYLESHEET: Asset = Asset {
    path: "/twin/assets/twin.css",
    content_type: "text/css; charset=utf-8",
    bytes: include_bytes!("../../assets/twin.css"),
};

const COPY_SCRIPT: Asset = Asset {
    path: "/twin/assets/copy.js",
    content_type: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../../assets/copy.js"),
};

const JOURNAL_SCRIPT: Asset = Asset {
    path: "/twin/assets/journal.js",
    content_type: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../../assets/journal.js"),
};

const ALL: [Asset; 3] = [STYLESHEET, COPY_SCRIPT, JOURNAL_SCRIPT];

/// The files that a double serves besides those of its server.
pub fn assets() -> &'static [Asset] {
    &ALL
}

pub(super) fn twin_stylesheet_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| STYLESHEET.href());
    &HREF
}

pub(super) fn copy_script_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| COPY_SCRIPT.href());
    &HREF
}

pub(super) fn journal_script_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| JOURNAL_SCRIPT.href());
    &HREF
}

pub(super) fn stylesheet_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| server_href("/assets/tokenry.css"));
    &HREF
}

pub(super) fn mark_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| server_href("/assets/mark.svg"));
    &HREF
}

/// The server's own address of one of its files, which names the content.
fn server_href(path: &str) -> String {
    let asset = views::assets().iter().find(|asset| asset.path == path);
    asset.map_or_else(|| path.to_owned(), Asset::href)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_names_its_content() {
        let hrefs = [
            twin_stylesheet_href(),
            copy_script_href(),
            journal_script_href(),
            stylesheet_href(),
            mark_href(),
        ];
        for href in hrefs {
            let (path, hash) = href.split_once("?v=").unwrap();
            let mut all = assets().iter().chain(views::assets());
            assert!(all.any(|asset| asset.path == path), "{path}");
            assert_eq!(hash.len(), 12);
        }
    }

    #[test]
    fn scripts_and_styles_ask_for_nothing_else_and_set_nothing_but_text() {
        for asset in assets() {
            let text = str::from_utf8(asset.bytes).unwrap();
            for word in [
                "@import",
                "@font-face",
                "http:",
                "https:",
                "url(",
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "eval",
                "import(",
                "document.write",
            ] {
                assert!(!text.contains(word), "{}: {word}", asset.path);
            }
        }
    }
}
