//! Clients of every account: `/api/v2/oauth/global_clients`. For administrators.

use tokenry_protocol::api::{
    global_clients::{GlobalClientObject, GlobalClientsResponse},
    pagination::{PageParameters, Pagination},
};

use crate::{
    Call, Error, List, Operation, Response, operation::read_json, pagination::FIRST,
    request::Outline,
};

/// Clients of every account, which an account can only look at.
pub struct GlobalClients<'c, C> {
    pub(super) client: &'c C,
}

impl<'c, C> GlobalClients<'c, C> {
    /// Lists the global clients that users of this account have let in.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`BadRequest`](crate::RefusalKind::BadRequest): a cursor of another list.
    pub fn list(&self) -> Call<'c, C, ListGlobalClients> {
        Call::new(self.client, ListGlobalClients { page: FIRST })
    }
}

/// [`GlobalClients::list`]
#[derive(Debug, Clone)]
pub struct ListGlobalClients {
    page: PageParameters,
}

impl Operation for ListGlobalClients {
    type Answer = GlobalClientsResponse;

    const NAME: &'static str = "global_clients.list";

    fn outline(&self) -> Result<Outline, Error> {
        let mut outline = Outline::get("/api/v2/oauth/global_clients");
        outline.query.extend(self.page.pairs());
        Ok(outline)
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

impl List for ListGlobalClients {
    type Item = GlobalClientObject;

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
        page.global_clients
    }
}
