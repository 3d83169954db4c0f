//! `oauth::authorization` and `core::authorization::judge`: a request survives the way through the
//! sign-in page, and nothing is sent to an address that is not registered.

use std::sync::LazyLock;

use http::HeaderValue;
use tokenry_core::{
    authorization::{Refusal, judge},
    client::Client,
    policy::{AccessTokenFormat, Policy, RedemptionProof, Rotation, UnknownScopes},
};
use tokenry_protocol::{
    oauth::{
        authorization::{AuthorizationRequest, ReturnAddress, STATE_MAX},
        parameters::Parameters,
    },
    redirect_uri::ClientKind,
    scope::ScopeCatalog,
    time::Seconds,
};
use url::Url;

const ISSUER: &str = "https://auth.test";

static CLIENTS: LazyLock<[Client; 3]> = LazyLock::new(|| {
    [
        r#"{"client":{"name":"A","identifier":"a","redirect_uri":["https://a.test/cb?x=1"]}}"#,
        r#"{"client":{"name":"B","identifier":"b","kind":"public","redirect_uri":
            ["http://127.0.0.1/cb","com.b.app:/cb"]}}"#,
        r#"{"client":{"name":"C","identifier":"c","redirect_uri":["http://[::1]:80/?"],
            "allowed_scopes":["tickets:read"]}}"#,
    ]
    .map(super::registration::client)
});

static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy {
    access_token_lifetime: Some(Seconds(3_600)),
    refresh_token_lifetime: Seconds(604_800),
    created_token_lifetime_max: None,
    grant_lifetime_max: None,
    retry_window_confidential: Seconds(30),
    retry_window_public: Seconds(5),
    unknown_scopes: UnknownScopes::Refuse,
    scopes: ScopeCatalog::new(["tickets", "users:read"]).unwrap(),
    rotation: Rotation::Forgiving,
    access_token_format: AccessTokenFormat::Opaque,
    redemption_proof: RedemptionProof::Secret,
});

pub(super) fn run(data: &[u8]) {
    let Ok(parameters) = Parameters::from_form(data) else { return };
    let request = AuthorizationRequest::parse(&parameters).unwrap();
    let query = request.to_query();
    let again = Parameters::from_form(query.as_bytes()).unwrap();
    assert_eq!(AuthorizationRequest::parse(&again).as_ref(), Ok(&request));
    for client in CLIENTS.iter() {
        check(&request, client);
    }
    assert!(matches!(judge(&request, None, &POLICY), Err(Refusal::Page(_))));
}

fn check(request: &AuthorizationRequest, client: &Client) {
    match judge(request, Some(client), &POLICY) {
        Ok(judged) => {
            let to = judged.return_address();
            check_address(to, request, client);
            check_location(to, &to.with_code("c000000001", ISSUER), "code", "c000000001");
            assert_eq!(request.response_type.as_deref(), Some("code"));
            assert!(client.kind() == ClientKind::Confidential || request.code_challenge.is_some());
            let ceiling = client.allowed_scope.as_ref();
            let held = |held| judged.scope().beyond(held, &POLICY.scopes).is_empty();
            assert!(ceiling.is_none_or(held));
        }
        Err(Refusal::Redirect(to, error)) => {
            check_address(&to, request, client);
            assert!(super::is_description(&error.error_description), "{error:?}");
            check_location(&to, &to.with_error(&error, ISSUER), "error", error.error.as_str());
        }
        Err(Refusal::Page(_)) => {
            let asked = request.redirect_uri.as_deref();
            let is_known = asked.map_or(client.redirect_uris.len() == 1, |asked| {
                client.redirect_uris.iter().any(|known| known.matches(asked))
            });
            assert!(request.client_id.is_none() || !is_known);
        }
    }
}

fn check_address(to: &ReturnAddress, request: &AuthorizationRequest, client: &Client) {
    assert!(client.redirect_uris.iter().any(|known| known.matches(&to.redirect_uri)));
    let fits = request.state.as_ref().is_none_or(|state| state.chars().count() <= STATE_MAX);
    assert_eq!(to.state, request.state.clone().filter(|_| fits));
}

/// The registered address with its own query, then ours (RFC 6749 §4.1.2, RFC 9207 §2).
fn check_location(to: &ReturnAddress, location: &str, name: &str, value: &str) {
    assert!(HeaderValue::from_str(location).is_ok());
    assert!(location.starts_with(&to.redirect_uri));
    let (registered, location) =
        (Url::parse(&to.redirect_uri).unwrap(), Url::parse(location).unwrap());
    assert_eq!((location.scheme(), location.host()), (registered.scheme(), registered.host()));
    assert_eq!((location.port(), location.path()), (registered.port(), registered.path()));
    assert_eq!(location.fragment(), None);
    let own = registered.query_pairs().count();
    let added: Vec<_> = location.query_pairs().skip(own).collect();
    let expected = [(name, value)].into_iter();
    let state = to.state.as_deref().map(|state| ("state", state));
    for (name, value) in expected.chain(state).chain([("iss", ISSUER)]) {
        let values: Vec<_> = added.iter().filter(|pair| pair.0 == name).collect();
        assert!(matches!(values[..], [only] if only.1 == value), "{name} in {values:?}");
    }
    assert_eq!(added.iter().any(|pair| pair.0 == "state"), to.state.is_some());
}
