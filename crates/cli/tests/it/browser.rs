//! As little of a browser as consenting needs.

use serde_json::Value;

use crate::client::{Answer, App, CALLBACK, Client};

/// A browser whose user is signed in. A copy is another window of the same.
#[derive(Clone)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn signed_in(client: &Client, user: &Value) -> Self {
        let mut browser = Self { cookies: Vec::new() };
        let page = browser.visit(client, ("GET", "/sign-in"), &[]).unwrap();
        let token = field(&page.text, "page_token");
        let text = |name: &str| user[name].as_str().unwrap();
        let fields =
            [("email", text("email")), ("password", text("password")), ("page_token", &token)];
        browser.visit(client, ("POST", "/sign-in"), &fields).unwrap().expect(303);
        browser
    }

    /// A code; the answer instead of one when the server says that its store is away.
    ///
    /// A grant that holds already needs no page, so consent is asked for each time.
    pub(crate) fn consent(&mut self, client: &Client, app: &App) -> Option<Result<String, Answer>> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &app.identifier),
            ("redirect_uri", CALLBACK),
            ("prompt", "consent"),
        ]);
        let path = format!("/oauth/authorizations/new?{}", query.finish());
        let answer = self.decide(client, &path, "allow")?;
        if answer.status == 503 {
            return Some(Err(answer));
        }
        let back = url::Url::parse(&answer.expect(303).location.unwrap()).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code");
        let code = code.unwrap_or_else(|| panic!("no code in {back}"));
        Some(Ok(code.1.into_owned()))
    }

    /// What the server says to whom it asked at this address, and who has decided.
    pub(crate) fn decide(&mut self, client: &Client, path: &str, decision: &str) -> Option<Answer> {
        let page = self.visit(client, ("GET", path), &[])?;
        if page.status == 503 {
            return Some(page);
        }
        let page = page.expect(200);
        let (request, token) = (field(&page.text, "request"), field(&page.text, "page_token"));
        let fields =
            [("request", request.as_str()), ("page_token", &token), ("decision", decision)];
        self.visit(client, ("POST", "/oauth/authorizations"), &fields)
    }

    fn visit(
        &mut self,
        client: &Client,
        target: (&str, &str),
        form: &[(&str, &str)],
    ) -> Option<Answer> {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let headers = [
            ("cookie", cookies.join("; ")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = client.send(target, &headers, &body.finish())?;
        for cookie in &answer.cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        Some(answer)
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
