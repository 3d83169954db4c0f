//! A server of its own for each test, over a folder that goes with it.

use tempfile::TempDir;
use tokenry_client::{Client, ClientBuilder, Credentials, models::ClientRequest};
use tokenry_core::user::Role;
use tokenry_server::{
    accounts::{self, CreatedUser, NewUser},
    config::{Config, Mode, Override},
    envelope::Envelope,
    environment::Environment,
    listen,
    node::{self, Node},
    state::AppState,
};
use tokio::{sync::oneshot, task::JoinHandle};

use super::REDIRECT_URI;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct TestServer {
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
    /// An administrator.
    pub(crate) admin: CreatedUser,
    state: AppState,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _folder: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these settings.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder, settings);
        let bound = node::bind(&config).unwrap();
        let base = bound.base().clone();
        let node = Node::open(config, base.clone(), Environment::system()).await.unwrap();
        let lock = node.lock().unwrap();
        let admin = accounts::create(&node.state, admin()).await.unwrap();
        let state = node.state.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.await;
            };
            node.serve(bound, lock, None, stopped).await.unwrap();
        });
        Self { base: base.as_str().to_owned(), admin, state, stop, served, _folder: folder }
    }

    /// One whose database has gone away.
    pub(crate) async fn without_store() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder, &[]);
        let limits = config.limits.clone();
        let listener = listen::bind(config.listen).unwrap();
        let base = config.base_at(listener.local_addr().unwrap()).unwrap();
        let node = Node::open(config, base.clone(), Environment::system()).await.unwrap();
        let admin = accounts::create(&node.state, admin()).await.unwrap();
        let state = node.state.clone();
        let envelope = Envelope::new(state.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let stopped = async move {
                let _ = stopped.await;
            };
            listen::serve(listener, envelope, &limits, stopped).await;
        });
        node.close().await;
        Self { base: base.as_str().to_owned(), admin, state, stop, served, _folder: folder }
    }

    /// A client of the administrator's, by API token.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let credentials = Credentials::api_token(&*self.admin.email, &*self.admin.api_token);
        Client::builder().server(&self.base).credentials(credentials)
    }

    /// Registers a confidential client, and gives its id and secret.
    pub(crate) async fn register(&self, identifier: &str) -> (u64, String) {
        let request = ClientRequest {
            identifier: identifier.to_owned().into(),
            name: identifier.to_owned().into(),
            redirect_uri: vec![REDIRECT_URI.to_owned()].into(),
            ..ClientRequest::default()
        };
        let client = self.client().oauth_clients().create(request).await.unwrap().client.unwrap();
        (client.id.unwrap().get(), client.secret.unwrap().reveal().to_owned())
    }

    /// Makes an agent.
    pub(crate) async fn user(&self, email: &str) -> CreatedUser {
        self.user_of_role(email, Role::Agent).await
    }

    pub(crate) async fn user_of_role(&self, email: &str, role: Role) -> CreatedUser {
        let (email, name) = (email.to_owned(), email.to_owned());
        let new = NewUser { email, name, role, password: None };
        accounts::create(&self.state, new).await.unwrap()
    }

    /// A client of this user's, by API token.
    pub(crate) fn client_of(&self, user: &CreatedUser) -> Client {
        let credentials = Credentials::api_token(&*user.email, &*user.api_token);
        self.client().with_credentials(credentials)
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.served.await.unwrap();
    }
}

fn admin() -> NewUser {
    NewUser {
        email: "ada@acme.test".to_owned(),
        name: "Ada Lindqvist".to_owned(),
        role: Role::Admin,
        password: Some(PASSWORD.to_owned()),
    }
}

fn config(folder: &TempDir, settings: &[(&str, &str)]) -> Config {
    let path = folder.path().display().to_string();
    let fixed = [("data", path.as_str()), ("listen", "127.0.0.1:0"), ("log.filter", "error")];
    let overrides = fixed.iter().chain(settings).map(|(key, value)| setting(key, value));
    let config =
        Config::load(Mode::Serve, None, std::iter::empty(), &overrides.collect::<Vec<_>>());
    config.unwrap().config
}

fn setting(key: &str, value: &str) -> Override {
    Override { key: key.to_owned(), value: value.to_owned(), flag: "test".to_owned() }
}
