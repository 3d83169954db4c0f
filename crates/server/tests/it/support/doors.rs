//! The two doors of the token endpoint, asked alike.

use serde_json::{Map, Value};

use super::{Answer, Call, IssuedGrant, TestApp, TestClient, VERIFIER};

/// A door, with its own way of asking: JSON with the client's secret in the body at the record
/// API's, a form with the secret in the header at the standard's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `POST /oauth/tokens`
    Record,
    /// `POST /oauth/token`
    Standard,
}

impl Door {
    pub const BOTH: [Self; 2] = [Self::Record, Self::Standard];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Record => "/oauth/tokens",
            Self::Standard => "/oauth/token",
        }
    }

    /// The status of success.
    pub const fn success(self) -> u16 {
        match self {
            Self::Record => 201,
            Self::Standard => 200,
        }
    }

    /// A token request of nobody in particular, in the door's own form.
    pub fn call<'a>(self, app: &'a TestApp, fields: &[(&str, &str)]) -> Call<'a> {
        match self {
            Self::Record => {
                let pairs = fields.iter();
                let members: Map<String, Value> =
                    pairs.map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
                app.post(self.path()).json(&Value::Object(members))
            }
            Self::Standard => app.post(self.path()).form(fields),
        }
    }

    /// A token request of this client.
    pub fn ask<'a>(
        self,
        app: &'a TestApp,
        client: &TestClient,
        fields: &[(&str, &str)],
    ) -> Call<'a> {
        let mut fields = fields.to_vec();
        if client.is_public() || self == Self::Record {
            fields.push(("client_id", &client.identifier));
        }
        if client.is_public() {
            self.call(app, &fields)
        } else if self == Self::Record {
            fields.push(("client_secret", client.secret()));
            self.call(app, &fields)
        } else {
            self.call(app, &fields).by_client(client)
        }
    }

    /// Redeems a code with all that it needs, and `more`.
    pub fn redeem<'a>(
        self,
        app: &'a TestApp,
        client: &TestClient,
        code: &str,
        more: &[(&str, &str)],
    ) -> Call<'a> {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &client.redirect_uri),
        ];
        if client.is_public() {
            fields.push(("code_verifier", VERIFIER));
        }
        fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.ask(app, client, &fields)
    }

    /// Refreshes, with `more`.
    pub fn refresh<'a>(
        self,
        app: &'a TestApp,
        client: &TestClient,
        refresh_token: &str,
        more: &[(&str, &str)],
    ) -> Call<'a> {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        fields.extend(more);
        self.ask(app, client, &fields)
    }
}

impl Answer {
    /// The tokens of a successful answer of either door.
    #[track_caller]
    pub fn tokens(&self) -> IssuedGrant {
        assert!(matches!(self.status, 200 | 201), "{}", self.snapshot());
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        IssuedGrant::new(text("access_token"), text("refresh_token"))
    }
}
