//! What people see in a browser: the handlers. What it looks like is in [`crate::views`].
//!
//! A handler takes a [`visit::Visit`], works out a [`error::PageResult`], and answers through
//! [`answer`], the one place that sets the headers of pages.

pub mod answer;
pub mod assets;
pub mod authorization_address;
pub mod connections;
pub mod error;
pub mod home;
pub mod known_browser;
pub mod local_path;
pub mod shown;
pub mod sign_in;
pub mod sign_out;
pub mod visit;
