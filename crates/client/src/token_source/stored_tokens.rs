//! Tokens as they are stored.

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tokenry_protocol::{
    api::secret_text::SecretText, oauth::token::TokenResponse, time::Timestamp,
};

use crate::{
    Call, Client, Error, Server, resources::grant_type_tokens::RequestTokens,
    unreadable::Unreadable,
};

/// The tokens of one grant, with what must be known to use and to renew them. Its written form, by
/// `serde`, holds them in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredTokens {
    /// The server that issued them.
    pub server: Server,
    /// The identifier of the client that they were issued to.
    pub client_id: String,
    /// The access token.
    pub access_token: SecretText,
    /// When it was asked for: before that it did not exist.
    pub obtained_at: Timestamp,
    /// When it ends at the earliest; unknown when the server did not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<Timestamp>,
    /// The refresh token; client credentials have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_token: Option<SecretText>,
    /// When it ends at the earliest; unknown when the server did not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_token_expires_at: Option<Timestamp>,
    /// What the access token may do, words separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
}

impl StoredTokens {
    /// The tokens of an answer. `obtained_at` is a moment before the request was sent, so that the
    /// ends that are computed from it come rather too early than too late. `None` when the answer
    /// has no access token.
    pub fn new(
        server: Server,
        client_id: impl Into<String>,
        answer: &TokenResponse,
        obtained_at: Timestamp,
    ) -> Option<Self> {
        Some(Self {
            server,
            client_id: client_id.into(),
            access_token: answer.access_token.clone()?,
            obtained_at,
            expires_at: answer.expires_in.map(|span| obtained_at.plus(span)),
            refresh_token: answer.refresh_token.clone(),
            refresh_token_expires_at: answer
                .refresh_token_expires_in
                .map(|span| obtained_at.plus(span)),
            scope: answer.scope.clone(),
        })
    }

    /// Whether the access token is over at this time, as far as is known.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// These tokens as the successors of others: a server that gives no new refresh token means
    /// the old one to be used again, and one that names no scope has not changed it (RFC 6749
    /// §5.1, §6).
    pub(super) fn succeeding(mut self, before: Option<Self>) -> Self {
        if let Some(before) = before {
            if self.refresh_token.is_none() {
                self.refresh_token = before.refresh_token;
                self.refresh_token_expires_at = before.refresh_token_expires_at;
            }
            self.scope = self.scope.or(before.scope);
        }
        self
    }
}

impl Call<'_, Client, RequestTokens> {
    /// Sends it, and gives the tokens as a [`TokenStorage`](crate::TokenStorage) takes them.
    pub async fn stored(self) -> Result<StoredTokens, Error> {
        let client = self.client;
        let obtained_at = client.shared.environment.now();
        let client_id = self.operation.client_id().to_owned();
        let (server, credentials) = (client.server(), &client.shared.credentials);
        let server = self.options.target(server, credentials).0.clone();
        let answer = self.answer().await?;
        let tokens = StoredTokens::new(server, client_id, &answer.value, obtained_at);
        tokens.ok_or_else(|| without_token(answer.status, answer.headers))
    }
}

fn without_token(status: StatusCode, headers: HeaderMap) -> Error {
    Unreadable::missing("access_token", status, headers).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(answer: &str) -> StoredTokens {
        let server = Server::parse("https://auth.acme.test").unwrap();
        let answer = serde_json::from_str(answer).unwrap();
        StoredTokens::new(server, "acme", &answer, Timestamp::from_seconds(1_000)).unwrap()
    }

    #[test]
    fn ends_are_counted_from_before_the_request() {
        let stored = tokens(
            r#"{"access_token":"a","expires_in":300,"refresh_token":"r",
                "refresh_token_expires_in":604800,"scope":"read"}"#,
        );
        assert_eq!(stored.expires_at, Some(Timestamp::from_seconds(1_300)));
        assert_eq!(stored.refresh_token_expires_at, Some(Timestamp::from_seconds(605_800)));
        assert!(!stored.is_expired(Timestamp::from_millis(1_299_999)));
        assert!(stored.is_expired(Timestamp::from_seconds(1_300)));
        let unknown = tokens(r#"{"access_token":"a"}"#);
        assert_eq!(unknown.expires_at, None);
        assert!(!unknown.is_expired(Timestamp::from_seconds(i64::MAX / 1_000)));
    }

    #[test]
    fn what_an_answer_leaves_out_is_as_it_was() {
        let before = tokens(r#"{"access_token":"a","refresh_token":"r","scope":"read"}"#);
        let after = tokens(r#"{"access_token":"b"}"#).succeeding(Some(before.clone()));
        assert_eq!(after.access_token.reveal(), "b");
        assert_eq!(
            (after.refresh_token, after.scope),
            (before.refresh_token.clone(), before.scope.clone())
        );
        let after = tokens(r#"{"access_token":"b","refresh_token":"s","scope":"write"}"#);
        assert_eq!(after.clone().succeeding(Some(before)), after);
    }

    #[test]
    fn they_are_written_whole_and_shown_without_their_secrets() {
        let stored =
            tokens(r#"{"access_token":"access-hunter2","refresh_token":"refresh-hunter2"}"#);
        let text = serde_json::to_string(&stored).unwrap();
        assert!(text.contains(r#""access_token":"access-hunter2""#), "{text}");
        assert_eq!(serde_json::from_str::<StoredTokens>(&text).unwrap(), stored);
        assert!(!format!("{stored:?}").contains("hunter2"));
    }
}
