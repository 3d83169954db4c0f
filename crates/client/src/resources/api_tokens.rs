//! API tokens: `/api/v2/api_tokens`. For administrators.

use http::StatusCode;
use tokenry_protocol::{
    api::api_tokens::{API_TOKEN, ApiTokenRequest, ApiTokenResponse, ApiTokensResponse},
    ids::{ApiTokenId, UserId},
};

use crate::{
    Call, Error, IntoId, Operation, Response,
    id::{GivenId, given},
    operation::{read_json, read_nothing},
    request::Outline,
};

const PATH: &str = "/api/v2/api_tokens";

/// API tokens: what a program signs in with as its user, by Basic. Zendesk ends its own on 30
/// April 2027.
pub struct ApiTokens<'c, C> {
    pub(super) client: &'c C,
}

impl<'c, C> ApiTokens<'c, C> {
    /// Lists all API tokens in ascending order of id: one page.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`NotFound`](crate::RefusalKind::NotFound): API tokens are switched off.
    pub fn list(&self) -> Call<'c, C, ListApiTokens> {
        Call::new(self.client, ListApiTokens)
    }

    /// Shows one API token.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`NotFound`](crate::RefusalKind::NotFound): no such API token.
    pub fn show(&self, id: impl IntoId<ApiTokenId>) -> Call<'c, C, ShowApiToken> {
        Call::new(self.client, ShowApiToken { id: id.into_id() })
    }

    /// Makes an API token, in full in this answer and never again. Zendesk makes none since 27
    /// October 2026.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator, or none can be
    /// made any more. [`Invalid`](crate::RefusalKind::Invalid): by field, what is wrong.
    pub fn create(&self) -> Call<'c, C, CreateApiToken> {
        Call::new(self.client, CreateApiToken { description: None, assigned_user_id: None })
    }

    /// Changes an API token: its description, or whether it works.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden) and [`NotFound`](crate::RefusalKind::NotFound)
    /// as for showing one. [`Invalid`](crate::RefusalKind::Invalid): by field, what is wrong.
    pub fn update(&self, id: impl IntoId<ApiTokenId>) -> Call<'c, C, UpdateApiToken> {
        let operation = UpdateApiToken { id: id.into_id(), request: ApiTokenRequest::default() };
        Call::new(self.client, operation)
    }

    /// Ends an API token: it is dead when this is answered.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::RefusalKind::Forbidden): the caller is no administrator.
    /// [`NotFound`](crate::RefusalKind::NotFound): no such API token.
    pub fn delete(&self, id: impl IntoId<ApiTokenId>) -> Call<'c, C, DeleteApiToken> {
        Call::new(self.client, DeleteApiToken { id: id.into_id() })
    }
}

/// [`ApiTokens::list`]
#[derive(Debug, Clone)]
pub struct ListApiTokens;

impl Operation for ListApiTokens {
    type Answer = ApiTokensResponse;

    const NAME: &'static str = "api_tokens.list";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get(PATH))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`ApiTokens::show`]
#[derive(Debug, Clone)]
pub struct ShowApiToken {
    id: GivenId<ApiTokenId>,
}

impl Operation for ShowApiToken {
    type Answer = ApiTokenResponse;

    const NAME: &'static str = "api_tokens.show";

    fn outline(&self) -> Result<Outline, Error> {
        Ok(Outline::get(format!("{PATH}/{}", given("id", self.id)?)))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`ApiTokens::create`]
#[derive(Debug, Clone)]
pub struct CreateApiToken {
    description: Option<String>,
    assigned_user_id: Option<GivenId<UserId>>,
}

impl<C> Call<'_, C, CreateApiToken> {
    /// What it is for, at most 255 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.operation.description = Some(description.into());
        self
    }

    /// With whose address it works: the caller's, unless this is called; or every user's, where API
    /// tokens are account-wide, as Zendesk's are.
    pub fn assigned_user_id(mut self, id: impl IntoId<UserId>) -> Self {
        self.operation.assigned_user_id = Some(id.into_id());
        self
    }
}

impl Operation for CreateApiToken {
    type Answer = ApiTokenResponse;

    const NAME: &'static str = "api_tokens.create";

    fn outline(&self) -> Result<Outline, Error> {
        let mut request = ApiTokenRequest::default();
        if let Some(description) = &self.description {
            request.description = description.clone().into();
        }
        if let Some(id) = self.assigned_user_id {
            request.assigned_user_id = Some(given("assigned_user_id", id)?).into();
        }
        Outline::post(PATH).json(&serde_json::json!({ API_TOKEN: request }))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`ApiTokens::update`]
#[derive(Debug, Clone)]
pub struct UpdateApiToken {
    id: GivenId<ApiTokenId>,
    request: ApiTokenRequest,
}

impl<C> Call<'_, C, UpdateApiToken> {
    /// What it is for, at most 255 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.operation.request.description = description.into().into();
        self
    }

    /// Whether it works.
    #[expect(clippy::fn_params_excessive_bools, reason = "it is the parameter of this name")]
    pub fn active(mut self, active: bool) -> Self {
        self.operation.request.active = active.into();
        self
    }
}

impl Operation for UpdateApiToken {
    type Answer = ApiTokenResponse;

    const NAME: &'static str = "api_tokens.update";

    fn outline(&self) -> Result<Outline, Error> {
        let path = format!("{PATH}/{}", given("id", self.id)?);
        Outline::put(path).json(&serde_json::json!({ API_TOKEN: self.request }))
    }

    fn read(&self, response: &Response) -> Result<Self::Answer, Error> {
        read_json(response)
    }
}

/// [`ApiTokens::delete`]
#[derive(Debug, Clone)]
pub struct DeleteApiToken {
    id: GivenId<ApiTokenId>,
}

impl Operation for DeleteApiToken {
    type Answer = ();

    const NAME: &'static str = "api_tokens.delete";

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
