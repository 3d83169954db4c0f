//! Users.

use tokenry_client::{Client, Error};

pub(crate) async fn me(client: &Client) -> Result<(), Error> {
    let answer = client.users().me().await?;
    if let Some(user) = answer.user {
        println!("{:?} is {:?}, {:?}", user.id, user.name, user.role);
    }
    Ok(())
}

pub(crate) async fn show(client: &Client, id: u64) -> Result<(), Error> {
    let answer = client.users().show(id).await?;
    println!("{:?}", answer.user.and_then(|user| user.email));
    Ok(())
}
