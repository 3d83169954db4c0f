//! What a user does in a browser: sign in, read, consent.

use anyhow::{Context, bail};

use super::http::{Answer, Body, Credentials, Http};

/// A browser with its cookies.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// Follows a consent journey from the client's link to the client's callback, and gives the
    /// address that the user is sent back to.
    pub(crate) fn consent(
        &mut self,
        http: &Http,
        link: &str,
        (email, password): (&str, &str),
    ) -> anyhow::Result<String> {
        let mut answer = self.get(http, link)?;
        if let Some(sign_in) = answer.location.clone() {
            answer = self.get(http, &sign_in)?.expect(200)?;
            let token = field(&answer.text, "page_token")?;
            let return_to = field(&answer.text, "return_to")?;
            let form = [
                ("email", email),
                ("password", password),
                ("page_token", &token),
                ("return_to", &return_to),
            ];
            let back = self.post(http, "/sign-in", &form)?.expect(303)?;
            answer = self.get(http, &back.location.context("no way back from signing in")?)?;
        }
        let answer = answer.expect(200)?;
        let (request, token) =
            (field(&answer.text, "request")?, field(&answer.text, "page_token")?);
        let form = [("request", request.as_str()), ("page_token", &token), ("decision", "allow")];
        let sent_back = self.post(http, "/oauth/authorizations", &form)?.expect(303)?;
        sent_back.location.context("no way back to the client")
    }

    fn get(&mut self, http: &Http, path: &str) -> anyhow::Result<Answer> {
        let answer = http.send("GET", path, &Credentials::Cookies(&self.header()), &Body::Empty)?;
        self.keep(answer)
    }

    fn post(&mut self, http: &Http, path: &str, form: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let answer =
            http.send("POST", path, &Credentials::Cookies(&self.header()), &Body::Form(form))?;
        self.keep(answer)
    }

    fn header(&self) -> String {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answer: Answer) -> anyhow::Result<Answer> {
        for cookie in &answer.cookies {
            let (name, value) = cookie.split_once('=').context("a cookie without a value")?;
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        Ok(answer)
    }
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> anyhow::Result<String> {
    let marker = format!("name=\"{name}\"");
    for input in page.split("<input").skip(1) {
        let input = input.split('>').next().unwrap_or_default();
        if input.contains(&marker) {
            let (_, value) = input.split_once("value=\"").context("a field without a value")?;
            let value = value.split('"').next().unwrap_or_default();
            return Ok(unescaped(value));
        }
    }
    bail!("the page has no field {name}")
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&#38;", "&").replace("&amp;", "&");
    let text = text.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&#60;", "<").replace("&lt;", "<").replace("&#62;", ">").replace("&gt;", ">")
}
