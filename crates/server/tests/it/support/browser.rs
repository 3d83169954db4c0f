//! A browser without scripts: it keeps cookies, does not follow redirects by itself, and fills in
//! the forms it finds.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{Answer, Call, PASSWORD, TestApp, TestUser};

/// A browser with its cookies.
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(app: &'a TestApp) -> Self {
        Self { app, cookies: Mutex::default() }
    }

    /// Goes to an address of the server.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.app.get(path)).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.app.post(path).form(fields)).await
    }

    /// Presses a button of a form: sends what is filled in, and the button's name and value.
    pub async fn press(&self, form: &Form, button: (&str, &str)) -> Answer {
        let mut fields: Vec<(&str, &str)> =
            (form.fields.iter()).map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !button.0.is_empty() {
            fields.push(button);
        }
        self.post(&form.action, &fields).await
    }

    /// Sends any call with the cookies, and keeps those of the answer.
    pub async fn send(&self, call: Call<'_>) -> Answer {
        let cookies = self.cookie_header();
        let call = if cookies.is_empty() { call } else { call.header("cookie", &cookies) };
        let answer = call.await;
        for cookie in answer.headers.get_all("set-cookie") {
            self.keep(cookie.to_str().unwrap());
        }
        answer
    }

    /// Signs in with [`PASSWORD`] and fails if that fails.
    pub async fn sign_in(&self, user: &TestUser) {
        let page = self.get("/sign-in").await.expect(200);
        let mut form = Form::find(&page, "/sign-in");
        form.fill("email", &user.email);
        form.fill("password", PASSWORD);
        self.press(&form, ("", "")).await.expect(303);
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.lock().get(name).cloned()
    }

    /// Every cookie, as the header has them.
    pub fn cookie_header(&self) -> String {
        let cookies = self.lock();
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Puts a cookie into the jar, or takes it out.
    pub fn set_cookie(&self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.lock().insert(name.to_owned(), value.to_owned()),
            None => self.lock().remove(name),
        };
    }

    fn keep(&self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
        let ends = parts.any(|attribute| attribute.eq_ignore_ascii_case("max-age=0"));
        self.set_cookie(name, Some(value).filter(|value| !ends && !value.is_empty()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A form of a page, with what is filled in.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Names and values of its buttons.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// The page's first form whose action begins with `action`.
    #[track_caller]
    pub fn find(page: &Answer, action: &str) -> Self {
        let found = Self::all(page).into_iter().find(|form| form.action.starts_with(action));
        found.unwrap_or_else(|| panic!("no form for {action} in {}", page.text()))
    }

    /// Every form of a page.
    pub fn all(page: &Answer) -> Vec<Self> {
        let html = page.text();
        let bodies = html.split("<form").skip(1);
        bodies.map(|body| Self::read(body.split("</form>").next().unwrap_or(body))).collect()
    }

    /// Writes into a field that is there.
    #[track_caller]
    pub fn fill(&mut self, name: &str, value: &str) {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        let (_, slot) = field.unwrap_or_else(|| panic!("no field {name}"));
        value.clone_into(slot);
    }

    /// What a field holds.
    pub fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str())
    }

    fn read(html: &str) -> Self {
        let mut form = Self {
            action: attribute(html.split('>').next().unwrap_or(html), "action").unwrap_or_default(),
            fields: Vec::new(),
            buttons: Vec::new(),
        };
        for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let named = |tag| {
                let value = attribute(tag, "value").unwrap_or_default();
                attribute(tag, "name").map(|name| (name, value))
            };
            if tag.starts_with("input") {
                form.fields.extend(named(tag));
            } else if tag.starts_with("button") {
                form.buttons.extend(named(tag));
            }
        }
        form
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    Some(unescape(rest.split('"').next()?))
}

fn unescape(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}
