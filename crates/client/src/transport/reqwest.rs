//! The transport by `reqwest`.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};

use super::{BODY_MAX, Transport, TransportError, TransportErrorKind};
use crate::{Error, credentials::BoxFuture, request::Response};

/// A connection that carries nothing is closed after so long; servers close theirs later.
const IDLE_MAX: Duration = Duration::from_secs(50);

/// Requests by `reqwest`. Its clients are taken only as they are built here: without redirects,
/// which would carry credentials to whomever they name.
pub(crate) struct ByReqwest {
    client: reqwest::Client,
    /// To this machine: past the proxies of the environment, which would read what is sent.
    direct: Option<reqwest::Client>,
}

/// With the system's certificates.
pub(crate) fn new(connect_timeout: Duration) -> Result<ByReqwest, Error> {
    let mut roots = rustls::RootCertStore::empty();
    // A machine without certificates can still speak to itself.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Request(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = || {
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(IDLE_MAX)
    };
    let direct = Some(built(builder().no_proxy())?);
    Ok(ByReqwest { client: built(builder())?, direct })
}

/// As this builder has it.
pub(crate) fn of(builder: reqwest::ClientBuilder) -> Result<ByReqwest, Error> {
    Ok(ByReqwest { client: built(builder)?, direct: None })
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    let built = builder.redirect(reqwest::redirect::Policy::none()).build();
    built.map_err(|error| Error::Request(format!("the HTTP client: {error}")))
}

impl ByReqwest {
    fn client_for(&self, address: &http::Uri) -> &reqwest::Client {
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_here = host == "localhost"
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        self.direct.as_ref().filter(|_| is_here).unwrap_or(&self.client)
    }
}

impl Transport for ByReqwest {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let client = self.client_for(request.uri());
            let request = reqwest::Request::try_from(request).map_err(failed)?;
            let mut answer = client.execute(request).await.map_err(failed)?;
            // Most answers are one chunk, which need not be copied.
            let (mut first, mut body) = (Bytes::new(), BytesMut::new());
            while let Some(chunk) = answer.chunk().await.map_err(failed)? {
                if first.len() + body.len() + chunk.len() > BODY_MAX {
                    return Err(TransportError::new(TransportErrorKind::TooLarge));
                }
                if first.is_empty() && body.is_empty() {
                    first = chunk;
                } else {
                    body.extend_from_slice(&std::mem::take(&mut first));
                    body.extend_from_slice(&chunk);
                }
            }
            let body = if body.is_empty() { first } else { body.freeze() };
            let mut response = Response::new(body);
            *response.status_mut() = answer.status();
            *response.version_mut() = answer.version();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}

fn failed(error: reqwest::Error) -> TransportError {
    let kind = match &error {
        error if error.is_builder() => TransportErrorKind::Unsendable,
        error if error.is_connect() => TransportErrorKind::Connect,
        error if error.is_timeout() => TransportErrorKind::Timeout,
        _ => TransportErrorKind::Lost,
    };
    // An address may hold what is nobody else's business.
    TransportError::with_source(kind, error.without_url())
}
