//! What the workers ask for. `None` is no answer: the server is gone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokenry_protocol::secret::Credential;
use ureq::http::{Request, Response};

/// A registered client.
pub(crate) struct App {
    identifier: String,
    secret: String,
}

/// A caller of one server.
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
}

const CALLBACK: &str = "http://127.0.0.1:9/callback";

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
        Self { agent: config.build().into(), base: base.to_owned() }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Response<ureq::Body>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.agent.run(request.body(body.to_owned()).unwrap()).ok()
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Option<(u16, String)> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        read(self.send("POST", path, &headers, &form.finish())?)
    }

    /// A client, and `grants` grants of one user: their access and refresh tokens.
    pub(crate) fn prepare(&self, admin: &Value, grants: usize) -> (App, Vec<(String, String)>) {
        let text = |name: &str| admin[name].as_str().unwrap().to_owned();
        let basic = basic(admin);
        let headers = [("authorization", basic.as_str()), ("content-type", "application/json")];
        let body = json!({"client": {
            "name": "Durable", "identifier": "durable", "redirect_uri": [CALLBACK],
        }});
        let made = self.send("POST", "/api/v2/oauth/clients", &headers, &body.to_string()).unwrap();
        let (status, text_of) = read(made).unwrap();
        assert_eq!(status, 201, "{text_of}");
        let made: Value = serde_json::from_str(&text_of).unwrap();
        let secret = made["client"]["secret"].as_str().unwrap().to_owned();
        let app = App { identifier: "durable".to_owned(), secret };

        let mut browser = Browser { client: self, cookies: Vec::new() };
        browser.sign_in(&text("email"), &text("password"));
        let pairs = (0..grants).map(|_| {
            let code = browser.consent(&app);
            self.redeem(&app, &code)
        });
        let pairs = pairs.collect();
        (app, pairs)
    }

    fn redeem(&self, app: &App, code: &str) -> (String, String) {
        let (status, text) = self
            .form(
                "/oauth/token",
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", CALLBACK),
                    ("client_id", &app.identifier),
                    ("client_secret", &app.secret),
                ],
            )
            .unwrap();
        assert_eq!(status, 200, "{text}");
        pair(&text)
    }

    pub(crate) fn issue(&self, app: &App) -> Option<String> {
        let (status, text) = self.form(
            "/oauth/token",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", &app.identifier),
                ("client_secret", &app.secret),
            ],
        )?;
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        Some(answer["access_token"].as_str().unwrap().to_owned())
    }

    pub(crate) fn refresh(&self, app: &App, refresh: &str) -> Option<(String, String)> {
        let (status, text) = self.form(
            "/oauth/token",
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh),
                ("client_id", &app.identifier),
                ("client_secret", &app.secret),
            ],
        )?;
        assert_eq!(status, 200, "{text}");
        Some(pair(&text))
    }

    pub(crate) fn revoke(&self, app: &App, access: &str) -> Option<()> {
        let (status, text) = self.form(
            "/oauth/revoke",
            &[("token", access), ("client_id", &app.identifier), ("client_secret", &app.secret)],
        )?;
        assert_eq!(status, 200, "{text}");
        Some(())
    }

    /// Who a user's API token says one is.
    pub(crate) fn me(&self, user: &Value) -> Value {
        let basic = basic(user);
        let headers = [("authorization", basic.as_str())];
        let (status, text) =
            read(self.send("GET", "/api/v2/users/me", &headers, "").unwrap()).unwrap();
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["user"].clone()
    }

    /// The status of the same question.
    pub(crate) fn status_of_me(&self, user: &Value) -> u16 {
        let basic = basic(user);
        let headers = [("authorization", basic.as_str())];
        self.send("GET", "/api/v2/users/me", &headers, "").unwrap().status().as_u16()
    }

    /// The status of an address that asks for nothing.
    pub(crate) fn status_of(&self, path: &str) -> u16 {
        self.send("GET", path, &[], "").unwrap().status().as_u16()
    }

    /// The text of an address that asks for nothing.
    pub(crate) fn text_of(&self, path: &str) -> String {
        read(self.send("GET", path, &[], "").unwrap()).unwrap().1
    }

    /// `used_at` of the record of a token, as an administrator sees it.
    pub(crate) fn used_at(&self, admin: &Value, access: &str) -> Option<String> {
        let id = Credential::parse(access).unwrap().parts().id;
        let basic = basic(admin);
        let headers = [("authorization", basic.as_str())];
        let path = format!("/api/v2/oauth/tokens/{id}.json");
        let (status, text) = read(self.send("GET", &path, &headers, "").unwrap()).unwrap();
        assert_eq!(status, 200, "{text}");
        let record: Value = serde_json::from_str(&text).unwrap();
        record["token"]["used_at"].as_str().map(str::to_owned)
    }

    pub(crate) fn is_alive(&self, access: &str) -> Option<bool> {
        let bearer = format!("Bearer {access}");
        let headers = [("authorization", bearer.as_str())];
        let (status, text) =
            read(self.send("GET", "/api/v2/oauth/tokens/current", &headers, "")?)?;
        match status {
            200 => Some(true),
            401 => Some(false),
            status => panic!("{status}: {text}"),
        }
    }
}

/// An administrator's credentials.
fn basic(admin: &Value) -> String {
    let text = |name: &str| admin[name].as_str().unwrap();
    let pair = format!("{}/token:{}", text("email"), text("api_token"));
    format!("Basic {}", STANDARD.encode(pair))
}

/// An answer counts once it was read whole.
fn read(mut response: Response<ureq::Body>) -> Option<(u16, String)> {
    let status = response.status().as_u16();
    Some((status, response.body_mut().read_to_string().ok()?))
}

fn pair(text: &str) -> (String, String) {
    let answer: Value = serde_json::from_str(text).unwrap();
    let token = |name: &str| answer[name].as_str().unwrap().to_owned();
    (token("access_token"), token("refresh_token"))
}

/// As little of a browser as consenting needs.
struct Browser<'a> {
    client: &'a Client,
    cookies: Vec<(String, String)>,
}

impl Browser<'_> {
    fn sign_in(&mut self, email: &str, password: &str) {
        let (_, page) = self.visit("GET", "/sign-in", &[]);
        let token = field(&page, "page_token");
        let (status, _) = self.visit(
            "POST",
            "/sign-in",
            &[("email", email), ("password", password), ("page_token", &token)],
        );
        assert_eq!(status.0, 303);
    }

    /// A grant that holds already needs no page, so consent is asked for each time.
    fn consent(&mut self, app: &App) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &app.identifier),
            ("redirect_uri", CALLBACK),
            ("prompt", "consent"),
        ]);
        let path = format!("/oauth/authorizations/new?{}", query.finish());
        let (status, page) = self.visit("GET", &path, &[]);
        assert_eq!(status.0, 200, "{page}");
        let (request, token) = (field(&page, "request"), field(&page, "page_token"));
        let (status, _) = self.visit(
            "POST",
            "/oauth/authorizations",
            &[("request", &request), ("page_token", &token), ("decision", "allow")],
        );
        assert_eq!(status.0, 303);
        let back = url::Url::parse(&status.1.unwrap()).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code").unwrap();
        code.1.into_owned()
    }

    fn visit(
        &mut self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> ((u16, Option<String>), String) {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let headers = [
            ("cookie", cookies.join("; ")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let response = self.client.send(method, path, &headers, &body.finish()).unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let location = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        let (status, text) = read(response).unwrap();
        ((status, location), text)
    }
}

fn field(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\"");
    let input =
        page.split("<input").find(|input| input.split('>').next().unwrap().contains(&marker));
    let input = input.unwrap_or_else(|| panic!("no field {name} in\n{page}"));
    let value = input.split_once("value=\"").unwrap().1.split('"').next().unwrap();
    value.replace("&#38;", "&").replace("&amp;", "&")
}
