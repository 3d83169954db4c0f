//! The token endpoint.

use tokenry_client::{CheckedCallback, Client, ClientAuthentication, Error};

/// `callback` is what `PendingAuthorization::check` or `Loopback::receive` gave.
pub(crate) async fn redeem(
    client: &Client,
    app: &ClientAuthentication,
    callback: CheckedCallback,
) -> Result<(), Error> {
    let tokens = client.grant_type_tokens().redeem(app, callback).expires_in(3_600).await?;
    println!("{:?} may {:?}", tokens.access_token, tokens.scope);
    Ok(())
}

pub(crate) async fn refresh(
    client: &Client,
    app: &ClientAuthentication,
    refresh_token: &str,
) -> Result<(), Error> {
    let answer = client.grant_type_tokens().refresh(app, refresh_token).await?;
    if let Some(next) = answer.refresh_token {
        println!("store this before the old one is forgotten: {}", next.reveal());
    }
    Ok(())
}

pub(crate) async fn client_credentials(
    client: &Client,
    app: &ClientAuthentication,
) -> Result<(), Error> {
    let answer = client.grant_type_tokens().client_credentials(app).scope("read").await?;
    println!("{:?} for {:?} seconds", answer.scope, answer.expires_in);
    Ok(())
}
