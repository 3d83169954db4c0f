//! The server that is asked: the real one, in a process of its own, so that its allocations are not
//! counted and its work is not ours.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::{Context as _, Result};
use tokenry_client::{Client, Credentials, models::ClientRequest};
use tokenry_core::user::Role;
use tokenry_server::{
    accounts::{self, NewUser},
    config::{Config, Mode, Override},
    environment::Environment,
    node::{self, Node},
};

/// A server process, which ends when this is dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
    /// An access token.
    pub(crate) bearer: String,
    /// The id of its record.
    pub(crate) id: u64,
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Server {
    /// This program again, as a server.
    pub(crate) fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("the server could not be started")?;
        let stdin = process.stdin.take();
        let mut line = String::new();
        let stdout = process.stdout.take().context("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().context("the server did not say where it is");
        let (base, bearer, id) = (word()?, word()?, word()?.parse()?);
        Ok(Self { base, bearer, id, process, stdin })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if let Err(error) = self.process.wait() {
            eprintln!("the server did not end: {error}");
        }
    }
}

/// Serves until standard input ends.
pub(crate) async fn serve() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().display().to_string();
    let fixed = [("data", path.as_str()), ("listen", "127.0.0.1:0"), ("log.filter", "off")];
    let overrides = fixed.map(|(key, value)| Override {
        key: key.to_owned(),
        value: value.to_owned(),
        flag: String::new(),
    });
    let loaded = Config::load(Mode::Serve, None, std::iter::empty(), &overrides);
    let config = loaded.map_err(|errors| anyhow::anyhow!("{errors:?}"))?.config;
    let bound = node::bind(&config)?;
    let base = bound.base().clone();
    let node = Node::open(config, base.clone(), Environment::system()).await?;
    let lock = node.lock()?;
    let admin = NewUser {
        email: "ada@acme.test".to_owned(),
        name: "Ada Lindqvist".to_owned(),
        role: Role::Admin,
        password: None,
    };
    let admin = accounts::create(&node.state, admin).await?;
    let stopped = async {
        let ended = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
        drop(ended.await);
    };
    let announced = announce(base.as_str(), Credentials::api_token(admin.email, admin.api_token));
    let (served, announced) = tokio::join!(node.serve(bound, lock, None, stopped), announced);
    announced?;
    Ok(served?)
}

/// Makes a token and says where the server is.
async fn announce(base: &str, credentials: Credentials) -> Result<()> {
    let admin = Client::builder().server(base).credentials(credentials).build()?;
    let request = ClientRequest {
        identifier: "acme_reports".to_owned().into(),
        name: "Acme Reports".to_owned().into(),
        ..ClientRequest::default()
    };
    let client = admin.oauth_clients().create(request).await?.client;
    let client = client.and_then(|client| client.id).context("no client")?;
    let token = admin.oauth_tokens().create(client).await?.token.context("no token")?;
    let (id, secret) = (token.id.context("no id")?, token.full_token.context("no secret")?);
    println!("{base} {} {id}", secret.reveal());
    Ok(io::stdout().flush()?)
}
