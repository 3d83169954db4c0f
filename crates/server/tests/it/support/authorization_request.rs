//! Authorization requests, as links in a browser, and the addresses that answer them.

use tokenry_protocol::pkce::CodeVerifier;

use super::{TestClient, VERIFIER};

/// The authorization endpoint.
pub const AUTHORIZATION: &str = "/oauth/authorizations/new";

/// A request of this client's, changed by `changes`; an empty value takes the parameter out.
pub fn authorization_request(client: &TestClient, changes: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code".to_owned()),
        ("client_id", client.identifier.clone()),
        ("redirect_uri", client.redirect_uri.clone()),
        ("scope", "read".to_owned()),
        ("state", "s1".to_owned()),
    ];
    if client.is_public() {
        parameters.push(("code_challenge", challenge()));
        parameters.push(("code_challenge_method", "S256".to_owned()));
    }
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        if !value.is_empty() {
            parameters.push((name, (*value).to_owned()));
        }
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{AUTHORIZATION}?{query}")
}

/// Of [`VERIFIER`].
fn challenge() -> String {
    let challenge = CodeVerifier::parse(VERIFIER).unwrap().challenge();
    challenge.as_str().to_owned()
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(found, value)| (found == name).then(|| value.into_owned()))
}
