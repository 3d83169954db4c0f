//! Without a fault a twin answers as its server does: every request of the contract's fixtures, as
//! it is and mutilated, comes to the same by the service of one twin and at the server of another
//! one that is in the same state. So what the fixtures prove of the server holds of a twin.

use std::{collections::BTreeMap, fs, future::poll_fn, net::SocketAddr, path::Path, task::Poll};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue, Method, Uri, header::AUTHORIZATION};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use serde_json::Value;
use tokenry_protocol::secret::{Credential, LENGTH, PUBLIC_LENGTH};
use tokenry_server::{config::BaseUrl, listen::Answer as _, stop_signal::StopSignal};

use super::*;
use crate::{account::Account, options::Options};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/fixtures/contract");
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

/// A request as often as one likes.
#[derive(Debug, Clone)]
struct Asked {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What is done to a request.
#[derive(Debug, Clone)]
enum Mutilation {
    None,
    Method(&'static str),
    WithoutHeader(prop::sample::Index),
    Target(&'static str),
    Body(prop::sample::Index),
}

impl Asked {
    fn request(&self) -> Option<Request<Body>> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.parse::<Method>().ok()?;
        *request.uri_mut() = self.target.parse::<Uri>().ok()?;
        // Else each call gets an id of its own, which pages show.
        request.headers_mut().insert("x-request-id", HeaderValue::from_static("the-same"));
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().ok()?;
            request.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
        }
        Some(request)
    }

    fn mutilated(&self, mutilation: &Mutilation) -> Self {
        let mut asked = self.clone();
        match mutilation {
            Mutilation::Method(method) => (*method).clone_into(&mut asked.method),
            Mutilation::WithoutHeader(at) if !asked.headers.is_empty() => {
                let name = asked.headers.keys().nth(at.index(asked.headers.len())).cloned();
                asked.headers.remove(&name.unwrap());
            }
            Mutilation::None | Mutilation::WithoutHeader(_) => {}
            Mutilation::Target(end) => asked.target.push_str(end),
            Mutilation::Body(at) => {
                let length = at.index(asked.body.len() + 1);
                asked.body = asked.body.chars().take(length).collect();
            }
        }
        asked
    }
}

fn mutilation() -> impl Strategy<Value = Mutilation> {
    prop_oneof![
        4 => Just(Mutilation::None),
        1 => prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "TRACE"])
            .prop_map(Mutilation::Method),
        1 => any::<prop::sample::Index>().prop_map(Mutilation::WithoutHeader),
        1 => prop::sample::select(vec!["?x=1", "&page[size]=1", "/", ".json", "%2e", "?%"])
            .prop_map(Mutilation::Target),
        1 => any::<prop::sample::Index>().prop_map(Mutilation::Body),
    ]
}

/// The requests of the fixtures with the credentials of the seed in place of made-up ones.
fn requests(account: &Account) -> Vec<Asked> {
    let ours = credentials(account);
    let files = fs::read_dir(Path::new(FIXTURES)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let fixtures = read.map(|text| serde_json::from_str::<Value>(&text).unwrap());
    fixtures.filter_map(|fixture| asked(fixture.get("request")?, &ours)).collect()
}

fn asked(request: &Value, ours: &BTreeMap<String, String>) -> Option<Asked> {
    let text = |name: &str| request[name].as_str().map(|text| replaced(text, ours));
    let headers = request["headers"].as_object()?.iter();
    let headers =
        headers.map(|(name, value)| (name.clone(), header(value.as_str().unwrap(), ours)));
    let body = match &request["body"] {
        Value::Null => String::new(),
        Value::String(text) => replaced(text, ours),
        body => replaced(&body.to_string(), ours),
    };
    Some(Asked { method: text("method")?, target: text("path")?, headers: headers.collect(), body })
}

fn header(value: &str, ours: &BTreeMap<String, String>) -> String {
    let basic = value.strip_prefix("Basic ").and_then(|it| BASE64_STANDARD.decode(it).ok());
    match basic.and_then(|basic| String::from_utf8(basic).ok()) {
        Some(basic) => format!("Basic {}", BASE64_STANDARD.encode(replaced(&basic, ours))),
        None => replaced(value, ours),
    }
}

/// The seed's credentials by what is public of them.
fn credentials(account: &Account) -> BTreeMap<String, String> {
    let tokens = account.tokens.iter();
    let all = tokens
        .flat_map(|token| [Some(token.access_token.clone()), token.refresh_token.clone()])
        .chain(account.clients.iter().map(|client| client.secret.clone()))
        .chain(account.api_tokens.iter().map(|token| Some(token.token.clone())));
    let all = all.flatten().map(|text| (text[..PUBLIC_LENGTH].to_owned(), text));
    all.collect()
}

fn replaced(text: &str, ours: &BTreeMap<String, String>) -> String {
    with_credentials(text, |public| ours.get(public).cloned())
}

/// A text with what `other` says in place of each credential that stands in it in full.
fn with_credentials(text: &str, other: impl Fn(&str) -> Option<String>) -> String {
    let mut changed = text.to_owned();
    let mut from = 0;
    while let Some(mark) = changed[from..].find("_tokenry_").map(|at| at + from) {
        from = mark + 1;
        let Some(start) = mark.checked_sub(PUBLIC_LENGTH) else { continue };
        let Some(found) = changed.get(start..start + LENGTH) else { continue };
        if Credential::parse(found).is_ok()
            && let Some(new) = other(&found[..PUBLIC_LENGTH])
        {
            changed.replace_range(start..start + LENGTH, &new);
        }
    }
    changed
}

/// What there is to compare, line by line. Secrets are drawn.
async fn comparable(response: Response) -> Vec<String> {
    let (head, body) = response.into_parts();
    let hidden = |text: &str| with_credentials(text, |public| Some(format!("{public}...")));
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        hidden(&format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
    };
    let mut lines: Vec<_> = head.headers.iter().map(line).collect();
    lines.sort();
    lines.insert(0, head.status.to_string());
    let body = body.collect().await.unwrap().to_bytes();
    lines.extend(hidden(&String::from_utf8_lossy(&body)).lines().map(str::to_owned));
    lines
}

/// Two twins in the same state, which goes on in both by what they are asked.
struct Two {
    one: Service,
    other: Arc<Double>,
}

impl Two {
    async fn new() -> Self {
        let base = BaseUrl::at(SocketAddr::from(([127, 0, 0, 1], 4_000))).unwrap();
        let noon = Timestamp::parse("2026-03-05T12:00:00Z");
        let open = async || {
            let options = Options { clock: noon, ..Options::default() };
            let (_twin, stop) = StopSignal::new();
            let double = Double::open(options, base.clone(), stop).await.unwrap();
            double.clock.freeze();
            double.clock.set(noon.unwrap());
            Arc::new(double)
        };
        Self { one: Service::new(open().await), other: open().await }
    }

    /// Asks both, and tells the status; `None`: it is no request.
    async fn ask(&self, asked: &Asked) -> Option<StatusCode> {
        let (request, same) = (asked.request()?, asked.request()?);
        let by_service = self.one.clone().answer(request, PEER).await;
        let envelope = self.other.world().envelope.clone();
        let (by_server, _) = envelope.answer_and_tell(same, PEER).await;
        let status = by_service.status();
        let (by_service, by_server) = (comparable(by_service).await, comparable(by_server).await);
        for (one, other) in by_service.iter().zip(&by_server) {
            assert_eq!(one, other, "{asked:?}");
        }
        assert_eq!(by_service.len(), by_server.len(), "{asked:?}");
        Some(status)
    }
}

#[tokio::test]
async fn every_request_of_the_contract_is_answered_by_a_twin_as_by_its_server() {
    let two = Two::new().await;
    let requests = requests(&two.other.account());
    assert_eq!(requests.len(), 178);
    let mut successes = 0;
    for asked in &requests {
        let status = two.ask(asked).await.unwrap();
        successes += usize::from(status.is_success() || status.is_redirection());
    }
    println!("{successes} of {} succeed", requests.len());
    assert!(successes >= 50, "{successes}: the credentials of the seed are those of the fixtures");
}

/// Its tokens are known then, so that whoever is told of them is told what works.
#[tokio::test]
async fn a_refresh_whose_caller_hangs_up_is_carried_to_its_end() {
    let Two { one, .. } = Two::new().await;
    let double = Arc::clone(&one.double);
    let told = || {
        let tokens = double.account().tokens;
        tokens.into_iter().find(|token| token.id.get() == 1_004).unwrap()
    };
    let before = told();
    let body = serde_json::json!({
        "grant_type": "refresh_token",
        "refresh_token": before.refresh_token,
        "client_id": "acme_mobile",
    });
    let request = Request::post("/oauth/tokens").header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let mut call = Box::pin(one.clone().answer(request, PEER));
    let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
    assert!(first.await.is_pending());
    drop(call);
    let known = async {
        while told().refresh_token == before.refresh_token {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), known).await.unwrap();
    let bearer = format!("Bearer {}", told().access_token);
    let request = Request::get("/api/v2/oauth/tokens/current.json").header(AUTHORIZATION, bearer);
    let answer = one.answer(request.body(Body::empty()).unwrap(), PEER).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn so_is_whatever_becomes_of_them_in_any_order(
        steps in prop::collection::vec((any::<prop::sample::Index>(), mutilation()), 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let two = Two::new().await;
            let requests = requests(&two.other.account());
            for (at, mutilation) in &steps {
                two.ask(&at.get(&requests).mutilated(mutilation)).await;
            }
        });
    }
}
