//! Who takes part in the demo.

use tokenry_core::user::Role;
use tokenry_server::{
    accounts::{self, CreatedUser, NewUser},
    node::Node,
};

/// Who takes part.
pub(crate) struct Cast {
    /// The public address of the server.
    pub(crate) base: String,
    /// An administrator.
    pub(crate) administrator: CreatedUser,
    /// A user who consents.
    pub(crate) user: CreatedUser,
}

impl Cast {
    /// Fresh accounts at every run, so that a folder can be used again.
    pub(crate) async fn of(node: &Node, base: &str) -> anyhow::Result<Self> {
        let run = node.state.now().as_seconds();
        let person = |name: &str, role| NewUser {
            email: format!("{}-{run}@example.com", name.to_lowercase()),
            name: name.to_owned(),
            role,
            password: None,
        };
        Ok(Self {
            base: base.to_owned(),
            administrator: accounts::create(&node.state, person("Ada", Role::Admin)).await?,
            user: accounts::create(&node.state, person("Cleo", Role::EndUser)).await?,
        })
    }
}
