//! What the authorization server says of itself and of tokens.

use tokenry_client::{Client, ClientAuthentication, Error};

pub(crate) async fn metadata(client: &Client) -> Result<(), Error> {
    let answer = client.authorization_server().metadata().await?;
    println!("{} takes {:?}", answer.issuer, answer.grant_types_supported);
    Ok(())
}

pub(crate) async fn introspect(
    client: &Client,
    app: &ClientAuthentication,
    token: &str,
) -> Result<(), Error> {
    let answer = client.authorization_server().introspect(app, token).await?;
    if answer.active {
        println!("alive, for {:?} until {:?}", answer.username, answer.exp);
    } else {
        println!("dead, or nobody's business");
    }
    Ok(())
}

pub(crate) async fn revoke(
    client: &Client,
    app: &ClientAuthentication,
    token: &str,
) -> Result<(), Error> {
    client.authorization_server().revoke(app, token).await
}
