//! The grant endpoints, a file each, named by their standard.
pub mod authorization;
pub mod health;
pub mod introspection;
pub mod metadata;
pub mod revocation;
pub mod token;
