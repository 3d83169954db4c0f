//! What one needs to connect to a double: addresses, credentials, lines for a shell, and how each
//! client library is pointed at it.
//!
//! The same in every form: as text for a terminal (`Display`), as JSON (`Serialize`), as lines for
//! `eval` ([`ConnectionDetails::exports`]), and on the page at `/`.

mod credentials;
mod libraries;
mod shell;
mod text;

#[cfg(test)]
mod tests;

use serde::Serialize;

use self::shell::quoted;
pub use self::{
    credentials::{Credentials, Refresh, SignIn},
    libraries::Library,
};
use crate::account::Account;

/// Where a double is and what it is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it is reached, without a slash at the end.
    pub base_url: String,
    /// The subdomain that it answers for.
    pub subdomain: String,
    /// The name of its profile.
    pub profile: String,
    /// Whether its profile takes API tokens.
    pub api_tokens: ApiTokens,
    /// How programs get there that call Zendesk's own address, if they can.
    pub https: Option<Https>,
}

/// A proxy that leads Zendesk's own address here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Https {
    /// Its address.
    pub proxy: String,
    /// The file with the certificate that its clients have to trust, as PEM.
    pub ca_file: String,
}

/// What becomes of API tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokens {
    /// They work.
    Accepted,
    /// They are refused, which is what the profile is for.
    Refused,
}

/// What one needs to connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionDetails {
    /// Where the double is reached.
    pub base_url: String,
    /// The subdomain that it answers for.
    pub subdomain: String,
    /// The name of its profile.
    pub profile: String,
    /// Everything that has an address.
    pub addresses: Vec<Address>,
    /// As whom.
    pub credentials: Credentials,
    /// Lines that show each way to call.
    pub commands: Vec<Command>,
    /// The variables that libraries and the code below read.
    pub variables: Vec<Variable>,
    /// How each library is pointed here.
    pub libraries: Vec<Library>,
    /// How programs get here that call Zendesk's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<Https>,
}

/// Something that has an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    /// What it is.
    pub name: &'static str,
    /// Where it is.
    pub url: String,
}

/// A line for a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What it shows.
    pub about: String,
    /// The line.
    pub command: String,
}

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is set to.
    pub value: String,
}

impl ConnectionDetails {
    /// Chooses from the account who calls: an administrator where there is one.
    pub fn new(account: &Account, place: &Place) -> Self {
        let credentials = Credentials::choose(account);
        let base = place.base_url.trim_end_matches('/').to_owned();
        Self {
            addresses: addresses(&base, &credentials),
            commands: commands(&base, &credentials, place),
            variables: variables(&base, &credentials, place),
            libraries: libraries::libraries(&base, &credentials, place),
            https: place.https.clone(),
            base_url: base,
            subdomain: place.subdomain.clone(),
            profile: place.profile.clone(),
            credentials,
        }
    }

    /// Lines for `eval "$(…)"`.
    pub fn exports(&self) -> String {
        let line =
            |variable: &Variable| format!("export {}={}\n", variable.name, quoted(&variable.value));
        self.variables.iter().map(line).collect()
    }
}

fn addresses(base: &str, credentials: &Credentials) -> Vec<Address> {
    let mut addresses: Vec<_> = [
        ("this double", "/"),
        ("record API", "/api/v2"),
        ("authorization", "/oauth/authorizations/new"),
        ("token endpoint, as Zendesk has it", "/oauth/tokens"),
        ("token endpoint, as RFC 6749 has it", "/oauth/token"),
        ("revocation", "/oauth/revoke"),
        ("introspection", "/oauth/introspect"),
        ("server metadata", "/.well-known/oauth-authorization-server"),
        ("journal", "/twin/journal"),
    ]
    .map(|(name, path)| Address { name, url: format!("{base}{path}") })
    .into();
    if let Some((client, redirect_uri)) = &credentials.consent {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("scope", "read"),
        ]);
        let url = format!("{base}/oauth/authorizations/new?{}", query.finish());
        addresses.push(Address { name: "a consent page, to try in a browser", url });
    }
    addresses
}

fn commands(base: &str, credentials: &Credentials, place: &Place) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut add = |about: &str, words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        commands.push(Command { about: about.to_owned(), command: words.join(" ") });
    };
    let (me, current) = (
        format!("{base}/api/v2/users/me.json"),
        format!("{base}/api/v2/oauth/tokens/current.json"),
    );
    let door = format!("{base}/oauth/tokens");
    if let (Some(email), Some(token)) = (&credentials.email, &credentials.api_token) {
        let about = match place.api_tokens {
            ApiTokens::Accepted => "Basic, with an API token",
            ApiTokens::Refused => "Basic, with an API token, which this profile refuses",
        };
        add(about, &["curl", "-u", &format!("{email}/token:{token}"), &me]);
    }
    if let Some(token) = &credentials.access_token {
        let header = format!("Authorization: Bearer {token}");
        add("Bearer, with an access token", &["curl", "-H", &header, &current]);
        if let Some(Https { proxy, ca_file }) = &place.https {
            let url = format!("{}/api/v2/oauth/tokens/current.json", zendesk(&place.subdomain));
            let words = ["curl", "--proxy", proxy, "--cacert", ca_file, "-H", &header, &url];
            add("The same at Zendesk's own address", &words);
        }
    }
    if let Some(refresh) = &credentials.refresh {
        let token = format!("refresh_token={}", refresh.refresh_token);
        let client = format!("client_id={}", refresh.client_id);
        let secret = refresh.client_secret.as_ref().map(|secret| format!("client_secret={secret}"));
        let mut words = vec!["curl", "-d", "grant_type=refresh_token", "-d", &token, "-d", &client];
        words.extend(secret.iter().flat_map(|secret| ["-d", secret]));
        words.push(&door);
        add("A refresh, which replaces both tokens", &words);
    }
    if let (Some(id), Some(secret)) = (&credentials.client_id, &credentials.client_secret) {
        let (client, secret) = (format!("client_id={id}"), format!("client_secret={secret}"));
        let kind = "grant_type=client_credentials";
        let words = ["curl", "-d", kind, "-d", &client, "-d", &secret, "-d", "scope=read", &door];
        add("A token for a client itself", &words);
    }
    commands
}

/// Variables of two families name one server, so that tools which read either find it.
fn variables(base: &str, credentials: &Credentials, place: &Place) -> Vec<Variable> {
    let mut variables = Vec::new();
    let mut set = |name, value: Option<&String>| {
        variables.extend(value.map(|value| Variable { name, value: value.clone() }));
    };
    let Credentials { email, api_token, access_token, client_id, client_secret, .. } = credentials;
    let basic = email.as_ref().filter(|_| api_token.is_some());
    let username = basic.map(|email| format!("{email}/token"));
    let base = base.to_owned();
    set("ZENDESK_SERVER_URL", Some(&base));
    set("ZENDESK_SUBDOMAIN", Some(&place.subdomain));
    set("ZENDESK_EMAIL", email.as_ref());
    set("ZENDESK_API_TOKEN", api_token.as_ref());
    set("ZENDESK_USERNAME", username.as_ref());
    set("ZENDESK_PASSWORD", api_token.as_ref());
    set("ZENDESK_ACCESS_TOKEN", access_token.as_ref());
    set("ZENDESK_CLIENT_ID", client_id.as_ref());
    set("ZENDESK_CLIENT_SECRET", client_secret.as_ref());
    let refresh = credentials.refresh.as_ref();
    set("ZENDESK_REFRESH_TOKEN", refresh.map(|refresh| &refresh.refresh_token));
    set("ZENDESK_REFRESH_CLIENT_ID", refresh.map(|refresh| &refresh.client_id));
    let secret = refresh.and_then(|refresh| refresh.client_secret.as_ref());
    set("ZENDESK_REFRESH_CLIENT_SECRET", secret);
    let insecure = "1".to_owned();
    if let Some((scheme @ "http", _)) = base.split_once("://") {
        // With the proxy it goes to Zendesk's own address, where there is nothing else.
        set("ZENPY_FORCE_SCHEME", Some(&scheme.to_owned()).filter(|_| place.https.is_none()));
        set("AUTHLIB_INSECURE_TRANSPORT", Some(&insecure));
        set("OAUTHLIB_INSECURE_TRANSPORT", Some(&insecure));
    }
    set("TOKENRY_CLIENT_SERVER", Some(&base));
    match place.api_tokens {
        ApiTokens::Accepted if basic.is_some() => {
            set("TOKENRY_CLIENT_EMAIL", basic);
            set("TOKENRY_CLIENT_API_TOKEN", api_token.as_ref());
        }
        _ => set("TOKENRY_CLIENT_ACCESS_TOKEN", access_token.as_ref()),
    }
    if let Some(Https { proxy, ca_file }) = &place.https {
        for name in PROXY {
            set(name, Some(proxy));
        }
        for name in TRUST {
            set(name, Some(ca_file));
        }
        for name in NO_PROXY {
            set(name, Some(&LOOPBACK.join(",")));
        }
        set("NODE_USE_ENV_PROXY", Some(&insecure));
    }
    variables
}

/// What programs take a proxy for https from; many know the one, and some the other.
const PROXY: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
/// And whom to trust: OpenSSL and all that is built on it, Python's `requests`, curl, Node.js.
const TRUST: [&str; 4] =
    ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// What lists the hosts that no proxy stands before. One's own list could lead to the real account.
pub const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// The hosts of this machine, where the twin's other port is.
pub const LOOPBACK: [&str; 2] = ["127.0.0.1", "localhost"];

/// Zendesk's own address of an account.
pub(crate) fn zendesk(subdomain: &str) -> String {
    format!("https://{}", zendesk_host(subdomain))
}

/// What Zendesk's own account of this name is called by.
pub fn zendesk_host(subdomain: &str) -> String {
    format!("{subdomain}.zendesk.com")
}
