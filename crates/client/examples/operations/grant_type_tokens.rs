//! The token endpoint.

use tokenry_client::{Client, ClientAuthentication, Error};

pub(crate) async fn redeem(
    client: &Client,
    app: &ClientAuthentication,
    code: &str,
) -> Result<(), Error> {
    let answer = client
        .grant_type_tokens()
        .redeem(app, code)
        .redirect_uri("http://127.0.0.1/callback")
        .code_verifier("of-the-client-0123456789-0123456789-0123456789")
        .expires_in(1_800)
        .await?;
    println!("{:?} for {:?} seconds", answer.scope, answer.expires_in);
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
