//! Records as pages show them.

use tokenry_core::{client::Client, user::User};

use crate::views::{ClientSummary, Logo, SignedInUser};

/// A client.
pub fn client(client: &Client) -> ClientSummary {
    ClientSummary {
        name: client.name.clone(),
        company: client.company.clone().filter(|name| !name.is_empty()),
        logo: client.logo_url.as_deref().and_then(Logo::parse),
    }
}

/// The user who is signed in.
pub fn user(user: &User) -> SignedInUser {
    SignedInUser { name: user.name.clone(), email: user.email.clone() }
}
