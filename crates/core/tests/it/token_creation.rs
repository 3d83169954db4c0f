//! Docs: records, "Create request"; rules, "Scopes".

use tokenry_core::{
    grant::Origin,
    token_creation::{ApprovedCreation, CreationRefused, approve},
};
use tokenry_protocol::{
    api::{
        error::FieldErrorCode::{self, BlankValue, InvalidValue, TooLong, TooManyValues},
        request::Sent,
        tokens::{ClientReference, CreateTokenRequest},
    },
    time::Seconds,
};

use crate::support::{World, client, scope};

fn asking(world: &World, names: &[&str]) -> CreateTokenRequest {
    CreateTokenRequest {
        client_id: Sent::Value(ClientReference::Id(world.client.id)),
        scopes: Sent::Value(names.iter().map(|&name| name.to_owned()).collect()),
        ..CreateTokenRequest::default()
    }
}

fn judge(
    world: &World,
    request: CreateTokenRequest,
    held: Option<&str>,
) -> Result<ApprovedCreation, CreationRefused> {
    let held = held.map(scope);
    approve(request, Some(&world.client), held.as_ref(), &world.policy)
}

#[track_caller]
fn fault(refused: CreationRefused, field: &str) -> (FieldErrorCode, String) {
    let CreationRefused::Invalid(errors) = refused else {
        panic!("{refused:?}");
    };
    assert!(errors.fields().eq([field]), "{errors:?}");
    let [error] = errors.of(field) else {
        panic!("{errors:?}");
    };
    (error.code().unwrap(), error.description.clone())
}

#[test]
fn a_created_token_is_an_access_token_that_does_not_expire() {
    let world = World::confidential();
    let request = asking(&world, &["write", "reed", "write"]);
    let approved = judge(&world, request, None).unwrap();
    assert_eq!(approved.client_id(), world.client.id);
    let (write, answer) = approved.issue(&world.issuance());
    let token = write.token();
    assert_eq!(token.origin, Origin::Created);
    assert_eq!(answer.scope.to_string(), "write reed");
    assert!(answer.refresh_token.is_none());
    let issued = token.issued().unwrap();
    assert_eq!(issued.access.expires_at(), None);
    assert!(issued.access.hash.matches(&answer.access_token.hash()));
}

#[test]
fn nothing_asked_for_is_read() {
    let world = World::confidential();
    for scopes in [Sent::Absent, Sent::Null] {
        let request = CreateTokenRequest { scopes, ..asking(&world, &[]) };
        let approved = judge(&world, request, None).unwrap();
        let (_, answer) = approved.issue(&world.issuance());
        assert_eq!(answer.scope.to_string(), "read");
    }
}

#[test]
fn the_lowest_cap_there_is_holds() {
    let mut world = World::confidential();
    for (configured, of_client, expected) in [
        (None, None, None),
        (Some(3_600), None, Some(3_600)),
        (None, Some(600), Some(600)),
        (Some(3_600), Some(600), Some(600)),
        (Some(300), Some(600), Some(300)),
    ] {
        world.policy.created_token_lifetime_max = configured.map(Seconds);
        world.client.access_token_lifetime_max = of_client.map(Seconds);
        let approved = judge(&world, asking(&world, &["read"]), None).unwrap();
        let (_, answer) = approved.issue(&world.issuance());
        assert_eq!(answer.access_token_lifetime, expected.map(Seconds));
    }
}

#[test]
fn the_client_is_one_of_ours_and_named_by_its_number() {
    let world = World::confidential();
    for (named, code, description) in [
        (Sent::Absent, BlankValue, "Client id: cannot be blank"),
        (Sent::Null, BlankValue, "Client id: cannot be blank"),
        (
            Sent::Value(ClientReference::Text),
            InvalidValue,
            "Client id: must be the numeric id, not the identifier",
        ),
        (Sent::Value(ClientReference::NoId), InvalidValue, "Client id: no such client"),
    ] {
        let request = CreateTokenRequest { client_id: named, ..asking(&world, &["read"]) };
        let found = fault(judge(&world, request, None).unwrap_err(), "client_id");
        assert_eq!(found, (code, description.to_owned()));
    }
    let another = client(43, "acme_mobile", None);
    for found in [None, Some(&another)] {
        let refused = approve(asking(&world, &["read"]), found, None, &world.policy);
        let found = fault(refused.unwrap_err(), "client_id");
        assert_eq!(found.1, "Client id: no such client");
    }
}

#[test]
fn a_scope_keeps_to_the_grammar_and_its_bounds() {
    let world = World::confidential();
    let many: Vec<String> = (0..51).map(|number| format!("x{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long: Vec<String> = (0..25).map(|number| format!("{number:0>99}")).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    for (names, code) in [
        (&[][..], BlankValue),
        (&["Read"], InvalidValue),
        (&["read write"], InvalidValue),
        (&["read", ""], InvalidValue),
        (&["tickets:delete"], InvalidValue),
        (&many, TooManyValues),
        (&long, TooLong),
    ] {
        let refused = judge(&world, asking(&world, names), None).unwrap_err();
        assert_eq!(fault(refused, "scopes").0, code, "{names:?}");
    }
    assert!(judge(&world, asking(&world, &many[..50]), None).is_ok());
}

#[test]
fn the_clients_allowed_scopes_are_a_ceiling() {
    let mut world = World::confidential();
    world.client.allowed_scope = Some(scope("read tickets"));
    for names in [&["read"][..], &["tickets:write", "users:read"], &["tickets"]] {
        assert!(judge(&world, asking(&world, names), None).is_ok(), "{names:?}");
    }
    let request = asking(&world, &["read", "write", "users"]);
    let found = fault(judge(&world, request, None).unwrap_err(), "scopes");
    let told = "Scopes: not allowed for this client: write, users";
    assert_eq!(found, (InvalidValue, told.to_owned()));
}

#[test]
fn a_bearer_mints_no_more_than_it_has() {
    let world = World::confidential();
    for (held, asked, missing) in [
        ("write", "read write", "read"),
        ("oauth:write", "oauth:write", ""),
        ("oauth:write", "write impersonate", "write impersonate"),
        ("read write", "tickets users:read unrestricted", ""),
        ("read write", "impersonate", "impersonate"),
        // Names that grant nothing need nothing.
        ("oauth:write", "reed auditlogs:write", ""),
        ("tickets:read oauth:write", "tickets", "tickets"),
    ] {
        let names: Vec<&str> = asked.split(' ').collect();
        let found = match judge(&world, asking(&world, &names), Some(held)) {
            Ok(_) => String::new(),
            Err(CreationRefused::MissingScopes(missing)) => {
                let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
                names.join(" ")
            }
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(found, missing, "{held} mints {asked}");
    }
}
