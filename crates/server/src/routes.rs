//! Every method and URL, in one table. Start here.
//!
//! Each row names a path, its methods with their handlers, and what it is for. From the table come
//! the router, the answers to OPTIONS and to methods that are not offered, and `docs/endpoints.md`.

mod way;

use std::pin::Pin;

use axum::{
    extract::Request,
    handler::Handler,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::ALLOW};
use tokenry_protocol::api::error::ErrorBody;

use crate::{
    api::{api_tokens, clients, global_clients, tokens, users},
    endpoints::{authorization, health, introspection, metadata, revocation, token},
    pages::{assets, connections, error::PageError, home, sign_in, sign_out},
    respond::{self, ApiError, OAuthError},
    row::{Origins, Row},
    state::AppState,
    views::Problem,
};

use self::way::Ways;

/// Whose manners a path has, for what happens before a handler is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// The record API: its error bodies, `.json` welcome.
    Record,
    /// The grant endpoints: RFC 6749's error bodies.
    OAuth,
    /// A page, or a document.
    Page,
}

/// One path.
pub struct Route {
    row: Row,
    summary: &'static str,
    manners: Manners,
    methods: Vec<Offered>,
    /// For `Allow`: with what comes by itself.
    allow: HeaderValue,
}

/// One method of a path.
struct Offered {
    method: &'static str,
    handler: &'static str,
    call: Call,
}

/// A handler, ready to be called.
type Call = Box<dyn Fn(Request, AppState) -> Answering + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// One method of one path, for the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documented {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// The path, with `{id}` where an id stands.
    pub path: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// The handler, as `module::function` within this crate.
    pub handler: String,
}

fn record(path: &'static str, summary: &'static str) -> Route {
    Route::new(path, summary, Manners::Record, Origins::Own)
}

fn oauth(path: &'static str, summary: &'static str, origins: Origins) -> Route {
    Route::new(path, summary, Manners::OAuth, origins)
}

fn page(path: &'static str, summary: &'static str) -> Route {
    Route::new(path, summary, Manners::Page, Origins::Own)
}

fn document(path: &'static str, summary: &'static str) -> Route {
    Route::new(path, summary, Manners::Page, Origins::Any)
}

fn table() -> Vec<Route> {
    [records(), grants(), pages(), operation()].into_iter().flatten().collect()
}

fn records() -> Vec<Route> {
    vec![
        record("/api/v2/oauth/tokens", "OAuth tokens: list, create")
            .get(tokens::list)
            .post(tokens::create),
        record("/api/v2/oauth/tokens/current", "The token that authenticates the call")
            .get(tokens::current)
            .delete(tokens::revoke_current),
        record("/api/v2/oauth/tokens/{id}", "One OAuth token: show, revoke")
            .get(tokens::show)
            .delete(tokens::revoke),
        record("/api/v2/tokens/{id}", "The same, at the address in a record's `url`")
            .get(tokens::show)
            .delete(tokens::revoke),
        record("/api/v2/oauth/clients", "OAuth clients: list, create")
            .get(clients::list)
            .post(clients::create),
        record("/api/v2/oauth/clients/{id}", "One OAuth client: show, update, delete")
            .get(clients::show)
            .put(clients::update)
            .delete(clients::delete),
        record("/api/v2/clients/{id}", "The same, at the address in a record's `url`")
            .get(clients::show)
            .put(clients::update)
            .delete(clients::delete),
        record("/api/v2/oauth/clients/{id}/generate_secret", "A new client secret")
            .put(clients::generate_secret),
        record("/api/v2/users/me/oauth/clients", "OAuth clients of the caller")
            .get(clients::list_mine),
        record(
            "/api/v2/oauth/global_clients",
            "Clients of every account that users of this one have let in",
        )
        .get(global_clients::list),
        record("/api/v2/users/me", "Who calls").get(users::me),
        record("/api/v2/users/{id}", "One user").get(users::show),
        record("/api/v2/api_tokens", "API tokens: list, create")
            .get(api_tokens::list)
            .post(api_tokens::create),
        record("/api/v2/api_tokens/{id}", "One API token: show, update, delete")
            .get(api_tokens::show)
            .put(api_tokens::update)
            .delete(api_tokens::delete),
    ]
}

fn grants() -> Vec<Route> {
    vec![
        page("/oauth/authorizations/new", "Authorization endpoint (RFC 6749 §3.1)")
            .get(authorization::new)
            .post(authorization::new_by_post),
        page("/oauth/authorize", "The same, where some clients look for it")
            .get(authorization::new)
            .post(authorization::new_by_post),
        page("/oauth/authorizations", "The user's answer on the consent page")
            .post(authorization::decide),
        oauth(
            "/oauth/tokens",
            "Token endpoint, the record API's door: JSON or form, 201",
            Origins::Any,
        )
        .post(token::record_door),
        oauth("/oauth/token", "Token endpoint, the standard's door (RFC 6749 §3.2)", Origins::Any)
            .post(token::standard_door),
        oauth("/oauth/revoke", "Revocation (RFC 7009)", Origins::Any).post(revocation::revoke),
        oauth("/oauth/introspect", "Introspection (RFC 7662)", Origins::Own)
            .post(introspection::introspect),
        document("/.well-known/oauth-authorization-server", "Metadata (RFC 8414)")
            .get(metadata::show),
    ]
}

fn pages() -> Vec<Route> {
    vec![
        page("/", "Where to go").get(home::show),
        page("/sign-in", "Sign in").get(sign_in::show).post(sign_in::submit),
        page("/sign-out", "Sign out").post(sign_out::submit),
        page("/signed-out", "What one sees after that").get(sign_out::show),
        page("/account/connections", "What has access to the account").get(connections::show),
        page("/account/connections/{id}/revoke", "End an access").post(connections::revoke),
        page("/assets/{file}", "Stylesheet and mark").get(assets::serve),
    ]
}

fn operation() -> Vec<Route> {
    vec![
        page("/healthz", "Whether the process is up").get(health::healthz),
        page("/readyz", "Whether the store answers").get(health::readyz),
    ]
}

impl Route {
    fn new(path: &'static str, summary: &'static str, manners: Manners, origins: Origins) -> Self {
        let allow = HeaderValue::from_static("OPTIONS");
        Self { row: Row::new(path, origins), summary, manners, methods: Vec::new(), allow }
    }

    fn get<H: Handler<T, AppState, Future = Answering>, T: 'static>(self, handler: H) -> Self {
        self.on("GET", handler)
    }

    fn post<H: Handler<T, AppState, Future = Answering>, T: 'static>(self, handler: H) -> Self {
        self.on("POST", handler)
    }

    fn put<H: Handler<T, AppState, Future = Answering>, T: 'static>(self, handler: H) -> Self {
        self.on("PUT", handler)
    }

    fn delete<H: Handler<T, AppState, Future = Answering>, T: 'static>(self, handler: H) -> Self {
        self.on("DELETE", handler)
    }

    fn on<H, T>(mut self, method: &'static str, handler: H) -> Self
    where
        H: Handler<T, AppState, Future = Answering>,
        T: 'static,
    {
        let call = move |request, state| handler.clone().call(request, state);
        let handler = std::any::type_name::<H>();
        self.methods.push(Offered { method, handler, call: Box::new(call) });
        let allow = format!("{}, OPTIONS", self.offered().join(", "));
        self.allow = HeaderValue::from_str(&allow).unwrap_or(self.allow);
        self
    }

    /// `GET` brings `HEAD` with it (RFC 9110 §9.3.2).
    fn offered(&self) -> Vec<&'static str> {
        let with_head = |offered: &Offered| match offered.method {
            "GET" => vec!["GET", "HEAD"],
            method => vec![method],
        };
        self.methods.iter().flat_map(with_head).collect()
    }
}

/// The whole table, to be asked.
pub struct Routes {
    ways: Ways,
    table: Vec<Route>,
}

impl Default for Routes {
    fn default() -> Self {
        let table = table();
        Self { ways: Ways::new(table.iter().map(|route| route.row.path())), table }
    }
}

impl Routes {
    /// Which row the path belongs to; what stands in it where an id does is put beside the request.
    pub fn find<B>(&self, request: &mut http::Request<B>) -> Option<&Route> {
        let (at, segment) = self.ways.find(request.uri().path())?;
        if let Some(segment) = segment {
            request.extensions_mut().insert(segment);
        }
        self.table.get(at)
    }
}

impl Route {
    /// What all requests for the path have in common.
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// Answers by the handler of the request's method, or says what there is instead.
    pub async fn answer(&self, request: Request, state: &AppState) -> Response {
        let asked = match request.method().as_str() {
            "HEAD" => "GET",
            method => method,
        };
        match self.methods.iter().find(|offered| offered.method == asked) {
            Some(offered) => (offered.call)(request, state.clone()).await,
            None if asked == "OPTIONS" => respond::options(self.allow.clone()),
            None => not_offered(self.manners, &self.offered(), self.allow.clone()),
        }
    }
}

/// 405 in the manners of the path.
fn not_offered(manners: Manners, offered: &[&str], allow: HeaderValue) -> Response {
    let words = match offered {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    };
    match manners {
        Manners::OAuth => {
            let mut response = OAuthError::MethodNotAllowed(allow).into_response();
            respond::mark_uncacheable(response.headers_mut());
            response
        }
        Manners::Record | Manners::Page => {
            let body = ErrorBody::method_not_allowed(&words);
            respond::with(respond::json(StatusCode::METHOD_NOT_ALLOWED, &body), ALLOW, allow)
        }
    }
}

/// Every method of every path, in the order of the table.
pub fn documented() -> Vec<Documented> {
    let of_route = |route: Route| {
        let Route { row, summary, methods, .. } = route;
        methods.into_iter().map(move |Offered { method, handler, .. }| {
            let handler = handler.trim_start_matches("tokenry_server::").to_owned();
            Documented { method, path: row.path(), summary, handler }
        })
    };
    table().into_iter().flat_map(of_route).collect()
}

/// 404 in the manners of the record API, or as a page.
pub fn not_found(path: &str) -> Response {
    if path.starts_with("/api/") {
        return ApiError::InvalidEndpoint.into_response();
    }
    PageError::Problem(Problem::NotFound).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_in_the_table_once() {
        let mut paths: Vec<_> = table().iter().map(|route| route.row.path()).collect();
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }
}
