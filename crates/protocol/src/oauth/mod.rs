//! The standards' own requests and answers, one RFC a file.

pub mod authorization;
pub mod error;
pub mod introspection;
pub mod metadata;
pub mod parameters;
pub mod token;
