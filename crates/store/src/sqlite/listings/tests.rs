//! Whatever happens between steps, lists are what a plain look at everything would give.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use tokenry_core::{
    event::Actor,
    grant::{AccessToken, Consented, Issued, Origin, SentTo, Stage, Token},
    revocation,
};
use tokenry_protocol::{
    ids::{ClientId, TokenId, UserId},
    scope::Scope,
    secret::SecretHash,
    time::{Seconds, Timestamp},
};

use super::{
    Sizes, Work, find_work,
    parts::{self, Kind},
    perform,
};
use crate::{
    PageRequest, PurgeRequest, PurgeSubject, TokenFilter, Window,
    sqlite::{open::Source, purge, session::Session, tokens, tokens_list},
    suite::seeded::Seeded,
};

const OWNERS: u32 = 4;
const LIFETIME: Seconds = Seconds(60);

/// A database, and what it must show.
struct Model {
    connection: Connection,
    sizes: Sizes,
    choice: Seeded,
    now: Timestamp,
    /// Leased, and not inserted yet.
    leased: Vec<u64>,
    next: u64,
    tokens: BTreeMap<u64, Token>,
    /// Clients and users have the same ids.
    gone_clients: BTreeSet<u64>,
    gone_users: BTreeSet<u64>,
}

impl Model {
    fn new(block: u32, seed: u64) -> Self {
        let connection = Source::Memory.create().unwrap();
        for id in 1..=OWNERS {
            let owners = format!(
                "INSERT INTO users VALUES ({id}, '{id}', '{id}', '', 'admin', NULL, 1, 0, 0, 0, 0, \
                 NULL); \
                 INSERT INTO clients (id, identifier, folded_identifier, name, user_id, \
                 redirect_uris, status, role, created_at, updated_at) \
                 VALUES ({id}, '{id}', '{id}', '', {id}, '[]', 'enabled', 'ordinary', 0, 0)"
            );
            connection.execute_batch(&owners).unwrap();
        }
        Self {
            connection,
            sizes: Sizes::new(block),
            choice: Seeded::new(seed),
            now: Timestamp::from_millis(1_790_000_000_123),
            leased: Vec::new(),
            next: 1,
            tokens: BTreeMap::new(),
            gone_clients: BTreeSet::new(),
            gone_users: BTreeSet::new(),
        }
    }

    fn below(&self, bound: usize) -> usize {
        self.choice.below(u32::try_from(bound).unwrap()).try_into().unwrap()
    }

    fn owner(&self) -> u64 {
        u64::from(self.choice.below(OWNERS)) + 1
    }

    fn new_token(&self, id: u64) -> Token {
        let hash = || SecretHash::from_bytes([0; 32]);
        let granted = Scope::parse(&format!("scope{id}")).unwrap();
        let (origin, stage) = match self.choice.below(6) {
            0 => {
                let consented = Consented {
                    code_hash: hash(),
                    expires_at: self.now.plus(LIFETIME),
                    redirect_uri: SentTo::Only("https://client.test/cb".to_owned()),
                    challenge: None,
                    wrong_verifiers: 0,
                };
                (Origin::Consent, Stage::Consented(consented))
            }
            number => {
                let lifetime = (number < 5).then_some(LIFETIME);
                let origin = if number < 3 { Origin::Consent } else { Origin::Created };
                let issued = Issued {
                    rotation: 1,
                    scope: granted.clone(),
                    access: AccessToken { hash: hash(), issued_at: self.now, lifetime },
                    refresh: None,
                    used_at: None,
                    used_rotation: 0,
                };
                (origin, Stage::Issued(issued))
            }
        };
        Token {
            id: TokenId::new(id).unwrap(),
            client_id: ClientId::new(self.owner()).unwrap(),
            user_id: UserId::new(self.owner()).unwrap(),
            origin,
            created_at: self.now,
            granted,
            stage,
        }
    }

    /// An id that was leased a while ago, mostly one of the last.
    fn insert(&mut self) {
        if self.leased.len() < 2 || self.choice.below(8) == 0 {
            // At times a lease is lost, as in a crash.
            let lost = u64::from(self.choice.below(64) == 0) * 100;
            let block = u64::from(self.choice.below(12)) + 1;
            self.leased.extend(self.next + lost..self.next + lost + block);
            self.next += lost + block;
        }
        let waiting = self.leased.len();
        let at = match self.choice.below(4) {
            0 => self.below(waiting),
            _ => waiting - 1,
        };
        let id = self.leased.swap_remove(at);
        let token = self.new_token(id);
        tokens::insert(&Session::new(&self.connection), &token).unwrap();
        self.tokens.insert(id, token);
    }

    fn any(&self) -> Option<u64> {
        let at = self.below(self.tokens.len().max(1));
        self.tokens.keys().nth(at).copied()
    }

    fn end(&mut self) {
        if let Some(token) = self.any().and_then(|id| self.tokens.remove(&id)) {
            let end = revocation::revoke(&token, Actor::Server, self.now);
            tokens::end(&self.connection, &end).unwrap();
        }
    }

    /// What was a code is a token in the same row.
    fn redeem(&mut self) {
        let Some(token) = self.any().and_then(|id| self.tokens.get_mut(&id)) else { return };
        if token.issued().is_none() {
            let redeemed = "UPDATE tokens SET rotation = 1, issued_at = ?2 WHERE id = ?1";
            let issued_at = self.now.as_millis().unsigned_abs();
            self.connection.execute(redeemed, [token.id.get(), issued_at]).unwrap();
            token.stage = Stage::Issued(Issued {
                rotation: 1,
                scope: token.granted.clone(),
                access: AccessToken {
                    hash: SecretHash::from_bytes([0; 32]),
                    issued_at: self.now,
                    lifetime: None,
                },
                refresh: None,
                used_at: None,
                used_rotation: 0,
            });
        }
    }

    fn sweep(&mut self) {
        let subject = PurgeSubject::Tokens { grants_kept: Seconds(0) };
        let limit = 1 + self.choice.below(20);
        let mut next = Some(0);
        while let Some(after) = next {
            let request = PurgeRequest { subject, after, limit, now: self.now };
            let look = purge::look(&self.connection, request).unwrap();
            purge::remove(&self.connection, request, &look.over).unwrap();
            next = look.next;
        }
        let over: Vec<u64> = self
            .tokens
            .values()
            .filter(|token| self.is_over(token))
            .map(|token| token.id.get())
            .collect();
        for id in over {
            self.tokens.remove(&id);
        }
    }

    fn lose_an_owner(&mut self) {
        let id = self.owner();
        let (table, gone) = match self.choice.below(2) {
            0 => ("clients", &mut self.gone_clients),
            _ => ("users", &mut self.gone_users),
        };
        gone.insert(id);
        let deleted = format!("UPDATE {table} SET deleted_at = 0 WHERE id = ?");
        self.connection.execute(&deleted, [id]).unwrap();
    }

    /// One step, which is now and then lost in a crash.
    fn upkeep(&mut self) -> bool {
        let Some(work) = find_work(&self.connection, self.sizes).unwrap() else { return false };
        let transaction = self.connection.transaction().unwrap();
        perform(&transaction, &work, self.sizes).unwrap();
        if self.choice.below(8) > 0 {
            transaction.commit().unwrap();
        }
        true
    }

    fn is_ownerless(&self, token: &Token) -> bool {
        self.gone_clients.contains(&token.client_id.get())
            || self.gone_users.contains(&token.user_id.get())
    }

    fn is_over(&self, token: &Token) -> bool {
        let is_expired = match &token.stage {
            Stage::Consented(consented) => consented.expires_at <= self.now,
            Stage::Issued(issued) => issued.is_expired(self.now),
        };
        self.is_ownerless(token) || is_expired
    }

    fn is_listed(&self, token: &Token, grants_kept: Seconds) -> bool {
        let since = match token.origin {
            Origin::Consent => self.now.minus(grants_kept),
            Origin::ClientCredentials | Origin::Created => self.now,
        };
        let is_there = token.issued().is_some_and(|issued| !issued.is_expired(since));
        is_there && !self.is_ownerless(token)
    }

    fn listed(&self, filter: TokenFilter) -> Vec<u64> {
        let matches = |token: &&Token| {
            filter.user.is_none_or(|user| user == token.user_id)
                && filter.client.is_none_or(|client| client == token.client_id)
                && self.is_listed(token, filter.grants_kept)
        };
        self.tokens.values().filter(matches).map(|token| token.id.get()).collect()
    }

    fn filter(&self) -> TokenFilter {
        let (user, client) = (UserId::new(self.owner()), ClientId::new(self.owner()));
        let grants_kept = Seconds(self.choice.below(2) * self.choice.below(LIFETIME.0));
        match self.choice.below(3) {
            0 => TokenFilter { user: user.ok(), client: None, grants_kept },
            1 => TokenFilter { user: None, client: client.ok(), grants_kept },
            _ => TokenFilter { user: user.ok(), client: client.ok(), grants_kept },
        }
    }

    fn check(&self) {
        let filter = self.filter();
        let listed = self.listed(filter);
        let limit = 1 + self.choice.below(6);
        let at = u64::from(self.choice.below(u32::try_from(self.next).unwrap() + 2));
        let size = usize::try_from(limit).unwrap();
        let (window, expected, all) = match self.choice.below(4) {
            0 => {
                let all: Vec<u64> = listed.iter().copied().filter(|id| *id < at).collect();
                (Window::Before(at), all[all.len().saturating_sub(size)..].to_vec(), all.len())
            }
            1 => {
                let rows = self.choice.below(9);
                let all = listed.get(usize::try_from(rows).unwrap()..).unwrap_or_default();
                (Window::Offset(rows), all[..all.len().min(size)].to_vec(), all.len())
            }
            number => {
                let after = if number == 2 { at } else { 0 };
                let all: Vec<u64> = listed.iter().copied().filter(|id| *id > after).collect();
                (Window::After(after), all[..all.len().min(size)].to_vec(), all.len())
            }
        };
        let request = PageRequest { window, limit };
        let page = tokens_list::page(&self.connection, filter, request, self.now).unwrap();
        let found: Vec<u64> = page.items.iter().map(|token| token.id.get()).collect();
        assert_eq!((found, page.has_more), (expected, all > size), "{filter:?} {request:?}");

        let counted = tokens_list::count(&self.connection, filter, limit, self.now).unwrap();
        assert_eq!(usize::try_from(counted).unwrap(), listed.len().min(size));

        let (user, client) = (self.owner(), self.owner());
        let (user, client) = (UserId::new(user).unwrap(), ClientId::new(client).unwrap());
        let approved =
            tokens_list::approved_scopes(&self.connection, user, client, self.now).unwrap();
        let both = TokenFilter { user: Some(user), client: Some(client), ..TokenFilter::default() };
        let consented = |id: &u64| self.tokens[id].origin == Origin::Consent;
        let expected: Vec<Scope> = self
            .listed(both)
            .into_iter()
            .filter(consented)
            .map(|id| self.tokens[&id].granted.clone())
            .collect();
        assert_eq!(approved, expected);
    }

    fn number(&self, sql: &str) -> u64 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn blocks(&self) -> Vec<u64> {
        let mut blocks = self.connection.prepare("SELECT number FROM listing_blocks").unwrap();
        blocks.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// What holds once there is nothing to do: all is listed, and little is kept in vain.
    fn check_rest(&self) {
        let gaps = "SELECT count(*) FROM (SELECT first_id, 1 + coalesce(lag(last_id) \
            OVER (ORDER BY last_id), 0) AS follows FROM listing_blocks) WHERE first_id <> follows";
        assert_eq!(self.number(gaps), 0, "intervals follow each other");
        let tail = self.number(
            "SELECT count(*) FROM tokens \
             WHERE id > (SELECT coalesce(max(last_id), 0) FROM listing_blocks)",
        );
        assert!(tail <= u64::from(self.sizes.step() + self.sizes.slack()), "{tail} in the tail");
        let listings: usize = self
            .blocks()
            .into_iter()
            .flat_map(|block| [(block, Kind::Client), (block, Kind::User)])
            .map(|(block, kind)| parts::read(&self.connection, block, kind).unwrap().len())
            .sum();
        let kept = self.tokens.len() * 4;
        assert!(listings <= kept, "{listings} listings of {} tokens", self.tokens.len());
        let strays = "SELECT count(*) FROM listing_parts \
            WHERE block NOT IN (SELECT number FROM listing_blocks)";
        assert_eq!(self.number(strays), 0, "listings of no block");
    }
}

#[test]
fn lists_are_right_whatever_happens_between_two_steps() {
    for (block, seed) in
        [1, 2, 3, 16, 64, 200].into_iter().flat_map(|block| [1, 2, 3].map(|seed| (block, seed)))
    {
        println!("blocks of {block}, seed {seed}");
        let mut model = Model::new(block, seed);
        for _ in 0..500 {
            match model.choice.below(100) {
                0..45 => model.insert(),
                45..60 => model.end(),
                60..65 => model.redeem(),
                65..67 => model.sweep(),
                67..72 => model.now = model.now.plus(Seconds(model.choice.below(9))),
                72 if model.choice.below(30) == 0 => model.lose_an_owner(),
                _ => drop(model.upkeep()),
            }
            model.check();
        }
        while model.upkeep() {
            model.check();
        }
        model.check_rest();
    }
}

/// So that its order is that of ids, and none is behind what was listed.
#[test]
fn a_block_that_loses_most_of_its_tokens_is_taken_over_by_the_one_before() {
    let mut model = Model::new(32, 7);
    while model.tokens.len() < 96 {
        model.insert();
    }
    while model.upkeep() {}
    let blocks = model.number("SELECT count(*) FROM listing_blocks");
    assert!(blocks >= 2, "{blocks}");
    let ids: Vec<u64> = model.tokens.keys().copied().collect();
    for id in ids.iter().filter(|id| *id % 8 > 0) {
        let token = model.tokens.remove(id).unwrap();
        let end = revocation::revoke(&token, Actor::Server, model.now);
        tokens::end(&model.connection, &end).unwrap();
    }
    assert!(matches!(
        find_work(&model.connection, model.sizes).unwrap(),
        Some(Work::List { source: Some(_), .. })
    ));
    while model.upkeep() {
        model.check();
    }
    assert_eq!(model.number("SELECT count(*) FROM listing_blocks"), 1);
    model.check_rest();
}
