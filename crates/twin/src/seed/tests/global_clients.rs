//! Clients of a seed that are everybody's, and what is kept of a seed that has some.

use tokenry_protocol::ids::ClientId;

use super::*;

/// Two that are everybody's, and a token of one of them.
const GLOBAL: &str = r#"
    [[users]]
    email = "ada@acme.test"
    role = "admin"
    [[clients]]
    identifier = "own"
    [[global_clients]]
    id = 9001
    identifier = "zdg-star-charts"
    name = "Star Charts"
    company = "Nebula GmbH"
    description = "Maps of the night sky"
    logo_url = "https://charts.acme.test/logo.png"
    redirect_uri = ["https://charts.acme.test/callback"]
    [[global_clients]]
    identifier = "zdg-nobody"
    [[tokens]]
    client = "zdg-star-charts"
    user = "ada@acme.test"
    grant_type = "authorization_code"
    scopes = ["read"]
    [[api_tokens]]
    assigned_user = "ada@acme.test"
"#;

#[tokio::test]
async fn a_client_that_is_everybodys_is_listed_as_such_and_as_none_of_the_accounts() {
    let seed = Seed::parse(GLOBAL).unwrap();
    let declared: Vec<_> =
        seed.global_client_ids().unwrap().into_iter().map(ClientId::get).collect();
    assert_eq!(declared, [9001, 9003], "the account's own one has the id between them");
    let mut config = Config::default();
    config.record_api.global_clients = seed.global_client_ids().unwrap();
    let planted = Planted::by(&seed, config).await;
    let authorization = basic("ada@acme.test/token", &planted.account.api_tokens[0].token);
    let get = async |path| planted.get(path, &authorization).await.1;
    let listed = get("/api/v2/oauth/global_clients.json").await;
    let star_charts = serde_json::json!([{
        "id": 9001, "identifier": "zdg-star-charts", "name": "Star Charts",
        "company": "Nebula GmbH", "description": "Maps of the night sky",
        "logo_url": "https://charts.acme.test/logo.png",
    }]);
    assert_eq!(listed["global_clients"], star_charts, "nobody has let the other one in");
    let own = get("/api/v2/oauth/clients.json").await;
    assert_eq!((&own["count"], &own["clients"][0]["identifier"]), (&1.into(), &"own".into()));
    let global: Vec<_> = planted.account.clients.iter().map(|client| client.global).collect();
    assert_eq!(global, [false, true, true]);
}

#[test]
fn ids_and_identifiers_of_global_clients_are_those_of_clients() {
    const ADA: &str = "[[users]]\nemail = \"ada@acme.test\"\nrole = \"admin\"\n\n";
    for (text, told) in [
        (
            format!("{ADA}[[clients]]\nidentifier=\"a\"\n[[global_clients]]\nidentifier=\"A\""),
            "line 7, global_clients number 1 (A): identifier a is that of clients number 1 (a) \
             already",
        ),
        (
            format!(
                "{ADA}[[global_clients]]\nid=4\nidentifier=\"a\"\n[[clients]]\nid=4\n\
                 identifier=\"b\""
            ),
            "line 5, global_clients number 1 (a): id 4 is that of clients number 1 (b) already",
        ),
        (
            format!("{ADA}[[global_clients]]\nidentifier=\"a b\""),
            "line 5, global_clients number 1 (a b): an identifier has 1 to 255 characters of",
        ),
    ] {
        let error = refused(&text);
        assert!(error.starts_with(told), "{error}\n{told}");
    }
}

#[test]
fn a_seed_is_kept_as_it_is() {
    for seed in [Seed::contract_cast().unwrap(), Seed::parse(GLOBAL).unwrap(), Seed::default()] {
        let kept = serde_json::to_string(&seed).unwrap();
        assert_eq!(Seed::parse(&kept).unwrap(), seed);
    }
}

#[test]
fn a_client_is_named_as_it_was_registered() {
    let error =
        refused(&GLOBAL.replace("client = \"zdg-star-charts\"", "client = \"ZDG-star-charts\""));
    let told = "line 17, tokens number 1: there is no client \"ZDG-star-charts\"; the clients are \
                own, zdg-star-charts, zdg-nobody";
    assert_eq!(error, told);
}

#[test]
fn there_are_at_most_100_global_clients() {
    let ada = "[[users]]\nemail = \"ada@acme.test\"\nrole = \"admin\"\n";
    let clients = |count: usize| {
        let clients = (0..count).map(|at| format!("[[global_clients]]\nidentifier = \"c{at}\"\n"));
        format!("{ada}{}", clients.collect::<String>())
    };
    assert!(Seed::parse(&clients(100)).is_ok());
    let error = refused(&clients(101));
    let told = "line 204, global_clients number 101 (c100): there are at most 100 global clients";
    assert_eq!(error, told);
}
