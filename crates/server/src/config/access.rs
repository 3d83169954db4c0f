//! Who gets in, and how: the record API's forms of credentials, API tokens, sign-in.

use std::time::Duration;

use tokenry_core::api_token::UnboundApiTokens;
use tokenry_protocol::ids::ClientId;

use super::{
    error::Fault,
    kinds::{Kind, Raw, Shown, Switch, count, duration, size, small_count},
    section::section,
};

section! {
    /// The record API (`/api/v2`): forms of credentials besides the bearer token in the header,
    /// which are convenient for old clients and weaker than tokens, and what it takes for whose.
    RecordApi "record_api." {
        /// Whether `Authorization: Basic` with an email address and the user's own password opens
        /// the record API, with the user's full rights.
        password_access: bool = false, Switch;
        /// Whether `?access_token=…` in the address is accepted. Addresses end up in the logs of
        /// proxies and in browser histories (RFC 6750 §5.3).
        token_in_query: bool = false, Switch;
        /// Whether `GET /api/v2/users/me` without credentials is answered with an anonymous user
        /// (`id` is `null`) instead of 401. A program that signs users in by it may take nobody
        /// for somebody.
        anonymous_me: bool = false, Switch;
        /// The ids of clients that are not this account's own but everybody's, as an app is that
        /// many accounts use. Register a client, then write its id here. It works as before, and so
        /// do its tokens; `GET /api/v2/oauth/global_clients` lists it while somebody has a token of
        /// it, the account's own clients do not, and the record API neither changes nor deletes it
        /// as long as its id stands here. Of several nodes every one needs the same list. In an
        /// environment variable, separate ids by commas.
        global_clients: Vec<ClientId> = Vec::new(), ClientIds;
    }
}

section! {
    /// API tokens: long-lived credentials for `Authorization: Basic`, of one user each unless they
    /// are account-wide.
    ApiTokens "api_tokens." {
        /// Whether API tokens open the record API. Off, every one is refused and none is lost.
        enabled: bool = true, Switch;
        /// Whether new API tokens can be made through the record API.
        creation: bool = true, Switch;
        /// The most API tokens there can be.
        count_max: usize = 256, count(1, 100_000);
        /// Whether API tokens that are bound to nobody work, with the address of any verified user
        /// and all that this user may do; then a new one is bound to nobody unless it says to whom.
        /// Whoever holds one is every administrator at once; it goes on when its maker is disabled
        /// and ends when they are deleted. Off, new ones are bound to their maker, and those that
        /// are bound to nobody are refused and none is lost.
        account_wide: bool = false, Switch;
    }
}

impl ApiTokens {
    /// What becomes of those that are bound to nobody.
    pub const fn unbound(&self) -> UnboundApiTokens {
        if self.account_wide { UnboundApiTokens::AccountWide } else { UnboundApiTokens::Refused }
    }
}

section! {
    /// Signing in with a browser, and how passwords are hashed (Argon2id, RFC 9106). A stored
    /// password keeps the parameters it was hashed with.
    SignIn "sign_in." {
        /// How long a browser stays signed in.
        session_lifetime: Duration = Duration::from_secs(43_200), duration(300, 2_592_000);
        /// Memory of one password hash. The default is OWASP's recommendation for two iterations
        /// and one lane.
        password_hash_memory: usize = 19 << 20, size(7 << 20, 1 << 30);
        /// Passes over that memory.
        password_hash_iterations: u32 = 2, small_count(1, 100);
        /// Lanes of one hash.
        password_hash_parallelism: u32 = 1, small_count(1, 16);
        /// How many passwords are hashed at the same time. The others wait, so that many sign-ins
        /// take neither all the memory nor all the processors from token traffic.
        password_hashes_concurrent_max: usize = 2, count(1, 256);
    }
}

impl RecordApi {
    /// The most global clients: lists of clients leave out each by a condition of its own.
    pub const GLOBAL_CLIENTS_MAX: usize = 100;

    /// Whether the client is everybody's.
    pub fn is_global(&self, id: ClientId) -> bool {
        self.global_clients.contains(&id)
    }
}

/// Ids of clients, each once, in ascending order.
struct ClientIds;

impl Kind for ClientIds {
    type Value = Vec<ClientId>;

    fn parse(&self, raw: &Raw) -> Result<Vec<ClientId>, Fault> {
        let remedy = "write a list of clients' ids, such as [41, 43]";
        let items: Vec<Raw> = match raw {
            Raw::List(items) => items.clone(),
            Raw::Plain(text) => text.split(',').map(|id| Raw::Plain(id.to_owned())).collect(),
            _ => return Err(Fault::new(format!("{} is no list of ids", raw.quoted()), remedy)),
        };
        let mut ids = Vec::with_capacity(items.len());
        for item in &items {
            let id = match item {
                Raw::Integer(number) => u64::try_from(*number).ok().map(ClientId::new),
                item => item.text().map(ClientId::parse),
            };
            let Some(Ok(id)) = id else {
                return Err(Fault::new(format!("{} is no id", item.quoted()), remedy));
            };
            ids.push(id);
        }
        ids.sort_unstable();
        ids.dedup();
        let most = RecordApi::GLOBAL_CLIENTS_MAX;
        if ids.len() > most {
            let problem = format!("{} ids are more than the most, {most}", ids.len());
            return Err(Fault::new(problem, "leave out clients that nobody uses"));
        }
        Ok(ids)
    }

    fn show(&self, value: &Vec<ClientId>) -> Shown {
        let ids: Vec<_> = value.iter().map(ToString::to_string).collect();
        Shown::Toml(format!("[{}]", ids.join(", ")))
    }

    fn name(&self) -> String {
        "list of ids".to_owned()
    }
}
