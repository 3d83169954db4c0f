//! The pages under `docs/models/` are true: every example on them is read by the type that the page
//! is about, and written again as it stands there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of it is test code; the lints know only the functions marked as tests"
)]

use std::{fmt::Debug, fs, path::Path};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokenry_protocol::{
    api::{
        api_tokens::{ApiTokenObject, ApiTokenRequest, ApiTokenResponse, ApiTokensResponse},
        clients::{
            ClientKind, ClientRequest, OAuthClientObject, OAuthClientResponse, OAuthClientsResponse,
        },
        error::{
            ErrorBody, FieldError, FieldErrorCode, FieldErrors, ListedError, PlainError,
            TitledError,
        },
        extra::Extra,
        global_clients::{GlobalClientObject, GlobalClientsResponse},
        open,
        pagination::{CursorLinks, CursorMeta, Pagination},
        secret_text::SecretText,
        tokens::{CreateTokenRequest, OAuthTokenObject, OAuthTokenResponse, OAuthTokensResponse},
        users::{Photo, UserObject, UserResponse},
    },
    ids::{ApiTokenId, ClientId, TokenId, UserId},
    oauth::{
        error::{ErrorCode, ErrorResponse},
        introspection::IntrospectionResponse,
        jwt_access_token::JwtAccessTokenClaims,
        metadata::Metadata,
        token::{GrantType, TokenResponse},
    },
    time::{Seconds, Timestamp},
};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/models");

/// A word of a set that may grow, for one of the sets.
type Open = open::Open<ClientKind>;

/// Reads an example and gives back what is written of it.
type Check = fn(&str) -> String;

macro_rules! by_name {
    ($check:ident: $($model:ident)*) => {
        [$((stringify!($model), $check::<$model> as Check)),*]
    };
}

/// Types that serde reads.
const MODELS: [(&str, Check); 37] = by_name!(again:
    ApiTokenId ApiTokenObject ApiTokenResponse ApiTokensResponse ClientId CursorLinks CursorMeta
    ErrorBody ErrorResponse Extra FieldError FieldErrors GlobalClientObject GlobalClientsResponse
    IntrospectionResponse JwtAccessTokenClaims ListedError Metadata OAuthClientObject
    OAuthClientResponse
    OAuthClientsResponse OAuthTokenObject OAuthTokenResponse OAuthTokensResponse Open Pagination
    Photo PlainError Seconds SecretText Timestamp TitledError TokenId TokenResponse UserId
    UserObject UserResponse);

/// Requests and their values, which the server reads by rules of its own.
const REQUESTS: [(&str, Check); 5] = [
    ("ApiTokenRequest", |text| {
        let request = ApiTokenRequest::parse(text.as_bytes()).unwrap();
        assert!(request.errors.fields().eq([""; 0]), "{:?}", request.errors);
        json!({ "api_token": request }).to_string()
    }),
    ("ClientRequest", |text| {
        let request = ClientRequest::parse(text.as_bytes()).unwrap();
        assert!(request.errors.fields().eq([""; 0]), "{:?}", request.errors);
        json!({ "client": request }).to_string()
    }),
    ("CreateTokenRequest", |text| {
        let request = CreateTokenRequest::parse(text.as_bytes()).unwrap();
        assert!(request.errors.fields().eq([""; 0]), "{:?}", request.errors);
        json!({ "token": request }).to_string()
    }),
    ("ClientReference", |text| {
        let body = format!(r#"{{"token":{{"client_id":{text}}}}}"#);
        let request = CreateTokenRequest::parse(body.as_bytes()).unwrap();
        serde_json::to_string(&request.client_id.value().unwrap()).unwrap()
    }),
    ("Sent", |text| {
        let body = format!(r#"{{"client":{{"name":{text}}}}}"#);
        let request = ClientRequest::parse(body.as_bytes()).unwrap();
        serde_json::to_string(&request.name).unwrap()
    }),
];

fn again<T: DeserializeOwned + Serialize + Debug>(text: &str) -> String {
    let model: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let shown = format!("{model:?}");
    assert!(!shown.contains("extra: {\""), "members that no field has: {shown}");
    serde_json::to_string(&model).unwrap()
}

/// The name and the text of every page but the index.
fn pages() -> Vec<(String, String)> {
    let names = fs::read_dir(PAGES).unwrap().map(|entry| entry.unwrap().path());
    let page = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    names.map(|path| page(&path)).filter(|(name, _)| name != "README").collect()
}

/// What a page has fenced as `language`.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("\n```{language}\n");
    page.split(&begin).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn every_example_is_read_by_its_type_and_written_as_it_stands_there() {
    let mut tried = Vec::new();
    for (name, page) in pages() {
        for example in blocks(&page, "json") {
            let mut checks = MODELS.iter().chain(&REQUESTS);
            let (_, check) = checks
                .find(|(model, _)| *model == name)
                .unwrap_or_else(|| panic!("{name}.md has an example that this test cannot read"));
            // As text, so that the order of the members counts too.
            let value: Value = serde_json::from_str(example).unwrap();
            assert_eq!(check(example), value.to_string(), "{name}.md");
            tried.push(name.clone());
        }
    }
    for (model, _) in MODELS.iter().chain(&REQUESTS) {
        assert!(tried.iter().any(|name| name == model), "{model}.md has no example");
    }
}

/// Examples by their page and their place on it, and the exchange that the server's own tests hold
/// it to.
const EXCHANGES: [(&str, usize, &str); 14] = [
    ("OAuthTokenResponse", 0, "040-show"),
    ("OAuthTokenResponse", 1, "020-create"),
    ("CreateTokenRequest", 0, "020-create"),
    ("OAuthClientResponse", 0, "109-clients-show"),
    ("OAuthClientResponse", 1, "102-clients-create"),
    ("ApiTokenResponse", 1, "141-api-tokens-create"),
    ("UserResponse", 0, "160-me-basic"),
    ("TokenResponse", 0, "303-door2-code-pkce"),
    ("IntrospectionResponse", 0, "420-introspect-live"),
    ("IntrospectionResponse", 1, "421-introspect-dead"),
    ("Metadata", 0, "440-metadata"),
    ("ErrorBody", 0, "016-list-client-id-not-a-number"),
    ("ErrorBody", 1, "015-list-too-deep"),
    ("ErrorBody", 2, "105-clients-create-no-name"),
];

#[test]
fn examples_are_what_the_server_answers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/fixtures/contract");
    for (name, place, exchange) in EXCHANGES {
        let page = fs::read_to_string(format!("{PAGES}/{name}.md")).unwrap();
        let example: Value = serde_json::from_str(blocks(&page, "json")[place]).unwrap();
        let text = fs::read_to_string(format!("{folder}/{exchange}.json")).unwrap();
        let exchange: Value = serde_json::from_str(&text).unwrap();
        let side = if name.ends_with("Request") { "request" } else { "response" };
        assert_eq!(example, exchange[side]["body"], "{name}.md");
    }
}

#[test]
fn a_member_that_no_field_has_is_noticed() {
    let read = || again::<OAuthTokenObject>(r#"{"id":7,"idd":7}"#);
    assert!(std::panic::catch_unwind(read).is_err());
}

#[test]
fn every_word_is_spelled_as_its_page_says() {
    fn word<T: DeserializeOwned + Debug>(text: &str) -> String {
        format!("{:?}", serde_json::from_str::<T>(text).unwrap())
    }
    for (name, check) in by_name!(word: ClientKind ErrorCode FieldErrorCode GrantType) {
        let page = fs::read_to_string(format!("{PAGES}/{name}.md")).unwrap();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `\"")).collect();
        assert!(rows.len() >= 2, "{name}.md has no words");
        for row in rows {
            let cells: Vec<_> = row.split('`').collect();
            assert_eq!(check(cells[1]), cells[3], "{name}.md: {row}");
        }
    }
}

#[cfg(feature = "requests")]
mod forms {
    use tokenry_protocol::{
        api::{pagination::PageParameters, query::Query},
        oauth::{
            parameters::Parameters,
            token::{Dialect, TokenRequest},
        },
    };

    use super::*;

    fn examples(name: &str, count: usize) -> Vec<String> {
        let page = fs::read_to_string(format!("{PAGES}/{name}.md")).unwrap();
        let examples: Vec<_> = blocks(&page, "text").into_iter().map(str::to_owned).collect();
        assert_eq!(examples.len(), count, "{name}.md");
        examples
    }

    fn pairs(form: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(form.as_bytes()).into_owned().collect()
    }

    fn owned(pairs: Vec<(&'static str, String)>) -> Vec<(String, String)> {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn every_token_request_is_read_at_both_doors_and_written_again() {
        for form in examples("TokenRequest", 3) {
            let parameters = Parameters::from_form(form.as_bytes()).unwrap();
            let word = parameters.text("grant_type").unwrap().unwrap();
            let grant_type = GrantType::parse(word).unwrap();
            for dialect in [Dialect::Record, Dialect::Standard] {
                let request = TokenRequest::parse(grant_type, &parameters, dialect).unwrap();
                assert_eq!(owned(request.pairs()), pairs(&form));
            }
        }
    }

    #[test]
    fn every_page_that_can_be_asked_for_is_read_and_written_again() {
        for query in examples("PageParameters", 2) {
            let parameters = PageParameters::parse(&Query::parse(Some(&query))).unwrap();
            assert_eq!(owned(parameters.pairs()), pairs(&query));
        }
    }
}
