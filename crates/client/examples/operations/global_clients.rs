//! Clients of every account.

use tokenry_client::{Client, Error};

pub(crate) async fn list(client: &Client) -> Result<(), Error> {
    let mut pages = client.global_clients().list().pages();
    while let Some(page) = pages.next().await? {
        for app in page.global_clients {
            println!("{:?} is {:?}, by {:?}", app.id, app.name, app.company);
        }
    }
    Ok(())
}
