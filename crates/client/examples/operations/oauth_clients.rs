//! Clients.

use futures_util::TryStreamExt as _;
use tokenry_client::{
    Client, Error,
    models::{ClientKind, ClientRequest},
};

pub(crate) async fn list(client: &Client) -> Result<(), Error> {
    let mut clients = std::pin::pin!(client.oauth_clients().list().stream());
    while let Some(app) = clients.try_next().await? {
        println!("{:?} is {:?}, by {:?}", app.id, app.name, app.company);
    }
    Ok(())
}

pub(crate) async fn list_own(client: &Client) -> Result<(), Error> {
    let answer = client.oauth_clients().list_own().page_size(10).await?;
    println!("{} of mine on the first page", answer.clients.len());
    Ok(())
}

pub(crate) async fn show(client: &Client, id: u64) -> Result<(), Error> {
    let answer = client.oauth_clients().show(id).await?;
    if let Some(app) = answer.client {
        println!("{:?} may send users back to {:?}", app.identifier, app.redirect_uri);
    }
    Ok(())
}

pub(crate) async fn create(client: &Client, identifier: &str) -> Result<(), Error> {
    let request = ClientRequest {
        identifier: identifier.to_owned().into(),
        name: "Acme Reports".to_owned().into(),
        kind: ClientKind::Confidential.into(),
        redirect_uri: vec!["https://reports.acme.test/callback".to_owned()].into(),
        allowed_scopes: vec!["read".to_owned()].into(),
        ..ClientRequest::default()
    };
    let answer = client.oauth_clients().create(request).await?;
    if let Some(secret) = answer.client.and_then(|app| app.secret) {
        println!("keep this, it is shown once: {}", secret.reveal());
    }
    Ok(())
}

pub(crate) async fn update(client: &Client, id: u64) -> Result<(), Error> {
    let request =
        ClientRequest { company: "Acme Ltd".to_owned().into(), ..ClientRequest::default() };
    let answer = client.oauth_clients().update(id, request).await?;
    println!("changed at {:?}", answer.client.and_then(|app| app.updated_at));
    Ok(())
}

pub(crate) async fn delete(client: &Client, id: u64) -> Result<(), Error> {
    client.oauth_clients().delete(id).await
}

pub(crate) async fn generate_secret(client: &Client, id: u64) -> Result<(), Error> {
    let answer = client.oauth_clients().generate_secret(id).await?;
    if let Some(secret) = answer.client.and_then(|app| app.secret) {
        println!("keep this, the one before is dead: {}", secret.reveal());
    }
    Ok(())
}
