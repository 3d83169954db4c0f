//! One operation, from its first request to its answer.
//!
//! 1. Who asks: the credentials give a header, or the operation has its own.
//! 2. The hooks see the request; the transport sends it, for as long as an attempt may take.
//! 3. A repeat may be refused because the request before it did its work: then that is the answer.
//! 4. Credentials that the server knows no more are renewed, once, and the request is sent again.
//! 5. What went wrong is repeated where the policy allows.
//! 6. The operation reads the answer.

use bytes::Bytes;
use http::StatusCode;
use tracing::{debug, trace};

use super::{Client, redaction};
use crate::{
    Answer, Authorization, Credentials, Error, Operation, TransportError, TransportErrorKind,
    call::CallOptions,
    hook::Attempt,
    refusal::retry_after,
    request::{Authentication, Outline, Response},
    retry::Outcome,
};

impl Client {
    pub(crate) async fn perform<O: Operation>(
        &self,
        operation: &O,
        options: &CallOptions,
    ) -> Result<Answer<O::Answer>, Error> {
        let outline = operation.outline()?;
        let mut policy = self.shared.retry.clone();
        policy.attempts_max = options.attempts_max.unwrap_or(policy.attempts_max);
        let (mut attempts, mut was_lost, mut was_renewed) = (0, false, false);
        loop {
            attempts += 1;
            let attempt = Attempt { operation: O::NAME, number: attempts };
            let authorization = self.authorization(&outline, options).await?;
            let result = self.attempt(attempt, &outline, authorization.as_ref(), options).await?;
            if let Ok(response) = &result
                && was_lost
                && let Some(value) = operation.read_repeat(response.status())
            {
                return Ok(answer(value, result?, attempts));
            }
            if let (Ok(response), Some(authorization), false) =
                (&result, &authorization, was_renewed)
                && response.status() == StatusCode::UNAUTHORIZED
                && self.renew(authorization, options).await
            {
                was_renewed = true;
                continue;
            }
            let outcome = outcome(&result);
            if let Some(wait) = policy.wait(attempts, outcome, outline.repeat, || self.draw()) {
                debug!(operation = O::NAME, attempt = attempts, wait = ?wait, "asking again");
                was_lost |= outcome.may_be_done();
                self.shared.environment.sleep(wait).await;
                continue;
            }
            let response = result?;
            return Ok(answer(operation.read(&response)?, response, attempts));
        }
    }

    /// Step 1.
    async fn authorization(
        &self,
        outline: &Outline,
        options: &CallOptions,
    ) -> Result<Option<Authorization>, Error> {
        if !matches!(outline.authentication, Authentication::Caller) {
            return Ok(None);
        }
        let shared = &*self.shared;
        if let (Some(fixed), None) = (&shared.authorization, &options.target) {
            return Ok(Some(fixed.clone()));
        }
        let (server, credentials) = options.target(&shared.server, &shared.credentials);
        credentials.authorization(server).await
    }

    /// Step 2. The outer error ends the operation.
    async fn attempt(
        &self,
        attempt: Attempt,
        outline: &Outline,
        authorization: Option<&Authorization>,
        options: &CallOptions,
    ) -> Result<Result<Response, TransportError>, Error> {
        let (server, _) = options.target(&self.shared.server, &self.shared.credentials);
        if !server.is_safe() && !self.shared.insecure_http {
            return Err(Error::Request(format!(
                "{server} is plain http, over which everybody on the way reads the credentials: \
                 use https, or allow it with insecure_http"
            )));
        }
        let mut headers = self.shared.headers.clone();
        headers.extend(options.headers.clone());
        let value = authorization.map(Authorization::value);
        let mut request = outline.to_http(server, value, &headers)?;
        for hook in &self.shared.hooks {
            hook.before(attempt, &mut request)?;
        }
        trace!(body = %redaction::body(request.headers(), request.body()), "request");
        let (method, address) = (request.method().clone(), request.uri().clone());
        let began = self.shared.environment.now();
        let result = self.send(request, options).await;
        let milliseconds = self.shared.environment.now().millis_since(began);
        for hook in &self.shared.hooks {
            match &result {
                Ok(response) => hook.answered(attempt, response),
                Err(error) => hook.failed(attempt, error),
            }
        }
        let (operation, number, path) = (attempt.operation, attempt.number, address.path());
        match &result {
            Ok(response) => {
                let status = response.status().as_u16();
                let id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok());
                debug!(operation, number, %method, path, status, milliseconds, id, "answered");
                trace!(body = %redaction::body(response.headers(), response.body()), "answer");
            }
            Err(error) => {
                debug!(operation, number, %method, path, milliseconds, %error, "not answered");
            }
        }
        Ok(result)
    }

    async fn send(
        &self,
        request: http::Request<Bytes>,
        options: &CallOptions,
    ) -> Result<Response, TransportError> {
        let timeout = options.timeout.unwrap_or(self.shared.timeout);
        let sending = self.shared.transport.send(request);
        let in_time = tokio::time::timeout(timeout, sending).await;
        in_time.unwrap_or_else(|_| Err(TransportError::new(TransportErrorKind::Timeout)))
    }

    /// Step 4.
    async fn renew(&self, refused: &Authorization, options: &CallOptions) -> bool {
        match options.target(&self.shared.server, &self.shared.credentials).1 {
            Credentials::Source(source) => source.refused(refused).await,
            _ => false,
        }
    }

    fn draw(&self) -> u16 {
        let mut bytes = [0; 2];
        // Without randomness the wait is the shortest one: clients only come back together.
        let _ = self.shared.environment.fill(&mut bytes);
        u16::from_be_bytes(bytes)
    }
}

fn answer<T>(value: T, response: Response, attempts: u32) -> Answer<T> {
    let (parts, _) = response.into_parts();
    Answer { value, status: parts.status, headers: parts.headers, attempts }
}

fn outcome(result: &Result<Response, TransportError>) -> Outcome {
    match result {
        Ok(response) => Outcome::Answered {
            status: response.status(),
            retry_after: retry_after(response.headers()),
        },
        Err(error) => Outcome::Failed(error.kind()),
    }
}
