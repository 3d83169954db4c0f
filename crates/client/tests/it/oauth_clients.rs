//! Clients: `/api/v2/oauth/clients`.

use tokenry_client::{
    ClientAuthentication, RefusalKind,
    models::{ClientKind, ClientRequest, GrantType, Open, Seconds, Sent},
};

use crate::support::{REDIRECT_URI, TestServer};

#[tokio::test]
async fn a_client_is_registered_shown_listed_and_deleted() {
    let server = TestServer::start().await;
    let admin = server.client();
    let request = ClientRequest {
        identifier: "acme_reports".to_owned().into(),
        name: "Acme Reports".to_owned().into(),
        kind: ClientKind::Confidential.into(),
        user_id: Some(server.admin.id).into(),
        redirect_uri: vec![REDIRECT_URI.to_owned()].into(),
        company: "Acme Ltd".to_owned().into(),
        description: "Weekly figures".to_owned().into(),
        allowed_scopes: vec!["read".to_owned()].into(),
        disabled: false.into(),
        resource_server: true.into(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        access_token_lifetime_max: 600.into(),
        refresh_token_lifetime_max: 700_000.into(),
        retry_window_seconds: 7.into(),
        errors: tokenry_client::models::FieldErrors::NONE,
    };
    let made = admin.oauth_clients().create(request).await.unwrap().client.unwrap();
    let id = made.id.unwrap();
    assert_eq!(made.secret.as_ref().unwrap().reveal().len(), 64);
    let shown = admin.oauth_clients().show(id).await.unwrap().client.unwrap();
    assert_eq!(shown.secret.as_ref().unwrap().reveal().len(), 10);
    assert_eq!(shown.identifier.as_deref(), Some("acme_reports"));
    assert_eq!(shown.name.as_deref(), Some("Acme Reports"));
    assert_eq!(shown.kind, Some(Open::Known(ClientKind::Confidential)));
    assert_eq!(shown.user_id, Some(server.admin.id));
    assert_eq!(shown.redirect_uri, Some(vec![REDIRECT_URI.to_owned()]));
    assert_eq!(shown.company.as_deref(), Some("Acme Ltd"));
    assert_eq!(shown.description.as_deref(), Some("Weekly figures"));
    assert_eq!(shown.allowed_scopes, Some(vec!["read".to_owned()]));
    assert_eq!(shown.resource_server, Some(true));
    let grant_types = [GrantType::AuthorizationCode, GrantType::RefreshToken].map(Open::Known);
    assert_eq!(shown.grant_types, Some(grant_types.to_vec()));
    assert_eq!(shown.access_token_lifetime_max, Some(Seconds(600)));
    assert_eq!(shown.refresh_token_lifetime_max, Some(Seconds(700_000)));
    assert_eq!(shown.retry_window_seconds, Some(Seconds(7)));
    for list in [admin.oauth_clients().list(), admin.oauth_clients().list_own()] {
        let list = list.await.unwrap().clients;
        assert_eq!((list.len(), list[0].id), (1, Some(id)));
    }
    admin.oauth_clients().delete(id).await.unwrap();
    let gone = admin.oauth_clients().show(id).await.unwrap_err();
    assert_eq!(gone.kind(), Some(RefusalKind::NotFound));
    server.stop().await;
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_null_clears() {
    let server = TestServer::start().await;
    let (id, _) = server.register("acme_reports").await;
    let admin = server.client();
    let request = ClientRequest {
        company: "Acme Ltd".to_owned().into(),
        allowed_scopes: vec!["read".to_owned()].into(),
        ..ClientRequest::default()
    };
    let changed = admin.oauth_clients().update(id, request).await.unwrap().client.unwrap();
    assert_eq!(changed.company.as_deref(), Some("Acme Ltd"));
    assert_eq!(changed.name.as_deref(), Some("acme_reports"));
    let request = ClientRequest { allowed_scopes: Sent::Null, ..ClientRequest::default() };
    let changed = admin.oauth_clients().update(id, request).await.unwrap().client.unwrap();
    assert_eq!((changed.allowed_scopes, changed.company.as_deref()), (None, Some("Acme Ltd")));
    let refused = ClientRequest { name: String::new().into(), ..ClientRequest::default() };
    let refused = admin.oauth_clients().update(id, refused).await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::Invalid));
    server.stop().await;
}

#[tokio::test]
async fn a_new_secret_works_and_the_one_before_is_dead() {
    let server = TestServer::start().await;
    let (id, old) = server.register("acme_reports").await;
    let admin = server.client();
    let answer = admin.oauth_clients().generate_secret(id).await.unwrap();
    let new = answer.client.unwrap().secret.unwrap();
    let ask = async |secret: &str| {
        let app = ClientAuthentication::secret("acme_reports", secret);
        let answer = admin.authorization_server().introspect(&app, "nothing").await;
        answer.map_err(|error| error.refusal().unwrap().code().unwrap().to_owned())
    };
    assert_eq!(ask(&old).await.unwrap_err(), "invalid_client");
    assert!(!ask(new.reveal()).await.unwrap().active);
    server.stop().await;
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_generate() {
    let server = TestServer::start().await;
    let admin = server.client();
    let request = ClientRequest {
        identifier: "acme_phone".to_owned().into(),
        name: "Acme Phone".to_owned().into(),
        kind: ClientKind::Public.into(),
        redirect_uri: vec![REDIRECT_URI.to_owned()].into(),
        ..ClientRequest::default()
    };
    let made = admin.oauth_clients().create(request).await.unwrap().client.unwrap();
    assert_eq!(made.secret, None);
    let refused = admin.oauth_clients().generate_secret(made.id.unwrap()).await.unwrap_err();
    let fields: Vec<_> = refused.refusal().unwrap().fields().unwrap().fields().collect();
    assert_eq!(fields, ["kind"]);
    server.stop().await;
}
