//! Token records.

use futures_util::TryStreamExt as _;
use tokenry_client::{Client, Error};

pub(crate) async fn list(client: &Client) -> Result<(), Error> {
    let mut tokens = std::pin::pin!(client.oauth_tokens().list().all(true).stream());
    while let Some(token) = tokens.try_next().await? {
        println!("{:?} was last used at {:?}", token.id, token.used_at);
    }
    Ok(())
}

pub(crate) async fn show(client: &Client, id: u64) -> Result<(), Error> {
    let answer = client.oauth_tokens().show(id).await?;
    if let Some(token) = answer.token {
        println!("{:?} may {:?} until {:?}", token.id, token.scopes, token.expires_at);
    }
    Ok(())
}

pub(crate) async fn current(client: &Client) -> Result<(), Error> {
    match client.oauth_tokens().current().await {
        Ok(answer) => println!("alive: {:?}", answer.token),
        Err(error) => println!("dead: {error}"),
    }
    Ok(())
}

pub(crate) async fn create(client: &Client, client_id: u64) -> Result<(), Error> {
    let answer = client.oauth_tokens().create(client_id).scopes(["read", "users:write"]).await?;
    if let Some(secret) = answer.token.and_then(|token| token.full_token) {
        println!("keep this, it is shown once: {}", secret.reveal());
    }
    Ok(())
}

pub(crate) async fn revoke(client: &Client, id: u64) -> Result<(), Error> {
    client.oauth_tokens().revoke(id).await
}

pub(crate) async fn revoke_current(client: &Client) -> Result<(), Error> {
    client.oauth_tokens().revoke_current().await
}
