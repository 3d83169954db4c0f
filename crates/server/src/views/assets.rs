//! Files that pages refer to. They are part of the binary; their addresses name their content, so
//! that browsers may keep them for ever.

use std::{fmt::Write, sync::LazyLock};

use sha2::{Digest, Sha256};

/// A file that is the same for everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Where pages look for it, without the query that names its content.
    pub path: &'static str,
    /// With its charset where there is one.
    pub content_type: &'static str,
    /// The whole file.
    pub bytes: &'static [u8],
}

const STYLESHEET: Asset = Asset {
    path: "/assets/tokenry.css",
    content_type: "text/css; charset=utf-8",
    bytes: include_bytes!("../../assets/tokenry.css"),
};

const MARK: Asset = Asset {
    path: "/assets/mark.svg",
    content_type: "image/svg+xml",
    bytes: include_bytes!("../../assets/mark.svg"),
};

const ALL: [Asset; 2] = [STYLESHEET, MARK];

/// Every asset, for the router.
pub fn assets() -> &'static [Asset] {
    &ALL
}

/// The stylesheet's address with the hash of its content.
pub(super) fn stylesheet_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| STYLESHEET.href());
    &HREF
}

/// The product mark's address with the hash of its content.
pub(super) fn mark_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| MARK.href());
    &HREF
}

impl Asset {
    /// The address with the hash of its content, under which a browser may keep it for ever.
    pub fn href(&self) -> String {
        let mut href = format!("{}?v=", self.path);
        for byte in Sha256::digest(self.bytes).iter().take(6) {
            // Writing to a `String` cannot fail.
            let _ = write!(href, "{byte:02x}");
        }
        href
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_changes_with_the_content() {
        let changed = Asset { bytes: b"changed", ..STYLESHEET };
        assert_ne!(STYLESHEET.href(), changed.href());
        let (path, hash) = stylesheet_href().split_once("?v=").unwrap();
        assert_eq!(path, STYLESHEET.path);
        assert_eq!(hash.len(), 12);
        assert!(assets().iter().any(|asset| asset.path == path));
    }

    #[test]
    fn the_stylesheet_asks_for_nothing_else() {
        let css = std::str::from_utf8(STYLESHEET.bytes).unwrap();
        for word in ["@import", "@font-face", "http:", "https:", "url("] {
            assert!(!css.contains(word), "{word}");
        }
    }
}
