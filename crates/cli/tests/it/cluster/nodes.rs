//! Any node serves any request, and all need one key.

use super::{Cluster, is_alive, proxy::Proxy};
use crate::{client::Client, process::tokenry};

#[test]
fn whatever_a_node_has_issued_every_node_serves() {
    let cluster = Cluster::start();
    let (app, mut browser, clients) = cluster.cast();
    let code = browser.consent(&clients[0], &app).unwrap().unwrap();
    let first = clients[1].redeem(&app, &code).unwrap().tokens();
    let second = clients[2].refresh(&app, first.refresh.as_deref().unwrap()).unwrap().tokens();
    for client in &clients {
        assert!(is_alive(client, &second) && !is_alive(client, &first));
    }
    // A session is every node's as well.
    assert!(browser.consent(&clients[2], &app).unwrap().is_ok());
}

#[test]
fn a_client_that_knows_only_the_proxy_is_served_by_all_nodes_and_goes_on_when_one_is_killed() {
    let (proxy, mut cluster) = Proxy::and_cluster(tokenry_postgres_testing::schema());
    let client = Client::new(proxy.base());
    let (app, grants) = client.prepare(&cluster.database.admin, 4);
    for killed in [None, Some(0)] {
        if let Some(node) = killed {
            cluster.kill(node);
        }
        // Each of the three is asked more than once.
        for _ in 0..2 {
            for tokens in &grants {
                assert!(is_alive(&client, tokens));
                client.issue(&app).unwrap().expect(200);
            }
        }
    }
    let listed = client.list(&cluster.database.admin).len();
    assert_eq!(listed, 4 + 16);
}

#[test]
fn a_node_with_another_key_refuses_to_start() {
    let cluster = Cluster::start();
    let other = tempfile::tempdir().unwrap();
    let serve = |key: Option<&str>| {
        let mut serve = tokenry(other.path(), &["serve", "--listen", "127.0.0.1:0"]);
        serve.env("TOKENRY_STORE", &cluster.database.store);
        if let Some(key) = key {
            serve.env("TOKENRY_SERVER_KEY", key);
        }
        let ended = serve.output().unwrap();
        assert!(!ended.status.success());
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let missing = serve(None);
    assert!(missing.contains("its server key is not here"), "{missing}");
    let wrong = serve(Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    assert!(wrong.contains("the server key does not open this store"), "{wrong}");
}
