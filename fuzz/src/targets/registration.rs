//! Bodies of the record API: client registration and judging it, token and API token creation.

use serde_json::Value;
use tokenry_core::{
    Entropy, TokenKeys,
    client::{Client, ClientSecret},
    client_registration::{self, MintedClient},
    credentials::Key,
    minting::Minting,
    user::{Role, User},
};
use tokenry_protocol::{
    api::{
        api_tokens::ApiTokenRequest,
        clients::ClientRequest,
        error::FieldErrors,
        request::{InvalidBody, Sent},
        tokens::{ClientReference, CreateTokenRequest},
    },
    ids::{ClientId, UserId},
    oauth::token::{ACCESS_TOKEN_LIFETIME, REFRESH_TOKEN_LIFETIME},
    redirect_uri::{COUNT_MAX, ClientKind, RedirectUri},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

pub(super) fn run(data: &[u8]) {
    check_wrapper(data, "client", &ClientRequest::parse(data).map(|request| request.errors));
    check_wrapper(data, "token", &CreateTokenRequest::parse(data).map(|request| request.errors));
    check_wrapper(data, "api_token", &ApiTokenRequest::parse(data).map(|request| request.errors));
    if let Ok(CreateTokenRequest { client_id: Sent::Value(ClientReference::Id(id)), .. }) =
        CreateTokenRequest::parse(data)
    {
        assert_eq!(ClientId::parse(&id.to_string()), Ok(id));
    }
    let Ok(request) = ClientRequest::parse(data) else { return };
    let Ok(MintedClient { client, secret }) = register(request.clone()) else { return };
    assert_eq!(secret.is_some(), client.kind() == ClientKind::Confidential);
    check_client(&client);

    // What was registered is taken as a change of itself, with no new secret.
    let settings = client_registration::check(request, Some(&client), &owner(), Some(&owner()));
    let again = with_minting(|minting| settings.unwrap().update(&client, minting));
    assert!(again.secret.is_none());
    assert_eq!(again.client.identifier, client.identifier);
    assert_eq!(again.client.redirect_uris, client.redirect_uris);
    check_client(&again.client);
}

/// A client that this body registers.
pub(super) fn client(body: &str) -> Client {
    register(ClientRequest::parse(body.as_bytes()).unwrap()).unwrap().client
}

fn register(request: ClientRequest) -> Result<MintedClient, FieldErrors> {
    let settings = client_registration::check(request, None, &owner(), Some(&owner()))?;
    let id = ClientId::new(41).unwrap();
    Ok(with_minting(|minting| settings.register(id, minting)))
}

fn check_wrapper(data: &[u8], name: &str, read: &Result<FieldErrors, InvalidBody>) {
    let plain: Option<Value> = serde_json::from_slice(data).ok();
    let wrapped = plain.as_ref().and_then(|body| body.get(name)).filter(|it| !it.is_null());
    match read {
        Ok(_) => assert!(wrapped.is_some_and(Value::is_object)),
        Err(InvalidBody::Fields(_)) => assert!(wrapped.is_some_and(|it| !it.is_object())),
        Err(InvalidBody::NoWrapper(missing)) => {
            assert_eq!(*missing, name);
            assert!(wrapped.is_none());
        }
        // Strict reading refuses some JSON: the target `json` says which.
        Err(InvalidBody::Unreadable) => {}
    }
}

fn check_client(client: &Client) {
    let is_line = |text: &str| {
        text.trim() == text && text.chars().count() <= 255 && !text.chars().any(char::is_control)
    };
    let identifier = client.identifier.as_str();
    assert!((1..=255).contains(&identifier.len()));
    assert!(identifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)));
    assert!(is_line(&client.name) && !client.name.is_empty());
    assert!(client.company.as_deref().is_none_or(is_line));
    assert!(client.description.as_deref().is_none_or(|text| text.chars().count() <= 2_000));
    assert!(client.redirect_uris.len() <= COUNT_MAX);
    for uri in &client.redirect_uris {
        assert_eq!(RedirectUri::parse(uri.as_str(), client.kind()).as_ref(), Ok(uri));
    }
    let fits = |seconds: Option<tokenry_protocol::time::Seconds>, bounds: &_| {
        let bounds: &std::ops::RangeInclusive<u32> = bounds;
        seconds.is_none_or(|seconds| bounds.contains(&seconds.0))
    };
    assert!(fits(client.access_token_lifetime_max, &ACCESS_TOKEN_LIFETIME));
    assert!(fits(client.refresh_token_lifetime_max, &REFRESH_TOKEN_LIFETIME));
    assert!(fits(client.retry_window, &client_registration::RETRY_WINDOW));
    assert!(client.grant_types.as_ref().is_none_or(|types| !types.is_empty()));
    if let ClientSecret::Confidential { generation, .. } = client.authentication {
        assert_eq!(generation, 0);
    }
}

fn with_minting<T>(make: impl FnOnce(&Minting<'_>) -> T) -> T {
    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    let keys = TokenKeys::new((1, Key::new([1; 32])), []);
    make(&Minting { now: NOW, keys: &keys, entropy: &Fixed })
}

fn owner() -> User {
    User {
        id: UserId::new(29).unwrap(),
        email: "ada@acme.test".to_owned(),
        name: "Ada".to_owned(),
        role: Role::Admin,
        password_hash: None,
        verified: true,
        suspended: false,
        password_epoch: 0,
        created_at: NOW,
        updated_at: NOW,
    }
}
