//! The threads that read, each with a connection of its own, over one queue: a read never waits for
//! a write, and never holds up whoever awaits it.

use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::{
    calls::{Call, Outcome},
    open::{Purpose, Source},
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
    let mut connection = Some(connection);
    for call in queue {
        if !call.is_abandoned() {
            read(source, &mut connection, call);
        }
    }
}

fn read(source: &Source, slot: &mut Option<Connection>, mut call: Box<dyn Call>) {
    let connection = match slot.take() {
        Some(connection) => connection,
        None => match source.connect(Purpose::Read) {
            Ok(connection) => connection,
            Err(error) => return call.refuse(&error.to_string()),
        },
    };
    // A connection that has seen an I/O error is not asked again.
    if call.run(&connection) == Outcome::Done {
        *slot = Some(connection);
    }
    call.answer();
}
