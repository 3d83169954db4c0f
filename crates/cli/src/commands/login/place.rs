//! Which profile a sign-in is kept as, and what becomes of the one that was there.

use tokenry_client::{Client, Server};

use super::super::{logout::revoke_current, token::own};
use crate::{
    connection::{self, ConnectionArgs, Profile, Profiles, SignIn, name_for, parse_server},
    failure, output,
};

/// The name for a sign-in that was given none. Only a profile of the same user, who signs in the
/// same way, is replaced by it.
pub(super) fn find(profiles: &Profiles, server: &Server, new: &Profile) -> String {
    let is_there = |found: &Profile| parse_server(&found.server).is_ok_and(|at| at == *server);
    let is_same = |found: &Profile| {
        is_there(found) && found.sign_in == new.sign_in && is_of(found, new.user.as_deref())
    };
    let current = profiles.current().filter(|name| profiles.get(name).is_ok_and(is_same));
    let same = || profiles.all().find(|(_, found)| is_same(found)).map(|(name, _)| name);
    if let Some(name) = current.or_else(same) {
        return name.to_owned();
    }
    if let Some((kept, found)) = profiles.all().find(|(_, found)| is_there(found)) {
        anstream::eprintln!(
            "The profile {} stays as it is: {}, by {}.",
            output::escaped(kept),
            output::escaped(found.user.as_deref().unwrap_or("somebody")),
            found.sign_in.words()
        );
    }
    let name = name_for(server);
    let others = (2..).map(|number: u64| format!("{name}-{number}"));
    let mut free = std::iter::once(name.clone()).chain(others);
    free.find(|name| profiles.get(name).is_err()).unwrap_or(name)
}

fn is_of(profile: &Profile, user: Option<&str>) -> bool {
    match (profile.user.as_deref(), user) {
        (Some(before), Some(now)) => before.eq_ignore_ascii_case(now),
        (before, now) => before == now,
    }
}

/// Revokes the tokens of a browser that are about to be replaced: nobody could do so later. What
/// cannot be revoked is told and lives on; who signs in anew may do so because of what is wrong.
pub(super) async fn clear(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
    name: &str,
    new: &Client,
) {
    let Ok(before) = profiles.get(name) else { return };
    if before.sign_in != SignIn::Browser {
        return;
    }
    if let Err(error) = revoke(arguments, profiles, (name, before), new).await {
        anstream::eprintln!(
            "The tokens that the profile {} had before live on at {}: {}.\n\
             `tokenry token list --mine` shows them, and `tokenry token revoke` ends them.",
            output::escaped(name),
            output::escaped(&before.server),
            output::escaped(&failure::message(&error))
        );
    }
}

async fn revoke(
    arguments: &ConnectionArgs,
    profiles: &Profiles,
    (name, before): (&str, &Profile),
    new: &Client,
) -> anyhow::Result<()> {
    if profiles.secrets(name)?.tokens.is_none() {
        return Ok(());
    }
    let server = parse_server(&before.server)?;
    let credentials = connection::credentials(arguments, profiles, name)?;
    let old = connection::client(arguments, &server, credentials.clone())?;
    if server == *new.server() && are_of_one_grant(&old, new).await {
        return Ok(());
    }
    revoke_current(arguments, &before.server, credentials).await?;
    Ok(())
}

/// A server may answer another sign-in with the grant that there is, and it must stay then.
async fn are_of_one_grant(old: &Client, new: &Client) -> bool {
    match (own(old).await, own(new).await) {
        (Ok(Some(old)), Ok(Some(new))) => old.id.is_some() && old.id == new.id,
        _ => false,
    }
}
