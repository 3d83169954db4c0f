//! Docs: records, "`OAuthClientObject`"; rules, "Field limits".

use tokenry_core::{
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    client_registration::{
        MintedClient, Settings, check, generate_secret, identifier_taken, owner_gone,
    },
    minting::Minting,
    user::{Role, User},
};
use tokenry_protocol::{
    api::{
        clients::ClientRequest,
        error::{
            FieldErrorCode::{
                self, BlankValue, DuplicateValue, InvalidValue, TooLong, TooManyValues,
            },
            FieldErrors,
        },
    },
    ids::{ClientId, UserId},
    redirect_uri::ClientKind,
    secret::Kind,
};

use crate::support::{World, seconds, user};

const LOGO: &str = "https://acme.test/logo.png";

fn request(record: &str) -> ClientRequest {
    ClientRequest::parse(format!(r#"{{"client":{record}}}"#).as_bytes()).unwrap()
}

fn admin(id: u64) -> User {
    User { id: UserId::new(id).unwrap(), role: Role::Admin, ..user() }
}

fn minting(world: &World) -> Minting<'_> {
    Minting { now: world.now, keys: &world.keys, entropy: &world.entropy }
}

/// A new client that has what is required, and `more` besides.
fn new(more: &str) -> Result<Settings, FieldErrors> {
    let comma = if more.is_empty() { "" } else { "," };
    let record = format!(r#"{{"name":"Acme","identifier":"acme"{comma}{more}}}"#);
    check(request(&record), None, &admin(29), None)
}

fn register(more: &str) -> MintedClient {
    let settings = new(more).unwrap();
    settings.register(ClientId::new(47).unwrap(), &minting(&World::confidential()))
}

fn update(before: &Client, record: &str) -> Result<Settings, FieldErrors> {
    check(request(record), Some(before), &admin(29), None)
}

fn updated(world: &World, record: &str) -> MintedClient {
    let settings = update(&world.client, record).unwrap();
    settings.update(&world.client, &minting(world))
}

#[track_caller]
fn assert_fault(found: Result<Settings, FieldErrors>, field: &str, code: FieldErrorCode) {
    let errors = found.unwrap_err();
    assert!(errors.fields().eq([field]), "{errors:?}");
    assert_eq!(errors.of(field)[0].code(), Some(code), "{errors:?}");
}

#[test]
fn a_new_client_is_confidential_and_its_callers_unless_it_says_otherwise() {
    let MintedClient { client, secret } = register("");
    assert_eq!(client.kind(), ClientKind::Confidential);
    assert_eq!(client.user_id.get(), 29);
    assert_eq!(client.status, ClientStatus::Enabled);
    assert_eq!(client.role, ClientRole::Ordinary);
    assert!(client.redirect_uris.is_empty());
    let secret = secret.unwrap();
    assert_eq!(secret.parts().kind, Kind::ClientSecret);
    assert_eq!(secret.parts().id, 47);
    let ClientSecret::Confidential { hash, generation } = client.authentication else {
        panic!("a secret");
    };
    assert!(hash.matches(&secret.hash()));
    assert_eq!(generation, 0);

    let public = register(r#""kind":"public""#);
    assert_eq!(public.client.kind(), ClientKind::Public);
    assert!(public.secret.is_none());
    // Of a new client, null says nothing.
    let nulls = register(r#""kind":null,"user_id":null,"redirect_uri":null,"company":null"#);
    assert_eq!(nulls.client.kind(), ClientKind::Confidential);
}

#[test]
fn every_fault_is_told_at_once() {
    let record = r#"{"identifier":"a b","user_id":1,"redirect_uri":["x"],"kind":1}"#;
    let errors = check(request(record), None, &admin(29), None).unwrap_err();
    let fields: Vec<_> = errors.fields().collect();
    assert_eq!(fields, ["identifier", "kind", "name", "redirect_uri", "user_id"]);
}

#[test]
fn what_is_required_is_neither_missing_nor_blank() {
    for record in ["{}", r#"{"name":null,"identifier":null}"#, r#"{"name":"  ","identifier":""}"#] {
        let errors = check(request(record), None, &admin(29), None).unwrap_err();
        for field in ["name", "identifier"] {
            assert_eq!(errors.of(field)[0].code(), Some(BlankValue), "{record}");
        }
    }
    let world = World::confidential();
    for field in ["name", "identifier", "kind", "user_id", "redirect_uri"] {
        let record = format!(r#"{{"{field}":null}}"#);
        assert_fault(update(&world.client, &record), field, BlankValue);
    }
}

#[test]
fn texts_are_trimmed_and_bounded() {
    assert_eq!(register(r#""company":"  Acme Ltd ""#).client.company.unwrap(), "Acme Ltd");
    let long = "x".repeat(256);
    for (more, field, code) in [
        (format!(r#""name":"{long}""#), "name", TooLong),
        (r#""name":"a\u0000b""#.to_owned(), "name", InvalidValue),
        (r#""name":"a\nb""#.to_owned(), "name", InvalidValue),
        (format!(r#""identifier":"{long}""#), "identifier", TooLong),
        (r#""identifier":" acme""#.to_owned(), "identifier", InvalidValue),
        (format!(r#""company":"{long}""#), "company", TooLong),
        (format!(r#""description":"{}""#, "x".repeat(2_001)), "description", TooLong),
    ] {
        let record = format!("{{{more}}}");
        assert_fault(update(&World::confidential().client, &record), field, code);
    }
    let longest = format!(r#"{{"identifier":"{}"}}"#, "x".repeat(255));
    assert!(update(&World::confidential().client, &longest).is_ok());
    let prose = register(r#""description":"one\ntwo""#).client.description;
    assert_eq!(prose.unwrap(), "one\ntwo");
}

#[test]
fn redirect_addresses_are_judged_for_the_clients_kind() {
    assert_fault(
        new(r#""redirect_uri":["http://plain.acme.test/cb"]"#),
        "redirect_uri",
        InvalidValue,
    );
    assert_fault(new(r#""redirect_uri":["com.acme.app:/cb"]"#), "redirect_uri", InvalidValue);
    let private = r#""kind":"public","redirect_uri":["com.acme.app:/cb","com.acme.app:/cb"]"#;
    let public = register(private).client;
    assert_eq!(public.redirect_uris.len(), 1, "repetitions are dropped");
    // What a public client may register, a confidential one may not keep.
    let errors = update(&public, r#"{"kind":"confidential"}"#).unwrap_err();
    assert_eq!(
        errors.of("redirect_uri")[0].description,
        "Redirect uri: private schemes are for public clients only"
    );
    let many = |count: u32| {
        let many: Vec<_> = (0..count).map(|n| format!(r#""https://a.test/{n}""#)).collect();
        format!(r#""redirect_uri":[{}]"#, many.join(","))
    };
    assert_eq!(register(&many(50)).client.redirect_uris.len(), 50);
    assert_fault(new(&many(51)), "redirect_uri", TooManyValues);
    let long = format!(r#""redirect_uri":["https://a.test/{}"]"#, "x".repeat(2_000));
    assert_fault(new(&long), "redirect_uri", TooLong);
}

#[test]
fn only_an_administrator_answers_for_a_client() {
    let (caller, other) = (admin(29), admin(31));
    let named = r#"{"name":"A","identifier":"a","user_id":31}"#;
    let settings = check(request(named), None, &caller, Some(&other)).unwrap();
    let minted = settings.register(ClientId::new(47).unwrap(), &minting(&World::public()));
    assert_eq!(minted.client.user_id, other.id);
    let agent = User { role: Role::Agent, ..admin(31) };
    for owner in [None, Some(&agent), Some(&admin(37))] {
        let found = check(request(named), None, &caller, owner);
        assert_fault(found, "user_id", InvalidValue);
    }
}

/// What only the store can know.
#[test]
fn a_taken_identifier_and_an_owner_who_has_gone_are_told_by_field() {
    for (errors, field, code, description) in [
        (identifier_taken(), "identifier", DuplicateValue, "Identifier: is taken"),
        (
            owner_gone(),
            "user_id",
            InvalidValue,
            "User id: must be an administrator of this account",
        ),
    ] {
        assert!(errors.fields().eq([field]), "{errors:?}");
        let told = &errors.of(field)[0];
        assert_eq!((told.code(), told.description.as_str()), (Some(code), description));
    }
}

#[test]
fn what_is_left_out_stays_and_null_clears() {
    let mut world = World::confidential();
    world.client.logo_url = Some(LOGO.to_owned());
    let settings = r#"{"company":"Acme Ltd","description":"d","allowed_scopes":["read"],
        "grant_types":["refresh_token","authorization_code"],"disabled":true,
        "resource_server":true,"access_token_lifetime_max":300,
        "refresh_token_lifetime_max":604800,"retry_window_seconds":0}"#;
    world.client = updated(&world, settings).client;
    world.wait(seconds(60));
    let MintedClient { client, secret } = updated(&world, r#"{"name":"Other"}"#);
    assert!(secret.is_none());
    assert_eq!(client.name, "Other");
    assert_eq!(client.identifier, world.client.identifier);
    assert_eq!(client.redirect_uris, world.client.redirect_uris);
    assert_eq!(client.logo_url.as_deref(), Some(LOGO), "no request sets it");
    assert_eq!(client.company.as_deref(), Some("Acme Ltd"));
    assert_eq!(client.allowed_scope.unwrap().to_string(), "read");
    assert_eq!(client.grant_types.unwrap().len(), 2);
    assert_eq!(client.status, ClientStatus::Disabled);
    assert_eq!(client.role, ClientRole::ResourceServer);
    assert_eq!(client.access_token_lifetime_max.unwrap().0, 300);
    assert_eq!(client.refresh_token_lifetime_max.unwrap().0, 604_800);
    assert_eq!(client.retry_window.unwrap().0, 0);
    assert_eq!(client.created_at, world.client.created_at);
    assert_eq!(client.updated_at, world.now);

    let cleared = r#"{"company":"","description":null,"allowed_scopes":"","grant_types":null,
        "disabled":null,"resource_server":false,"access_token_lifetime_max":null,
        "refresh_token_lifetime_max":null,"retry_window_seconds":null}"#;
    let client = updated(&world, cleared).client;
    assert_eq!((client.company, client.description), (None, None));
    assert_eq!((client.allowed_scope, client.grant_types), (None, None));
    assert_eq!(client.status, ClientStatus::Enabled);
    assert_eq!(client.role, ClientRole::Ordinary);
    assert_eq!(client.access_token_lifetime_max, None);
    assert_eq!(client.refresh_token_lifetime_max, None);
    assert_eq!(client.retry_window, None);
}

#[test]
fn own_settings_have_bounds() {
    for (more, field, code) in [
        (r#""access_token_lifetime_max":299"#, "access_token_lifetime_max", InvalidValue),
        (r#""access_token_lifetime_max":172801"#, "access_token_lifetime_max", InvalidValue),
        (r#""refresh_token_lifetime_max":1"#, "refresh_token_lifetime_max", InvalidValue),
        (r#""retry_window_seconds":1801"#, "retry_window_seconds", InvalidValue),
        (r#""retry_window_seconds":1.5"#, "retry_window_seconds", InvalidValue),
        (r#""allowed_scopes":[]"#, "allowed_scopes", BlankValue),
        (r#""allowed_scopes":["Read"]"#, "allowed_scopes", InvalidValue),
        (r#""grant_types":[]"#, "grant_types", BlankValue),
        (r#""disabled":1"#, "disabled", InvalidValue),
    ] {
        assert_fault(new(more), field, code);
    }
}

#[test]
fn becoming_confidential_mints_a_secret_and_becoming_public_ends_it() {
    let mut world = World::confidential();
    let MintedClient { client, secret } = updated(&world, r#"{"kind":"public"}"#);
    assert!(secret.is_none());
    assert!(matches!(client.authentication, ClientSecret::Public));
    world.client = client;
    let MintedClient { client, secret } = updated(&world, r#"{"kind":"confidential"}"#);
    let ClientSecret::Confidential { hash, .. } = client.authentication else {
        panic!("a secret");
    };
    assert!(hash.matches(&secret.unwrap().hash()));
    world.client = client;
    let kept = updated(&world, r#"{"kind":"confidential"}"#);
    assert!(kept.secret.is_none(), "a secret is minted once");
}

#[test]
fn a_new_secret_counts_its_generation_and_is_for_confidential_clients() {
    let mut world = World::confidential();
    world.wait(seconds(60));
    let minted = generate_secret(world.client.clone(), &minting(&world)).unwrap();
    assert_eq!(minted.client.updated_at, world.now);
    assert_eq!(minted.client.created_at, world.client.created_at);
    let secret = minted.secret.unwrap();
    assert_eq!(secret.parts().rotation, 1);
    let ClientSecret::Confidential { hash, generation } = minted.client.authentication else {
        panic!("a secret");
    };
    assert_eq!(generation, 1);
    assert!(hash.matches(&secret.hash()));
    assert!(!hash.matches(&world.secret().hash()));

    let public = World::public();
    let errors = generate_secret(public.client.clone(), &minting(&public)).unwrap_err();
    assert_eq!(errors.of("kind")[0].description, "Kind: a public client has no secret");
}
