//! An example of every operation, run by its name against the server that the environment names.
//!
//! ```text
//! export TOKENRY_CLIENT_SERVER=http://127.0.0.1:4000
//! export TOKENRY_CLIENT_EMAIL=admin@example.com TOKENRY_CLIENT_API_TOKEN=p00000000B_tokenry_…
//! cargo run -p tokenry-client --example operations -- oauth_tokens.list
//! cargo run -p tokenry-client --example operations -- oauth_tokens.show 1001
//! ```

mod oauth_tokens;

use tokenry_client::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let operation = arguments.next().unwrap_or_default();
    let id = arguments.next().and_then(|text| text.parse().ok()).unwrap_or_default();
    let client = Client::from_env()?;
    match operation.as_str() {
        "oauth_tokens.list" => oauth_tokens::list(&client).await,
        "oauth_tokens.show" => oauth_tokens::show(&client, id).await,
        "oauth_tokens.current" => oauth_tokens::current(&client).await,
        "oauth_tokens.create" => oauth_tokens::create(&client, id).await,
        "oauth_tokens.revoke" => oauth_tokens::revoke(&client, id).await,
        "oauth_tokens.revoke_current" => oauth_tokens::revoke_current(&client).await,
        other => {
            println!("{other:?} is no operation: name one, such as oauth_tokens.show 1001");
            Ok(())
        }
    }
}
