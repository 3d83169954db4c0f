//! RFC 6749 §4.1.1 and §4.1.2, RFC 9207; docs: grants, "Authorization request".

mod consent;
mod judge;
mod next_step;

use tokenry_core::authorization::{Refusal, judge as decide};
use tokenry_protocol::oauth::{authorization::AuthorizationRequest, error::ErrorResponse};

use crate::support::World;

/// `ok`, the problem on the page, or the error that travels by redirect with its description.
fn outcome(world: &World, request: &AuthorizationRequest) -> String {
    match decide(request, Some(&world.client), &world.policy) {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => said(&refusal),
    }
}

fn said(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Page(problem) => format!("page: {problem:?}"),
        Refusal::Redirect(_, error) => {
            let ErrorResponse { error, error_description } = error;
            format!("{error}: {error_description}")
        }
    }
}
