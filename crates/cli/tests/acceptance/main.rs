//! Other people's clients, unmodified, and a real browser, against the real binary.
//!
//! `cargo xtask test` installs the clients from their lock files and then runs these tests; the
//! scripts are in `acceptance/`. Each test has a server and a data folder of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of it is test code; the lints know only the functions marked as tests"
)]

mod clients;
mod record_api;
mod script;
mod server;
mod twin;

use crate::script::{browse, node, python, python_at};
use crate::server::Server;
use crate::twin::Twin;

#[test]
fn python_zendesk_works_unmodified() {
    python("python-zendesk.py", Server::start());
}

#[test]
fn requests_oauthlib_works_unmodified() {
    python("requests-oauthlib.py", Server::start());
}

#[test]
fn node_zendesk_works_unmodified() {
    node("node-zendesk.mjs", Server::start());
}

#[test]
fn openid_client_works_unmodified() {
    node("openid-client.mjs", Server::start());
}

#[test]
fn oauth4webapi_works_unmodified() {
    node("oauth4webapi.mjs", Server::start());
}

#[test]
fn simple_oauth2_works_unmodified() {
    node("simple-oauth2.mjs", Server::start());
}

#[test]
fn a_person_consents_in_a_real_browser() {
    node("consent-journey.mjs", Server::start());
}

#[test]
fn clients_that_know_zendesks_own_address_alone_are_led_to_the_twin() {
    python_at("zendesk-address.py", &Twin::start_with(&["--https=0"]));
}

#[test]
fn the_journal_of_a_twin_follows_its_calls_in_a_real_browser() {
    browse("twin-journal.mjs", Twin::start("single-use").base());
}
