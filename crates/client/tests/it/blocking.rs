//! The client for programs without an async runtime.

use tokenry_client::blocking::Client;

use crate::support::TestServer;

#[test]
fn a_blocking_client_asks_and_waits() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::start());
    let (client_id, _) = runtime.block_on(server.register("acme_reports"));
    let client = Client::new(server.builder()).unwrap();
    let id = client.oauth_tokens().create(client_id).send().unwrap().token.unwrap().id.unwrap();
    let pages = client.oauth_tokens().list().all(true).page_size(1);
    let items: Vec<_> = pages.items().map(|token| token.unwrap().id).collect();
    assert_eq!(items, [Some(id)]);
    client.oauth_tokens().revoke(id).send().unwrap();
    client.close().unwrap();
    assert!(client.oauth_tokens().list().send().is_err());
    runtime.block_on(server.stop());
}
