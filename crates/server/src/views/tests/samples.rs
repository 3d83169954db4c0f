//! What the pages are filled with.

use askama::Template;
use tokenry_protocol::{
    redirect_uri::ClientKind,
    time::{Seconds, Timestamp},
};

use super::super::*;

pub(super) fn text(text: &str) -> String {
    text.to_owned()
}

/// Markup, a direction override, a letter under many marks and a word without end.
fn hostile() -> String {
    let stacked: String = "Z".to_owned() + &"\u{0353}\u{034c}\u{0301}".repeat(40);
    format!(
        "\u{202e}</bdi></title><script>alert(1)</script>\"'><h1 onclick=x>&amp; {stacked} {}",
        "W".repeat(250)
    )
}

/// Hostile text in the place of scope tokens, of the same kinds.
fn hostile_tokens(tokens: &[String]) -> Vec<String> {
    let replaced = tokens.iter().map(|token| match describe_scope(token).kind {
        ScopeKind::View => hostile() + ":read",
        ScopeKind::Change => hostile() + ":write",
        ScopeKind::ViewAndChange => hostile(),
        ScopeKind::Sensitive => token.clone(),
    });
    replaced.collect()
}

fn user() -> SignedInUser {
    SignedInUser { name: text("Ada Lovelace"), email: text("ada@example.test") }
}

fn client() -> ClientSummary {
    ClientSummary { name: text("Acme Reports"), company: Some(text("Acme Ltd")), logo: None }
}

fn tokens(scope: &str) -> Vec<String> {
    scope.split(' ').map(str::to_owned).collect()
}

pub(super) fn sign_in_page() -> SignInPage {
    SignInPage {
        page_token: text("page-token"),
        return_to: text("/oauth/authorizations/new?client_id=acme_reports&state=a%26b"),
        email: String::new(),
        client: Some(client()),
        message: None,
    }
}

pub(in crate::views) fn consent_page() -> ConsentPage {
    ConsentPage {
        client: client(),
        description: Some(text(
            "Sends you a weekly report of your tickets, by email and as a spreadsheet.",
        )),
        client_identifier: text("acme_reports"),
        client_kind: ClientKind::Confidential,
        redirect_uri: text("https://reports.acme.test/callback?tenant=7"),
        scope_tokens: tokens("tickets:read users:read"),
        user: user(),
        request: text("request"),
        page_token: text("page-token"),
        return_to: text("/oauth/authorizations/new?client_id=acme_reports"),
    }
}

pub(super) fn device_consent_page() -> ConsentPage {
    ConsentPage {
        client: ClientSummary {
            name: text("Desk Tool"),
            company: None,
            logo: Logo::parse("https://cdn.acme.test/no-such-logo.png"),
        },
        description: Some("Reads tickets on the command line. ".repeat(20)),
        client_kind: ClientKind::Public,
        redirect_uri: text("http://127.0.0.1:53682/callback"),
        scope_tokens: tokens("read write impersonate tickets invoices:write"),
        ..consent_page()
    }
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

pub(in crate::views) fn connections_page() -> ConnectionsPage {
    let reports = Connection {
        id: 1001,
        client: client(),
        scope_tokens: tokens("tickets:read users:read"),
        connected_at: at("2026-01-12T09:15:04Z"),
        used_at: Some(at("2026-03-05T11:57:00Z")),
        ending: Ending::UnlessRenewed(at("2026-04-01T08:00:00Z")),
    };
    let desk = Connection {
        id: 1002,
        client: ClientSummary { name: text("Desk Tool"), company: None, logo: None },
        scope_tokens: tokens("read write impersonate"),
        used_at: None,
        ending: Ending::Never,
        ..reports.clone()
    };
    let export = Connection {
        id: 1003,
        client: ClientSummary {
            name: text("Nightly Export"),
            company: Some(text("Example Inc.")),
            logo: None,
        },
        scope_tokens: tokens("read"),
        used_at: Some(at("2025-11-20T02:00:00Z")),
        ending: Ending::At(at("2026-03-05T12:30:00Z")),
        ..reports.clone()
    };
    ConnectionsPage {
        user: user(),
        page_token: text("page-token"),
        connections: vec![reports, desk, export],
        notice: Some(ConnectionsNotice::AccessEnded { client_name: text("Old Importer") }),
        next_page: Some(text("/account/connections?after=cursor")),
        now: at("2026-03-05T12:00:00Z"),
    }
}

fn problems() -> Vec<(&'static str, Problem)> {
    let retry_after = Seconds(30);
    vec![
        ("unknown_client", Problem::UnknownClient { client_id: text("acme_report") }),
        ("client_disabled", Problem::ClientDisabled { client_name: text("Acme Reports") }),
        (
            "redirect_uri_not_registered",
            Problem::RedirectUriNotRegistered {
                redirect_uri: text("https://reports.acme.test/callbak"),
            },
        ),
        ("redirect_uri_missing", Problem::RedirectUriMissing),
        (
            "malformed_request",
            Problem::MalformedRequest { detail: text("The parameter client_id is there twice.") },
        ),
        ("request_ended", Problem::RequestEnded),
        ("page_expired", Problem::PageExpired),
        ("too_many_attempts", Problem::TooManyAttempts { retry_after }),
        ("unavailable", Problem::Unavailable { retry_after }),
        ("internal", Problem::Internal),
        ("not_found", Problem::NotFound),
    ]
}

fn error_page(problem: Problem) -> ErrorPage {
    ErrorPage { problem, request_id: text("01JNK3V8T2") }
}

/// Every page in its states, by a name for the file.
pub(super) fn ordinary_pages() -> Vec<(String, String)> {
    let mut pages = sign_in_pages();
    pages.extend(consent_pages());
    pages.extend(connections_pages());
    pages.extend(home_pages());
    pages.extend(noticed_pages());
    pages.push((text("signed_out"), rendered(&SignedOutPage)));
    for (name, problem) in problems() {
        pages.push((format!("error_{name}"), rendered(&error_page(problem))));
    }
    pages
}

fn rendered(page: &impl Template) -> String {
    page.render().unwrap()
}

fn sign_in_pages() -> Vec<(String, String)> {
    let plain = SignInPage { client: None, ..sign_in_page() };
    let mut pages = vec![
        (text("sign_in"), rendered(&sign_in_page())),
        (text("sign_in_plain"), rendered(&plain)),
    ];
    let retry_after = Seconds(42);
    for (name, message) in [
        ("wrong", SignInMessage::WrongEmailOrPassword),
        ("limited", SignInMessage::TooManyAttempts { retry_after }),
        ("expired", SignInMessage::PageExpired),
        ("again", SignInMessage::SignInAgain),
    ] {
        let page = SignInPage {
            message: Some(message),
            email: text("ada@example.test"),
            ..sign_in_page()
        };
        pages.push((format!("sign_in_{name}"), rendered(&page)));
    }
    pages
}

fn consent_pages() -> Vec<(String, String)> {
    let app = ConsentPage {
        redirect_uri: text("com.acme.app:/callback"),
        description: None,
        ..device_consent_page()
    };
    vec![
        (text("consent"), rendered(&consent_page())),
        (text("consent_device"), rendered(&device_consent_page())),
        (text("consent_app"), rendered(&app)),
    ]
}

fn connections_pages() -> Vec<(String, String)> {
    let empty = ConnectionsPage {
        connections: Vec::new(),
        notice: Some(ConnectionsNotice::AlreadyEnded),
        ..connections_page()
    };
    let expired = ConnectionsPage {
        notice: Some(ConnectionsNotice::PageExpired),
        next_page: None,
        ..connections_page()
    };
    vec![
        (text("connections"), rendered(&connections_page())),
        (text("connections_empty"), rendered(&empty)),
        (text("connections_expired"), rendered(&expired)),
    ]
}

fn home_page(user: SignedInUser, page_token: String) -> HomePage {
    let viewer = Viewer::SignedIn { user, page_token };
    HomePage { viewer }
}

fn home_pages() -> Vec<(String, String)> {
    let signed_out = HomePage { viewer: Viewer::SignedOut };
    let signed_in = home_page(user(), text("page-token"));
    vec![(text("home"), rendered(&signed_out)), (text("home_signed_in"), rendered(&signed_in))]
}

fn noticed(page: &impl Template, notice: &str) -> String {
    render(page, Some(&SiteNotice::new(notice))).unwrap()
}

/// Pages of every width under the notice of the installation.
pub(super) fn noticed_pages() -> Vec<(String, String)> {
    const NOTICE: &str = "This is a test installation of Acme Ltd: nothing here is real, and \
         whatever is made here is deleted every night.";
    let signed_in = home_page(user(), text("page-token"));
    vec![
        (text("noticed_sign_in"), noticed(&sign_in_page(), NOTICE)),
        (text("noticed_consent"), noticed(&consent_page(), NOTICE)),
        (text("noticed_connections"), noticed(&connections_page(), NOTICE)),
        (text("noticed_home"), noticed(&signed_in, NOTICE)),
        (text("noticed_signed_out"), noticed(&SignedOutPage, "A double.")),
        (text("noticed_error"), noticed(&error_page(Problem::NotFound), NOTICE)),
    ]
}

/// Pages of the same shape with ordinary and with hostile text: (name, ordinary, hostile).
pub(super) fn pairs() -> Vec<(&'static str, String, String)> {
    let filled = SignInPage { email: text("ada@example.test"), ..sign_in_page() };
    let described = ConsentPage { description: Some("x ".repeat(200)), ..consent_page() };
    let home = home_page(user(), text("page-token"));
    let hostile_home = home_page(hostile_user(), hostile());
    let error = |client_id| error_page(Problem::UnknownClient { client_id });
    let hostile_error = ErrorPage { request_id: hostile(), ..error(hostile()) };
    vec![
        ("sign_in", rendered(&filled), rendered(&hostile_sign_in())),
        ("consent", rendered(&described), rendered(&hostile_consent())),
        ("connections", rendered(&connections_page()), rendered(&hostile_connections())),
        ("home", rendered(&home), rendered(&hostile_home)),
        ("error", rendered(&error(text("acme"))), rendered(&hostile_error)),
        (
            "notice",
            noticed(&error(text("acme")), "For tests only."),
            noticed(&error(text("acme")), &hostile()),
        ),
    ]
}

fn hostile_user() -> SignedInUser {
    SignedInUser { name: hostile(), email: hostile() }
}

fn hostile_client() -> ClientSummary {
    ClientSummary { name: hostile(), company: Some(hostile()), logo: None }
}

fn hostile_sign_in() -> SignInPage {
    SignInPage {
        page_token: hostile(),
        return_to: hostile(),
        email: hostile(),
        client: Some(hostile_client()),
        message: None,
    }
}

fn hostile_consent() -> ConsentPage {
    ConsentPage {
        client: hostile_client(),
        description: Some(hostile()),
        client_identifier: hostile(),
        client_kind: ClientKind::Confidential,
        redirect_uri: format!("https://{}.test/{}", "w".repeat(60), hostile()),
        scope_tokens: hostile_tokens(&consent_page().scope_tokens),
        user: hostile_user(),
        request: hostile(),
        page_token: hostile(),
        return_to: hostile(),
    }
}

fn hostile_connections() -> ConnectionsPage {
    let mut page = ConnectionsPage {
        user: hostile_user(),
        page_token: hostile(),
        notice: Some(ConnectionsNotice::AccessEnded { client_name: hostile() }),
        next_page: Some(hostile()),
        ..connections_page()
    };
    for connection in &mut page.connections {
        let company = connection.client.company.as_ref().map(|_| hostile());
        connection.client = ClientSummary { company, ..hostile_client() };
        connection.scope_tokens = hostile_tokens(&connection.scope_tokens);
    }
    page
}
