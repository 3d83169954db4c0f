//! What one sees after signing out.

use askama::Template;

/// `/signed-out`.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage;
