//! The grant endpoints, each under the name of its source.

mod authorization;
mod health;
mod introspection;
mod metadata;
mod revocation;
mod token;
