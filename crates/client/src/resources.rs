//! Everything that can be asked, a resource a module, as the API's own pages have it.

pub mod api_tokens;
pub mod authorization_server;
pub mod global_clients;
pub mod grant_type_tokens;
pub mod oauth_clients;
pub mod oauth_tokens;
pub mod users;

use crate::SansIo;

/// The resources, the same for whoever does what they describe.
macro_rules! resources {
    ($($client:ty),* $(,)?) => {$(
        impl $client {
            /// Token records: `/api/v2/oauth/tokens`.
            pub const fn oauth_tokens(&self) -> oauth_tokens::OAuthTokens<'_, Self> {
                oauth_tokens::OAuthTokens { client: self }
            }

            /// Clients: `/api/v2/oauth/clients`.
            pub const fn oauth_clients(&self) -> oauth_clients::OAuthClients<'_, Self> {
                oauth_clients::OAuthClients { client: self }
            }

            /// Clients of every account: `/api/v2/oauth/global_clients`.
            pub const fn global_clients(&self) -> global_clients::GlobalClients<'_, Self> {
                global_clients::GlobalClients { client: self }
            }

            /// The token endpoint: codes, refresh tokens and client credentials.
            pub const fn grant_type_tokens(&self) -> grant_type_tokens::GrantTypeTokens<'_, Self> {
                grant_type_tokens::GrantTypeTokens { client: self }
            }

            /// Users: `/api/v2/users`.
            pub const fn users(&self) -> users::Users<'_, Self> {
                users::Users { client: self }
            }

            /// API tokens: `/api/v2/api_tokens`.
            pub const fn api_tokens(&self) -> api_tokens::ApiTokens<'_, Self> {
                api_tokens::ApiTokens { client: self }
            }

            /// What the authorization server says of itself and of tokens: metadata,
            /// introspection, revocation.
            pub const fn authorization_server(
                &self,
            ) -> authorization_server::AuthorizationServer<'_, Self> {
                authorization_server::AuthorizationServer { client: self }
            }
        }
    )*};
}

resources!(SansIo);
#[cfg(feature = "client")]
resources!(crate::Client);
#[cfg(feature = "blocking")]
resources!(crate::blocking::Client);
