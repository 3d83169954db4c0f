//! The decisions of the grant types, one file each, as in `src/grant_types`.

mod authorization_code;
mod client_credentials;
mod refresh_token;
