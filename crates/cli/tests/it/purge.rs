//! `tokenry purge`, over the real binary.

use serde_json::json;

use crate::{client::Client, home::Home};

#[test]
fn what_is_over_is_removed_beside_a_running_server_and_nothing_that_is_alive() {
    for home in [Home::sqlite(), Home::postgres()] {
        let admin = home.init();
        let mut settings = home.settings();
        settings.push(("TOKENRY_PURGE_ENABLED", "false"));
        let server = crate::process::Process::start_with(home.path(), &settings);
        let client = Client::new(&server.base);
        let (app, pairs) = client.prepare(&admin, 2);
        let gone = client.register_as(&admin, "gone");
        for _ in 0..3 {
            client.issue(&gone).unwrap().expect(200);
        }
        let path = format!("/api/v2/oauth/clients/{}", gone.id);
        client.change(&admin, ("DELETE", &path), &json!({})).unwrap().expect(204);
        let removed = home.run(&["purge"])["removed"].clone();
        let expected = json!({"tokens": 3, "sign_in_sessions": 0, "events": 0, "refusals": 0,
            "changes": 0, "clients": 1, "users": 0});
        assert_eq!(removed, expected);
        let again = home.run(&["purge"])["removed"].clone();
        assert!(again.as_object().unwrap().values().all(|count| count == 0), "{again}");
        for pair in &pairs {
            assert!(client.is_alive(&pair.access).unwrap());
            client.refresh(&app, pair.refresh.as_deref().unwrap()).unwrap().expect(200);
        }
        server.stop();
    }
}

#[test]
fn nothing_is_made_where_there_is_no_database() {
    let home = Home::sqlite();
    let refused = home.refuse(&["purge"]);
    assert!(refused.contains("there is no installation"), "{refused}");
    assert!(!home.path().join("data").exists());
}
