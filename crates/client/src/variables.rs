//! What the environment says of a server and of who asks there.
//!
//! There are two families of variables, ours and Zendesk's, and a secret of one is never sent to
//! the server of the other.

use crate::{Credentials, Error, Server};

const SERVER: &str = "TOKENRY_CLIENT_SERVER";
const ZENDESK_SERVER_URL: &str = "ZENDESK_SERVER_URL";
const ZENDESK_SUBDOMAIN: &str = "ZENDESK_SUBDOMAIN";

const BEARER: &str = "TOKENRY_CLIENT_ACCESS_TOKEN";
const EMAIL: &str = "TOKENRY_CLIENT_EMAIL";
const API_TOKEN: &str = "TOKENRY_CLIENT_API_TOKEN";
const PASSWORD: &str = "TOKENRY_CLIENT_PASSWORD";
const OURS: [&str; 4] = [BEARER, EMAIL, API_TOKEN, PASSWORD];

const ZENDESK_USERNAME: &str = "ZENDESK_USERNAME";
const ZENDESK_PASSWORD: &str = "ZENDESK_PASSWORD";
const ZENDESKS: [&str; 2] = [ZENDESK_USERNAME, ZENDESK_PASSWORD];

/// Variables by their names. One that is set to nothing is not set.
pub(crate) struct Variables<F>(pub(crate) F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn set(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of these that is set.
    fn first(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.set(name).is_some())
    }

    /// The server, if one is named.
    #[cfg(feature = "client")]
    pub(crate) fn server(&self) -> Option<Result<Server, Error>> {
        if let Some(address) = self.set(SERVER).or_else(|| self.set(ZENDESK_SERVER_URL)) {
            return Some(Server::parse(&address));
        }
        self.set(ZENDESK_SUBDOMAIN).map(|subdomain| Server::zendesk(&subdomain))
    }

    /// Who asks. Beside the variable of a server, its own family says so; beside a server that was
    /// `named` otherwise, ours, and Zendesk's for an account of Zendesk's.
    pub(crate) fn credentials(&self, named: Option<&Server>) -> Result<Option<Credentials>, Error> {
        match self.first(&[SERVER, ZENDESK_SERVER_URL, ZENDESK_SUBDOMAIN]) {
            Some(SERVER) => self.of_one(self.ours()?, SERVER, &ZENDESKS),
            Some(variable) => self.of_one(self.zendesks()?, variable, &OURS),
            None => match named {
                Some(server) if server.is_zendesk() => match self.zendesks()? {
                    Some(credentials) => Ok(Some(credentials)),
                    None => self.ours(),
                },
                Some(server) => self.of_one(self.ours()?, server.as_str(), &ZENDESKS),
                None => self.ours(),
            },
        }
    }

    /// These credentials; in their absence it is said that those of the other family are not used.
    fn of_one(
        &self,
        credentials: Option<Credentials>,
        server: &str,
        others: &[&'static str],
    ) -> Result<Option<Credentials>, Error> {
        match (&credentials, self.first(others)) {
            (None, Some(other)) => Err(Error::Request(format!(
                "{other} is set beside {server}, and is not sent there: name server and \
                 credentials by variables of one family, TOKENRY_CLIENT_… or ZENDESK_…"
            ))),
            _ => Ok(credentials),
        }
    }

    fn ours(&self) -> Result<Option<Credentials>, Error> {
        if let Some(token) = self.set(BEARER) {
            return Ok(Some(Credentials::bearer(token)));
        }
        match (self.set(EMAIL), self.set(API_TOKEN), self.set(PASSWORD)) {
            (Some(email), Some(token), _) => Ok(Some(Credentials::api_token(email, token))),
            (Some(email), None, Some(password)) => Ok(Some(Credentials::password(email, password))),
            (Some(_), None, None) => {
                Err(half(EMAIL, &format!("neither {API_TOKEN} nor {PASSWORD} is")))
            }
            (None, Some(_), _) => Err(half(API_TOKEN, &format!("{EMAIL} is not"))),
            (None, None, Some(_)) => Err(half(PASSWORD, &format!("{EMAIL} is not"))),
            (None, None, None) => Ok(None),
        }
    }

    fn zendesks(&self) -> Result<Option<Credentials>, Error> {
        match (self.set(ZENDESK_USERNAME), self.set(ZENDESK_PASSWORD)) {
            (Some(name), Some(secret)) => Ok(Some(match name.strip_suffix("/token") {
                Some(email) => Credentials::api_token(email, secret),
                None => Credentials::password(name, secret),
            })),
            (Some(_), None) => Err(half(ZENDESK_USERNAME, &format!("{ZENDESK_PASSWORD} is not"))),
            (None, Some(_)) => Err(half(ZENDESK_PASSWORD, &format!("{ZENDESK_USERNAME} is not"))),
            (None, None) => Ok(None),
        }
    }
}

fn half(set: &str, missing: &str) -> Error {
    Error::Request(format!("{set} is set, but {missing}: set both or none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Set<'a> = &'a [(&'a str, &'a str)];

    fn read(named: Option<&str>, set: Set<'_>) -> Result<String, String> {
        let named = named.map(|address| Server::parse(address).unwrap());
        let variables = Variables(|name: &str| {
            let value = set.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        });
        let read = variables.credentials(named.as_ref());
        read.map(|read| format!("{read:?}")).map_err(|error| error.to_string())
    }

    const AT_OURS: (&str, &str) = (SERVER, "https://auth.example.com");
    const AT_ZENDESK: (&str, &str) = (ZENDESK_SUBDOMAIN, "acme");
    const EMAILED: (&str, &str) = (EMAIL, "b@x");
    const TOKEN: (&str, &str) = (API_TOKEN, "hunter2");
    const USER: (&str, &str) = (ZENDESK_USERNAME, "ada@acme.test/token");
    const SECRET: (&str, &str) = (ZENDESK_PASSWORD, "hunter2");

    #[test]
    fn the_environment_names_one_who_asks_by_the_family_of_its_server() {
        let (ada, ben) = (r#"Some(ApiToken("ada@acme.test"))"#, r#"Some(ApiToken("b@x"))"#);
        let by_url = (ZENDESK_SERVER_URL, "https://acme.test");
        let password = (ZENDESK_USERNAME, "ada@acme.test");
        let expectations: [(Set<'_>, &str); 11] = [
            (&[], "None"),
            (&[AT_OURS], "None"),
            (&[AT_OURS, (BEARER, "")], "None"),
            (&[AT_ZENDESK, USER, SECRET], ada),
            (&[by_url, USER, SECRET], ada),
            (&[AT_ZENDESK, password, SECRET], r#"Some(Password("ada@acme.test"))"#),
            (&[AT_OURS, EMAILED, TOKEN, USER, SECRET], ben),
            (&[AT_OURS, AT_ZENDESK, EMAILED, TOKEN, USER, SECRET], ben),
            (&[AT_ZENDESK, EMAILED, TOKEN, USER, SECRET], ada),
            (&[AT_OURS, EMAILED, (PASSWORD, "hunter2")], r#"Some(Password("b@x"))"#),
            (&[AT_OURS, (BEARER, "hunter2"), EMAILED, USER], "Some(Bearer)"),
        ];
        for (set, expected) in expectations {
            assert_eq!(read(None, set).as_deref(), Ok(expected), "{set:?}");
        }
    }

    #[test]
    fn a_server_that_was_named_otherwise_gets_no_credentials_of_another_family() {
        let (ours, theirs) = (Some("https://auth.example.com"), Some("https://acme.zendesk.com"));
        let (ada, ben) = (r#"Some(ApiToken("ada@acme.test"))"#, r#"Some(ApiToken("b@x"))"#);
        let expectations: [(_, Set<'_>, _); 6] = [
            (ours, &[EMAILED, TOKEN, USER, SECRET], ben),
            (theirs, &[USER, SECRET], ada),
            (theirs, &[EMAILED, TOKEN, USER, SECRET], ada),
            (theirs, &[EMAILED, TOKEN], ben),
            // Nobody knows where these would be sent.
            (None, &[USER, SECRET], "None"),
            (None, &[EMAILED, TOKEN], ben),
        ];
        for (named, set, expected) in expectations {
            assert_eq!(read(named, set).as_deref(), Ok(expected), "{named:?} {set:?}");
        }
        for named in [ours, Some("https://zendesk.com.evil.test"), Some("http://a.zendesk.com")] {
            let error = read(named, &[USER, SECRET]).unwrap_err();
            assert!(error.contains(ZENDESK_USERNAME) && error.contains("family"), "{error}");
        }
    }

    #[test]
    fn families_that_are_mixed_and_halves_are_errors_that_name_their_variables() {
        let expectations: [(Set<'_>, [&str; 2]); 8] = [
            (&[AT_OURS, USER, SECRET], [ZENDESK_USERNAME, SERVER]),
            (&[(SERVER, "https://acme.zendesk.com"), USER, SECRET], [ZENDESK_USERNAME, SERVER]),
            (&[AT_ZENDESK, EMAILED, TOKEN], [EMAIL, ZENDESK_SUBDOMAIN]),
            (&[AT_ZENDESK, (BEARER, "hunter2")], [BEARER, ZENDESK_SUBDOMAIN]),
            (&[AT_OURS, EMAILED], [EMAIL, API_TOKEN]),
            (&[AT_OURS, TOKEN], [API_TOKEN, EMAIL]),
            (&[AT_ZENDESK, USER], [ZENDESK_USERNAME, ZENDESK_PASSWORD]),
            (&[AT_ZENDESK, SECRET], [ZENDESK_PASSWORD, ZENDESK_USERNAME]),
        ];
        for (set, names) in expectations {
            let error = read(None, set).unwrap_err();
            assert!(names.iter().all(|name| error.contains(name)), "{set:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
