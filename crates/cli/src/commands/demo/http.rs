//! A small HTTP client that shows what it does.

use anstyle::{AnsiColor, Style};
use anyhow::{Context, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokenry_protocol::secret::Credential;
use ureq::http::{Request, Response};

use crate::output;

/// Characters of a credential that are shown: its public part, its mark, and a little more.
const SHOWN: usize = 24;

/// Shows requests and answers.
pub(crate) struct Http {
    agent: ureq::Agent,
    base: String,
}

const REQUEST: Style = AnsiColor::Cyan.on_default();
const STATUS: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();

/// An answer.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// `Location`
    pub(crate) location: Option<String>,
    /// `Set-Cookie`, as `name=value`.
    pub(crate) cookies: Vec<String>,
    /// The body as text.
    pub(crate) text: String,
}

/// What a request carries.
pub(crate) enum Body<'a> {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// A form.
    Form(&'a [(&'a str, &'a str)]),
}

/// Who asks.
pub(crate) enum Credentials<'a> {
    /// Nobody.
    None,
    /// User and password.
    Basic(&'a str, &'a str),
    /// An access token.
    Bearer(&'a str),
    /// A browser's cookies.
    Cookies(&'a str),
}

impl Http {
    /// A client of the server at `base`.
    pub(crate) fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
        Self { agent: config.build().into(), base: base.to_owned() }
    }

    /// Sends a request, and shows it with its answer.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        credentials: &Credentials<'_>,
        body: &Body<'_>,
    ) -> anyhow::Result<Answer> {
        let (content_type, bytes) = match body {
            Body::Empty => (None, String::new()),
            Body::Json(value) => (Some("application/json"), value.to_string()),
            Body::Form(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields.iter());
                (Some("application/x-www-form-urlencoded"), form.finish())
            }
        };
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        request = match credentials {
            Credentials::None => request,
            Credentials::Basic(user, password) => {
                let encoded = STANDARD.encode(format!("{user}:{password}"));
                request.header("authorization", format!("Basic {encoded}"))
            }
            Credentials::Bearer(token) => {
                request.header("authorization", format!("Bearer {token}"))
            }
            Credentials::Cookies(cookies) => request.header("cookie", *cookies),
        };
        show_request(method, path, credentials, body);
        let response =
            self.agent.run(request.body(bytes)?).context("the server does not answer")?;
        let answer = Answer::read(response)?;
        show_answer(&answer);
        Ok(answer)
    }
}

/// Announces a step.
pub(crate) fn step(number: u32, title: &str) {
    output::line(format_args!("\n{STATUS}{number}. {title}{STATUS:#}"));
}

/// Says something about what was shown.
pub(crate) fn say(text: &str) {
    output::line(format_args!("   {QUIET}{text}{QUIET:#}"));
}

fn show_request(method: &str, path: &str, by: &Credentials<'_>, body: &Body<'_>) {
    let by = match by {
        Credentials::None => String::new(),
        Credentials::Basic(user, _) => format!("   Basic {user}:…"),
        Credentials::Bearer(token) => format!("   Bearer {}", shortened(token)),
        Credentials::Cookies(_) => "   (signed-in browser)".to_owned(),
    };
    output::line(format_args!(
        "   {REQUEST}→ {method} {}{REQUEST:#}{QUIET}{by}{QUIET:#}",
        shortened_path(path)
    ));
    match body {
        Body::Empty => {}
        Body::Json(value) => show_json(value),
        Body::Form(fields) => {
            for (name, value) in *fields {
                let is_hidden = ["password", "page_token", "request"].contains(name);
                let shown = if is_hidden { "…" } else { value };
                output::line(format_args!("     {name}={shown}"));
            }
        }
    }
}

fn show_answer(answer: &Answer) {
    let location = answer.location.as_deref().map(|to| format!("  to {}", shortened_path(to)));
    let page = answer.text.trim_start().starts_with('<').then_some("  (a page)");
    output::line(format_args!(
        "   {STATUS}← {}{STATUS:#}{}{}",
        answer.status,
        location.unwrap_or_default(),
        page.unwrap_or_default()
    ));
    if let Ok(json) = answer.json() {
        show_json(&json);
    }
}

impl Answer {
    fn read(mut response: Response<ureq::Body>) -> anyhow::Result<Self> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let location = header("location").map(str::to_owned);
        let cookies = response.headers().get_all("set-cookie").iter();
        let cookies = cookies.filter_map(|value| value.to_str().ok()?.split(';').next());
        let cookies = cookies.map(str::to_owned).collect();
        let status = response.status().as_u16();
        Ok(Self { status, location, cookies, text: response.body_mut().read_to_string()? })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.text)?)
    }

    /// The step held only with this status.
    pub(crate) fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            bail!("the answer is {} where {status} belongs", self.status);
        }
        Ok(self)
    }

    /// A member of the body.
    pub(crate) fn member(&self, pointer: &str) -> anyhow::Result<String> {
        let json = self.json()?;
        let value = json.pointer(pointer).with_context(|| format!("the answer lacks {pointer}"))?;
        Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

fn show_json(value: &Value) {
    let pretty = serde_json::to_string_pretty(&with_short_credentials(value)).unwrap_or_default();
    for line in pretty.lines() {
        output::line(format_args!("     {line}"));
    }
}

/// Whole credentials make lines that nobody can read.
fn with_short_credentials(value: &Value) -> Value {
    match value {
        Value::String(text) if Credential::parse(text).is_ok() => {
            text.chars().take(SHOWN).chain(['…']).collect::<String>().into()
        }
        Value::Array(items) => items.iter().map(with_short_credentials).collect(),
        Value::Object(members) => {
            let shortened =
                members.iter().map(|(name, value)| (name.clone(), with_short_credentials(value)));
            Value::Object(shortened.collect())
        }
        value => value.clone(),
    }
}

fn shortened(token: &str) -> String {
    token.chars().take(10).chain(['…']).collect()
}

/// Long queries hide what a line is about.
fn shortened_path(path: &str) -> String {
    const WIDTH: usize = 100;
    if path.chars().count() <= WIDTH {
        return path.to_owned();
    }
    path.chars().take(WIDTH).chain(['…']).collect()
}
