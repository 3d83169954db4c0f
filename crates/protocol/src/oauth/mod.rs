//! The standards' own requests and answers, one RFC a file.

#[cfg(feature = "requests")]
pub mod authorization;
pub mod error;
pub mod introspection;
pub mod jwt_access_token;
pub mod metadata;
#[cfg(feature = "requests")]
pub mod parameters;
pub mod token;
