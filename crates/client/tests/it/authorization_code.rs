//! The authorization code grant, from the user's consent to the tokens.

use tokenry_client::{
    AuthorizationCode, BoxFuture, CallbackError, Client, ClientAuthentication, Credentials, Error,
    PendingAuthorization, RefusalKind, Response, RetryPolicy, Server, Transport, TransportError,
};

use crate::support::{Browser, TestServer};

const REDIRECT_URI: &str = "http://127.0.0.1/callback";

async fn reports(server: &TestServer) -> ClientAuthentication {
    let (_, secret) = server.register("acme_reports").await;
    ClientAuthentication::secret("acme_reports", secret)
}

fn request() -> AuthorizationCode {
    AuthorizationCode::new("acme_reports", REDIRECT_URI).scope("read")
}

#[tokio::test]
async fn a_user_consents_and_the_checked_code_is_redeemed() {
    let server = TestServer::start().await;
    let (client, reports) = (server.client(), reports(&server).await);
    let mut browser = Browser::default();
    for request in [request(), request().discover(&client).await.unwrap()] {
        let pending = request.begin(&client).unwrap();
        let back = browser.consent(&server, pending.url(), "allow").await;
        assert!(back.starts_with("http://127.0.0.1/callback?code="), "{back}");
        let callback = pending.check(&back).unwrap();
        let call = client.grant_type_tokens().redeem(&reports, callback).expires_in(300);
        let tokens = call.await.unwrap();
        assert_eq!(tokens.scope.as_deref(), Some("read"));
        let bearer = Credentials::bearer(tokens.access_token.unwrap().reveal());
        client.with_credentials(bearer).oauth_tokens().current().await.unwrap();
    }
    server.stop().await;
}

#[tokio::test]
async fn an_authorization_outlives_its_process_in_a_session() {
    let server = TestServer::start().await;
    let (client, reports) = (server.client(), reports(&server).await);
    let session = {
        let pending = request().begin(&client).unwrap();
        serde_json::to_string(&pending).unwrap()
    };
    let pending: PendingAuthorization = serde_json::from_str(&session).unwrap();
    let back = Browser::default().consent(&server, pending.url(), "allow").await;
    let callback = pending.check(back.split_once('?').unwrap().1).unwrap();
    client.grant_type_tokens().redeem(&reports, callback).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn no_two_authorizations_share_state_or_verifier() {
    let server = TestServer::start().await;
    let (client, reports) = (server.client(), reports(&server).await);
    let (first, second) = (request().begin(&client).unwrap(), request().begin(&client).unwrap());
    let mut browser = Browser::default();
    let back = browser.consent(&server, first.url(), "allow").await;
    // Somebody slips the code of one sign-in into another: it is not taken by its state, and
    // with the right state not redeemed by its verifier.
    assert!(!second.matches(&back));
    let mixed = back.replace(first.state(), second.state());
    let callback = second.check(&mixed).unwrap();
    let refused = client.grant_type_tokens().redeem(&reports, callback).await.unwrap_err();
    assert_eq!(refused.kind(), Some(RefusalKind::InvalidGrant), "{refused}");
    server.stop().await;
}

#[tokio::test]
async fn who_refuses_is_told_apart_from_what_is_wrong() {
    let server = TestServer::start().await;
    let client = server.client();
    reports(&server).await;
    let mut browser = Browser::default();
    let pending = request().discover(&client).await.unwrap().begin(&client).unwrap();
    let back = browser.consent(&server, pending.url(), "deny").await;
    let CallbackError::Refused(refusal) = pending.check(&back).unwrap_err() else {
        panic!("the user refused");
    };
    assert!(refusal.is_denied(), "{refusal}");

    let pending = request().scope("everything").begin(&client).unwrap();
    let back = browser.get(pending.url()).await.location.unwrap();
    let CallbackError::Refused(refusal) = pending.check(&back).unwrap_err() else {
        panic!("the server refused");
    };
    assert_eq!(refusal.code().to_string(), "invalid_scope", "{refusal}");
    assert!(!refusal.is_denied());
    server.stop().await;
}

#[tokio::test]
async fn an_answer_of_another_server_is_not_redeemed() {
    let server = TestServer::start().await;
    let client = server.client();
    reports(&server).await;
    let pending = request().discover(&client).await.unwrap().begin(&client).unwrap();
    let back = Browser::default().consent(&server, pending.url(), "allow").await;
    let session = serde_json::to_string(&pending).unwrap();
    let again = || serde_json::from_str::<PendingAuthorization>(&session).unwrap();
    let (rest, iss) = back.split_once("&iss=").unwrap();
    assert!(iss.starts_with("http%3A%2F%2F127.0.0.1"), "{iss}");

    let error = again().check(rest).unwrap_err();
    assert_eq!(error, CallbackError::IssuerMissing);
    let error = again().check(&format!("{rest}&iss=https%3A%2F%2Fevil.test")).unwrap_err();
    assert!(matches!(error, CallbackError::OtherIssuer { .. }), "{error}");
    let error = again().check(&format!("{back}&code=mine")).unwrap_err();
    assert!(matches!(error, CallbackError::Malformed(_)), "{error}");
    assert!(again().check(&back).is_ok());
    server.stop().await;
}

#[tokio::test]
async fn a_code_goes_to_the_server_and_from_the_client_that_asked() {
    let server = TestServer::start().await;
    let (client, reports) = (server.client(), reports(&server).await);
    let other = TestServer::start().await;
    let mut browser = Browser::default();
    let mut checked = async || {
        let pending = request().begin(&client).unwrap();
        let back = browser.consent(&server, pending.url(), "allow").await;
        pending.check(&back).unwrap()
    };
    let call = client.grant_type_tokens().redeem(&reports, checked().await);
    let elsewhere = call.server(Server::parse(&other.base).unwrap(), Credentials::None).await;
    assert!(matches!(elsewhere, Err(Error::Request(_))), "{elsewhere:?}");
    let elsewhere = other.client().grant_type_tokens().redeem(&reports, checked().await).await;
    assert!(matches!(elsewhere, Err(Error::Request(_))), "{elsewhere:?}");
    let stranger = ClientAuthentication::public("acme_other");
    let stranger = client.grant_type_tokens().redeem(&stranger, checked().await).await;
    assert!(matches!(stranger, Err(Error::Request(_))), "{stranger:?}");
    server.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_server_that_says_to_be_somebody_else_is_not_believed() {
    let server = TestServer::start().await;
    let by_name = server.base.replace("127.0.0.1", "localhost");
    let client = Client::builder().server(&by_name).build().unwrap();
    let error = request().discover(&client).await.unwrap_err();
    assert!(error.to_string().contains(&server.base), "{error}");
    // Metadata that the program has from elsewhere is its own affair.
    let metadata = server.client().authorization_server().metadata().await.unwrap();
    let pending = request().metadata(&metadata).begin(&client).unwrap();
    assert!(pending.url().starts_with(&server.base), "{}", pending.url());
    server.stop().await;
}

/// Another server than Tokenry, which answers every request with this status and a page.
struct Elsewhere(u16);

impl Transport for Elsewhere {
    fn send(
        &self,
        _request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        let mut response = Response::new("<html></html>".into());
        *response.status_mut() = self.0.try_into().unwrap();
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test]
async fn a_server_without_metadata_is_asked_where_zendesk_has_its_endpoint() {
    for (status, has_none) in
        [(404, true), (401, true), (302, true), (429, false), (500, false), (503, false)]
    {
        let client = Client::builder().subdomain("acme").retry(RetryPolicy::never());
        let client = client.transport(Elsewhere(status)).build().unwrap();
        match request().discover(&client).await {
            Ok(request) => {
                let pending = request.begin(&client).unwrap();
                let endpoint = "https://acme.zendesk.com/oauth/authorizations/new?";
                assert!(pending.url().starts_with(endpoint), "{}", pending.url());
                assert!(has_none, "{status}");
            }
            // Whoever would go on now would do without `iss`, because of a bad moment.
            Err(error) => assert!(!has_none, "{status}: {error}"),
        }
    }
}
