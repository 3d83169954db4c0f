//! What a client may do; docs: grants, "Error table", rows 7 and 8.

use tokenry_core::client::Client;
use tokenry_protocol::{
    oauth::token::GrantType::{self, AuthorizationCode, ClientCredentials, RefreshToken},
    redirect_uri::ClientKind,
};

use crate::support::World;

fn allowed(client: &Client) -> Vec<GrantType> {
    let may_use = |grant_type: &GrantType| client.may_use(*grant_type);
    GrantType::ALL.into_iter().filter(may_use).collect()
}

#[test]
fn a_client_may_use_what_its_kind_may_within_what_it_was_registered_for() {
    use ClientKind::{Confidential, Public};
    for (kind, registered, expected) in [
        (Confidential, None, vec![AuthorizationCode, RefreshToken, ClientCredentials]),
        // RFC 6749 §4.4: client credentials are for confidential clients only.
        (Public, None, vec![AuthorizationCode, RefreshToken]),
        (Public, Some(vec![ClientCredentials]), vec![]),
        (Confidential, Some(vec![ClientCredentials]), vec![ClientCredentials]),
        (Confidential, Some(vec![AuthorizationCode]), vec![AuthorizationCode]),
        (Confidential, Some(vec![]), vec![]),
    ] {
        let mut client = World::of(kind).client;
        client.grant_types.clone_from(&registered);
        assert_eq!(allowed(&client), expected, "{kind:?} {registered:?}");
        assert_eq!(client.kind(), kind);
    }
}
