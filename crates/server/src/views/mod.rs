//! What the pages look like and what they say: one struct of plain data per page, rendered by the
//! template of the same name in `templates/`.
//!
//! * Nothing here decides, reads a store or knows a request; handlers fill the structs.
//! * Pages hold no script and no inline style, so that a policy of `default-src 'none'` with
//!   `style-src 'self'` and `img-src 'self'` fits them all. Pages that need more say so:
//!   [`ConsentPage::form_action_source`], [`ConsentPage::image_source`],
//!   [`ConnectionsPage::image_sources`].
//! * Text from outside (names, addresses) is escaped by the template engine, isolated from the
//!   direction of the text around it, and may break anywhere.
//! * Every form posts a `page_token` (protection against forged requests) that the handler makes
//!   and checks.

mod assets;
mod connections;
mod consent;
mod error;
mod home;
mod layout;
mod scope_words;
mod sign_in;
mod signed_out;

#[cfg(test)]
mod tests;

pub use self::{
    assets::{Asset, assets},
    connections::{Connection, ConnectionsNotice, ConnectionsPage, Ending},
    consent::{ConsentPage, Destination, form_action_source},
    error::{ErrorPage, Problem},
    home::{HomePage, Viewer},
    layout::{ClientSummary, Logo, SignedInUser, SiteNotice, render},
    scope_words::{ScopeKind, ScopeWords, describe_scope},
    sign_in::{SignInMessage, SignInPage},
    signed_out::SignedOutPage,
};
