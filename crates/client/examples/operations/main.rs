//! An example of every operation, run by its name against the server that the environment names.
//!
//! ```text
//! export TOKENRY_CLIENT_SERVER=http://127.0.0.1:4000
//! export TOKENRY_CLIENT_EMAIL=admin@example.com TOKENRY_CLIENT_API_TOKEN=p00000000B_tokenry_…
//! cargo run -p tokenry-client --example operations -- oauth_tokens.list
//! cargo run -p tokenry-client --example operations -- oauth_tokens.show 1001
//! ```
//!
//! Operations that a client asks for, and not a user, read its identifier and secret from
//! `CLIENT_ID` and `CLIENT_SECRET`, and the code or token from standard input:
//!
//! ```text
//! export CLIENT_ID=acme_reports CLIENT_SECRET=c0000000017_tokenry_…
//! cargo run -p tokenry-client --example operations -- grant_type_tokens.client_credentials
//! cargo run -p tokenry-client --example operations -- authorization_server.introspect <token.txt
//! ```

mod api_tokens;
mod authorization_server;
mod global_clients;
mod grant_type_tokens;
mod oauth_clients;
mod oauth_tokens;
mod users;

use std::{env, io, time::Duration};

use tokenry_client::{
    AuthorizationCode, CheckedCallback, Client, ClientAuthentication, Error, Loopback,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = env::args().skip(1);
    let operation = arguments.next().unwrap_or_default();
    let argument = arguments.next().unwrap_or_default();
    let client = Client::from_env()?;
    match operation.split_once('.') {
        Some(("grant_type_tokens" | "authorization_server", _)) => {
            by_client(&client, &operation).await
        }
        _ => by_user(&client, &operation, &argument).await,
    }
}

async fn by_user(client: &Client, operation: &str, argument: &str) -> Result<(), Error> {
    let id = argument.parse().unwrap_or_default();
    match operation {
        "oauth_tokens.list" => oauth_tokens::list(client).await,
        "oauth_tokens.show" => oauth_tokens::show(client, id).await,
        "oauth_tokens.current" => oauth_tokens::current(client).await,
        "oauth_tokens.create" => oauth_tokens::create(client, id).await,
        "oauth_tokens.revoke" => oauth_tokens::revoke(client, id).await,
        "oauth_tokens.revoke_current" => oauth_tokens::revoke_current(client).await,
        "oauth_clients.list" => oauth_clients::list(client).await,
        "oauth_clients.list_own" => oauth_clients::list_own(client).await,
        "oauth_clients.show" => oauth_clients::show(client, id).await,
        "oauth_clients.create" => oauth_clients::create(client, argument).await,
        "oauth_clients.update" => oauth_clients::update(client, id).await,
        "oauth_clients.delete" => oauth_clients::delete(client, id).await,
        "oauth_clients.generate_secret" => oauth_clients::generate_secret(client, id).await,
        "global_clients.list" => global_clients::list(client).await,
        "users.me" => users::me(client).await,
        "users.show" => users::show(client, id).await,
        "api_tokens.list" => api_tokens::list(client).await,
        "api_tokens.show" => api_tokens::show(client, id).await,
        "api_tokens.create" => api_tokens::create(client).await,
        "api_tokens.update" => api_tokens::update(client, id).await,
        "api_tokens.delete" => api_tokens::delete(client, id).await,
        other => unknown(other),
    }
}

async fn by_client(client: &Client, operation: &str) -> Result<(), Error> {
    let variable = |name| env::var(name).unwrap_or_default();
    let app = ClientAuthentication::secret(variable("CLIENT_ID"), variable("CLIENT_SECRET"));
    match operation {
        "grant_type_tokens.redeem" => {
            let callback = consent(client, app.client_id()).await?;
            grant_type_tokens::redeem(client, &app, callback).await
        }
        "grant_type_tokens.refresh" => grant_type_tokens::refresh(client, &app, &read()?).await,
        "grant_type_tokens.client_credentials" => {
            grant_type_tokens::client_credentials(client, &app).await
        }
        "authorization_server.metadata" => authorization_server::metadata(client).await,
        "authorization_server.introspect" => {
            authorization_server::introspect(client, &app, &read()?).await
        }
        "authorization_server.revoke" => authorization_server::revoke(client, &app, &read()?).await,
        other => unknown(other),
    }
}

/// Sends the user to the server with their browser, and waits until they come back.
async fn consent(client: &Client, client_id: &str) -> Result<CheckedCallback, Error> {
    let stopped = |error: &dyn std::error::Error| Error::Request(error.to_string());
    let loopback = Loopback::bind(0).await.map_err(|error| stopped(&error))?;
    let request = AuthorizationCode::new(client_id, loopback.redirect_uri()).scope("read");
    let pending = request.begin(client)?;
    println!("open {}", pending.url());
    let received = loopback.receive(pending, Duration::from_secs(300)).await;
    received.map_err(|error| stopped(&error))
}

fn unknown(operation: &str) -> Result<(), Error> {
    let text = format!("{operation:?} is no operation: name one, such as oauth_tokens.show 1001");
    Err(Error::Request(text))
}

/// A line of standard input: what is secret has no place on a command line, where others see it.
fn read() -> Result<String, Error> {
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.map_err(|error| Error::Request(format!("standard input: {error}")))?;
    Ok(line.trim().to_owned())
}
