//! Clients: `/api/v2/oauth/clients`. For administrators.

use http::StatusCode;
use tokenry_protocol::{
    api::{
        clients::{
            CLIENT, ClientKind, ClientRequest, OAuthClientObject, OAuthClientResponse,
            OAuthClientsResponse,
        },
        pagination::{PageParameters, Pagination},
    },
    ids::ClientId,
};

use crate::{
    Call, Error, IntoId, List, Operation, Response,
    id::{GivenId, given},
    operation::{read_json, read_nothing},
    pagination::FIRST,
    request::{Outline, Repeat},
};

const PATH: &str = "/api/v2/oauth/clients";

/// Clients: the software that users let in.
pub struct OAuthClients<'c, C> {
    pub(super) client: &'c C,
}

impl<'c, C> OAuthClients<'c, C> {
    /// Lists the clients of the account in ascending order of id.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): a cursor of another list.
    pub fn list(&self) -> Call<'c, C, ListClients> {
        Call::new(self.client, ListClients { path: PATH, page: FIRST })
    }

    /// Lists the clients that the caller answers for.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): a cursor of another list.
    pub fn list_own(&self) -> Call<'c, C, ListClients> {
        Call::new(self.client, ListClients { path: "/api/v2/users/me/oauth/clients", page: FIRST })
    }

    /// Shows one client.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`NotFound`](crate::RefusalKind::NotFound): no such client.
    pub fn show(&self, id: impl IntoId<ClientId>) -> Call<'c, C, ShowClient> {
        Call::new(self.client, ShowClient { id: id.into_id() })
    }

    /// Registers a client. `name` and `identifier` are required. The secret of a confidential
    /// client is in full in this answer and never again.
    ///
    /// A registration whose answer is lost is not repeated: look for its identifier.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator, or asks by a
    /// token that may do less than the client might. [`Invalid`](crate::RefusalKind::Invalid): by
    /// field, what is missing, taken or wrong.
    pub fn create(&self, client: ClientRequest) -> Call<'c, C, CreateClient> {
        Call::new(self.client, CreateClient { client })
    }

    /// Changes what the request names, and leaves the rest as it is. Making a public client
    /// confidential mints a secret, which is in full in this answer: a request that names that kind
    /// is not repeated after a lost answer. [`generate_secret`](Self::generate_secret) then gives
    /// another.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden) and [`NotFound`](crate::RefusalKind::NotFound)
    /// as for showing one. [`Invalid`](crate::RefusalKind::Invalid): by field, what is taken or
    /// wrong.
    pub fn update(
        &self,
        id: impl IntoId<ClientId>,
        client: ClientRequest,
    ) -> Call<'c, C, UpdateClient> {
        Call::new(self.client, UpdateClient { id: id.into_id(), client })
    }

    /// Ends a client, and all its tokens with it: they are dead when this is answered.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`NotFound`](crate::RefusalKind::NotFound): no such client.
    pub fn delete(&self, id: impl IntoId<ClientId>) -> Call<'c, C, DeleteClient> {
        Call::new(self.client, DeleteClient { id: id.into_id() })
    }

    /// Gives a confidential client a new secret, in full in this answer and never again. The one
    /// before is dead. After a lost answer it is asked for once more, and the last one counts.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden) and [`NotFound`](crate::RefusalKind::NotFound)
    /// as for showing one. [`Invalid`](crate::RefusalKind::Invalid): the client is public.
    pub fn generate_secret(&self, id: impl IntoId<ClientId>) -> Call<'c, C, GenerateSecret> {
        Call::new(self.client, GenerateSecret { id: id.into_id() })
    }
}

/// [`OAuthClients::list`], [`OAuthClients::list_own`]
#[derive(Debug, Clone)]
pub struct ListClients {
    path: &'static str,
    page: PageParameters,
}

impl Operation for ListClients {
    type Answer = OAuthClientsResponse;

    const NAME: &'static str = "oauth_clients.list";

    fn outline(&self) -> Result<Outline, Error> {
        let mut outline = Outline::get(self.path);
        outline.query.extend(self.page.pairs());
        Ok(outline)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

impl List for ListClients {
    type Item = OAuthClientObject;

    fn parameters(&self) -> &PageParameters {
        &self.page
    }

    fn turn(&mut self, page: PageParameters) {
        self.page = page;
    }

    fn pagination(page: &Self::Answer) -> Option<&Pagination> {
        page.pagination.as_ref()
    }

    fn items(page: Self::Answer) -> Vec<Self::Item> {
        page.clients
    }
}

/// [`OAuthClients::show`]
#[derive(Debug, Clone)]
pub struct ShowClient {
    id: GivenId<ClientId>,
}

impl Operation for ShowClient {
    type Answer = OAuthClientResponse;

    const NAME: &'static str = "oauth_clients.show";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get(format!("{PATH}/{}", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`OAuthClients::create`]
#[derive(Debug, Clone)]
pub struct CreateClient {
    client: ClientRequest,
}

impl Operation for CreateClient {
    type Answer = OAuthClientResponse;

    const NAME: &'static str = "oauth_clients.create";

    fn outline(&self) -> Result<Outline, Error> {
        Outline::post(PATH).json(&serde_json::json!({ CLIENT: self.client }))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`OAuthClients::update`]
#[derive(Debug, Clone)]
pub struct UpdateClient {
    id: GivenId<ClientId>,
    client: ClientRequest,
}

impl Operation for UpdateClient {
    type Answer = OAuthClientResponse;

    const NAME: &'static str = "oauth_clients.update";

    fn outline(&self) -> Result<Outline, Error> {
        let path = format!("{PATH}/{}", given("id", self.id)?);
        let mut outline = Outline::put(path).json(&serde_json::json!({ CLIENT: self.client }))?;
        // A secret that is minted is shown in the first answer alone.
        if self.client.kind.as_value() == Some(&ClientKind::Confidential) {
            outline.repeat = Repeat::IfUntaken;
        }
        Ok(outline)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`OAuthClients::delete`]
#[derive(Debug, Clone)]
pub struct DeleteClient {
    id: GivenId<ClientId>,
}

impl Operation for DeleteClient {
    type Answer = ();

    const NAME: &'static str = "oauth_clients.delete";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::delete(format!("{PATH}/{}", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_nothing(response)
    }

    fn read_repeat(&self, status: StatusCode) -> Option<Self::Answer> {
        (status == StatusCode::NOT_FOUND).then_some(())
    }
}

/// [`OAuthClients::generate_secret`]
#[derive(Debug, Clone)]
pub struct GenerateSecret {
    id: GivenId<ClientId>,
}

impl Operation for GenerateSecret {
    type Answer = OAuthClientResponse;

    const NAME: &'static str = "oauth_clients.generate_secret";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::put(format!("{PATH}/{}/generate_secret", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}
