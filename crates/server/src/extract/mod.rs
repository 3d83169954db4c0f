//! What handlers take out of requests.

pub mod authorization_header;
pub mod body;
pub mod caller;
pub mod client_authentication;
pub mod client_ip;
pub mod cookies;
pub mod grant_request;
pub mod on_behalf_of;
pub mod page_token;
pub mod path_id;
pub mod sign_in_session;
