//! TLS to the database: always where it is wanted, and only with the server that is meant.
//!
//! The certificate in `tls/` is for the name `localhost`, by the authority beside it.

use std::path::Path;

use tokenry_postgres_testing::Server;
use tokenry_store::{Store, StoreError};

use crate::support::{hasty, open, try_open, world};

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/tls");
    folder.join(name).to_str().unwrap().to_owned()
}

fn server() -> Server {
    Server::start_with_tls(&file("server.pem"), &file("server.key"))
}

fn address(server: &Server, host: &str, mode: &str, authority: &str) -> String {
    let url = server.schema().replace("127.0.0.1", host).replace("sslmode=disable", mode);
    format!("{url}&sslrootcert={}", file(authority).replace('/', "%2F"))
}

const ENCRYPTED: &str = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
    WHERE application_name = 'tokenry'";

#[tokio::test]
async fn a_server_that_is_who_it_says_is_talked_to_under_tls() {
    let server = server();
    for mode in ["sslmode=prefer", "sslmode=require", "sslmode=verify-full"] {
        let url = address(&server, "localhost", mode, "authority.pem");
        let store = open(&url).await;
        world(&store).user().await;
        assert_eq!(server.query(ENCRYPTED), "t", "{mode}");
    }
    let url = address(&server, "localhost", "sslmode=disable", "authority.pem");
    let store = open(&url).await;
    store.check().await.unwrap();
    assert_eq!(server.query(ENCRYPTED), "f");
}

/// Somebody else's authority, and somebody else's name.
#[tokio::test]
async fn a_server_that_is_not_who_it_says_is_refused() {
    let server = server();
    for (host, authority) in [("localhost", "stranger.pem"), ("127.0.0.1", "authority.pem")] {
        for mode in ["sslmode=prefer", "sslmode=require", "sslmode=verify-full"] {
            let url = address(&server, host, mode, authority);
            let refused = try_open(&url, hasty()).await;
            let Err(StoreError::Unavailable(reason)) = refused else {
                panic!("{host} was trusted by {authority}");
            };
            assert!(reason.contains("certificate"), "{reason}");
        }
    }
}

/// Each server of an address must be who that one is said to be.
#[tokio::test]
async fn of_several_servers_only_one_that_has_its_own_name_is_trusted() {
    let server = server();
    let url = address(&server, "127.0.0.1", "sslmode=verify-full", "authority.pem");
    assert!(try_open(&server.added_to(&url), hasty()).await.is_err());
    let named = format!(",localhost:{}/postgres", server.port());
    let url = url.replace("/postgres", &named);
    open(&url).await.check().await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_wanted() {
    let server = Server::start();
    let url = address(&server, "localhost", "sslmode=verify-full", "authority.pem");
    let refused = try_open(&url, hasty()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let url = address(&server, "localhost", "sslmode=prefer", "authority.pem");
    open(&url).await;
}
