//! The door: HTTP, pages, configuration. Start at [`routes`].
//!
//! Handlers are thin: they read a request, let `tokenry-core` decide, let `tokenry-store` remember,
//! and answer through [`respond`].

pub mod accounts;
pub mod api;
pub mod api_token_uses;
pub mod coherent_cache;
pub mod config;
pub mod data_folder;
pub mod database;
pub mod directory;
pub mod endpoints;
pub mod envelope;
pub mod environment;
pub mod extract;
pub mod failure_limits;
pub mod freshness;
pub mod id_lease;
pub mod jobs;
pub mod keyring;
pub mod listen;
pub mod node;
pub mod pages;
pub mod passwords;
pub mod refusals;
pub mod rendered;
pub mod request_context;
pub mod request_limits;
pub mod request_path;
pub mod respond;
pub mod routes;
pub mod row;
pub mod settle;
pub mod state;
pub mod stop_signal;
pub mod telemetry;
pub mod time_words;
pub mod tls;
pub mod uses;
pub mod verify;
pub mod views;
