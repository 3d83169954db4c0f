//! A seed as a whole: every entry with its id, and what it refers to found. Nothing is decided here
//! that a record's own rules decide.

use std::{collections::BTreeMap, fmt::Display};

use tokenry_core::user::{Role, fold_email};
use tokenry_protocol::{
    ids::{ApiTokenId, ClientId, ClientIdentifier, InvalidId, TokenId, UserId},
    oauth::token::{ACCESS_TOKEN_LIFETIME, GrantType, REFRESH_TOKEN_LIFETIME},
};
use tokenry_server::{accounts::check_email, config::RecordApi, passwords};

use super::{
    Entry, List, Seed, SeedError,
    entries::{ClientReference, SeedApiToken, SeedClient, SeedToken, SeedUser, UserReference},
};

/// The most API tokens of an account.
pub(super) const API_TOKENS_MAX: usize = 256;
/// The highest id of a seed. Every id up to the highest one is leased, which costs what there is.
const ID_MAX: u64 = 99_999_999_999_999;
/// As many names as an error lists of what there is.
const TOLD_MAX: usize = 10;

/// A seed that fits together.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub(super) users: Vec<ResolvedUser<'a>>,
    pub(super) clients: Vec<ResolvedClient<'a>>,
    pub(super) api_tokens: Vec<ResolvedApiToken<'a>>,
    pub(super) tokens: Vec<ResolvedToken<'a>>,
    /// The last id that is taken of users, clients, API tokens and tokens.
    pub(super) last_ids: [u64; 4],
}

#[derive(Debug)]
pub(super) struct ResolvedUser<'a> {
    pub(super) entry: Entry,
    pub(super) seed: &'a SeedUser,
    pub(super) id: UserId,
    pub(super) email: String,
}

#[derive(Debug)]
pub(super) struct ResolvedClient<'a> {
    pub(super) entry: Entry,
    pub(super) seed: &'a SeedClient,
    pub(super) id: ClientId,
    pub(super) owner: UserId,
}

#[derive(Debug)]
pub(super) struct ResolvedApiToken<'a> {
    pub(super) entry: Entry,
    pub(super) seed: &'a SeedApiToken,
    pub(super) id: ApiTokenId,
    pub(super) maker: UserId,
    pub(super) assigned: Option<UserId>,
}

#[derive(Debug)]
pub(super) struct ResolvedToken<'a> {
    pub(super) entry: Entry,
    pub(super) seed: &'a SeedToken,
    pub(super) id: TokenId,
    pub(super) client: ClientId,
    pub(super) user: UserId,
}

/// Ids, references and what must be there once.
pub(super) fn resolve(seed: &Seed) -> Result<Resolved<'_>, SeedError> {
    let users = users(seed)?;
    let clients = clients(seed, &users)?;
    let api_tokens = api_tokens(seed, &users)?;
    let tokens = tokens(seed, &users, &clients)?;
    let next = seed.next_ids;
    let last_ids = [
        last(users.iter().map(|user| user.id.get()), next.users),
        last(clients.iter().map(|client| client.id.get()), next.clients),
        last(api_tokens.iter().map(|token| token.id.get()), next.api_tokens),
        last(tokens.iter().map(|token| token.id.get()), next.tokens),
    ];
    Ok(Resolved { users, clients, api_tokens, tokens, last_ids })
}

/// The last id that nothing new may have.
fn last(taken: impl Iterator<Item = u64>, next: Option<impl Into<u64>>) -> u64 {
    let before_next = next.map_or(0, |next| next.into().saturating_sub(1).min(ID_MAX));
    taken.max().unwrap_or(0).max(before_next)
}

fn users(seed: &Seed) -> Result<Vec<ResolvedUser<'_>>, SeedError> {
    let entries: Vec<_> = seed.users.iter().enumerate().collect();
    let named = entries.iter().map(|(at, user)| {
        (Entry { list: List::Users, at: *at, name: Some(user.email.clone()) }, user.id)
    });
    let mut once = Once::new("email");
    let mut resolved = Vec::new();
    for ((entry, id), (_, seed)) in with_ids(named.collect())?.into_iter().zip(entries) {
        let email = check_email(&seed.email).map_err(|error| entry.refuse(error.to_string()))?;
        once.note(&entry, fold_email(&email))?;
        let fits = |password: &String| (1..=passwords::LENGTH_MAX).contains(&password.len());
        if !seed.password.as_ref().is_none_or(fits) {
            let told = format!("a password has 1 to {} bytes", passwords::LENGTH_MAX);
            return Err(entry.refuse(told));
        }
        resolved.push(ResolvedUser { entry, seed, id, email });
    }
    Ok(resolved)
}

fn clients<'a>(
    seed: &'a Seed,
    users: &[ResolvedUser<'_>],
) -> Result<Vec<ResolvedClient<'a>>, SeedError> {
    let own = seed.clients.iter().enumerate().map(|(at, client)| (List::Clients, at, client));
    let everybodys = seed.global_clients.iter().enumerate();
    let everybodys = everybodys.map(|(at, client)| (List::GlobalClients, at, client));
    let entries: Vec<_> = own.chain(everybodys).collect();
    let named = entries.iter().map(|(list, at, client)| {
        (Entry { list: *list, at: *at, name: Some(client.identifier.clone()) }, client.id)
    });
    let mut once = Once::new("identifier");
    let mut resolved = Vec::new();
    for ((entry, id), (list, at, seed)) in with_ids(named.collect())?.into_iter().zip(entries) {
        if list == List::GlobalClients && at >= RecordApi::GLOBAL_CLIENTS_MAX {
            let most = RecordApi::GLOBAL_CLIENTS_MAX;
            return Err(entry.refuse(format!("there are at most {most} global clients")));
        }
        let identifier = ClientIdentifier::parse(&seed.identifier);
        let identifier = identifier.map_err(|error| entry.refuse(error.to_string()))?;
        once.note(&entry, identifier.folded())?;
        let owner = user_or_administrator(users, &entry, seed.user.as_ref())?;
        resolved.push(ResolvedClient { entry, seed, id, owner });
    }
    Ok(resolved)
}

fn api_tokens<'a>(
    seed: &'a Seed,
    users: &[ResolvedUser<'_>],
) -> Result<Vec<ResolvedApiToken<'a>>, SeedError> {
    let entries: Vec<_> = seed.api_tokens.iter().enumerate().collect();
    let named = entries.iter().map(|(at, token)| {
        let id = token.id.map(|id| id.to_string());
        let told = Some(token.description.clone()).filter(|told| !told.is_empty());
        (Entry { list: List::ApiTokens, at: *at, name: id.or(told) }, token.id)
    });
    let mut resolved = Vec::new();
    for ((entry, id), (at, seed)) in with_ids(named.collect())?.into_iter().zip(entries) {
        if at >= API_TOKENS_MAX {
            return Err(entry.refuse(format!("an account has at most {API_TOKENS_MAX} API tokens")));
        }
        let maker = user_or_administrator(users, &entry, seed.user.as_ref())?;
        let assigned = seed.assigned_user.as_ref();
        let assigned = assigned.map(|user| find_user(users, &entry, user)).transpose()?;
        resolved.push(ResolvedApiToken { entry, seed, id, maker, assigned });
    }
    Ok(resolved)
}

fn tokens<'a>(
    seed: &'a Seed,
    users: &[ResolvedUser<'_>],
    clients: &[ResolvedClient<'_>],
) -> Result<Vec<ResolvedToken<'a>>, SeedError> {
    let entries: Vec<_> = seed.tokens.iter().enumerate().collect();
    let named = entries.iter().map(|(at, token)| {
        let name = token.id.map(|id| id.to_string());
        (Entry { list: List::Tokens, at: *at, name }, token.id)
    });
    let mut resolved = Vec::new();
    for ((entry, id), (_, seed)) in with_ids(named.collect())?.into_iter().zip(entries) {
        let client = find_client(clients, &entry, &seed.client)?;
        let user = seed.user.as_ref().map(|user| find_user(users, &entry, user)).transpose()?;
        let user = match (seed.grant_type, user) {
            (Some(GrantType::ClientCredentials), Some(user)) if user != client.owner => {
                return Err(entry.refuse(format!(
                    "client_credentials act for who answers for the client: leave `user` out, or \
                     write {}",
                    client.owner
                )));
            }
            (Some(GrantType::ClientCredentials), _) => client.owner,
            (_, Some(user)) => user,
            (_, None) => return Err(entry.refuse("`user` is missing: whom does it act for?")),
        };
        check_lifetimes(&entry, seed)?;
        resolved.push(ResolvedToken { entry, seed, id, client: client.id, user });
    }
    Ok(resolved)
}

/// What may be wished for is what the grant endpoints let clients ask for.
pub(super) fn check_lifetimes(entry: &Entry, seed: &SeedToken) -> Result<(), SeedError> {
    if seed.grant_type == Some(GrantType::RefreshToken) {
        return Err(entry.refuse(
            "a record begins with `authorization_code` or `client_credentials`, or without a \
             `grant_type`",
        ));
    }
    for (name, wish, bounds, is_possible, needs) in [
        (
            "expires_in",
            seed.expires_in,
            ACCESS_TOKEN_LIFETIME,
            seed.grant_type.is_some(),
            "needs a `grant_type`: a token that is made through the record API does not expire",
        ),
        (
            "refresh_token_expires_in",
            seed.refresh_token_expires_in,
            REFRESH_TOKEN_LIFETIME,
            seed.grant_type == Some(GrantType::AuthorizationCode),
            "needs `grant_type = \"authorization_code\"`: no other gives a refresh token",
        ),
    ] {
        match wish {
            Some(_) if !is_possible => return Err(entry.refuse(format!("`{name}` {needs}"))),
            Some(wish) if !bounds.contains(&wish) => {
                let (least, most) = bounds.into_inner();
                return Err(entry.refuse(format!("`{name}` is {least} to {most} seconds")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether something is there twice.
struct Once {
    what: &'static str,
    seen: BTreeMap<String, Entry>,
}

impl Once {
    const fn new(what: &'static str) -> Self {
        Self { what, seen: BTreeMap::new() }
    }

    fn note(&mut self, entry: &Entry, value: String) -> Result<(), SeedError> {
        if let Some(first) = self.seen.get(&value) {
            let told = format!("{} {value} is that of {first} already", self.what);
            return Err(entry.refuse(told));
        }
        self.seen.insert(value, entry.clone());
        Ok(())
    }
}

/// Gives the next free id, in the order of the text and behind the highest that is given, to every
/// entry that has none.
fn with_ids<T>(entries: Vec<(Entry, Option<T>)>) -> Result<Vec<(Entry, T)>, SeedError>
where
    T: Copy + Into<u64> + TryFrom<u64, Error = InvalidId>,
{
    let mut once = Once::new("id");
    let mut highest = 0;
    for (entry, id) in &entries {
        let Some(id) = id.map(Into::into) else { continue };
        if id > ID_MAX {
            return Err(entry.refuse(format!("an id of a seed is at most {ID_MAX}")));
        }
        once.note(entry, id.to_string())?;
        highest = id.max(highest);
    }
    let mut with_ids = Vec::with_capacity(entries.len());
    for (entry, id) in entries {
        let id = if let Some(id) = id {
            id
        } else {
            highest += 1;
            T::try_from(highest).map_err(|error| entry.refuse(error.to_string()))?
        };
        with_ids.push((entry, id));
    }
    Ok(with_ids)
}

fn user_or_administrator(
    users: &[ResolvedUser<'_>],
    entry: &Entry,
    reference: Option<&UserReference>,
) -> Result<UserId, SeedError> {
    if let Some(reference) = reference {
        return find_user(users, entry, reference);
    }
    let administrator = users.iter().find(|user| user.seed.role == Role::Admin);
    administrator
        .map(|user| user.id)
        .ok_or_else(|| entry.refuse("name its `user`: there is no user with the role \"admin\""))
}

fn find_user(
    users: &[ResolvedUser<'_>],
    entry: &Entry,
    reference: &UserReference,
) -> Result<UserId, SeedError> {
    let found = users.iter().find(|user| match reference {
        UserReference::Email(email) => fold_email(&user.email) == fold_email(email),
        UserReference::Id(id) => user.id == *id,
    });
    found.map(|user| user.id).ok_or_else(|| {
        let known = users.iter().map(|user| &user.email);
        entry.refuse(format!("there is no user {reference}; {}", there_are("users", known)))
    })
}

fn find_client<'a, 'b>(
    clients: &'b [ResolvedClient<'a>],
    entry: &Entry,
    reference: &ClientReference,
) -> Result<&'b ResolvedClient<'a>, SeedError> {
    let found = clients.iter().find(|client| match reference {
        ClientReference::Identifier(identifier) => client.seed.identifier == *identifier,
        ClientReference::Id(id) => client.id == *id,
    });
    found.ok_or_else(|| {
        let known = clients.iter().map(|client| &client.seed.identifier);
        entry.refuse(format!("there is no client {reference}; {}", there_are("clients", known)))
    })
}

/// What could have been meant.
fn there_are(what: &str, known: impl Iterator<Item = impl Display>) -> String {
    let mut told: Vec<_> = known.take(TOLD_MAX + 1).map(|name| name.to_string()).collect();
    if told.len() > TOLD_MAX {
        told.truncate(TOLD_MAX);
        told.push("…".to_owned());
    }
    match told.as_slice() {
        [] => format!("the seed has no {what}"),
        told => format!("the {what} are {}", told.join(", ")),
    }
}
