//! The transport by `reqwest`.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};

use super::{BODY_MAX, Transport, TransportError, TransportErrorKind};
use crate::{Error, credentials::BoxFuture, request::Response};

/// A connection that carries nothing is closed after so long; servers close theirs later.
const IDLE_MAX: Duration = Duration::from_secs(50);

/// A client with the system's certificates and without redirects.
pub(crate) fn new(connect_timeout: Duration) -> Result<reqwest::Client, Error> {
    let refuse = |error: &dyn std::fmt::Display| Error::Request(format!("TLS: {error}"));
    let mut roots = rustls::RootCertStore::empty();
    // A machine without certificates can still speak to itself.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_MAX)
        .build()
        .map_err(|error| refuse(&error))
}

impl Transport for reqwest::Client {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(failed)?;
            let mut answer = self.execute(request).await.map_err(failed)?;
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
