//! Opening connections, with one set of settings for all of them.

use std::{future::poll_fn, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Config, Connection, NoTls};

use super::{
    calls::{Failure, tell},
    session::{Session, Warnings},
    tls::Tls,
};

/// A transaction whose process was stopped must not hold its locks for ever.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(10);

/// What a store may use of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The most connections, at least 1. All nodes together must stay below what the server takes.
    pub connections: usize,
    /// How many calls of a kind may wait; more are answered `Unavailable` at once.
    pub queue_max: usize,
    /// How long a call may take, with its waiting and every attempt.
    pub call_timeout: Duration,
    /// How long connecting may take, at whichever server of an address it succeeds.
    pub connect_timeout: Duration,
    /// How many batches of one kind of event are under way at once, at least 1. More shorten the
    /// wait of a few callers, and fewer make the batches of many larger.
    pub batches: usize,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 20,
            queue_max: 4_096,
            call_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            batches: 2,
        }
    }
}

/// A connection that is ready for use.
pub(super) async fn connect(
    config: &Config,
    tls: Option<&Tls>,
    options: &PostgresOptions,
) -> Result<Session, Failure> {
    let session = if let Some(tls) = tls {
        let (client, connection) = config.connect(tls.clone()).await?;
        Session::new(client, keep(connection))
    } else {
        let (client, connection) = config.connect(NoTls).await?;
        Session::new(client, keep(connection))
    };
    session.batch(&settings(options)).await?;
    Ok(session)
}

/// Lets a connection do its work until it ends, and keeps its warnings.
fn keep<S, T>(mut connection: Connection<S, T>) -> Warnings
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let warnings = Warnings::default();
    let noted = warnings.clone();
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) => noted.note(&notice),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(reason = tell(&error), "a connection has ended");
                    break;
                }
            }
        }
    });
    warnings
}

/// An acknowledgement means durable, so a commit waits for the disk whatever the server's own
/// setting is; one that waits for more is left alone.
///
/// Every statement is made to go over indexes, row by row. A planner that may choose otherwise does
/// so while a table is small, and keeps to it for a while when the table has grown. What an engine
/// does not have of these settings is passed over.
pub(super) fn settings(options: &PostgresOptions) -> String {
    format!(
        "SET statement_timeout = {}; \
         SET idle_in_transaction_session_timeout = {}; \
         SET default_transaction_isolation = 'read committed'; \
         SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
         SELECT set_config(name, 'off', false) FROM pg_settings \
         WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit')",
        options.call_timeout.as_millis(),
        IDLE_IN_TRANSACTION.as_millis(),
    )
}
