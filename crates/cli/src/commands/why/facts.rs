//! What the database knows of the record that a public part names.

use std::collections::BTreeMap;

use tokenry_core::{
    api_token::{ApiToken, UnboundApiTokens},
    client::Client,
    event::{Actor, Event},
    grant::Token,
    refusal::Refusal,
    sign_in_session::SignInSession,
    standing::{Party, Standing},
    user::User,
};
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, SignInSessionId, TokenId, UserId},
    secret::{Kind, examination::PublicPart},
    time::Timestamp,
};
use tokenry_store::{IdSequence, Result, Store};

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The first 10 characters.
    pub(super) public: PublicPart,
    /// Which of its record's credentials it is, if the whole of it was given.
    pub(super) rotation: Option<u32>,
}

/// The record.
pub(super) enum Record {
    Grant(Token),
    ApiToken(ApiToken),
    ClientSecret,
    SignInSession(SignInSession),
    /// Not there.
    Gone,
}

/// A client or a user, and what it is called, as far as that is known.
pub(super) struct Named<T> {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    /// What it is found by: a client's identifier, a user's address.
    pub(super) handle: Option<String>,
    pub(super) party: Party<T>,
}

/// All of it.
pub(super) struct Facts {
    pub(super) asked: Asked,
    pub(super) record: Record,
    pub(super) standing: Standing,
    /// Whose client's it is or was.
    pub(super) client: Option<Named<Client>>,
    /// Whom it works or worked for.
    pub(super) user: Option<Named<User>>,
    /// Ids up to this have been given.
    pub(super) last_id: u64,
    pub(super) events: Vec<Event>,
    /// Of all credentials of the record.
    pub(super) refusals: Vec<Refusal>,
    /// Whether API tokens that are bound to nobody work.
    unbound: UnboundApiTokens,
    /// Who did what the events tell of.
    actors: BTreeMap<(&'static str, u64), String>,
    pub(super) now: Timestamp,
}

impl Facts {
    /// By what the configuration says of API tokens that are bound to nobody.
    pub(super) async fn gather(
        store: &dyn Store,
        asked: Asked,
        unbound: UnboundApiTokens,
        now: Timestamp,
    ) -> Result<Self> {
        let PublicPart { kind, id } = asked.public;
        let last_id = match sequence(kind) {
            Some(sequence) => store.last_id(sequence).await?,
            None => 0,
        };
        let (record, events) = find(store, asked.public).await?;
        let (client_id, user_id) = owners(kind, id, &record, &events);
        let client = match client_id {
            Some(id) => Some(find_client(store, id).await?),
            None => None,
        };
        let user_id = user_id.or_else(|| owner_of(client.as_ref()?));
        let user = match user_id {
            Some(id) => Some(find_user(store, id).await?),
            None => None,
        };
        let mut refusals = store.list_refusals(id).await?;
        refusals.retain(|refusal| sequence(refusal.kind) == sequence(kind));
        let mut facts = Self {
            asked,
            record,
            standing: Standing::of_missing(id, last_id),
            client,
            user,
            last_id,
            events,
            refusals,
            unbound,
            actors: BTreeMap::new(),
            now,
        };
        facts.standing = facts.judge();
        facts.name_actors(store).await?;
        Ok(facts)
    }

    fn judge(&self) -> Standing {
        let Asked { public: PublicPart { kind, id }, rotation } = self.asked;
        let client = self.client.as_ref().map_or(&Party::Gone, |client| &client.party);
        let user = self.user.as_ref().map_or(&Party::Gone, |user| &user.party);
        match &self.record {
            Record::Grant(token) => {
                Standing::of_grant((kind, rotation), token, (client, user), self.now)
            }
            Record::ApiToken(token) => Standing::of_api_token(token, user, self.unbound),
            Record::ClientSecret => Standing::of_client_secret(rotation, client),
            Record::SignInSession(session) => Standing::of_sign_in_session(session, user, self.now),
            Record::Gone => Standing::of_ended_grant(id, self.last_id, &self.events),
        }
    }

    async fn name_actors(&mut self, store: &dyn Store) -> Result<()> {
        for event in &self.events {
            let (key, described) = match event.actor {
                Actor::User(id) => ((USER, id.get()), find_user(store, id).await?.described()),
                Actor::Client(id) => {
                    ((CLIENT, id.get()), find_client(store, id).await?.described())
                }
                Actor::Server => continue,
            };
            self.actors.insert(key, format!("{} {described}", key.0));
        }
        Ok(())
    }

    /// Who did it, by name.
    pub(super) fn actor(&self, actor: Actor) -> String {
        let key = match actor {
            Actor::User(id) => (USER, id.get()),
            Actor::Client(id) => (CLIENT, id.get()),
            Actor::Server => return "the server".to_owned(),
        };
        self.actors.get(&key).cloned().unwrap_or_else(|| format!("{} {}", key.0, key.1))
    }
}

const CLIENT: &str = "client";
const USER: &str = "user";

impl<T> Named<T> {
    /// `41 (Acme Reports, acme_reports)`
    pub(super) fn described(&self) -> String {
        let known: Vec<&str> =
            [&self.name, &self.handle].into_iter().flatten().map(|s| &**s).collect();
        if known.is_empty() {
            return self.id.to_string();
        }
        format!("{} ({})", self.id, known.join(", "))
    }
}

/// Which records kinds of credentials name: those of one sequence name the same.
const fn sequence(kind: Kind) -> Option<IdSequence> {
    match kind {
        Kind::AccessToken | Kind::RefreshToken | Kind::AuthorizationCode => {
            Some(IdSequence::Tokens)
        }
        Kind::ApiToken => Some(IdSequence::ApiTokens),
        Kind::ClientSecret => Some(IdSequence::Clients),
        Kind::SignInSession => Some(IdSequence::SignInSessions),
        Kind::DeviceCode => None,
    }
}

/// The record, and what is remembered of it.
async fn find(store: &dyn Store, public: PublicPart) -> Result<(Record, Vec<Event>)> {
    let PublicPart { kind, id } = public;
    Ok(match sequence(kind) {
        Some(IdSequence::Tokens) => {
            let Ok(id) = TokenId::new(id) else { return Ok((Record::Gone, Vec::new())) };
            let token = store.find_token(id).await?.map_or(Record::Gone, Record::Grant);
            (token, store.list_events(id).await?)
        }
        Some(IdSequence::ApiTokens) => {
            let Ok(id) = ApiTokenId::new(id) else { return Ok((Record::Gone, Vec::new())) };
            let token = store.find_api_token(id).await?;
            (token.map_or(Record::Gone, Record::ApiToken), Vec::new())
        }
        Some(IdSequence::SignInSessions) => {
            let Ok(id) = SignInSessionId::new(id) else { return Ok((Record::Gone, Vec::new())) };
            let session = store.find_sign_in_session(id).await?;
            (session.map_or(Record::Gone, Record::SignInSession), Vec::new())
        }
        Some(IdSequence::Clients) => {
            let Ok(id) = ClientId::new(id) else { return Ok((Record::Gone, Vec::new())) };
            let is_gone = matches!(find_client(store, id).await?.party, Party::Gone);
            (if is_gone { Record::Gone } else { Record::ClientSecret }, Vec::new())
        }
        Some(IdSequence::Users) | None => (Record::Gone, Vec::new()),
    })
}

/// Client and user of a record; of one that is gone, those that its events name.
fn owners(
    kind: Kind,
    id: u64,
    record: &Record,
    events: &[Event],
) -> (Option<ClientId>, Option<UserId>) {
    match record {
        Record::Grant(token) => (Some(token.client_id), Some(token.user_id)),
        Record::ApiToken(token) => (None, token.assigned_user_id),
        Record::SignInSession(session) => (None, Some(session.user_id)),
        Record::ClientSecret => (ClientId::new(id).ok(), None),
        Record::Gone if kind == Kind::ClientSecret => (None, None),
        Record::Gone => {
            let known = events.last();
            (known.map(|event| event.client_id), known.map(|event| event.user_id))
        }
    }
}

/// Who answers for a client.
const fn owner_of(client: &Named<Client>) -> Option<UserId> {
    match &client.party {
        Party::There(client) => Some(client.user_id),
        Party::Deleted(_) | Party::Gone => None,
    }
}

async fn find_client(store: &dyn Store, id: ClientId) -> Result<Named<Client>> {
    let number = id.get();
    if let Some(client) = store.find_client(id).await? {
        let (name, handle) = (Some(client.name.clone()), Some(client.identifier.to_string()));
        return Ok(Named { id: number, name, handle, party: Party::There(client) });
    }
    let (name, party) = match store.find_deleted_client(id).await? {
        Some(left) => (Some(left.name), Party::Deleted(left.deleted_at)),
        None => (None, Party::Gone),
    };
    Ok(Named { id: number, name, handle: None, party })
}

async fn find_user(store: &dyn Store, id: UserId) -> Result<Named<User>> {
    let number = id.get();
    if let Some(user) = store.find_user(id).await? {
        let (name, handle) = (Some(user.name.clone()), Some(user.email.clone()));
        return Ok(Named { id: number, name, handle, party: Party::There(user) });
    }
    let party = match store.find_deleted_user(id).await? {
        Some(left) => Party::Deleted(left.deleted_at),
        None => Party::Gone,
    };
    Ok(Named { id: number, name: None, handle: None, party })
}
