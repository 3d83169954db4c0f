//! Authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3) and answer (§4.1.2, RFC 9207).

use super::{
    error::{ErrorCode, ErrorResponse},
    parameters::{InvalidRequest, Parameters},
};

/// The most characters of `state`.
pub const STATE_MAX: usize = 2_000;

/// An authorization request as it was sent: names known, values not yet judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// `response_type`
    pub response_type: Option<String>,
    /// `client_id`: the identifier.
    pub client_id: Option<String>,
    /// `redirect_uri`
    pub redirect_uri: Option<String>,
    /// `scope`
    pub scope: Option<String>,
    /// `state`
    pub state: Option<String>,
    /// `code_challenge`
    pub code_challenge: Option<String>,
    /// `code_challenge_method`
    pub code_challenge_method: Option<String>,
    /// `prompt`
    pub prompt: Option<String>,
}

impl AuthorizationRequest {
    /// Takes the parameters it knows; unknown ones are ignored (RFC 6749 §3.1).
    pub fn parse(parameters: &Parameters) -> Result<Self, InvalidRequest> {
        let text = |name| Ok(parameters.text(name)?.map(str::to_owned));
        Ok(Self {
            response_type: text("response_type")?,
            client_id: text("client_id")?,
            redirect_uri: text("redirect_uri")?,
            scope: text("scope")?,
            state: text("state")?,
            code_challenge: text("code_challenge")?,
            code_challenge_method: text("code_challenge_method")?,
            prompt: text("prompt")?,
        })
    }

    /// The same request as a query, for the way back from the sign-in page and through the form.
    pub fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("response_type", &self.response_type),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", &self.state),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
            ("prompt", &self.prompt),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

/// Where the browser is sent back to and what it takes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    /// The redirect address, judged.
    pub redirect_uri: String,
    /// `state`, unchanged.
    pub state: Option<String>,
}

impl ReturnAddress {
    /// The address with a code.
    pub fn with_code(&self, code: &str, issuer: &str) -> String {
        self.with(&[("code", code)], issuer)
    }

    /// The address with an error (RFC 6749 §4.1.2.1).
    pub fn with_error(&self, error: &ErrorResponse, issuer: &str) -> String {
        let code: ErrorCode = error.error;
        let pairs = [("error", code.as_str()), ("error_description", &error.error_description)];
        self.with(&pairs, issuer)
    }

    /// Appends to the query that is there and keeps it (RFC 6749 §3.1.2).
    fn with(&self, pairs: &[(&str, &str)], issuer: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            query.append_pair(name, value);
        }
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
        let joint = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{joint}{}", self.redirect_uri, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(redirect_uri: &str) -> ReturnAddress {
        ReturnAddress { redirect_uri: redirect_uri.to_owned(), state: Some("s 1&".to_owned()) }
    }

    #[test]
    fn the_answer_keeps_the_query_of_the_registered_address() {
        for (redirect_uri, expected) in [
            ("https://a.test/cb", "https://a.test/cb?code=x&state=s+1%26&iss=https%3A%2F%2Fi.test"),
            (
                "https://a.test/cb?t=1",
                "https://a.test/cb?t=1&code=x&state=s+1%26&iss=https%3A%2F%2Fi.test",
            ),
            ("com.acme.app:/cb", "com.acme.app:/cb?code=x&state=s+1%26&iss=https%3A%2F%2Fi.test"),
        ] {
            assert_eq!(address(redirect_uri).with_code("x", "https://i.test"), expected);
        }
    }

    #[test]
    fn a_request_survives_the_way_through_a_form() {
        let query = b"response_type=code&client_id=a&state=%C3%A9%26&unknown=1&scope=read+write";
        let request = AuthorizationRequest::parse(&Parameters::from_form(query).unwrap()).unwrap();
        let again = Parameters::from_form(request.to_query().as_bytes()).unwrap();
        assert_eq!(AuthorizationRequest::parse(&again), Ok(request));
    }

    #[test]
    fn every_parameter_is_read_under_its_own_name_and_written_under_it() {
        let query = "response_type=a&client_id=b&redirect_uri=c&scope=d&state=e\
                     &code_challenge=f&code_challenge_method=g&prompt=h";
        let parameters = Parameters::from_form(query.as_bytes()).unwrap();
        let request = AuthorizationRequest::parse(&parameters).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let expected = AuthorizationRequest {
            response_type: text("a"),
            client_id: text("b"),
            redirect_uri: text("c"),
            scope: text("d"),
            state: text("e"),
            code_challenge: text("f"),
            code_challenge_method: text("g"),
            prompt: text("h"),
        };
        assert_eq!(request, expected);
        assert_eq!(request.to_query(), query);
    }

    #[test]
    fn an_error_goes_back_with_its_code_its_sentence_and_the_state() {
        let error = ErrorResponse {
            error: ErrorCode::AccessDenied,
            error_description: "The user refused.".to_owned(),
        };
        let common = "error=access_denied&error_description=The+user+refused.";
        let bare = ReturnAddress { redirect_uri: "https://a.test/cb?".to_owned(), state: None };
        for (address, expected) in [
            (address("https://a.test/cb"), format!("https://a.test/cb?{common}&state=s+1%26")),
            (bare, format!("https://a.test/cb?{common}")),
        ] {
            let expected = format!("{expected}&iss=https%3A%2F%2Fi.test");
            assert_eq!(address.with_error(&error, "https://i.test"), expected);
        }
    }
}
