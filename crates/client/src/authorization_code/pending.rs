//! A user who was sent away and has not come back.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use tokenry_protocol::{api::secret_text::SecretText, oauth::parameters::Parameters};
use url::Url;

use super::callback::{AuthorizationRefusal, CallbackError, CheckedCallback};
use crate::{Server, resources::grant_type_tokens::Door};

/// The longest callback that is read, in bytes.
const CALLBACK_MAX: usize = 16 << 10;

/// An authorization that waits for its user to come back.
///
/// A web application keeps it in the session of the browser that it sends away, by `serde`. Its
/// written form holds `state` and `code_verifier`: where it is kept nobody else may read or write.
/// There is no client secret in it.
#[derive(Serialize, Deserialize)]
#[must_use = "the user is to be sent to its address, and what comes back to be checked"]
pub struct PendingAuthorization {
    pub(super) url: String,
    pub(super) server: Server,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) issuer: String,
    pub(super) answers_with_issuer: bool,
    pub(super) door: Door,
    pub(super) state: SecretText,
    pub(super) code_verifier: SecretText,
}

impl PendingAuthorization {
    /// Where the user is sent.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the callback will bring back: by it an application that has several users away finds
    /// whose callback it is. 43 characters.
    pub fn state(&self) -> &str {
        self.state.reveal()
    }

    /// Where the user comes back.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Checks what the user came back with: the query of the callback, or its whole address.
    ///
    /// 1. It can be read, and has every parameter once (RFC 6749 §4.1.2, §3.1).
    /// 2. `state` is ours (RFC 6749 §10.12), compared in constant time.
    /// 3. `iss` is the issuer, where it must be named or is (RFC 9207 §2.4).
    /// 4. It is no refusal (RFC 6749 §4.1.2.1).
    /// 5. There is a code.
    ///
    /// A wrong callback ends the authorization, for the user to begin again. A program that
    /// cannot know whose callback it hears looks at [`matches`](Self::matches) first.
    pub fn check(self, callback: &str) -> Result<CheckedCallback, CallbackError> {
        let code = self.code_of(callback)?;
        Ok(CheckedCallback { code, authorization: self })
    }

    /// Whether a callback brings back this authorization's `state`: whether it is the answer to it,
    /// be it a code or a refusal, and not somebody else's.
    pub fn matches(&self, callback: &str) -> bool {
        let parameters = self.parameters(callback);
        parameters.is_ok_and(|parameters| self.brought_back(&parameters).is_ok())
    }

    /// What [`check`](Self::check) will say of it, if it is an error.
    #[cfg(feature = "loopback")]
    pub(crate) fn refusal_of(&self, callback: &str) -> Option<CallbackError> {
        self.code_of(callback).err()
    }

    fn code_of(&self, callback: &str) -> Result<SecretText, CallbackError> {
        let parameters = self.parameters(callback)?;
        self.brought_back(&parameters)?;
        match text(&parameters, "iss")? {
            Some(issuer) if issuer == self.issuer => {}
            Some(issuer) => {
                let (expected, named) = (self.issuer.clone(), issuer.to_owned());
                return Err(CallbackError::OtherIssuer { expected, named });
            }
            None if self.answers_with_issuer => return Err(CallbackError::IssuerMissing),
            None => {}
        }
        if let Some(error) = text(&parameters, "error")? {
            let description = text(&parameters, "error_description")?;
            let uri = text(&parameters, "error_uri")?;
            return Err(CallbackError::Refused(AuthorizationRefusal::new(error, description, uri)));
        }
        text(&parameters, "code")?.map(SecretText::new).ok_or(CallbackError::CodeMissing)
    }

    /// Step 1.
    fn parameters(&self, callback: &str) -> Result<Parameters, CallbackError> {
        if callback.len() > CALLBACK_MAX {
            return Err(CallbackError::Malformed("it is longer than any answer".to_owned()));
        }
        Ok(Parameters::from_form(self.query(callback).as_bytes())?)
    }

    /// What stands behind the question mark of an address; a query may hold question marks too.
    fn query<'a>(&self, callback: &'a str) -> &'a str {
        let callback = callback.split('#').next().unwrap_or_default();
        let address = Url::parse(&self.redirect_uri);
        let path = address.as_ref().map_or("", Url::path);
        match callback.split_once('?') {
            Some((head, query)) if head.is_empty() || head.ends_with(path) => query,
            _ => callback,
        }
    }

    /// Step 2. Bytes are compared and not text: 32 of them have one spelling.
    fn brought_back(&self, parameters: &Parameters) -> Result<(), CallbackError> {
        let state = text(parameters, "state")?.ok_or(CallbackError::OtherState)?;
        let bytes =
            |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == 32);
        match (bytes(state), bytes(self.state.reveal())) {
            (Some(named), Some(ours)) if bool::from(named.ct_eq(&ours)) => Ok(()),
            _ => Err(CallbackError::OtherState),
        }
    }
}

fn text<'a>(parameters: &'a Parameters, name: &str) -> Result<Option<&'a str>, CallbackError> {
    Ok(parameters.text(name)?)
}

/// Without what only the browser and we may know.
impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PendingAuthorization")
            .field("server", &self.server)
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenry_protocol::oauth::error::ErrorCode;

    use super::*;
    use crate::AuthorizationCode;

    const ISSUER: &str = "https://auth.acme.test";

    fn random() -> [u8; 64] {
        std::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    fn pending() -> PendingAuthorization {
        let server = Server::parse(ISSUER).unwrap();
        let request = AuthorizationCode::new("acme", "https://reports.acme.test/callback");
        request.begin_at(&server, &random()).unwrap()
    }

    fn with_issuer() -> PendingAuthorization {
        let server = Server::parse(ISSUER).unwrap();
        let request = AuthorizationCode::new("acme", "https://reports.acme.test/callback");
        request.issuer(ISSUER).begin_at(&server, &random()).unwrap()
    }

    fn state() -> String {
        pending().state().to_owned()
    }

    #[test]
    fn a_query_and_a_whole_address_say_the_same() {
        let query = format!("code=c%3F1&state={}", state());
        for callback in [
            query.clone(),
            format!("?{query}"),
            format!("/callback?{query}"),
            format!("https://reports.acme.test/callback?{query}#_=_"),
            format!("code=c?1&state={}", state()),
        ] {
            let checked = pending().check(&callback).unwrap();
            assert_eq!(checked.code.reveal(), "c?1", "{callback}");
        }
    }

    #[test]
    fn an_answer_without_our_state_is_nobodys() {
        let other = URL_SAFE_NO_PAD.encode([8; 32]);
        for callback in [
            "code=c".to_owned(),
            "code=c&state=".to_owned(),
            format!("code=c&state={other}"),
            format!("code=c&state={}x", state()),
            format!("code=c&state={}", state().get(..42).unwrap()),
            format!("code=c&State={}", state()),
            format!("error=access_denied&state={other}"),
        ] {
            assert!(!pending().matches(&callback), "{callback}");
            let error = pending().check(&callback).unwrap_err();
            assert!(matches!(error, CallbackError::OtherState), "{callback}: {error}");
        }
        assert!(pending().matches(&format!("error=access_denied&state={}", state())));
    }

    #[test]
    fn an_issuer_must_be_the_one_that_was_asked() {
        let iss = |text: &str| format!("code=c&state={}&iss={text}", state());
        assert!(pending().check(&iss("https%3A%2F%2Fauth.acme.test")).is_ok());
        assert!(with_issuer().check(&iss("https://auth.acme.test")).is_ok());
        for other in ["https%3A%2F%2Fevil.test", "https://auth.acme.test/", "x"] {
            for pending in [pending(), with_issuer()] {
                let error = pending.check(&iss(other)).unwrap_err();
                assert!(matches!(error, CallbackError::OtherIssuer { .. }), "{other}: {error}");
            }
        }
        assert!(pending().check(&iss("")).is_ok(), "an empty parameter is none");
        let missing = with_issuer().check(&iss("")).unwrap_err();
        assert!(matches!(missing, CallbackError::IssuerMissing), "{missing}");
    }

    #[test]
    fn no_parameter_comes_twice() {
        for twice in ["code=a&code=b", "code=a&code=a", "code=a&x=1&x=1", "code=%FF"] {
            let callback = format!("{twice}&state={}", state());
            let error = pending().check(&callback).unwrap_err();
            assert!(matches!(error, CallbackError::Malformed(_)), "{twice}: {error}");
        }
        let twice = format!("code=a&state={0}&state={0}", state());
        assert!(matches!(pending().check(&twice), Err(CallbackError::Malformed(_))));
        let long = format!("state={}&code={}", state(), "x".repeat(CALLBACK_MAX));
        assert!(matches!(pending().check(&long), Err(CallbackError::Malformed(_))));
    }

    #[test]
    fn no_error_repeats_a_credential_not_even_for_debugging() {
        let secret = "a0000000GI_tokenry_0000lN99CAgaWtKi7Bsmlf6EN9lXWzmvSmhH8V63r27F7";
        for callback in [
            format!("error={secret}&error_description={secret}&error_uri={secret}"),
            format!("code=c&iss={secret}"),
            format!("{secret}=1&{secret}=2"),
        ] {
            let error = pending().check(&format!("{callback}&state={}", state())).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("lN99CAga"), "{shown}");
        }
    }

    #[test]
    fn a_refusal_is_told_apart_by_its_code_and_cleaned_for_people() {
        let callback =
            format!("error=access_denied&error_description=No%0Away%1b.&state={}", state());
        let CallbackError::Refused(refusal) = pending().check(&callback).unwrap_err() else {
            panic!("it is a refusal");
        };
        assert_eq!(refusal.code().known(), Some(&ErrorCode::AccessDenied));
        assert_eq!(refusal.description(), Some("No\nway\u{1b}."));
        assert_eq!(refusal.to_string(), "access_denied: Noway.");
        let callback = format!("error=new_word&state={}", state());
        let CallbackError::Refused(refusal) = pending().check(&callback).unwrap_err() else {
            panic!("it is a refusal");
        };
        assert_eq!(refusal.code().to_string(), "new_word");
        let neither = pending().check(&format!("state={}", state())).unwrap_err();
        assert!(matches!(neither, CallbackError::CodeMissing), "{neither}");
    }

    #[test]
    fn it_survives_a_session_and_is_not_written_for_debugging() {
        let text = serde_json::to_string(&with_issuer()).unwrap();
        let again: PendingAuthorization = serde_json::from_str(&text).unwrap();
        assert_eq!(again.url(), with_issuer().url());
        let shown = format!("{again:?}");
        let checked = again.check(&format!("code=hunter2&state={}&iss={ISSUER}", state())).unwrap();
        let shown = format!("{shown} {checked:?}");
        for secret in [state().as_str(), with_issuer().code_verifier.reveal(), "hunter2"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("acme"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_without_our_state_is_taken(callback in "\\PC{0,200}") {
            prop_assert!(pending().check(&callback).is_err());
            prop_assert!(!pending().matches(&callback));
        }

        #[test]
        fn no_query_is_taken_with_another_state(
            state in "[A-Za-z0-9_-]{0,60}",
            pairs in proptest::collection::vec(("[a-z]{1,8}", "[ -~]{0,20}"), 0..6),
        ) {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs).append_pair("code", "c").append_pair("state", &state);
            prop_assume!(state != pending().state());
            prop_assert!(pending().check(&query.finish()).is_err());
        }

        #[test]
        fn every_code_arrives_as_it_was_sent(code in "\\PC{1,200}", at in 0..3_usize) {
            let (state, code_sent) = (state(), code.as_str());
            let mut pairs = vec![("code", code_sent), ("state", state.as_str())];
            pairs.insert(at.min(pairs.len()), ("session_state", "1?2"));
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.extend_pairs(pairs).finish();
            let checked = pending().check(&query).unwrap();
            prop_assert_eq!(checked.code.reveal(), code_sent);
        }
    }
}
