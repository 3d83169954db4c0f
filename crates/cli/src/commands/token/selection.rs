//! The tokens that are meant, page after page.

use tokenry_client::{
    Client, Error, Pages, RefusalKind, models::OAuthTokenObject,
    resources::oauth_tokens::ListTokens,
};

use super::{
    directory::Directory,
    filter::{Filter, FilterArgs},
};
use crate::{connection, exit_code::Exit, failure::Failure, progress::Progress};

/// Which records of the server are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of whoever asks.
    Own,
    /// Everybody's.
    Everybody,
    /// And consented grants that have expired lately.
    WithExpired,
}

impl FilterArgs {
    /// Whose tokens are looked at.
    pub(super) const fn reach(&self) -> Reach {
        if self.mine { Reach::Own } else { Reach::Everybody }
    }
}

/// A walk over the tokens of a server.
pub(crate) struct Selection<'s> {
    pages: Pages<'s, Client, ListTokens>,
    filter: Option<Filter>,
    reach: Reach,
    seen: u64,
    progress: Option<Progress>,
}

impl<'s> Selection<'s> {
    /// Every token there is.
    pub(crate) fn all(server: &'s Client, reach: Reach) -> Self {
        let call = server.oauth_tokens().list().all(reach != Reach::Own);
        let pages = call.include_expired(reach == Reach::WithExpired).pages();
        Self { pages, filter: None, reach, seen: 0, progress: None }
    }

    /// Those that are meant.
    pub(super) fn of(server: &'s Client, reach: Reach, filter: Filter) -> Self {
        let mut call = server.oauth_tokens().list().all(reach != Reach::Own);
        if let Some(client) = filter.client {
            call = call.client_id(client);
        }
        let pages = call.include_expired(reach == Reach::WithExpired).pages();
        Self { pages, filter: Some(filter), reach, seen: 0, progress: None }
    }

    /// Tells on standard error how many were looked at: where nothing is printed meanwhile.
    pub(crate) fn with_progress(self) -> Self {
        Self { progress: Some(Progress::new()), ..self }
    }

    /// Those of the next page, which may be none; `None` after the last page.
    pub(crate) async fn next(
        &mut self,
        directory: &mut Directory,
    ) -> anyhow::Result<Option<Vec<OAuthTokenObject>>> {
        let page = self.pages.next().await.map_err(|error| refused(error, self.reach))?;
        let Some(page) = page else {
            if let Some(mut progress) = self.progress.take() {
                progress.end();
            }
            return Ok(None);
        };
        self.seen += u64::try_from(page.tokens.len()).unwrap_or_default();
        if let Some(progress) = &mut self.progress {
            progress.tell_count("tokens", "reading", self.seen);
        }
        let Some(filter) = &self.filter else { return Ok(Some(page.tokens)) };
        let mut tokens = page.tokens;
        tokens.retain(|token| filter.matches(token));
        if filter.needs_users() {
            directory.learn_users(tokens.iter().filter_map(|token| token.user_id)).await?;
            if directory.hides_users() {
                let text = "you may not see users here, so none is found by address";
                let failure = Failure::new(Exit::NotAllowed, text);
                return Err(failure.hint("name the user by id: --user ID").into());
            }
            tokens.retain(|token| filter.matches_user(directory.user(token.user_id)));
        }
        Ok(Some(tokens))
    }

    /// Every one of them.
    pub(super) async fn collect(
        mut self,
        directory: &mut Directory,
    ) -> anyhow::Result<Vec<OAuthTokenObject>> {
        let mut tokens = Vec::new();
        while let Some(page) = self.next(directory).await? {
            tokens.extend(page);
        }
        Ok(tokens)
    }
}

/// Whoever may not list everybody's tokens may list their own.
fn refused(error: Error, reach: Reach) -> anyhow::Error {
    if error.kind() != Some(RefusalKind::Forbidden) || reach == Reach::Own {
        return error.into();
    }
    let hint = connection::hint(&error).unwrap_or_default();
    let failure = Failure::new(Exit::NotAllowed, error.to_string());
    failure.hint(format!("{hint}; `tokenry token list --mine` lists your own tokens")).into()
}
