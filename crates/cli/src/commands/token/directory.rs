//! The clients and users that tokens name by id, each asked for once.

use std::collections::BTreeMap;

use tokenry_client::{
    Client, Error, RefusalKind,
    models::{ClientId, OAuthClientObject, OAuthTokenObject, UserId, UserObject},
};

use crate::workers::Workers;

/// What a server says of clients and users.
pub(crate) struct Directory {
    server: Client,
    clients: Known<ClientId, OAuthClientObject>,
    users: Known<UserId, UserObject>,
}

/// Records of one kind.
struct Known<I, R> {
    /// `None`: there is no such record.
    records: BTreeMap<I, Option<R>>,
    /// Whether the server keeps such records from whoever asks.
    is_hidden: bool,
}

impl Directory {
    /// Nothing is known yet.
    pub(crate) fn new(server: &Client) -> Self {
        Self { server: server.clone(), clients: Known::new(), users: Known::new() }
    }

    /// Asks for the clients and users of these tokens, as far as they are not known.
    pub(crate) async fn learn(&mut self, tokens: &[OAuthTokenObject]) -> Result<(), Error> {
        self.learn_clients(tokens.iter().filter_map(|token| token.client_id)).await?;
        self.learn_users(tokens.iter().filter_map(|token| token.user_id)).await
    }

    /// Asks for these clients, as far as they are not known.
    async fn learn_clients(&mut self, ids: impl Iterator<Item = ClientId>) -> Result<(), Error> {
        let server = &self.server;
        let ask = |id| {
            let server = server.clone();
            async move { Ok(server.oauth_clients().show(id).await?.client) }
        };
        self.clients.learn(ids, ask).await
    }

    /// Asks for these users, as far as they are not known.
    pub(crate) async fn learn_users(
        &mut self,
        ids: impl Iterator<Item = UserId>,
    ) -> Result<(), Error> {
        let server = &self.server;
        let ask = |id| {
            let server = server.clone();
            async move { Ok(server.users().show(id).await?.user) }
        };
        self.users.learn(ids, ask).await
    }

    /// A client, if the server has said something of it.
    pub(crate) fn client(&self, id: Option<ClientId>) -> Option<&OAuthClientObject> {
        self.clients.records.get(&id?)?.as_ref()
    }

    /// A user, if the server has said something of them.
    pub(crate) fn user(&self, id: Option<UserId>) -> Option<&UserObject> {
        self.users.records.get(&id?)?.as_ref()
    }

    /// Whether the server keeps users from whoever asks.
    pub(crate) const fn hides_users(&self) -> bool {
        self.users.is_hidden
    }

    /// Tells on standard error what the server has kept to itself.
    pub(crate) fn tell_hidden(&self) {
        let hidden = [(self.clients.is_hidden, "clients"), (self.users.is_hidden, "users")];
        for (_, kind) in hidden.into_iter().filter(|(is_hidden, _)| *is_hidden) {
            anstream::eprintln!("You may not see {kind} here, so they are shown by id.");
        }
    }
}

impl<I: Copy + Ord + Send + 'static, R: Send + 'static> Known<I, R> {
    const fn new() -> Self {
        Self { records: BTreeMap::new(), is_hidden: false }
    }

    async fn learn<F>(
        &mut self,
        ids: impl Iterator<Item = I>,
        ask: impl Fn(I) -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<Option<R>, Error>> + Send + 'static,
    {
        let mut workers = Workers::new();
        for id in ids {
            if self.is_hidden || self.records.contains_key(&id) {
                continue;
            }
            // Here already, so that nobody asks for it twice.
            self.records.insert(id, None);
            if !workers.have_room()
                && let Some((id, answer)) = workers.next().await
            {
                self.keep(id, answer)?;
            }
            let answer = ask(id);
            workers.begin(async move { (id, answer.await) });
        }
        while let Some((id, answer)) = workers.next().await {
            self.keep(id, answer)?;
        }
        Ok(())
    }

    fn keep(&mut self, id: I, answer: Result<Option<R>, Error>) -> Result<(), Error> {
        match answer {
            Ok(record) => {
                self.records.insert(id, record);
            }
            Err(error) => match error.kind() {
                Some(RefusalKind::NotFound) => {}
                Some(RefusalKind::Forbidden) => self.is_hidden = true,
                _ => return Err(error),
            },
        }
        Ok(())
    }
}
