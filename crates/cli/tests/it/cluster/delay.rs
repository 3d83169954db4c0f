//! What happens at one node is soon known to all: how soon, measured from the answer of that node
//! to the answers of the others.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Cluster, HEARD_IN_MAX, at_once, distribution::Distribution, is_alive, is_dead_in};
use crate::{
    browser::Browser,
    client::{App, Client, Tokens},
    durability::rounds,
    process::tokenry,
};

/// How often each kind of end is tried.
const ENDS: u64 = 60;
/// Ends of users and clients, which take a while to make first.
const ENDS_OF_OWNERS: u64 = 20;
/// The goal for 99 of 100, on a machine that does nothing else.
const GOAL: Duration = Duration::from_millis(50);

struct Stage {
    cluster: Cluster,
    app: App,
    browser: Browser,
    clients: Vec<Client>,
}

impl Stage {
    fn new() -> Self {
        let cluster = Cluster::start();
        let (app, browser, clients) = cluster.cast();
        Self { cluster, app, browser, clients }
    }

    /// A grant that every node has in memory.
    fn known_everywhere(&mut self) -> Tokens {
        let code = self.browser.consent(&self.clients[0], &self.app).unwrap().unwrap();
        let tokens = self.clients[0].redeem(&self.app, &code).unwrap().tokens();
        assert!(self.clients.iter().all(|client| is_alive(client, &tokens)));
        tokens
    }

    /// It has just been ended at the first node: how long until each other one refuses it.
    fn heard(&self, access: &str) -> Vec<Duration> {
        let ended = Instant::now();
        assert_eq!(self.clients[0].is_alive(access), Some(false), "not dead at once");
        at_once(&self.clients[1..], |client| {
            is_dead_in(client, access, HEARD_IN_MAX);
            ended.elapsed()
        })
    }
}

fn tell(what: &str, heard: Vec<Duration>) {
    let distribution = Distribution::of(what, heard);
    let is_met = if distribution.at(99) <= GOAL { "met" } else { "missed" };
    println!("{distribution}  99 % within {GOAL:?}: {is_met}");
}

#[test]
fn what_is_revoked_at_one_node_is_soon_dead_at_all() {
    let mut stage = Stage::new();
    let heard = (0..rounds(ENDS)).flat_map(|_| {
        let tokens = stage.known_everywhere();
        stage.clients[0].revoke(&stage.app, &tokens.access).unwrap().expect(200);
        stage.heard(&tokens.access)
    });
    tell("revoked at one node, dead at another after", heard.collect());
}

#[test]
fn an_access_token_that_was_rotated_away_at_one_node_is_soon_dead_at_all() {
    let mut stage = Stage::new();
    let mut held = stage.known_everywhere();
    let heard = (0..rounds(ENDS)).flat_map(|_| {
        assert!(stage.clients.iter().all(|client| is_alive(client, &held)));
        let refresh = held.refresh.as_deref().unwrap();
        let next = stage.clients[0].refresh(&stage.app, refresh).unwrap().tokens();
        let heard = stage.heard(&held.access);
        held = next;
        heard
    });
    tell("rotated at one node, the token before dead at another after", heard.collect());
}

#[test]
fn tokens_of_a_client_that_is_disabled_or_deleted_at_one_node_are_soon_dead_at_all() {
    let mut stage = Stage::new();
    let (mut disabled, mut deleted) = (Vec::new(), Vec::new());
    for round in 0..rounds(ENDS_OF_OWNERS) {
        let admin = &stage.cluster.database.admin;
        stage.app = stage.clients[0].register_as(admin, &format!("brief-{round}"));
        let tokens = stage.known_everywhere();
        let path = format!("/api/v2/oauth/clients/{}", stage.app.id);
        let switch = |value: bool| {
            let body = json!({"client": {"disabled": value}});
            stage.clients[0].change(&stage.cluster.database.admin, ("PUT", &path), &body).unwrap()
        };
        switch(true).expect(200);
        disabled.extend(stage.heard(&tokens.access));
        // What a disabled client had lives again with it.
        switch(false).expect(200);
        let lives_again = Instant::now();
        while !stage.clients.iter().all(|client| is_alive(client, &tokens)) {
            assert!(lives_again.elapsed() < HEARD_IN_MAX, "a node does not hear of it");
        }
        let admin = &stage.cluster.database.admin;
        stage.clients[0].change(admin, ("DELETE", &path), &json!({})).unwrap().expect(204);
        deleted.extend(stage.heard(&tokens.access));
    }
    tell("client disabled at one node, its token dead at another after", disabled);
    tell("client deleted at one node, its token dead at another after", deleted);
}

/// There is no other way to end a user than the command, which is a node for that moment.
#[test]
fn tokens_of_a_user_who_is_deleted_by_a_command_are_soon_dead_at_all_nodes() {
    let mut stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = tokenry(folder.path(), arguments);
        command.env("TOKENRY_STORE", &stage.cluster.database.store);
        command.env("TOKENRY_KEY_FILE", stage.cluster.database.key_file());
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        ended.stdout
    };
    let mut heard = Vec::new();
    for round in 0..rounds(ENDS_OF_OWNERS) {
        let email = format!("eve-{round}@acme.test");
        let made = command(&["user", "create", "--email", &email, "--json"]);
        let user = serde_json::from_slice(&made).unwrap();
        stage.browser = Browser::signed_in(&stage.clients[0], &user);
        let code = stage.browser.consent(&stage.clients[0], &stage.app).unwrap().unwrap();
        let tokens = stage.clients[0].redeem(&stage.app, &code).unwrap().tokens();
        assert!(stage.clients.iter().all(|client| is_alive(client, &tokens)));
        command(&["user", "delete", &email, "--yes"]);
        let ended = Instant::now();
        heard.extend(at_once(&stage.clients, |client| {
            is_dead_in(client, &tokens.access, HEARD_IN_MAX);
            ended.elapsed()
        }));
    }
    tell("user deleted by a command that has ended, their token dead at a node after", heard);
}

#[test]
fn the_secret_that_a_client_had_before_is_soon_refused_at_all_nodes() {
    let mut stage = Stage::new();
    let mut heard = Vec::new();
    for _ in 0..rounds(ENDS) {
        for client in &stage.clients {
            client.issue(&stage.app).unwrap().expect(200);
        }
        let before = stage.app.clone();
        stage.app = stage.clients[0].change_secret(&stage.cluster.database.admin, &before);
        let changed = Instant::now();
        stage.clients[0].issue(&before).unwrap().expect(401);
        heard.extend(at_once(&stage.clients[1..], |client| {
            while client.issue(&before).unwrap().status != 401 {
                assert!(changed.elapsed() < HEARD_IN_MAX, "a node takes a secret of before");
            }
            changed.elapsed()
        }));
        // And the new one is taken wherever the old one is refused.
        for client in &stage.clients {
            client.issue(&stage.app).unwrap().expect(200);
        }
    }
    tell("secret changed at one node, the one before refused at another after", heard);
}
