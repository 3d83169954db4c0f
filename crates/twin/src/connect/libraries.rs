//! How each client library is pointed at a double. The code takes what it can from the variables of
//! [`super::ConnectionDetails::exports`], so that it holds no secret.

use serde::Serialize;

use super::{Credentials, Place};

/// A client library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Library {
    /// Its name in its registry.
    pub name: &'static str,
    /// The registry.
    pub registry: &'static str,
    /// The variables that it reads itself, without code that names them.
    pub reads: Vec<&'static str>,
    /// What makes a client of it.
    pub code: String,
}

/// Every library that the account has credentials for.
pub(super) fn libraries(base: &str, credentials: &Credentials, place: &Place) -> Vec<Library> {
    let mut libraries = Vec::new();
    if credentials.api_token.is_some() {
        libraries.extend([python_zendesk(), zdesk()]);
        libraries.extend(match place.https {
            Some(_) => Some(zenpy_itself()),
            None => zenpy(base),
        });
        libraries.extend([node_zendesk(), zendesk_api()]);
    }
    if credentials.client_secret.is_some() {
        libraries.extend([simple_oauth2(), passport_zendesk(), authlib()]);
    }
    libraries.push(tokenry_client());
    libraries
}

const PYPI: &str = "PyPI";
const NPM: &str = "npm";

fn python_zendesk() -> Library {
    let reads = vec!["ZENDESK_USERNAME", "ZENDESK_PASSWORD"];
    let code = r#"import os
from zendesk import Zendesk, models
security = models.Security(
    username=os.environ["ZENDESK_USERNAME"], password=os.environ["ZENDESK_PASSWORD"])
zendesk = Zendesk(security=security, server_url=os.environ["ZENDESK_SERVER_URL"])"#;
    Library { name: "python-zendesk", registry: PYPI, reads, code: code.to_owned() }
}

fn zdesk() -> Library {
    let code = r#"import os
from zdesk import Zendesk
zendesk = Zendesk(os.environ["ZENDESK_SERVER_URL"], os.environ["ZENDESK_EMAIL"],
                  zdesk_api=os.environ["ZENDESK_API_TOKEN"])"#;
    Library { name: "zdesk", registry: PYPI, reads: Vec::new(), code: code.to_owned() }
}

/// As its documentation has it, where its own address leads here.
fn zenpy_itself() -> Library {
    let code = r#"import os
from zenpy import Zenpy
zenpy = Zenpy(subdomain=os.environ["ZENDESK_SUBDOMAIN"],
              email=os.environ["ZENDESK_EMAIL"], token=os.environ["ZENDESK_API_TOKEN"])"#;
    Library { name: "zenpy", registry: PYPI, reads: Vec::new(), code: code.to_owned() }
}

/// It joins a subdomain and a domain by a dot, so it can name no host without one.
fn zenpy(base: &str) -> Option<Library> {
    let (scheme, host) = base.split_once("://")?;
    let (subdomain, domain) = host.split_once('.')?;
    let reads = if scheme == "http" { vec!["ZENPY_FORCE_SCHEME"] } else { Vec::new() };
    let code = format!(
        r#"import os
from zenpy import Zenpy
zenpy = Zenpy(subdomain="{subdomain}", domain="{domain}",
              email=os.environ["ZENDESK_EMAIL"], token=os.environ["ZENDESK_API_TOKEN"])"#
    );
    Some(Library { name: "zenpy", registry: PYPI, reads, code })
}

fn node_zendesk() -> Library {
    let code = "import zendesk from 'node-zendesk';
const { ZENDESK_EMAIL: username, ZENDESK_API_TOKEN: token, ZENDESK_SERVER_URL } = process.env;
const endpointUri = `${ZENDESK_SERVER_URL}/api/v2`;
const client = zendesk.createClient({ username, token, endpointUri });";
    Library { name: "node-zendesk", registry: NPM, reads: Vec::new(), code: code.to_owned() }
}

fn zendesk_api() -> Library {
    let code = r##"require "zendesk_api"
client = ZendeskAPI::Client.new do |config|
  config.url = "#{ENV.fetch("ZENDESK_SERVER_URL")}/api/v2"
  config.allow_http = true
  config.username = ENV.fetch("ZENDESK_EMAIL")
  config.token = ENV.fetch("ZENDESK_API_TOKEN")
end"##;
    Library { name: "zendesk_api", registry: "RubyGems", reads: Vec::new(), code: code.to_owned() }
}

fn simple_oauth2() -> Library {
    let code = "import { AuthorizationCode } from 'simple-oauth2';
const { ZENDESK_CLIENT_ID: id, ZENDESK_CLIENT_SECRET: secret } = process.env;
const auth = { tokenHost: process.env.ZENDESK_SERVER_URL, tokenPath: '/oauth/tokens' };
const client = new AuthorizationCode({ client: { id, secret }, auth });";
    Library { name: "simple-oauth2", registry: NPM, reads: Vec::new(), code: code.to_owned() }
}

/// Its addresses are fixed to zendesk.com, and whoever sends its requests can turn them.
fn passport_zendesk() -> Library {
    let code = r"import { Strategy } from 'passport-zendesk';
import { OAuth2 } from 'oauth';
const here = (url) => url.replace(/^https:\/\/[^/]+/, process.env.ZENDESK_SERVER_URL);
class Turned extends OAuth2 {
  getAuthorizeUrl(parameters) { return here(super.getAuthorizeUrl(parameters)); }
  _request(method, url, ...rest) { return super._request(method, here(url), ...rest); }
}
const strategy = new Strategy({
  subdomain: process.env.ZENDESK_SUBDOMAIN,
  clientID: process.env.ZENDESK_CLIENT_ID,
  clientSecret: process.env.ZENDESK_CLIENT_SECRET,
  callbackURL,
}, verify);
strategy._createOauth2 = (...given) => new Turned(...given);";
    Library { name: "passport-zendesk", registry: NPM, reads: Vec::new(), code: code.to_owned() }
}

fn authlib() -> Library {
    let reads = vec!["AUTHLIB_INSECURE_TRANSPORT"];
    let code = r#"import os
from authlib.integrations.requests_client import OAuth2Session
session = OAuth2Session(
    os.environ["ZENDESK_CLIENT_ID"], os.environ["ZENDESK_CLIENT_SECRET"],
    token_endpoint=os.environ["ZENDESK_SERVER_URL"] + "/oauth/token")"#;
    Library { name: "Authlib", registry: PYPI, reads, code: code.to_owned() }
}

fn tokenry_client() -> Library {
    let reads = vec!["TOKENRY_CLIENT_SERVER", "TOKENRY_CLIENT_EMAIL", "TOKENRY_CLIENT_API_TOKEN"];
    let code = "let client = tokenry_client::Client::from_env()?;";
    Library { name: "tokenry-client", registry: "crate", reads, code: code.to_owned() }
}
