//! Registering and changing clients through the record API.
//!
//! A request names any subset of the settings; what it leaves out stays. Every fault is told, not
//! the first only. A client that becomes confidential gets a secret, and one that becomes public
//! loses it; the secret in full is part of the answer that minted it and of no other.

use tokenry_protocol::{
    api::{
        clients::ClientRequest,
        error::{FieldErrorCode, FieldErrors},
        request::Sent,
    },
    ids::{ClientId, ClientIdentifier, IDENTIFIER_MAX, UserId},
    oauth::token::{ACCESS_TOKEN_LIFETIME, GrantType, REFRESH_TOKEN_LIFETIME},
    redirect_uri::{COUNT_MAX, ClientKind, InvalidRedirectUri, RedirectUri},
    scope::Scope,
    secret::{Credential, Kind, ROTATION_MAX},
    time::Seconds,
};

use crate::{
    client::{Client, ClientRole, ClientSecret, ClientStatus},
    field::{Flaw, blank, invalid, line, prose},
    minting::Minting,
    scope::read_scope,
    user::{Role, User},
};

/// The most characters of a name and of a company.
pub const NAME_MAX: usize = 255;
/// The most characters of a description.
pub const DESCRIPTION_MAX: usize = 2_000;
/// Bounds of a client's own retry window in seconds, both ends included.
pub const RETRY_WINDOW: std::ops::RangeInclusive<u32> = 0..=1_800;

/// What a client may be set to. Only [`check`] makes one.
#[derive(Debug)]
pub struct Settings {
    identifier: ClientIdentifier,
    name: String,
    rest: Rest,
}

/// The settings that have a default.
#[derive(Debug)]
struct Rest {
    kind: ClientKind,
    user_id: UserId,
    redirect_uris: Vec<RedirectUri>,
    company: Option<String>,
    description: Option<String>,
    allowed_scope: Option<Scope>,
    status: ClientStatus,
    role: ClientRole,
    grant_types: Option<Vec<GrantType>>,
    access_token_lifetime_max: Option<Seconds>,
    refresh_token_lifetime_max: Option<Seconds>,
    retry_window: Option<Seconds>,
}

/// A client to be written, and its secret if this minted one.
#[derive(Debug)]
pub struct MintedClient {
    /// The record.
    pub client: Client,
    /// The secret in full.
    pub secret: Option<Credential>,
}

/// Judges a request: for a new client, or for a change of `before`.
///
/// `caller` answers for a new client unless the request names somebody else, who must be `owner`,
/// an administrator.
pub fn check(
    mut request: ClientRequest,
    before: Option<&Client>,
    caller: &User,
    owner: Option<&User>,
) -> Result<Settings, FieldErrors> {
    let mut fields = Fields {
        errors: std::mem::take(&mut request.errors),
        null: before.map_or(Null::Default, |_| Null::Blank),
    };
    let mut rest = before.map_or_else(|| Rest::new(caller.id), Rest::of);
    let mut identifier = before.map(|client| client.identifier.clone());
    let mut name = before.map(|client| client.name.clone());
    let sent = std::mem::take(&mut request.identifier);
    fields.require("identifier", sent, &mut identifier, read_identifier);
    let sent = std::mem::take(&mut request.name);
    fields.require("name", sent, &mut name, |text| read_name(&text));
    fields.set("kind", request.kind.clone(), &mut rest.kind, Ok);
    let sent = request.user_id.clone();
    fields.set("user_id", sent, &mut rest.user_id, |id| read_owner(id, owner));
    fields.read_rest(request, &mut rest);
    match (identifier, name) {
        (Some(identifier), Some(name)) => {
            fields.errors.none_or(Settings { identifier, name, rest })
        }
        _ => Err(fields.errors),
    }
}

impl Settings {
    /// The settings of a new client that is registered by a bearer token of the scope `held`: it
    /// may ask for as much, unless the request says otherwise.
    #[must_use]
    pub fn within(mut self, held: &Scope) -> Self {
        self.rest.allowed_scope.get_or_insert_with(|| held.clone());
        self
    }

    /// A new client with these settings.
    pub fn register(self, id: ClientId, minting: &Minting<'_>) -> MintedClient {
        self.into_client(id, None, minting)
    }

    /// The client for which they were judged, with these settings.
    pub fn update(self, before: &Client, minting: &Minting<'_>) -> MintedClient {
        let MintedClient { client, secret } =
            self.into_client(before.id, Some(before.authentication), minting);
        let client =
            Client { logo_url: before.logo_url.clone(), created_at: before.created_at, ..client };
        MintedClient { client, secret }
    }

    fn into_client(
        self,
        id: ClientId,
        before: Option<ClientSecret>,
        minting: &Minting<'_>,
    ) -> MintedClient {
        let Rest { kind, user_id, .. } = self.rest;
        let (authentication, secret) = match (before, kind) {
            (_, ClientKind::Public) => (ClientSecret::Public, None),
            (Some(kept @ ClientSecret::Confidential { .. }), ClientKind::Confidential) => {
                (kept, None)
            }
            (Some(ClientSecret::Public) | None, ClientKind::Confidential) => {
                let (authentication, secret) = mint_secret(id, 0, minting);
                (authentication, Some(secret))
            }
        };
        let client = Client {
            id,
            identifier: self.identifier,
            name: self.name,
            user_id,
            authentication,
            redirect_uris: self.rest.redirect_uris,
            company: self.rest.company,
            description: self.rest.description,
            logo_url: None,
            allowed_scope: self.rest.allowed_scope,
            status: self.rest.status,
            role: self.rest.role,
            grant_types: self.rest.grant_types,
            access_token_lifetime_max: self.rest.access_token_lifetime_max,
            refresh_token_lifetime_max: self.rest.refresh_token_lifetime_max,
            retry_window: self.rest.retry_window,
            created_at: minting.now,
            updated_at: minting.now,
        };
        MintedClient { client, secret }
    }
}

/// Gives a confidential client another secret; the one before is over with that.
pub fn generate_secret(client: Client, minting: &Minting<'_>) -> Result<MintedClient, FieldErrors> {
    let ClientSecret::Confidential { generation, .. } = client.authentication else {
        let text = "a public client has no secret";
        return Err(FieldErrors::one("kind", FieldErrorCode::InvalidValue, text));
    };
    // The generation only tells secrets apart for readers; the hash decides.
    let generation = generation.saturating_add(1).min(ROTATION_MAX);
    let (authentication, secret) = mint_secret(client.id, generation, minting);
    let client = Client { authentication, updated_at: minting.now, ..client };
    let secret = Some(secret);
    Ok(MintedClient { client, secret })
}

/// What is told when another client has the identifier, in whatever case.
pub fn identifier_taken() -> FieldErrors {
    FieldErrors::one("identifier", FieldErrorCode::DuplicateValue, "is taken")
}

/// What is told when the user who would answer for a client is gone.
pub fn owner_gone() -> FieldErrors {
    FieldErrors::one("user_id", FieldErrorCode::InvalidValue, NOT_AN_OWNER)
}

const NOT_AN_OWNER: &str = "must be an administrator of this account";

fn mint_secret(id: ClientId, generation: u32, minting: &Minting<'_>) -> (ClientSecret, Credential) {
    let secret = minting.mint(Kind::ClientSecret, id.get(), generation);
    let hash = secret.hash();
    (ClientSecret::Confidential { hash, generation }, secret)
}

impl Rest {
    const fn new(user_id: UserId) -> Self {
        Self {
            kind: ClientKind::Confidential,
            user_id,
            redirect_uris: Vec::new(),
            company: None,
            description: None,
            allowed_scope: None,
            status: ClientStatus::Enabled,
            role: ClientRole::Ordinary,
            grant_types: None,
            access_token_lifetime_max: None,
            refresh_token_lifetime_max: None,
            retry_window: None,
        }
    }

    fn of(client: &Client) -> Self {
        Self {
            kind: client.kind(),
            user_id: client.user_id,
            redirect_uris: client.redirect_uris.clone(),
            company: client.company.clone(),
            description: client.description.clone(),
            allowed_scope: client.allowed_scope.clone(),
            status: client.status,
            role: client.role,
            grant_types: client.grant_types.clone(),
            access_token_lifetime_max: client.access_token_lifetime_max,
            refresh_token_lifetime_max: client.refresh_token_lifetime_max,
            retry_window: client.retry_window,
        }
    }
}

/// The fields of a request, one after the other, and what is wrong with them.
struct Fields {
    errors: FieldErrors,
    null: Null,
}

/// What `null` means for a setting that always has a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    /// Of a new client: nothing was said.
    Default,
    /// Of a change: a value is asked to go that cannot.
    Blank,
}

impl Fields {
    fn note(&mut self, field: &str, (code, text): Flaw) {
        self.errors.add(field, code, &text);
    }

    /// A setting without a default.
    fn require<T, U>(
        &mut self,
        field: &str,
        sent: Sent<T>,
        slot: &mut Option<U>,
        read: impl FnOnce(T) -> Result<U, Flaw>,
    ) {
        match sent {
            Sent::Value(value) => match read(value) {
                Ok(value) => *slot = Some(value),
                Err(flaw) => self.note(field, flaw),
            },
            Sent::Absent if slot.is_some() => {}
            Sent::Absent | Sent::Null => self.note(field, blank()),
            Sent::Mistyped => {}
        }
    }

    /// A setting that always has a value.
    fn set<T, U>(
        &mut self,
        field: &str,
        sent: Sent<T>,
        slot: &mut U,
        read: impl FnOnce(T) -> Result<U, Flaw>,
    ) {
        match sent {
            Sent::Value(value) => match read(value) {
                Ok(value) => *slot = value,
                Err(flaw) => self.note(field, flaw),
            },
            Sent::Null if self.null == Null::Blank => self.note(field, blank()),
            Sent::Absent | Sent::Null | Sent::Mistyped => {}
        }
    }

    /// A setting that can be cleared.
    fn clear<T, U>(
        &mut self,
        field: &str,
        sent: Sent<T>,
        slot: &mut Option<U>,
        read: impl FnOnce(T) -> Result<Option<U>, Flaw>,
    ) {
        match sent {
            Sent::Value(value) => match read(value) {
                Ok(value) => *slot = value,
                Err(flaw) => self.note(field, flaw),
            },
            Sent::Null => *slot = None,
            Sent::Absent | Sent::Mistyped => {}
        }
    }

    fn read_rest(&mut self, request: ClientRequest, rest: &mut Rest) {
        self.read_redirect_uris(request.redirect_uri, rest);
        self.clear("company", request.company, &mut rest.company, |text| {
            line(&text, NAME_MAX).map(non_empty)
        });
        let (sent, slot) = (request.description, &mut rest.description);
        self.clear("description", sent, slot, |text| prose(&text, DESCRIPTION_MAX).map(non_empty));
        let (sent, slot) = (request.allowed_scopes, &mut rest.allowed_scope);
        self.clear("allowed_scopes", sent, slot, |names| read_scope(names).map(Some));
        let (sent, slot) = (request.grant_types, &mut rest.grant_types);
        self.clear("grant_types", sent, slot, |sent| read_grant_types(&sent));
        let sent = request.disabled.or_false();
        self.set("disabled", sent, &mut rest.status, |disabled| {
            Ok(if disabled { ClientStatus::Disabled } else { ClientStatus::Enabled })
        });
        let sent = request.resource_server.or_false();
        self.set("resource_server", sent, &mut rest.role, |is_one| {
            Ok(if is_one { ClientRole::ResourceServer } else { ClientRole::Ordinary })
        });
        let sent = request.access_token_lifetime_max;
        let slot = &mut rest.access_token_lifetime_max;
        self.clear("access_token_lifetime_max", sent, slot, |number| {
            read_seconds(number, ACCESS_TOKEN_LIFETIME)
        });
        let sent = request.refresh_token_lifetime_max;
        let slot = &mut rest.refresh_token_lifetime_max;
        self.clear("refresh_token_lifetime_max", sent, slot, |number| {
            read_seconds(number, REFRESH_TOKEN_LIFETIME)
        });
        let (sent, slot) = (request.retry_window_seconds, &mut rest.retry_window);
        self.clear("retry_window_seconds", sent, slot, |number| read_seconds(number, RETRY_WINDOW));
    }

    /// Addresses are judged even when only the kind changes: what may be registered depends on it.
    fn read_redirect_uris(&mut self, sent: Sent<Vec<String>>, rest: &mut Rest) {
        const FIELD: &str = "redirect_uri";
        let before = rest.redirect_uris.iter().map(ToString::to_string);
        let mut written: Vec<String> = before.collect();
        self.set(FIELD, sent, &mut written, Ok);
        let mut kept: Vec<RedirectUri> = Vec::new();
        for address in written {
            match RedirectUri::parse(&address, rest.kind) {
                Ok(address) if kept.contains(&address) => {}
                Ok(address) => kept.push(address),
                Err(error @ InvalidRedirectUri::TooLong) => {
                    self.note(FIELD, (FieldErrorCode::TooLong, error.to_string()));
                }
                Err(error) => self.note(FIELD, invalid(error.to_string())),
            }
        }
        if kept.len() > COUNT_MAX {
            let text = format!("has at most {COUNT_MAX} addresses");
            self.note(FIELD, (FieldErrorCode::TooManyValues, text));
        }
        rest.redirect_uris = kept;
    }
}

fn read_identifier(text: String) -> Result<ClientIdentifier, Flaw> {
    match text.chars().count() {
        0 => Err(blank()),
        count if count > IDENTIFIER_MAX => {
            let told = format!("has at most {IDENTIFIER_MAX} characters");
            Err((FieldErrorCode::TooLong, told))
        }
        _ => ClientIdentifier::try_from(text)
            .map_err(|_| invalid("has characters other than A-Z a-z 0-9 . _ ~ -")),
    }
}

fn read_name(text: &str) -> Result<String, Flaw> {
    line(text, NAME_MAX).and_then(|name| non_empty(name).ok_or_else(blank))
}

fn read_owner(id: Option<UserId>, owner: Option<&User>) -> Result<UserId, Flaw> {
    let owner = owner.filter(|user| Some(user.id) == id && user.role == Role::Admin);
    owner.map(|user| user.id).ok_or_else(|| invalid(NOT_AN_OWNER))
}

fn read_grant_types(sent: &[GrantType]) -> Result<Option<Vec<GrantType>>, Flaw> {
    let in_order = GrantType::ALL.into_iter();
    let kept: Vec<_> = in_order.filter(|known| sent.contains(known)).collect();
    if kept.is_empty() {
        return Err(blank());
    }
    Ok(Some(kept))
}

fn read_seconds(
    number: u64,
    bounds: std::ops::RangeInclusive<u32>,
) -> Result<Option<Seconds>, Flaw> {
    let (least, most) = (bounds.start(), bounds.end());
    let fits = u32::try_from(number).ok();
    fits.filter(|number| bounds.contains(number))
        .map(|number| Some(Seconds(number)))
        .ok_or_else(|| invalid(format!("must be {least} to {most}")))
}

fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
