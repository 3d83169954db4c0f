//! Access tokens that are renewed by themselves.

mod storage;

use std::sync::Arc;

use tokenry_client::{
    AuthorizationCode, Client, ClientAuthentication, Error, MemoryStorage, RefusalKind,
    RetryPolicy, Server, StoredTokens, TokenSource, TokenSourceError, TokenStorage,
};
use tokio::task::JoinSet;

use crate::support::{Browser, Clock, Counter, Failing, Network, Relay, TestServer, relay};

/// The life of access tokens here, in seconds.
const LIFE: u32 = 3_600;

/// A server, a client of it that a user has given access, and the world between them.
struct Fixture {
    server: TestServer,
    reports: ClientAuthentication,
    client: Client,
    clock: Clock,
    counter: Counter,
    network: Network,
}

impl Fixture {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let (_, secret) = server.register("acme_reports").await;
        let reports = ClientAuthentication::secret("acme_reports", secret);
        let (clock, counter, network) = (Clock::new(), Counter::default(), Network::new());
        let client = Client::builder()
            .server(&server.base)
            .environment(clock.clone())
            .hook(counter.clone())
            .transport(network.clone())
            .build()
            .unwrap();
        Self { server, reports, client, clock, counter, network }
    }

    /// A user consents.
    async fn tokens(&self, expires_in: Option<u32>) -> StoredTokens {
        let client = self.server.builder().environment(self.clock.clone()).build().unwrap();
        let request = AuthorizationCode::new("acme_reports", "http://127.0.0.1/callback");
        let pending = request.scope("read").begin(&client).unwrap();
        let back = Browser::default().consent(&self.server, pending.url(), "allow").await;
        let callback = pending.check(&back).unwrap();
        let mut call = client.grant_type_tokens().redeem(&self.reports, callback);
        if let Some(seconds) = expires_in {
            call = call.expires_in(seconds);
        }
        call.stored().await.unwrap()
    }

    fn source(&self, storage: impl TokenStorage) -> TokenSource {
        TokenSource::builder(&self.client, self.reports.clone(), storage).expires_in(LIFE).build()
    }

    fn caller(&self, source: &TokenSource) -> Client {
        self.client.with_credentials(source.credentials())
    }
}

/// So many tasks use the record API at once, each a few times.
async fn hurry(caller: &Client, tasks: usize) {
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let caller = caller.clone();
        running.spawn(async move {
            for _ in 0..3 {
                caller.oauth_tokens().current().await.unwrap();
            }
        });
    }
    while let Some(task) = running.join_next().await {
        task.unwrap();
    }
}

fn text(tokens: &StoredTokens) -> (&str, &str) {
    (tokens.access_token.reveal(), tokens.refresh_token.as_ref().unwrap().reveal())
}

fn reason(error: &Error) -> &TokenSourceError {
    let Error::TokenSource(error) = error else {
        unreachable!("another error: {error}");
    };
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_whose_token_ends_refresh_once() {
    let world = Fixture::start().await;
    let before = world.tokens(Some(LIFE)).await;
    // This storage keeps nobody from renewing: the source itself does.
    let storage = Failing::new(before.clone(), 0);
    world.clock.advance(i64::from(LIFE) - 10);
    let caller = world.caller(&world.source(Arc::clone(&storage)));
    hurry(&caller, 64).await;
    assert_eq!(world.counter.count(), 1);
    assert_eq!(storage.given.lock().unwrap().len(), 1);
    let after = storage.load().await.unwrap().unwrap();
    assert_ne!(text(&after), text(&before));
    assert_eq!(after.scope, before.scope);
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_whose_token_is_refused_refresh_once() {
    let world = Fixture::start().await;
    let tokens = world.tokens(Some(LIFE)).await;
    // Somebody refreshed and died before anything was stored: the access token is dead, the
    // refresh token is spent, and the server gives the same pair again.
    let died = world.server.client();
    let refresh_token = tokens.refresh_token.as_ref().unwrap().reveal();
    let lost = died.grant_type_tokens().refresh(&world.reports, refresh_token);
    let lost = lost.expires_in(LIFE).stored().await;
    let storage = Failing::new(tokens, 0);
    let caller = world.caller(&world.source(Arc::clone(&storage)));
    hurry(&caller, 64).await;
    assert_eq!(world.counter.count(), 1);
    let stored = storage.load().await.unwrap().unwrap();
    assert_eq!(text(&stored), text(&lost.unwrap()));
    world.server.stop().await;
}

#[tokio::test]
async fn a_new_sign_in_is_not_undone_by_a_renewal_that_is_under_way() {
    let world = Fixture::start().await;
    let (old, new) = (world.tokens(Some(LIFE)).await, world.tokens(Some(2 * LIFE)).await);
    let storage = Failing::new(old, 0);
    let source = world.source(Arc::clone(&storage));
    world.clock.advance(i64::from(LIFE) - 10);
    world.network.close();
    let renewing = tokio::spawn({
        let source = source.clone();
        async move { source.access_token().await }
    });
    world.network.answered().await;
    let storing = source.store(new.clone());
    let (stored, ()) = tokio::join!(storing, async { world.network.open() });
    stored.unwrap();
    renewing.await.unwrap().unwrap();
    assert_eq!(storage.given.lock().unwrap().len(), 2);
    assert_eq!(text(&storage.load().await.unwrap().unwrap()), text(&new));
    assert_eq!(source.access_token().await.unwrap(), new.access_token);
    let mut others = new;
    others.client_id = "acme_other".to_owned();
    let error = source.store(others).await.unwrap_err();
    assert!(matches!(reason(&error), TokenSourceError::NotOurs(_)), "{error}");
    world.server.stop().await;
}

#[tokio::test]
async fn tokens_are_sent_to_their_own_server_alone() {
    let world = Fixture::start().await;
    let source = world.source(MemoryStorage::new(world.tokens(Some(LIFE)).await));
    let elsewhere = Relay::before(&world.server.base).await;
    let builder = Client::builder().server(&elsewhere.base).credentials(source.credentials());
    let error = builder.build().unwrap().users().me().await.unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
    assert!(error.to_string().contains(&elsewhere.base), "{error}");
    let (caller, named) = (world.caller(&source), Server::parse(&elsewhere.base).unwrap());
    let call = caller.users().me().server(named, source.credentials());
    assert!(matches!(call.await, Err(Error::Request(_))));
    assert_eq!((elsewhere.counts(), world.counter.count()), ((0, 0), 0));
    caller.oauth_tokens().current().await.unwrap();
    world.server.stop().await;
}

#[tokio::test]
async fn a_token_is_renewed_thirty_seconds_or_a_tenth_of_its_life_before_its_end() {
    let world = Fixture::start().await;
    for (life, leeway) in [(LIFE, 30), (300, 30)] {
        let source = world.source(MemoryStorage::new(world.tokens(Some(life)).await));
        let asked = world.counter.count();
        let first = source.access_token().await.unwrap();
        world.clock.advance(i64::from(life) - leeway - 1);
        assert_eq!(source.access_token().await.unwrap(), first);
        assert_eq!(world.counter.count(), asked);
        world.clock.advance(1);
        assert_ne!(source.access_token().await.unwrap(), first);
        assert_eq!(world.counter.count(), asked + 1);
    }
    world.server.stop().await;
}

#[tokio::test]
async fn a_token_whose_end_nobody_knows_is_renewed_when_it_is_refused() {
    let world = Fixture::start().await;
    let tokens = world.tokens(None).await;
    assert_eq!(tokens.expires_at, None, "this door says it only to whom asks");
    let refresh_token = tokens.refresh_token.as_ref().unwrap().reveal().to_owned();
    let caller = world.caller(&world.source(MemoryStorage::new(tokens)));
    world.clock.advance(400 * 86_400);
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 0);
    let elsewhere = world.server.client();
    let call = elsewhere.grant_type_tokens().refresh(&world.reports, refresh_token);
    call.expires_in(LIFE).await.unwrap();
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 1);
    world.server.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_after_the_last_attempt_by_the_next_caller() {
    let world = Fixture::start().await;
    let storage = Arc::new(MemoryStorage::new(world.tokens(Some(LIFE)).await));
    let caller = world.caller(&world.source(Arc::clone(&storage)));
    world.clock.advance(i64::from(LIFE));
    world.network.lose(2);
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 3);

    world.clock.advance(i64::from(LIFE));
    let before = storage.load().await.unwrap();
    let attempts = RetryPolicy::default().attempts_max;
    world.network.lose(attempts);
    let error = caller.oauth_tokens().current().await.unwrap_err();
    assert!(matches!(reason(&error), TokenSourceError::Refresh(Error::Transport(_))), "{error}");
    assert_eq!(storage.load().await.unwrap(), before, "nothing was let go");
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 3 + attempts + 1);
    world.server.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_killed_in_the_answer_costs_no_token() {
    let world = Fixture::start().await;
    let mut tokens = world.tokens(Some(LIFE)).await;
    let address = relay(&world.server.base, 2).await;
    tokens.server = Server::parse(&address).unwrap();
    let client = Client::builder().server(&address).environment(world.clock.clone());
    let client = client.hook(world.counter.clone()).build().unwrap();
    let source = TokenSource::builder(&client, world.reports.clone(), MemoryStorage::new(tokens));
    let source = source.expires_in(LIFE).build();
    world.clock.advance(i64::from(LIFE));
    let caller = client.with_credentials(source.credentials());
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 3);
    world.server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_handed_out_and_is_stored_at_the_next_call() {
    let world = Fixture::start().await;
    let before = world.tokens(Some(LIFE)).await;
    let storage = Failing::new(before.clone(), 2);
    let source = world.source(Arc::clone(&storage));
    world.clock.advance(i64::from(LIFE) - 10);
    for _ in 0..2 {
        let error = source.access_token().await.unwrap_err();
        assert!(matches!(reason(&error), TokenSourceError::Save(_)), "{error}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(storage.load().await.unwrap().as_ref(), Some(&before));
    }
    let token = source.access_token().await.unwrap();
    let stored = storage.load().await.unwrap().unwrap();
    assert_eq!(stored.access_token, token);
    assert_eq!(world.counter.count(), 1, "what was answered is kept until it is stored");
    world.caller(&source).oauth_tokens().current().await.unwrap();
    world.server.stop().await;
}

#[tokio::test]
async fn a_process_that_dies_between_answer_and_save_begins_again_with_the_same_pair() {
    let world = Fixture::start().await;
    let before = world.tokens(Some(LIFE)).await;
    let storage = Failing::new(before.clone(), 1);
    world.clock.advance(i64::from(LIFE));
    let died = world.source(Arc::clone(&storage));
    died.access_token().await.unwrap_err();
    drop(died);
    assert_eq!(storage.load().await.unwrap().as_ref(), Some(&before));

    let again = world.source(Arc::clone(&storage));
    world.caller(&again).oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 2);
    let given = storage.given.lock().unwrap().clone();
    assert_eq!(given.len(), 2);
    assert_eq!(text(&given[0]), text(&given[1]));
    world.server.stop().await;
}

#[tokio::test]
async fn a_caller_that_is_dropped_leaves_the_refresh_running() {
    let world = Fixture::start().await;
    let storage = Failing::new(world.tokens(Some(LIFE)).await, 0);
    let source = world.source(Arc::clone(&storage));
    world.clock.advance(i64::from(LIFE));
    world.network.close();
    let caller = source.clone();
    let task = tokio::spawn(async move { caller.access_token().await });
    world.network.answered().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    world.network.open();
    storage.saved.notified().await;
    let token = source.access_token().await.unwrap();
    assert_eq!(storage.load().await.unwrap().unwrap().access_token, token);
    assert_eq!(world.counter.count(), 1);
    world.server.stop().await;
}

#[test]
fn a_runtime_that_is_shut_down_in_the_middle_costs_no_token() {
    let main = tokio::runtime::Runtime::new().unwrap();
    let world = main.block_on(Fixture::start());
    let tokens = main.block_on(world.tokens(Some(LIFE)));
    let source = world.source(MemoryStorage::new(tokens));
    world.clock.advance(i64::from(LIFE));
    world.network.close();
    let short = tokio::runtime::Runtime::new().unwrap();
    let caller = source.clone();
    short.spawn(async move { caller.access_token().await });
    main.block_on(world.network.answered());
    // This waits until its tasks are dropped, the renewal among them.
    drop(short);
    world.network.open();
    main.block_on(source.access_token()).unwrap();
    assert_eq!(world.counter.count(), 2);
    main.block_on(world.server.stop());
}

#[tokio::test]
async fn a_token_that_is_alive_is_used_when_an_early_refresh_fails() {
    let world = Fixture::start().await;
    let source = world.source(MemoryStorage::new(world.tokens(Some(LIFE)).await));
    let caller = world.caller(&source);
    caller.oauth_tokens().current().await.unwrap();
    world.clock.advance(i64::from(LIFE) - 20);
    world.network.cut();
    let attempts = RetryPolicy::default().attempts_max;
    for _ in 0..3 {
        caller.oauth_tokens().current().await.unwrap();
    }
    assert_eq!(world.counter.count(), attempts, "one try is enough for a while");
    world.clock.advance(5);
    caller.oauth_tokens().current().await.unwrap();
    assert_eq!(world.counter.count(), 2 * attempts);
    world.clock.advance(20);
    let error = caller.oauth_tokens().current().await.unwrap_err();
    assert!(matches!(reason(&error), TokenSourceError::Refresh(_)), "{error}");
    world.network.mend();
    caller.oauth_tokens().current().await.unwrap();
    world.server.stop().await;
}

#[tokio::test]
async fn after_a_revocation_only_the_user_can_help() {
    let world = Fixture::start().await;
    let tokens = world.tokens(Some(LIFE)).await;
    let storage = Arc::new(MemoryStorage::new(tokens.clone()));
    let caller = world.caller(&world.source(Arc::clone(&storage)));
    let server = world.client.authorization_server();
    server.revoke(&world.reports, text(&tokens).1).await.unwrap();
    for _ in 0..2 {
        let error = caller.oauth_tokens().current().await.unwrap_err();
        assert!(matches!(reason(&error), TokenSourceError::AuthorizeAgain(Some(_))), "{error}");
        assert_eq!(error.kind(), Some(RefusalKind::InvalidGrant));
        assert!(!error.to_string().contains(text(&tokens).1), "{error}");
    }
    assert_eq!(world.counter.count(), 1, "the server has said what there is to say");
    assert_eq!(storage.load().await.unwrap(), Some(tokens));

    storage.save(&world.tokens(Some(LIFE)).await).await.unwrap();
    caller.oauth_tokens().current().await.unwrap();
    world.server.stop().await;
}

#[tokio::test]
async fn a_client_asks_for_itself_as_often_as_its_token_ends() {
    let world = Fixture::start().await;
    let storage = Arc::new(MemoryStorage::default());
    let builder = TokenSource::builder(&world.client, world.reports.clone(), Arc::clone(&storage));
    let source = builder.client_credentials().scope("read").expires_in(LIFE).build();
    let caller = world.caller(&source);
    for count in 1..4 {
        hurry(&caller, 8).await;
        assert_eq!(world.counter.count(), count);
        world.clock.advance(i64::from(LIFE));
    }
    assert_eq!(storage.load().await.unwrap().unwrap().refresh_token, None);
    world.server.stop().await;
}

#[tokio::test]
async fn tokens_are_shown_to_nobody_else() {
    let world = Fixture::start().await;
    let tokens = world.tokens(Some(LIFE)).await;
    world.clock.advance(i64::from(LIFE));
    let mut other_server = tokens.clone();
    other_server.server = Server::parse("https://evil.test").unwrap();
    let mut other_client = tokens;
    other_client.client_id = "acme_other".to_owned();
    for tokens in [other_server, other_client] {
        let error = world.source(MemoryStorage::new(tokens)).access_token().await.unwrap_err();
        assert!(matches!(reason(&error), TokenSourceError::NotOurs(_)), "{error}");
    }
    let nothing = world.source(MemoryStorage::default()).access_token().await.unwrap_err();
    assert!(matches!(reason(&nothing), TokenSourceError::AuthorizeAgain(None)), "{nothing}");
    assert_eq!(world.counter.count(), 0);
    world.server.stop().await;
}
