//! Docs: rules §3, "Minting through the record API".

use tokenry_core::{
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    client_reach::missing_scopes,
};
use tokenry_protocol::{
    ids::UserId,
    oauth::token::GrantType,
    redirect_uri::{ClientKind, RedirectUri},
    scope::Scope,
    secret::SecretHash,
    time::Seconds,
};

use crate::support::{World, scope};

/// A change that a request makes.
type Change = fn(&mut Client);

/// What a token of this scope lacks, joined; it speaks for the owner of the world's client.
fn missing(world: &World, held: &str, before: Option<&Client>, after: &Client) -> String {
    let bearer = (&scope(held), world.client.user_id);
    let found = missing_scopes(bearer, before, after, &world.policy.scopes);
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A client of this ceiling; an empty one is none.
fn ceiling(allowed: &str) -> Option<Scope> {
    (!allowed.is_empty()).then(|| scope(allowed))
}

#[test]
fn a_new_client_reaches_no_further_than_the_token_that_registers_it() {
    let world = World::confidential();
    for (held, allowed, expected) in [
        ("oauth:write", "oauth:write", ""),
        ("oauth:write", "write", "write"),
        ("oauth:write", "oauth", "oauth"),
        ("write", "tickets:write oauth:write", ""),
        ("write", "read write", "read"),
        ("read write", "read write tickets unrestricted", ""),
        ("read write", "impersonate", "impersonate"),
        // A name that means nothing today may mean something after the next start.
        ("read write", "reed", "reed"),
        ("write", "", "read impersonate"),
        ("read write", "", "impersonate"),
        ("unrestricted impersonate", "", ""),
    ] {
        let client = Client { allowed_scope: ceiling(allowed), ..world.client.clone() };
        assert_eq!(missing(&world, held, None, &client), expected, "{held} registers {allowed}");
    }
}

#[test]
fn a_client_that_acts_for_somebody_else_takes_everything() {
    let world = World::confidential();
    let client = Client {
        user_id: UserId::new(world.client.user_id.get() + 1).unwrap(),
        allowed_scope: Some(scope("write")),
        ..world.client.clone()
    };
    assert_eq!(missing(&world, "write", None, &client), "read impersonate");
    assert_eq!(missing(&world, "read write", None, &client), "impersonate");
    assert_eq!(missing(&world, "read write impersonate", None, &client), "");
}

#[test]
fn a_change_that_takes_away_or_describes_hands_nothing_over() {
    let world = World::confidential();
    let changes: [(&str, Change); 9] = [
        ("nothing", |_| ()),
        ("name", |client| client.name = "Other".to_owned()),
        ("company", |client| client.company = Some("Other".to_owned())),
        ("ceiling", |client| client.allowed_scope = Some(scope("read"))),
        ("status", |client| client.status = ClientStatus::Disabled),
        ("addresses", |client| client.redirect_uris.clear()),
        ("grants", |client| client.grant_types = Some(vec![GrantType::RefreshToken])),
        ("lifetime", |client| client.access_token_lifetime_max = Some(Seconds(300))),
        ("window", |client| client.retry_window = Some(Seconds(0))),
    ];
    for (name, change) in changes {
        let mut after = world.client.clone();
        change(&mut after);
        assert_eq!(missing(&world, "oauth:write", Some(&world.client), &after), "", "{name}");
    }
}

#[test]
fn a_change_that_hands_a_client_over_takes_what_the_client_reaches() {
    let mut world = World::confidential();
    world.client.allowed_scope = Some(scope("read tickets"));
    world.client.status = ClientStatus::Disabled;
    world.client.grant_types = Some(vec![GrantType::RefreshToken]);
    let changes: [(&str, Change); 6] = [
        ("a new secret", |client| {
            let hash = SecretHash::from_bytes([9; 32]);
            client.authentication = ClientSecret::Confidential { hash, generation: 1 };
        }),
        ("no secret", |client| client.authentication = ClientSecret::Public),
        ("a wider ceiling", |client| client.allowed_scope = Some(scope("read tickets users"))),
        ("enabled", |client| client.status = ClientStatus::Enabled),
        ("a resource server", |client| client.role = ClientRole::ResourceServer),
        ("a grant more", |client| client.grant_types = None),
    ];
    for (name, change) in changes {
        let mut after = world.client.clone();
        change(&mut after);
        let before = Some(&world.client);
        let all = after.allowed_scope.clone().unwrap().to_string();
        assert_eq!(missing(&world, &all, before, &after), "", "{name}");
        assert_eq!(missing(&world, "tickets users", before, &after), "read", "{name}");
    }
    let after = Client { allowed_scope: None, ..world.client.clone() };
    let before = Some(&world.client);
    assert_eq!(missing(&world, "read write", before, &after), "impersonate");
}

/// The old owner's codes and tokens stay the old owner's: only the new name is reached.
#[test]
fn a_client_changes_its_owner_as_it_is_registered() {
    let mut world = World::confidential();
    world.client.allowed_scope = Some(scope("write"));
    let before = Client {
        user_id: UserId::new(world.client.user_id.get() + 1).unwrap(),
        ..world.client.clone()
    };
    let own = &world.client;
    assert_eq!(missing(&world, "write", Some(&before), own), "");
    assert_eq!(missing(&world, "write", Some(own), &before), "read impersonate");
}

/// Users who consented before are not asked again, so their codes would go there.
#[test]
fn an_address_more_takes_everything_however_low_the_ceiling() {
    let mut world = World::confidential();
    world.client.allowed_scope = Some(scope("write"));
    let mut emptied = world.client.clone();
    emptied.redirect_uris.clear();
    for before in [world.client.clone(), emptied] {
        let mut after = before.clone();
        let evil = "https://evil.test/callback";
        after.redirect_uris.push(RedirectUri::parse(evil, ClientKind::Confidential).unwrap());
        assert_eq!(missing(&world, "write", Some(&before), &after), "read impersonate");
        assert_eq!(missing(&world, "unrestricted impersonate", Some(&before), &after), "");
    }
}
