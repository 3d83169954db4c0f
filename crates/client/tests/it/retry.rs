//! What is asked again when the network or the server fails, and what never is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use tokenry_client::{
    Authorization, BoxFuture, Client, ClientAuthentication, ClientBuilder, CredentialSource,
    Credentials, Error, RefusalKind, RetryPolicy, Server, TransportErrorKind,
    models::{ClientKind, ClientRequest},
};

use crate::support::{Fault, Relay, StillEnvironment, TestServer};

/// A server, a network before it, and an administrator who asks through that.
struct World {
    server: TestServer,
    relay: Relay,
    environment: StillEnvironment,
    client: Client,
    client_id: u64,
    app: ClientAuthentication,
}

impl World {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let (client_id, secret) = server.register("acme_reports").await;
        let relay = Relay::before(&server.base).await;
        let environment = StillEnvironment::default();
        let builder = server.builder().server(&relay.base).environment(environment.clone());
        let client = builder.build().unwrap();
        let app = ClientAuthentication::secret("acme_reports", secret);
        Self { server, relay, environment, client, client_id, app }
    }

    /// The tokens that the server has.
    async fn tokens(&self) -> Vec<u64> {
        let page = self.server.client().oauth_tokens().list().all(true).await.unwrap();
        page.tokens.into_iter().map(|token| token.id.unwrap().get()).collect()
    }

    /// Another network, in which the answers to the first requests are lost.
    async fn behind_silence(&self, requests: usize) -> (Relay, ClientBuilder) {
        let relay = Relay::before(&self.server.base).await;
        relay.next(vec![Fault::Silence; requests]);
        let builder = self.server.builder().server(&relay.base);
        (relay, builder.environment(self.environment.clone()))
    }
}

fn lost(error: &Error) -> Option<TransportErrorKind> {
    match error {
        Error::Transport(error) => Some(error.kind()),
        _ => None,
    }
}

fn milliseconds(waits: &[Duration]) -> Vec<u128> {
    waits.iter().map(Duration::as_millis).collect()
}

const LIMITED: Fault = Fault::Answer(429, "retry-after: 17\r\n");
const AWAY: Fault = Fault::Answer(503, "");

#[tokio::test]
async fn a_question_is_asked_again_whatever_became_of_it() {
    let world = World::new().await;
    for (fault, waits, at_server) in [
        (LIMITED, vec![17_200], 1),
        (AWAY, vec![200], 1),
        (Fault::Answer(503, "retry-after: 2\r\n"), vec![2_200], 1),
        (Fault::Answer(502, ""), vec![200], 1),
        (Fault::Answer(504, ""), vec![200], 1),
        (Fault::ResetBefore, vec![200], 1),
        (Fault::ResetAfter, vec![200], 2),
        (Fault::Cut, vec![200], 2),
    ] {
        world.relay.next([fault]);
        let answer = world.client.users().me().answer().await.unwrap();
        assert_eq!(answer.value.user.unwrap().id, Some(world.server.admin.id));
        assert_eq!(answer.attempts, 2);
        assert_eq!(milliseconds(&world.environment.waits()), waits);
        assert_eq!(world.relay.counts(), (2, at_server));
    }
    world.server.stop().await;
}

#[tokio::test]
async fn waits_double_and_have_an_end() {
    let world = World::new().await;
    world.relay.next([AWAY, Fault::ResetBefore, LIMITED]);
    assert_eq!(world.client.users().me().answer().await.unwrap().attempts, 4);
    assert_eq!(milliseconds(&world.environment.waits()), [200, 400, 17_800]);
    world.relay.next([AWAY, AWAY, AWAY, AWAY]);
    let error = world.client.users().me().await.unwrap_err();
    assert_eq!(error.kind(), Some(RefusalKind::Unavailable));
    assert_eq!(world.relay.counts(), (4, 0));
    world.relay.next([Fault::ResetBefore, Fault::Cut]);
    let error = world.client.users().me().attempts_max(2).await.unwrap_err();
    assert_eq!(lost(&error), Some(TransportErrorKind::Lost));
    assert_eq!(world.relay.counts(), (2, 1));
    let builder = world.server.builder().server(&world.relay.base).retry(RetryPolicy::never());
    world.relay.next([AWAY]);
    let error = builder.build().unwrap().users().me().await.unwrap_err();
    assert_eq!(error.kind(), Some(RefusalKind::Unavailable));
    assert_eq!(world.relay.counts(), (1, 0));
    world.server.stop().await;
}

#[tokio::test]
async fn a_server_that_asks_for_too_long_a_wait_is_not_waited_for() {
    let world = World::new().await;
    world.relay.next([Fault::Answer(429, "retry-after: 61\r\n")]);
    let error = world.client.users().me().await.unwrap_err();
    assert_eq!(error.kind(), Some(RefusalKind::RateLimited));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(61)));
    assert_eq!(world.environment.waits(), []);
    world.server.stop().await;
}

#[tokio::test]
async fn a_refusal_is_not_asked_about_again() {
    let world = World::new().await;
    let wrong = world.client.with_credentials(Credentials::bearer("wrong"));
    world.relay.next([]);
    assert!(wrong.users().me().await.is_err());
    assert!(world.client.oauth_tokens().show(999_u64).await.is_err());
    assert!(world.client.oauth_tokens().create(999_u64).await.is_err());
    assert_eq!(world.relay.counts(), (3, 3));
    world.relay.next([Fault::Answer(500, "")]);
    let error = world.client.users().me().await.unwrap_err();
    assert_eq!(error.kind(), Some(RefusalKind::ServerError));
    assert_eq!(world.relay.counts(), (1, 0));
    world.server.stop().await;
}

#[tokio::test]
async fn a_record_is_never_made_twice() {
    let world = World::new().await;
    let create = || world.client.oauth_tokens().create(world.client_id).send();
    for (fault, at_server) in
        [(AWAY, 0), (Fault::ResetBefore, 0), (Fault::ResetAfter, 1), (Fault::Cut, 1)]
    {
        let before = world.tokens().await.len();
        world.relay.next([fault]);
        create().await.unwrap_err();
        assert_eq!(world.relay.counts(), (1, at_server));
        assert_eq!(world.tokens().await.len(), before + at_server);
    }
    let before = world.tokens().await.len();
    world.relay.next([LIMITED]);
    create().await.unwrap();
    assert_eq!(world.relay.counts(), (2, 1), "what was not begun with is asked for again");
    assert_eq!(world.tokens().await.len(), before + 1);
    for creation in [
        Box::pin(async { world.client.api_tokens().create().await.map(drop) })
            as std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>>,
        Box::pin(async {
            let request = ClientRequest {
                identifier: "acme_mails".to_owned().into(),
                name: "Acme Mails".to_owned().into(),
                ..ClientRequest::default()
            };
            world.client.oauth_clients().create(request).await.map(drop)
        }),
    ] {
        world.relay.next([Fault::ResetAfter]);
        assert_eq!(lost(&creation.await.unwrap_err()), Some(TransportErrorKind::Lost));
        assert_eq!(world.relay.counts(), (1, 1));
    }
    world.server.stop().await;
}

#[tokio::test]
async fn an_end_whose_answer_was_lost_is_a_success() {
    let world = World::new().await;
    let direct = world.server.client();
    let token = direct.oauth_tokens().create(world.client_id).await.unwrap().token.unwrap();
    world.relay.next([Fault::ResetAfter]);
    world.client.oauth_tokens().revoke(token.id.unwrap()).await.unwrap();
    assert_eq!(world.relay.counts(), (2, 2));
    assert!(world.relay.answers()[1].starts_with("HTTP/1.1 404"));

    let token = direct.oauth_tokens().create(world.client_id).await.unwrap().token.unwrap();
    let bearer = Credentials::bearer(token.full_token.unwrap().reveal());
    world.relay.next([Fault::Cut]);
    world.client.with_credentials(bearer).oauth_tokens().revoke_current().await.unwrap();

    let token = direct.api_tokens().create().await.unwrap().api_token.unwrap();
    world.relay.next([Fault::ResetAfter]);
    world.client.api_tokens().delete(token.id.unwrap()).await.unwrap();
    world.relay.next([Fault::ResetAfter]);
    world.client.oauth_clients().delete(world.client_id).await.unwrap();

    world.relay.next([Fault::ResetBefore]);
    let never = world.client.oauth_tokens().revoke(token.id.unwrap().get()).await;
    assert!(never.is_ok(), "whether the first request arrived is not known");
    world.relay.next([]);
    let gone = world.client.oauth_clients().delete(world.client_id).await.unwrap_err();
    assert_eq!(gone.kind(), Some(RefusalKind::NotFound), "this one was heard the first time");
    world.server.stop().await;
}

#[tokio::test]
async fn an_end_of_what_never_was_is_none_after_a_server_that_was_away() {
    let world = World::new().await;
    world.relay.next([AWAY]);
    let error = world.client.oauth_tokens().revoke(999_u64).await.unwrap_err();
    assert_eq!(error.kind(), Some(RefusalKind::NotFound));
    assert_eq!(world.relay.counts(), (2, 1));
    world.server.stop().await;
}

#[tokio::test]
async fn a_secret_that_nobody_has_heard_is_not_lost_to_a_repeat() {
    let world = World::new().await;
    let public = ClientRequest { kind: ClientKind::Public.into(), ..ClientRequest::default() };
    let public = ClientRequest {
        identifier: "acme_phone".to_owned().into(),
        name: "Acme Phone".to_owned().into(),
        redirect_uri: vec!["https://acme.test/".to_owned()].into(),
        ..public
    };
    let made = world.server.client().oauth_clients().create(public).await.unwrap();
    let id = made.client.unwrap().id.unwrap();
    let change = |kind: ClientKind| {
        let change = ClientRequest { kind: kind.into(), ..ClientRequest::default() };
        world.client.oauth_clients().update(id, change).send()
    };
    world.relay.next([Fault::ResetAfter]);
    let error = change(ClientKind::Confidential).await.unwrap_err();
    assert_eq!(lost(&error), Some(TransportErrorKind::Lost));
    assert_eq!(world.relay.counts(), (1, 1));
    world.relay.next([Fault::ResetAfter]);
    let name = ClientRequest { name: "Phone".to_owned().into(), ..ClientRequest::default() };
    world.client.oauth_clients().update(id, name).await.unwrap();
    assert_eq!(world.relay.counts(), (2, 2));
    world.server.stop().await;
}

/// Gives one token, and counts how often another was asked for.
struct Renewing(String, Arc<AtomicU32>);

impl CredentialSource for Renewing {
    fn authorization<'a>(&'a self, _: &'a Server) -> BoxFuture<'a, Result<Authorization, Error>> {
        Box::pin(async { Authorization::bearer(&self.0) })
    }

    fn refused<'a>(&'a self, _: &'a Authorization) -> BoxFuture<'a, bool> {
        self.1.fetch_add(1, SeqCst);
        Box::pin(std::future::ready(true))
    }
}

#[tokio::test]
async fn a_token_that_has_ended_itself_is_not_renewed() {
    let world = World::new().await;
    let made = world.server.client().oauth_tokens().create(world.client_id).await.unwrap();
    let bearer = made.token.unwrap().full_token.unwrap().reveal().to_owned();
    let renewals = Arc::new(AtomicU32::new(0));
    let source = Credentials::Source(Arc::new(Renewing(bearer, Arc::clone(&renewals))));
    let client = world.client.with_credentials(source);
    world.relay.next([Fault::ResetAfter]);
    client.oauth_tokens().revoke_current().await.unwrap();
    assert_eq!((world.relay.counts(), renewals.load(SeqCst)), ((2, 2), 0));
    // Whoever comes with a token that is over is asked for another.
    assert!(client.users().me().await.is_err());
    assert_eq!(renewals.load(SeqCst), 1);
    world.server.stop().await;
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_gets_the_same_pair() {
    let world = World::new().await;
    let grants = world.client.grant_type_tokens();
    for fault in [Fault::ResetAfter, Fault::Cut] {
        let callback = world.server.consent(&world.client, "acme_reports", "read").await;
        let pair = grants.redeem(&world.app, callback).await.unwrap();
        world.relay.next([fault]);
        let refresh_token = pair.refresh_token.unwrap();
        let next = grants.refresh(&world.app, refresh_token.reveal()).answer().await.unwrap();
        assert_eq!((next.attempts, world.relay.counts()), (2, (2, 2)));
        let lost = &world.relay.answers()[0];
        assert!(lost.contains(next.value.access_token.as_ref().unwrap().reveal()));
        assert!(lost.contains(next.value.refresh_token.as_ref().unwrap().reveal()));
        let bearer = Credentials::bearer(next.value.access_token.unwrap().reveal());
        let bearer = world.client.with_credentials(bearer);
        assert!(bearer.oauth_tokens().current().await.is_ok());
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_code_is_not_spent_twice() {
    let world = World::new().await;
    let callback = world.server.consent(&world.client, "acme_reports", "read").await;
    world.relay.next([Fault::ResetAfter]);
    let call = world.client.grant_type_tokens().redeem(&world.app, callback);
    let error = call.await.unwrap_err();
    assert_eq!(lost(&error), Some(TransportErrorKind::Lost));
    assert_eq!(world.relay.counts(), (1, 1));
    assert_eq!(world.tokens().await.len(), 1, "the grant stands, and nobody has its tokens");
    world.server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_asked_again_whatever_is_asked() {
    let world = World::new().await;
    let nowhere = Relay::before("http://127.0.0.1:1").await.base.clone();
    let environment = StillEnvironment::default();
    let builder = world.server.builder().server(&nowhere).environment(environment.clone());
    let client = builder.build().unwrap();
    let error = client.oauth_tokens().create(world.client_id).await.unwrap_err();
    assert_eq!(lost(&error), Some(TransportErrorKind::Connect));
    assert!(error.to_string().starts_with("the server cannot be reached: "), "{error}");
    assert_eq!(milliseconds(&environment.waits()), [200, 400, 800]);
    world.server.stop().await;
}

#[tokio::test]
async fn an_attempt_that_gets_no_answer_ends_in_its_time() {
    let world = World::new().await;
    let mut short = Duration::from_millis(150);
    // On a machine that has much else to do a request takes longer to arrive than usual.
    while !is_long_enough(short, &world).await {
        short *= 2;
        assert!(short < Duration::from_secs(10), "an attempt was not made");
    }
    world.server.stop().await;
}

/// Whether every attempt had arrived when its time was over.
async fn is_long_enough(short: Duration, world: &World) -> bool {
    let (relay, builder) = world.behind_silence(2).await;
    let client = builder.build().unwrap();
    let error = client.users().me().timeout(short).attempts_max(2).await.unwrap_err();
    assert_eq!(lost(&error), Some(TransportErrorKind::Timeout));
    let questions = relay.counts().0;
    assert!(questions <= 2, "{questions}");

    let (_relay, builder) = world.behind_silence(1).await;
    let answer = builder.timeout(short).build().unwrap().users().me().await;
    if let Err(error) = &answer {
        assert_eq!(lost(error), Some(TransportErrorKind::Timeout));
    }

    let (relay, builder) = world.behind_silence(1).await;
    let client = builder.timeout(short).build().unwrap();
    let error = client.oauth_tokens().create(world.client_id).await;
    assert_eq!(lost(&error.unwrap_err()), Some(TransportErrorKind::Timeout), "it may be made");
    let events = relay.counts().0;
    assert!(events <= 1, "{events}");
    questions == 2 && answer.is_ok() && events == 1
}
