//! One keep-alive connection: a request out, an answer in.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::SocketAddr,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use mio::{Interest, Registry, Token, net::TcpStream};

use super::{
    answer::{Answer, Reader},
    supply::Supply,
};

/// Enough for all but the longest lists, for which it grows.
const ROOM: usize = 64 << 10;

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    /// Its lane, and its place among the connections of that lane.
    pub(super) belongs_to: (usize, usize),
    /// When its request was due.
    pub(super) since: Instant,
    out: Vec<u8>,
    written: usize,
    input: Vec<u8>,
    filled: usize,
    answer: Option<Whole>,
}

/// Where in the input an answer lies.
#[derive(Clone, Copy)]
struct Whole {
    status: u16,
    head: usize,
    length: usize,
}

impl Connection {
    pub(super) fn open(
        address: SocketAddr,
        registry: &Registry,
        token: usize,
        belongs_to: (usize, usize),
    ) -> Result<Self> {
        // Blocking until it is there: connecting is not what is measured.
        let stream = std::net::TcpStream::connect(address).context("the server takes nobody")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            belongs_to,
            since: Instant::now(),
            out: Vec::new(),
            written: 0,
            input: vec![0; ROOM],
            filled: 0,
            answer: None,
        })
    }

    /// Sends the next request of `supply`; `false` when there is none any more.
    pub(super) fn send(&mut self, supply: &mut dyn Supply, due: Instant) -> Result<bool> {
        self.out.clear();
        self.written = 0;
        if !supply.request(self.belongs_to.1, &mut self.out) {
            return Ok(false);
        }
        self.since = due;
        self.flush()?;
        Ok(true)
    }

    fn flush(&mut self) -> Result<()> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("a request could not be sent"),
            }
        }
        Ok(())
    }

    /// Goes on with whatever the connection is at; whether the answer is whole now.
    pub(super) fn progress(&mut self, reader: &Reader) -> Result<bool> {
        self.flush()?;
        loop {
            if self.filled == self.input.len() {
                self.input.resize(self.input.len() * 2, 0);
            }
            let room = self.input.get_mut(self.filled..).unwrap_or_default();
            let space = room.len();
            let count = match self.stream.read(room) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("an answer could not be read"),
            };
            self.filled += count;
            let there = self.input.get(..self.filled).unwrap_or_default();
            self.answer = reader.read(there)?.map(|(answer, length)| Whole {
                status: answer.status,
                head: answer.head.len(),
                length,
            });
            // Less than there was room for: what follows will be told.
            if self.answer.is_some() || count < space {
                return Ok(self.answer.is_some());
            }
        }
    }

    /// The answer, once it is whole.
    pub(super) fn answer(&self) -> Option<Answer<'_>> {
        let Whole { status, head, length } = self.answer?;
        let (head, body) = self.input.get(..length)?.split_at_checked(head)?;
        Some(Answer { status, head, body })
    }

    /// Makes room for the next answer.
    pub(super) fn consume(&mut self) {
        if let Some(Whole { length, .. }) = self.answer.take() {
            self.input.copy_within(length..self.filled, 0);
            self.filled -= length;
        }
    }
}
