//! The threads that read, each with a connection of its own, over one queue: a read never waits for
//! a write, and never holds up whoever awaits it.

use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::{
    calls::{Call, Outcome},
    open::{Purpose, Source},
    session::Session,
    spawn,
};
use crate::Result;

/// Starts `count` threads.
pub(super) fn start(
    source: &Source,
    count: usize,
    queue: &Receiver<Box<dyn Call>>,
) -> Result<Vec<JoinHandle<()>>> {
    (0..count.max(1))
        .map(|_| {
            let (source, queue) = (source.clone(), queue.clone());
            let connection = source.connect(Purpose::Read)?;
            spawn("store-reader", move || run(&source, connection, &queue))
        })
        .collect()
}

fn run(source: &Source, connection: Connection, queue: &Receiver<Box<dyn Call>>) {
    let mut end = serve(&connection, None, queue);
    drop(connection);
    while let End::Failed = end
        && let Ok(call) = queue.recv()
    {
        // A connection that has seen an I/O error is not asked again.
        match source.connect(Purpose::Read) {
            Ok(connection) => end = serve(&connection, Some(call), queue),
            Err(error) => call.refuse(&error.to_string()),
        }
    }
}

/// Why a connection is not used any more.
enum End {
    Closed,
    Failed,
}

fn serve(
    connection: &Connection,
    first: Option<Box<dyn Call>>,
    queue: &Receiver<Box<dyn Call>>,
) -> End {
    let session = Session::new(connection);
    for mut call in first.into_iter().chain(queue) {
        if call.is_abandoned() {
            continue;
        }
        let outcome = call.run(&session);
        call.answer();
        if outcome != Outcome::Done {
            return End::Failed;
        }
    }
    End::Closed
}
