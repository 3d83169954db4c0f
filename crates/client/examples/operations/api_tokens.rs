//! API tokens.

use tokenry_client::{Client, Error};

pub(crate) async fn list(client: &Client) -> Result<(), Error> {
    for token in client.api_tokens().list().await?.api_tokens {
        println!("{:?} was last used at {:?}", token.id, token.last_used);
    }
    Ok(())
}

pub(crate) async fn show(client: &Client, id: u64) -> Result<(), Error> {
    let answer = client.api_tokens().show(id).await?;
    println!("{:?}", answer.api_token.and_then(|token| token.description));
    Ok(())
}

pub(crate) async fn create(client: &Client) -> Result<(), Error> {
    let answer = client.api_tokens().create().description("weekly report").await?;
    if let Some(secret) = answer.api_token.and_then(|token| token.full_token) {
        println!("keep this, it is shown once: {}", secret.reveal());
    }
    Ok(())
}

pub(crate) async fn update(client: &Client, id: u64) -> Result<(), Error> {
    let answer = client.api_tokens().update(id).active(false).await?;
    println!("works: {:?}", answer.api_token.and_then(|token| token.active));
    Ok(())
}

pub(crate) async fn delete(client: &Client, id: u64) -> Result<(), Error> {
    client.api_tokens().delete(id).await
}
