//! The examples, each run against the real server.

use std::{fs, path::Path};

use tokenry_client::{ClientAuthentication, Credentials, models::ClientRequest};

use crate::support::TestServer;

#[path = "../../examples/operations/api_tokens.rs"]
mod api_tokens;
#[path = "../../examples/operations/authorization_server.rs"]
mod authorization_server;
#[path = "../../examples/operations/global_clients.rs"]
mod global_clients;
#[path = "../../examples/operations/grant_type_tokens.rs"]
mod grant_type_tokens;
#[path = "../../examples/operations/oauth_clients.rs"]
mod oauth_clients;
#[path = "../../examples/operations/oauth_tokens.rs"]
mod oauth_tokens;
#[path = "../../examples/operations/users.rs"]
mod users;

#[tokio::test]
async fn those_of_token_records_do_what_they_say() {
    let server = TestServer::start().await;
    let (client_id, _) = server.register("acme_reports").await;
    let client = server.client();
    let token = client.oauth_tokens().create(client_id).await.unwrap().token.unwrap();
    let id = token.id.unwrap().get();
    oauth_tokens::create(&client, client_id).await.unwrap();
    let made = client.oauth_tokens().list().client_id(client_id).await.unwrap().tokens;
    assert_eq!(made.len(), 2);
    oauth_tokens::list(&client).await.unwrap();
    oauth_tokens::show(&client, id).await.unwrap();
    let bearer = Credentials::bearer(token.full_token.unwrap().reveal());
    let bearer = client.with_credentials(bearer);
    oauth_tokens::current(&bearer).await.unwrap();
    oauth_tokens::revoke_current(&bearer).await.unwrap();
    assert!(bearer.oauth_tokens().current().await.is_err());
    oauth_tokens::current(&bearer).await.unwrap();
    assert!(oauth_tokens::revoke(&client, id).await.is_err(), "it is gone");
    let other = made.last().unwrap().id.unwrap();
    oauth_tokens::revoke(&client, other.get()).await.unwrap();
    assert!(client.oauth_tokens().show(other).await.is_err());
    server.stop().await;
}

#[tokio::test]
async fn those_of_clients_do_what_they_say() {
    let server = TestServer::start().await;
    let client = server.client();
    oauth_clients::create(&client, "acme_reports").await.unwrap();
    let made = client.oauth_clients().list().await.unwrap().clients;
    let id = made[0].id.unwrap().get();
    assert_eq!(made[0].identifier.as_deref(), Some("acme_reports"));
    oauth_clients::list(&client).await.unwrap();
    oauth_clients::list_own(&client).await.unwrap();
    oauth_clients::update(&client, id).await.unwrap();
    oauth_clients::generate_secret(&client, id).await.unwrap();
    oauth_clients::show(&client, id).await.unwrap();
    let shown = client.oauth_clients().show(id).await.unwrap().client.unwrap();
    assert_eq!(shown.company.as_deref(), Some("Acme Ltd"));
    oauth_clients::delete(&client, id).await.unwrap();
    assert!(oauth_clients::show(&client, id).await.is_err(), "it is gone");
    global_clients::list(&client).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn those_of_users_and_api_tokens_do_what_they_say() {
    let server = TestServer::start().await;
    let client = server.client();
    users::me(&client).await.unwrap();
    users::show(&client, server.admin.id.get()).await.unwrap();
    api_tokens::create(&client).await.unwrap();
    let made = client.api_tokens().list().await.unwrap().api_tokens;
    let made = made.last().unwrap().clone();
    assert_eq!(made.description.as_deref(), Some("weekly report"));
    let id = made.id.unwrap().get();
    api_tokens::list(&client).await.unwrap();
    api_tokens::update(&client, id).await.unwrap();
    let shown = client.api_tokens().show(id).await.unwrap().api_token.unwrap();
    assert_eq!(shown.active, Some(false));
    api_tokens::show(&client, id).await.unwrap();
    api_tokens::delete(&client, id).await.unwrap();
    assert!(api_tokens::show(&client, id).await.is_err(), "it is gone");
    server.stop().await;
}

#[tokio::test]
async fn those_that_a_client_asks_for_do_what_they_say() {
    let server = TestServer::start().await;
    let (id, secret) = server.register("acme_reports").await;
    let app = ClientAuthentication::secret("acme_reports", secret);
    let client = server.client();
    authorization_server::metadata(&client).await.unwrap();
    let callback = server.consent(&client, "acme_reports", "read").await;
    grant_type_tokens::redeem(&client, &app, callback).await.unwrap();
    let callback = server.consent(&client, "acme_reports", "read").await;
    let grants = client.grant_type_tokens();
    let pair = grants.redeem(&app, callback).await.unwrap();
    let refresh_token = pair.refresh_token.unwrap();
    grant_type_tokens::refresh(&client, &app, refresh_token.reveal()).await.unwrap();
    let bearer = Credentials::bearer(pair.access_token.unwrap().reveal());
    let rotated = client.with_credentials(bearer).oauth_tokens().current().await;
    assert!(rotated.is_err(), "a refresh ends the access token before it");
    let update = ClientRequest {
        grant_types: vec![tokenry_client::models::GrantType::ClientCredentials].into(),
        ..ClientRequest::default()
    };
    client.oauth_clients().update(id, update).await.unwrap();
    grant_type_tokens::client_credentials(&client, &app).await.unwrap();
    let issued = grants.client_credentials(&app).await.unwrap().access_token.unwrap();
    authorization_server::introspect(&client, &app, issued.reveal()).await.unwrap();
    authorization_server::revoke(&client, &app, issued.reveal()).await.unwrap();
    authorization_server::introspect(&client, &app, issued.reveal()).await.unwrap();
    let bearer = client.with_credentials(Credentials::bearer(issued.reveal()));
    assert!(bearer.oauth_tokens().current().await.is_err(), "it is revoked");
    server.stop().await;
}

#[test]
fn every_operation_has_an_example_that_can_be_run_by_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let main = fs::read_to_string(root.join("examples/operations/main.rs")).unwrap();
    let mut operations = 0;
    for entry in fs::read_dir(root.join("src/resources")).unwrap() {
        let path = entry.unwrap().path();
        let resource = path.file_stem().unwrap().to_str().unwrap();
        let source = fs::read_to_string(&path).unwrap();
        let example = root.join("examples/operations").join(format!("{resource}.rs"));
        let example = fs::read_to_string(example).unwrap();
        // The methods of the resource come first, and return calls.
        let (methods, _) = source.split_once("impl Operation for").unwrap();
        for method in methods.split("    pub fn ").skip(1) {
            let name: String =
                method.chars().take_while(|c| *c == '_' || c.is_alphabetic()).collect();
            if !method.split('{').next().unwrap().contains("-> Call<") {
                continue;
            }
            operations += 1;
            assert!(example.contains(&format!("async fn {name}(")), "{resource}.{name}");
            assert!(main.contains(&format!("\"{resource}.{name}\"")), "{resource}.{name}");
        }
    }
    assert_eq!(operations, 27, "a new operation has an example");
}
