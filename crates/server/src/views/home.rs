//! The start page: what this server is.

use askama::Template;

use super::layout::SignedInUser;

/// `/`.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// Who looks at it.
    pub viewer: Viewer,
}

/// Whether somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody.
    SignedOut,
    /// This user; the page token is for the form that posts to `/sign-out`.
    SignedIn {
        /// Who.
        user: SignedInUser,
        /// For the form.
        page_token: String,
    },
}
