//! The pages with ordinary and with hostile text.
//!
//! With `PAGES_DIR` set, they and their files are written there, to be looked at in a browser.

use std::{env, fs, path::Path};

use askama::Template;
use tokenry_protocol::time::Timestamp;
use tokenry_server::views::Asset;

use super::*;
use crate::{
    account::Account,
    connect::{ApiTokens, ConnectionDetails, Https, Place},
    testing::{NOON, Planted},
};

/// What would end every kind of text it could stand in, and what turns text around.
const HOSTILE: &str = "</code></script><script>alert(1)</script>\"'`\
    <img src=x onerror=alert(1)>&amp;{{7*7}}\u{202e}evil";

fn text(text: &str) -> String {
    text.to_owned()
}

fn setting(profile: &str) -> Setting {
    Setting {
        subdomain: text("acme"),
        profile: text(profile),
        now: Timestamp::parse(NOON).unwrap(),
        pace: Pace::Frozen,
    }
}

fn place(account: &Account, base_url: &str) -> ConnectionDetails {
    let place = Place {
        base_url: text(base_url),
        subdomain: text("acme"),
        profile: text("refreshing"),
        api_tokens: ApiTokens::Accepted,
        https: Some(Https {
            proxy: text("http://127.0.0.1:4443"),
            ca_file: text("/tmp/twin-<i>.pem"),
        }),
    };
    ConnectionDetails::new(account, &place)
}

async fn home_page() -> HomePage {
    let account = Planted::cast().await.account;
    HomePage {
        setting: setting("refreshing"),
        details: place(&account, "http://127.0.0.1:4000"),
        account,
        faults: vec![
            FaultInForce {
                text: text("lose-answer route=refresh times=1"),
                about: text("The server took the refresh and the network lost its answer."),
                matched: 3,
                struck: 1,
            },
            FaultInForce {
                text: text("status=503 route=/api/v2/* probability=0.25"),
                about: text("A gateway that has nobody behind it."),
                matched: 412,
                struck: 97,
            },
        ],
    }
}

/// The same with hostile text wherever somebody else writes.
async fn hostile_home_page() -> HomePage {
    let mut page = home_page().await;
    let hostile = || text(HOSTILE);
    page.setting.subdomain = hostile();
    page.setting.profile = hostile();
    for user in &mut page.account.users {
        (user.name, user.email, user.password) = (hostile(), hostile(), Some(hostile()));
    }
    for client in &mut page.account.clients {
        (client.identifier, client.name) = (hostile(), hostile());
        client.redirect_uri.iter_mut().for_each(|address| *address = hostile());
        client.secret = client.secret.as_ref().map(|_| hostile());
    }
    for token in &mut page.account.api_tokens {
        (token.description, token.token) = (hostile(), hostile());
    }
    for token in &mut page.account.tokens {
        (token.access_token, token.scopes) = (hostile(), vec![hostile()]);
        token.refresh_token = token.refresh_token.as_ref().map(|_| hostile());
    }
    for fault in &mut page.faults {
        (fault.text, fault.about) = (hostile(), hostile());
    }
    page.details = place(&page.account, "http://127.0.0.1:4000");
    page
}

fn entry(
    number: u64,
    method: &str,
    path: &str,
    status: Option<u16>,
    outcome: &str,
) -> JournalEntry {
    let seconds = i64::try_from(number).unwrap();
    JournalEntry {
        number,
        at: Timestamp::from_seconds(Timestamp::parse(NOON).unwrap().as_seconds() + seconds),
        method: text(method),
        path: text(path),
        route: Some(text("/api/v2/oauth/tokens/{id}")),
        status,
        outcome: text(outcome),
        user_id: Some(29),
        client_id: None,
        record_id: Some(1001),
        credential: Some(text("a00000000G")),
        faults: Vec::new(),
        micros: 240 * number,
        request: None,
        answer: Some(text("{\n  \"token\": {\n    \"id\": 1001\n  }\n}")),
    }
}

fn journal_page() -> JournalPage {
    let lost = JournalEntry {
        user_id: Some(37),
        client_id: Some(43),
        record_id: Some(1004),
        credential: Some(text("r00000000j")),
        faults: vec![text("lose-answer"), text("delay=2s")],
        request: Some(text(
            "grant_type=refresh_token&refresh_token=r00000000j…&client_id=acme_mobile",
        )),
        answer: Some(text("{\"access_token\": \"a00000000j…\", \"token_type\": \"bearer\"}")),
        ..entry(5, "POST", "/oauth/tokens", None, "refreshed token 1004; the answer was lost")
    };
    let refused = "refused: invalid_grant, the refresh token was replaced by call 5";
    JournalPage {
        setting: setting("refreshing"),
        entries: vec![
            entry(
                7,
                "GET",
                "/api/v2/oauth/tokens.json?all=true&page%5Bsize%5D=100\
                 &page%5Bafter%5D=v1.t.AAAAAAAAA-o.9Qm3xw",
                Some(200),
                "listed tokens",
            ),
            entry(6, "POST", "/oauth/tokens", Some(400), refused),
            lost,
            JournalEntry {
                faults: vec![text("status=503")],
                ..entry(4, "GET", "/api/v2/users/me.json", Some(503), "answered by a fault")
            },
            JournalEntry {
                user_id: None,
                record_id: None,
                credential: None,
                answer: None,
                ..entry(3, "GET", "/oauth/authorizations/new", Some(303), "off to sign in")
            },
            entry(2, "DELETE", "/api/v2/oauth/tokens/1001.json", Some(204), "revoked token 1001"),
            entry(1, "GET", "/api/v2/oauth/tokens/1001.json", Some(200), "showed token 1001"),
        ],
        newest: 7,
        dropped: 12,
        cleared: 0,
        filter: JournalFilter::default(),
    }
}

fn hostile_journal_page() -> JournalPage {
    let mut page = journal_page();
    let hostile = || text(HOSTILE);
    page.setting = setting(HOSTILE);
    page.filter.path = hostile();
    for entry in &mut page.entries {
        (entry.method, entry.path, entry.outcome) = (hostile(), hostile(), hostile());
        for text in [&mut entry.route, &mut entry.credential, &mut entry.request, &mut entry.answer]
        {
            *text = text.as_ref().map(|_| hostile());
        }
        entry.faults.iter_mut().for_each(|fault| *fault = hostile());
    }
    page
}

async fn pages() -> Vec<(&'static str, String)> {
    let empty_home = HomePage {
        setting: Setting { pace: Pace::Running, ..setting("legacy") },
        details: place(&Account::default(), "http://localhost:4000"),
        account: Account::default(),
        faults: Vec::new(),
    };
    let empty_journal =
        JournalPage { entries: Vec::new(), newest: 0, dropped: 0, ..journal_page() };
    vec![
        ("home", home_page().await.render().unwrap()),
        ("journal", journal_page().render().unwrap()),
        ("home_empty", empty_home.render().unwrap()),
        ("journal_empty", empty_journal.render().unwrap()),
        ("home_hostile", hostile_home_page().await.render().unwrap()),
        ("journal_hostile", hostile_journal_page().render().unwrap()),
    ]
}

/// Every tag without the values of its attributes.
fn skeleton(page: &str) -> Vec<String> {
    let tags = page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.map(|tag| tag.split('"').step_by(2).collect::<Vec<_>>().join("…")).collect()
}

#[tokio::test]
async fn hostile_text_changes_no_tag() {
    let pairs = [
        (home_page().await.render().unwrap(), hostile_home_page().await.render().unwrap()),
        (journal_page().render().unwrap(), hostile_journal_page().render().unwrap()),
    ];
    for (ordinary, hostile) in pairs {
        assert_eq!(skeleton(&ordinary), skeleton(&hostile));
        assert!(hostile.contains("alert(1)"), "it is shown");
    }
}

#[tokio::test]
async fn every_script_and_style_is_a_file_of_ours() {
    for (name, page) in pages().await {
        let scripts: Vec<_> = page.split("<script").skip(1).collect();
        assert_eq!(scripts.len(), 1, "{name}");
        assert!(scripts[0].starts_with(" src=\"/twin/assets/"), "{name}");
        assert!(scripts[0].contains("\" defer></script>"), "{name}");
        for tag in skeleton(&page) {
            assert!(!tag.contains(" style=") && !tag.contains(" on"), "{name}: {tag}");
            assert!(!tag.starts_with("style"), "{name}");
        }
    }
}

#[tokio::test]
async fn every_page_says_that_it_is_a_double_and_leads_to_the_other() {
    for (name, page) in pages().await {
        for (part, count) in [
            ("This is a double, not Zendesk.", 1),
            ("<h1>", 1),
            ("<main ", 1),
            ("href=\"#content\"", 1),
            ("name=\"viewport\"", 1),
            ("aria-current=\"page\"", 1),
            ("href=\"/twin/journal\"", 1),
        ] {
            assert_eq!(page.matches(part).count(), count, "{name}: {part}");
        }
    }
}

#[tokio::test]
async fn every_id_is_there_once_and_what_is_referred_to_is_there() {
    for (name, page) in pages().await {
        let values = |attribute: &str| -> Vec<String> {
            let marker = format!(" {attribute}=\"");
            let found = page.split(&marker).skip(1);
            found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let ids = values("id");
        let once: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "{name}");
        for id in ["aria-labelledby", "for"].iter().flat_map(|attribute| values(attribute)) {
            assert!(ids.contains(&id), "{name}: {id}");
        }
    }
}

#[tokio::test]
async fn the_start_page_shows_every_credential_and_when_it_ends() {
    let page = home_page().await;
    let html = page.render().unwrap();
    for token in &page.account.tokens {
        assert!(html.contains(&token.access_token));
        assert!(token.refresh_token.as_ref().is_none_or(|token| html.contains(token)));
    }
    for part in [
        "ada-password",
        "does not expire",
        "ended 2026-03-02 10:30:00 UTC",
        "ends 2026-03-05 16:30:00 UTC",
        "2026-03-05 12:00:00 UTC",
        "<span class=\"tag\">frozen</span>",
        "lose-answer route=refresh times=1",
        "export ZENDESK_SERVER_URL=http://127.0.0.1:4000",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[test]
fn a_call_without_an_answer_says_so_and_waiting_times_have_a_unit() {
    let page = journal_page().render().unwrap();
    for part in [
        "<tr class=\"broken\">\n<td class=\"number count\">5</td>",
        "<span class=\"badge\">no answer</span>",
        "user 37, client 43, record 1004, r00000000j",
        "<li class=\"tag\"><bdi>lose-answer</bdi></li>",
        "240 µs",
        "1.2 ms",
        "<span class=\"day\">2026-03-05</span> <span class=\"clock\">12:00:05</span>",
        "12 older ones are no longer kept.",
        "data-newest=\"7\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn without_scripts_the_journal_loads_itself_anew_and_filters_by_its_form() {
    let filter = JournalFilter { path: text("/oauth"), faults_only: true };
    let page = JournalPage { filter, ..journal_page() }.render().unwrap();
    for part in [
        "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
        "method=\"get\" action=\"/twin/journal\"",
        "name=\"path\" type=\"search\" value=\"/oauth\"",
        "name=\"faults\" type=\"checkbox\" value=\"only\" checked",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

/// The script makes its rows of the page's own, so each part that it fills must be there.
#[test]
fn what_the_script_looks_for_is_on_the_page() {
    let script = assets().iter().find(|asset| asset.path.ends_with("journal.js")).unwrap();
    let script = str::from_utf8(script.bytes).unwrap();
    let page = journal_page().render().unwrap();
    let (_, blank) = page.split_once("<template id=\"entry\">").unwrap();
    for call in ["set('", "show('"] {
        for name in script.split(call).skip(1).map(|rest| rest.split('\'').next().unwrap()) {
            let class = name.trim_start_matches('.').split(' ').next().unwrap();
            let is_class = |list: &str| list.split(' ').any(|word| word == class);
            let mut lists = blank.split("class=\"").skip(1);
            assert!(lists.any(|rest| is_class(rest.split('"').next().unwrap())), "{name}");
        }
    }
    for id in script.split("querySelector('#").skip(1).map(|rest| rest.split('\'').next().unwrap())
    {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[tokio::test]
async fn pages_can_be_written_out_to_be_looked_at() {
    let Ok(folder) = env::var("PAGES_DIR") else {
        return;
    };
    let folder = Path::new(&folder);
    let ours = assets().iter().chain(tokenry_server::views::assets());
    for Asset { path, bytes, .. } in ours {
        let file = folder.join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    for (name, page) in pages().await {
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}
