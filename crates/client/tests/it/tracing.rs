//! What the log of a client tells, and what it never does.

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokenry_client::{
    Client, ClientAuthentication, Credentials, resources::grant_type_tokens::Door,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::support::{PASSWORD, TestServer};

/// Writes down everything, whatever its level and whoever says it.
#[derive(Clone, Default)]
struct Scribe(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Scribe {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Line(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        write!(text, "\n{} {}", event.metadata().level(), event.metadata().target()).unwrap();
        event.record(&mut Line(&mut text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn everything_is_told_but_no_secret_not_even_for_tracing() {
    // Whoever says something for the first time decides for all threads whether it is listened
    // to, and other tests do not listen. Once everything was said, who comes to listen is asked.
    listen().await;
    let (written, secrets) = listen().await;
    for told in ["operation=\"oauth_tokens.create\"", "status=201", "path=\"/oauth/token\""] {
        assert!(written.contains(told), "{told}: {written}");
    }
    assert!(written.contains("TRACE tokenry_client") && written.contains("refresh_token=..."));
    for secret in secrets {
        assert!(secret.len() > 20, "a short one is found by chance");
        assert!(!written.contains(&secret), "{secret}");
    }
}

/// What was written of a day, and the secrets of it.
async fn listen() -> (String, Vec<String>) {
    let server = TestServer::with(&[("record_api.password_access", "true")]).await;
    let scribe = Scribe::default();
    let text = Arc::clone(&scribe.0);
    let guard = tracing::subscriber::set_default(scribe);
    let secrets = a_day(&server).await;
    drop(guard);
    server.stop().await;
    let written = text.lock().unwrap().clone();
    (written, secrets)
}

/// Uses every kind of credential once, and gives all of them.
async fn a_day(server: &TestServer) -> Vec<String> {
    let (client_id, secret) = server.register("acme_reports").await;
    let admin = server.client();
    let made = admin.oauth_tokens().create(client_id).await.unwrap().token.unwrap();
    let bearer = made.full_token.unwrap();
    let by_bearer = admin.with_credentials(Credentials::bearer(bearer.reveal()));
    by_bearer.oauth_tokens().current().await.unwrap();
    let by_password = Credentials::password(&*server.admin.email, PASSWORD);
    admin.with_credentials(by_password).users().me().await.unwrap();
    let api_token = admin.api_tokens().create().await.unwrap().api_token.unwrap();
    let new = admin.oauth_clients().generate_secret(client_id).await.unwrap().client.unwrap();
    let new = new.secret.unwrap();
    let nobody = Client::builder().server(&server.base).build().unwrap();
    let app = ClientAuthentication::secret("acme_reports", new.reveal());
    let basic = ClientAuthentication::basic("acme_reports", new.reveal());
    let callback = server.consent(&nobody, "acme_reports", "read").await;
    let call = nobody.grant_type_tokens().redeem(&app, callback);
    let sent = call.request(nobody.server(), &Credentials::None).unwrap();
    let sent: serde_json::Value = serde_json::from_slice(sent.body()).unwrap();
    let pair = call.await.unwrap();
    let refresh_token = pair.refresh_token.unwrap();
    let call = nobody.grant_type_tokens().refresh(&basic, refresh_token.reveal());
    let next = call.door(Door::Standard).await.unwrap();
    let access_token = next.access_token.unwrap();
    nobody.authorization_server().introspect(&app, access_token.reveal()).await.unwrap();
    nobody.authorization_server().revoke(&basic, access_token.reveal()).await.unwrap();
    let encoded = |user: &str, password: &str| STANDARD.encode(format!("{user}:{password}"));
    let email = &server.admin.email;
    vec![
        secret,
        bearer.reveal().to_owned(),
        PASSWORD.to_owned(),
        server.admin.api_token.clone(),
        api_token.full_token.unwrap().reveal().to_owned(),
        sent.get("code").unwrap().as_str().unwrap().to_owned(),
        sent.get("code_verifier").unwrap().as_str().unwrap().to_owned(),
        pair.access_token.unwrap().reveal().to_owned(),
        refresh_token.reveal().to_owned(),
        next.refresh_token.unwrap().reveal().to_owned(),
        access_token.reveal().to_owned(),
        encoded(&format!("{email}/token"), &server.admin.api_token),
        encoded(email, PASSWORD),
        encoded("acme_reports", new.reveal()),
        new.reveal().to_owned(),
    ]
}
