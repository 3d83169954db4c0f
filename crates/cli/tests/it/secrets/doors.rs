//! The error paths: each takes any text where something else belongs.

use super::{
    cast::{CALLBACK, Cast, basic},
    wire::{FORM, Request, encoded, form, json, request},
};

/// One way to hand the server what does not belong there.
pub(crate) struct Door<'a> {
    pub(crate) name: &'static str,
    pub(crate) request: Box<dyn Fn(&str) -> Request + 'a>,
    returned: Returned,
}

/// Whether the sender gets back what was sent, as it must.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returned {
    /// No answer repeats it.
    Never,
    /// `state` and the request around it come back to the browser that sent them (RFC 6749
    /// §4.1.2), and a list's links keep the parameters that the list does not know.
    Always,
    /// What somebody mistyped is shown to them; only what has a credential's form is known to be
    /// no such thing.
    UnlessCredential,
}

impl Door<'_> {
    /// Whether this text comes back to its sender by right.
    pub(crate) fn returns(&self, text: &str) -> bool {
        match self.returned {
            Returned::Never => false,
            Returned::Always => true,
            Returned::UnlessCredential => !text.contains("_tokenry_"),
        }
    }
}

fn door<'a>(name: &'static str, request: impl Fn(&str) -> Request + 'a) -> Door<'a> {
    Door { name, request: Box::new(request), returned: Returned::Never }
}

fn returning<'a>(
    returned: Returned,
    name: &'static str,
    request: impl Fn(&str) -> Request + 'a,
) -> Door<'a> {
    Door { returned, ..door(name, request) }
}

/// Every door. Of secrets that are right where they are sent, the answer is searched all the same.
pub(crate) fn all(cast: &Cast) -> Vec<Door<'_>> {
    [headers(cast), addresses(cast), grants(cast), records(cast), pages(cast), framing()]
        .into_iter()
        .flatten()
        .collect()
}

const ME: &str = "/api/v2/users/me";

fn headers(cast: &Cast) -> Vec<Door<'_>> {
    let me = || request("GET", ME);
    vec![
        door("an unknown scheme", move |text| {
            me().header("authorization", &format!("Token {text}"))
        }),
        door("no scheme", move |text| me().header("authorization", text)),
        door("Basic that is no Base64", move |text| {
            me().header("authorization", &format!("Basic {text}"))
        }),
        door("Basic, as the user", move |text| me().header("authorization", &basic(text, "x"))),
        door("Basic, as the password", move |text| {
            me().header("authorization", &basic("ada@acme.test", &format!("{text}x")))
        }),
        door("Basic, as another's API token", move |text| {
            me().header("authorization", &basic("nobody@acme.test/token", text))
        }),
        door("Bearer, made longer", move |text| {
            me().header("authorization", &format!("Bearer {text}x"))
        }),
        door("Bearer and Basic", move |text| {
            let request = me().header("authorization", &format!("Bearer {text}"));
            request.header("authorization", &basic(text, text))
        }),
        door("Basic of a client, as its secret", |text| {
            form("/oauth/token", &[("grant_type", "client_credentials")])
                .header("authorization", &basic("nobody", &encoded(text)))
        }),
        door("Basic of a client, turned round", |text| {
            form("/oauth/token", &[("grant_type", "client_credentials")])
                .header("authorization", &basic(&encoded(text), "app"))
        }),
        door("another method override", move |text| {
            cast.by_admin(request("GET", "/api/v2/nothing")).header("x-http-method-override", text)
        }),
        door("forwarding headers", |text| {
            request("GET", "/nothing")
                .header("x-forwarded-for", text)
                .header("x-forwarded-host", text)
        }),
        door("the user agent and the page before", |text| {
            request("GET", "/nothing").header("user-agent", text).header("referer", text)
        }),
        door("the content type", move |text| {
            let body = cast.by_admin(request("POST", "/api/v2/oauth/clients"));
            body.header("content-type", text).body(b"{}")
        }),
        door("a cookie", |text| {
            request("GET", "/account/connections")
                .header("cookie", &format!("tokenry_session={text}x"))
        }),
        door("every cookie there is", |text| {
            let cookies = ["browser", "known", "notice", "other"]
                .map(|name| format!("tokenry_{name}={text}"))
                .join("; ");
            request("GET", "/account/connections").header("cookie", &cookies)
        }),
        door("the id of the request", |text| {
            request("GET", "/nothing").header("x-request-id", label(text))
        }),
        door("the id of a request for a page", |text| {
            request("GET", "/sign-in/nothing").header("x-request-id", label(text))
        }),
    ]
}

fn addresses(cast: &Cast) -> Vec<Door<'_>> {
    vec![
        door("a path that is not there", |text| request("GET", &format!("/{}", encoded(text)))),
        door("a path of the record API", move |text| {
            cast.by_admin(request("GET", &format!("/api/v2/{}", encoded(text))))
        }),
        door("the id of a record", move |text| {
            let path = format!("/api/v2/oauth/tokens/{}.json", encoded(text));
            cast.by_admin(request("GET", &path))
        }),
        door("an asset", |text| request("GET", &format!("/assets/{}", encoded(text)))),
        door("the method", |text| request(&token_of(text), "/oauth/token")),
        door("?access_token", |text| {
            request("GET", &format!("{ME}?access_token={}", encoded(text)))
        }),
        door("secrets in the query of a grant", move |text| {
            let target = format!("/oauth/token?client_secret={}&code=x", encoded(text));
            form(&target, &[("grant_type", "client_credentials")])
        }),
        door("parameters in the query of the record door", move |text| {
            let text = encoded(text);
            let query = format!("grant_type=refresh_token&refresh_token={text}&client_id={text}");
            let target = format!("/oauth/tokens?{query}&client_secret={text}&code_verifier={text}");
            form(&target, &[])
        }),
        door("an address that is too long", |text| {
            request("GET", &format!("/{}", encoded(text).repeat(300)))
        }),
        door("a header that is too long", |text| {
            request("GET", ME).header("x-a", &text.repeat(700))
        }),
        door("a cursor", move |text| {
            let target = format!("/api/v2/oauth/tokens?page[after]={}", encoded(text));
            cast.by_admin(request("GET", &target.replace('[', "%5B").replace(']', "%5D")))
        }),
        door("a page number", move |text| {
            cast.by_admin(request("GET", &format!("/api/v2/oauth/tokens?page={}", encoded(text))))
        }),
        door("a filter", move |text| {
            cast.by_admin(request(
                "GET",
                &format!("/api/v2/oauth/tokens?client_id={}", encoded(text)),
            ))
        }),
        returning(Returned::Always, "a parameter that a list does not know", move |text| {
            let target = format!("/api/v2/oauth/tokens?per_page=1&x={}", encoded(text));
            cast.by_admin(request("GET", &target))
        }),
    ]
}

fn grants(cast: &Cast) -> Vec<Door<'_>> {
    let mut doors = vec![
        door("the grant type", |text| form("/oauth/token", &[("grant_type", text)])),
        door("the client", |text| {
            form("/oauth/token", &[("grant_type", "client_credentials"), ("client_id", text)])
        }),
        door("the client's secret", |text| {
            let fields =
                [("grant_type", "client_credentials"), ("client_id", "x"), ("client_secret", text)];
            form("/oauth/token", &fields)
        }),
        returning(Returned::UnlessCredential, "the name of a parameter", |text| {
            form("/oauth/token", &[(text, "x"), (text, "y")])
        }),
        door("a form with broken UTF-8", |text| {
            let body = [b"code=", text.as_bytes(), b"&a=%ff"].concat();
            request("POST", "/oauth/token").header("content-type", FORM).body(&body)
        }),
        door("JSON at the standard's door", |text| json("POST", "/oauth/token", &quoted(text))),
        door("JSON that breaks off", |text| json("POST", "/oauth/tokens", &quoted(text)[..])),
        door("JSON of the wrong type", |text| {
            json("POST", "/oauth/tokens", &format!("{{\"grant_type\":[{}]}}", quoted(text)))
        }),
        door("a bearer token in JSON", |text| {
            json("POST", "/oauth/tokens", &format!("{{\"access_token\":{}}}", quoted(text)))
        }),
        door("JSON with a name twice", |text| {
            let quoted = quoted(text);
            json("POST", "/oauth/tokens", &format!("{{{quoted}:1,{quoted}:2}}"))
        }),
        door("a body that is too long", |text| {
            request("POST", "/oauth/token")
                .header("content-type", FORM)
                .body(text.repeat(3_000).as_bytes())
        }),
        door("what is revoked, by nobody", |text| form("/oauth/revoke", &[("token", text)])),
        door("what is introspected, by nobody", |text| {
            form("/oauth/introspect", &[("token", text)])
        }),
        door("the kind of what is revoked", |text| {
            form(
                "/oauth/revoke",
                &[("token", "x"), ("token_type_hint", text), ("client_id", "app")],
            )
        }),
    ];
    for name in ["scope", "expires_in"] {
        let shown = Returned::UnlessCredential;
        doors.push(returning(shown, "a wish of the client's own grant", move |text| {
            cast.grant("client_credentials", &[(name, text)])
        }));
    }
    doors.push(door("the code", move |text| {
        cast.grant("authorization_code", &[("code", &format!("{text}x"))])
    }));
    doors.push(door("the redirect address and the verifier", move |text| {
        let fields = [("code", "x"), ("redirect_uri", text), ("code_verifier", text)];
        cast.grant("authorization_code", &fields)
    }));
    doors.push(door("the refresh token", move |text| {
        cast.grant("refresh_token", &[("refresh_token", &format!("{text}x"))])
    }));
    doors
}

fn records(cast: &Cast) -> Vec<Door<'_>> {
    let client = move |body: String| cast.by_admin(json("POST", "/api/v2/oauth/clients", &body));
    vec![
        door("the body, without quotes", move |text| client(text.to_owned())),
        door("the body, as a string", move |text| client(quoted(text))),
        door("the wrapper", move |text| client(format!("{{{}:{{}}}}", quoted(text)))),
        door("an identifier", move |text| {
            client(format!(
                r#"{{"client":{{"name":"x","identifier":{}}}}}"#,
                quoted(&format!("{text} ."))
            ))
        }),
        door("a name beside what is missing", move |text| {
            client(format!(r#"{{"client":{{"name":{}}}}}"#, quoted(text)))
        }),
        door("a redirect address", move |text| {
            client(format!(
                r#"{{"client":{{"name":"x","identifier":"x","redirect_uri":[{}]}}}}"#,
                quoted(&format!("http://{text}/"))
            ))
        }),
        returning(Returned::UnlessCredential, "scopes of a client", move |text| {
            client(format!(
                r#"{{"client":{{"name":"x","identifier":"x","allowed_scopes":[{}]}}}}"#,
                quoted(text)
            ))
        }),
        door("every other member", move |text| {
            let text = quoted(text);
            client(format!(
                r#"{{"client":{{"kind":{text},"user_id":{text},"grant_types":[{text}],"disabled":{text}}}}}"#
            ))
        }),
        returning(Returned::UnlessCredential, "a token's client and scopes", move |text| {
            let text = quoted(text);
            let body = format!(r#"{{"token":{{"client_id":{text},"scopes":[{text}]}}}}"#);
            cast.by_admin(json("POST", "/api/v2/oauth/tokens", &body))
        }),
        door("an API token's user", move |text| {
            let body = format!(r#"{{"api_token":{{"assigned_user_id":{}}}}}"#, quoted(text));
            cast.by_admin(json("POST", "/api/v2/api_tokens", &body))
        }),
    ]
}

fn pages(cast: &Cast) -> Vec<Door<'_>> {
    let mut doors = vec![
        returning(Returned::UnlessCredential, "the client of a page", |text| {
            request("GET", &Cast::authorization(&[("client_id", text)]))
        }),
        returning(Returned::UnlessCredential, "the redirect address of a page", |text| {
            request("GET", &Cast::authorization(&[("redirect_uri", text)]))
        }),
        returning(Returned::UnlessCredential, "within the redirect address", |text| {
            let address = format!("{CALLBACK}?token={text}");
            request("GET", &Cast::authorization(&[("redirect_uri", &address)]))
        }),
        returning(Returned::UnlessCredential, "the name of a parameter of a page", |text| {
            request("GET", &Cast::authorization(&[(text, "1"), (text, "2")]))
        }),
        returning(Returned::Always, "the state", |text| {
            request("GET", &Cast::authorization(&[("state", text)]))
        }),
        door("a sign-in's password, without a page token", |text| {
            form(
                "/sign-in",
                &[("email", "ben@acme.test"), ("password", text), ("page_token", text)],
            )
        }),
        returning(Returned::UnlessCredential, "a sign-in as a secret", |text| {
            form("/sign-in", &[("email", text), ("password", "x")])
        }),
        door("where a sign-in leads to", |text| {
            request("GET", &format!("/sign-in?return_to={}", encoded(&format!("//{text}/"))))
        }),
        door("the answer of a consent", move |text| {
            let fields = [("request", text), ("page_token", text), ("decision", text)];
            cast.by_browser(form("/oauth/authorizations", &fields))
        }),
        door("the end of a connection", move |text| {
            let path = format!("/account/connections/{}/revoke", encoded(text));
            cast.by_browser(form(&path, &[("page_token", text)]))
        }),
        door("a page in JSON", |text| json("POST", "/sign-in", &quoted(text))),
    ];
    for (name, returned) in [
        ("response_type", Returned::Never),
        ("scope", Returned::UnlessCredential),
        ("code_challenge", Returned::Never),
        ("code_challenge_method", Returned::Never),
        // Unknown words are ignored, and the request comes back after the sign-in.
        ("prompt", Returned::Always),
    ] {
        doors.push(returning(returned, "a wrong part of an authorization request", move |text| {
            let wrong = format!("{text} \"");
            request("GET", &Cast::authorization(&[(name, &wrong)]))
        }));
    }
    doors
}

fn framing() -> Vec<Door<'static>> {
    vec![
        door("two framings", |text| {
            let request = request("POST", "/oauth/token").header("transfer-encoding", "chunked");
            request.body(text.as_bytes())
        }),
        door("another version of HTTP", |text| {
            request("GET", &format!("/{} HTTP/9.9\r\nx:", encoded(text)))
        }),
        door("a length that is no number", |text| {
            request("POST", "/oauth/token").header("content-length", text)
        }),
    ]
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The caller's own label for a request is logged as one, whatever it says; only what has a
/// credential's form is known to be none.
fn label(text: &str) -> &str {
    if text.contains("_tokenry_") { text } else { "a-label" }
}

/// Methods have letters, digits and a few signs (RFC 9110 §9.1).
fn token_of(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)).collect()
}
