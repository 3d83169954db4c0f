//! One token, as people come across it: an id, its first characters, the address of its record, or
//! the whole of it.

use tokenry_client::{
    Client, Server,
    models::{OAuthTokenObject, SecretText, TokenId},
};
use tokenry_protocol::secret::{Kind, examination::Examination, jwt::UncheckedJwt};
use url::Url;

use super::{
    directory::Directory,
    is_gone, record,
    selection::{Reach, Selection},
};
use crate::{commands::presented, exit_code::Exit, failure::Failure, output};

/// What stands in lists of a token whose form is not ours.
const BEGINNING: usize = 10;

/// What is said of a token that is to be found.
pub(super) enum Name {
    Id(TokenId),
    Address(TokenId, Url),
    /// The first characters of a credential whose form is not ours.
    Beginning(String),
}

/// A token, or the failure that says that there is none.
pub(super) type Found = Result<OAuthTokenObject, Failure>;

impl Name {
    /// Reads an argument, and standard input for `-`.
    pub(super) fn read(argument: &str) -> anyhow::Result<Self> {
        if let Ok(id) = TokenId::parse(argument) {
            return Ok(Self::Id(id));
        }
        if let Some(address) = address(argument) {
            let id = id_in(&address).ok_or_else(|| unreadable("no token's record is there"))?;
            return Ok(Self::Address(id, address));
        }
        let text = presented::text(argument)?;
        // The rest of a credential is nobody's business, not even whether it is damaged.
        let beginning = UncheckedJwt::parse(&text).map_or_else(
            |_| text.chars().take(BEGINNING).collect(),
            |jwt| jwt.credential().public_part(),
        );
        Ok(id_of(&beginning)?.map_or(Self::Beginning(beginning), Self::Id))
    }

    /// Asks the server for it.
    pub(super) async fn find(self, server: &Client) -> anyhow::Result<Found> {
        match self {
            Self::Id(id) => show(server, id).await,
            Self::Address(id, address) => {
                let found = show(server, id).await?;
                match &found {
                    Ok(token) if !is_at(server.server(), token, &address) => {
                        Err(of_another(server, &address).into())
                    }
                    _ => Ok(found),
                }
            }
            Self::Beginning(beginning) => search(server, &beginning).await,
        }
    }
}

fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))
}

fn id_in(address: &Url) -> Option<TokenId> {
    let name = address.path_segments()?.next_back()?;
    TokenId::parse(name.strip_suffix(".json").unwrap_or(name)).ok()
}

/// The record that the first characters of a credential name; `None` where the server must be
/// asked, as they are not of our form.
fn id_of(beginning: &str) -> anyhow::Result<Option<TokenId>> {
    // By chance, the first characters of another server's token may be those of one of ours, of an
    // id that no server has come to.
    let is_ours = beginning.get(1..4) == Some("000");
    let Some(public) = Examination::of(beginning).public().filter(|_| is_ours) else {
        return if beginning.chars().count() == BEGINNING {
            Ok(None)
        } else {
            Err(unreadable("that is too short for a token").into())
        };
    };
    match public.kind {
        Kind::AccessToken | Kind::RefreshToken | Kind::AuthorizationCode => {
            Ok(Some(TokenId::new(public.id)?))
        }
        Kind::ApiToken => {
            let text = format!("{beginning} is an API token");
            let hint = format!("`tokenry api-token show {}` shows it", public.id);
            Err(Failure::new(Exit::Usage, text).hint(hint).into())
        }
        other => Err(unreadable(&format!("{beginning} is a {}", other.name())).into()),
    }
}

fn unreadable(text: &str) -> Failure {
    let hint = "name a token by the id of its record, by its first 10 characters, by the address \
                of its record, or give it whole on standard input: -";
    Failure::new(Exit::Usage, text).hint(hint)
}

async fn show(server: &Client, id: TokenId) -> anyhow::Result<Found> {
    match server.oauth_tokens().show(id).await {
        Ok(answer) => record(answer).map(Ok),
        Err(error) if is_gone(&error) => Ok(Err(missing(server, &id.to_string()))),
        Err(error) => Err(error.into()),
    }
}

/// Other servers' tokens do not tell their ids.
async fn search(server: &Client, beginning: &str) -> anyhow::Result<Found> {
    let begins = |text: &Option<SecretText>| {
        text.as_ref().is_some_and(|text| text.reveal().starts_with(beginning))
    };
    let mut directory = Directory::new(server);
    let mut tokens = Selection::all(server, Reach::Everybody).with_progress();
    while let Some(page) = tokens.next(&mut directory).await? {
        let found = page.into_iter().find(|t| begins(&t.token) || begins(&t.refresh_token));
        if let Some(token) = found {
            return Ok(Ok(token));
        }
    }
    Ok(Err(missing(server, &format!("that begins with {}", output::escaped(beginning)))))
}

fn missing(server: &Client, named: &str) -> Failure {
    let text = format!("there is no token {named} at {}", server.server());
    Failure::new(Exit::NotFound, text).hint("`tokenry token list` shows which there are")
}

/// Ids of one server are those of other tokens at another. A server may be reached by another
/// address than the one by which it speaks of itself.
fn is_at(server: &Server, token: &OAuthTokenObject, address: &Url) -> bool {
    let own = token.url.as_deref().and_then(|url| Url::parse(url).ok());
    let reached = Url::parse(server.as_str()).ok();
    [own, reached].into_iter().flatten().any(|url| url.origin() == address.origin())
}

fn of_another(server: &Client, address: &Url) -> Failure {
    let text = format!(
        "that is the record of another server, {}, and not of {}",
        address.origin().ascii_serialization(),
        server.server()
    );
    Failure::new(Exit::Usage, text).hint("name the server with --server or --profile")
}
