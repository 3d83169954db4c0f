//! Users: `/api/v2/users`.

use tokenry_protocol::{api::users::UserResponse, ids::UserId};

use crate::{
    Call, Error, IntoId, Operation, Response,
    id::{GivenId, given},
    operation::read_json,
    request::Outline,
};

/// Users.
pub struct Users<'c, C> {
    pub(super) client: &'c C,
}

impl<'c, C> Users<'c, C> {
    /// Shows who the call is made as: the way to learn whose a token is. Needs the scope
    /// `users:read` or `read`.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](crate::RefusalKind::Unauthenticated): nobody calls. Zendesk answers a
    /// user without an id.
    pub fn me(&self) -> Call<'c, C, CurrentUser> {
        Call::new(self.client, CurrentUser)
    }

    /// Shows one user: oneself, or anybody to an administrator.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::RefusalKind::NotFound): no such user, or not for the caller to see.
    pub fn show(&self, id: impl IntoId<UserId>) -> Call<'c, C, ShowUser> {
        Call::new(self.client, ShowUser { id: id.into_id() })
    }
}

/// [`Users::me`]
#[derive(Debug, Clone)]
pub struct CurrentUser;

impl Operation for CurrentUser {
    type Answer = UserResponse;

    const NAME: &'static str = "users.me";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get("/api/v2/users/me"))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`Users::show`]
#[derive(Debug, Clone)]
pub struct ShowUser {
    id: GivenId<UserId>,
}

impl Operation for ShowUser {
    type Answer = UserResponse;

    const NAME: &'static str = "users.show";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get(format!("/api/v2/users/{}", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}
