//! A network between client and server that goes wrong when it is told to.
//!
//! Every request has a connection of its own here, so that what happens to it happens to no other.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

/// What happens to one request. Without any it is passed on, and its answer passed back.
#[derive(Clone)]
pub(crate) enum Fault {
    /// It is answered here, with this status and these headers.
    Answer(u16, &'static str),
    /// The connection is reset before the server hears of it.
    ResetBefore,
    /// The connection is reset after the server has answered.
    ResetAfter,
    /// Half of the server's answer arrives.
    Cut,
    /// The server answers, and nothing arrives.
    Silence,
    /// It is answered with more than anybody would read.
    Flood,
    /// It is passed on once this gives a permit.
    Hold(Arc<Semaphore>),
}

#[derive(Default)]
struct Seen {
    faults: VecDeque<Fault>,
    /// The heads of all requests.
    heads: Vec<String>,
    /// What the server answered to those that were passed on.
    answers: Vec<String>,
}

pub(crate) struct Relay {
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
    seen: Arc<Mutex<Seen>>,
    arrived: Arc<Notify>,
    serving: JoinHandle<()>,
}

impl Relay {
    /// In front of this server.
    pub(crate) async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let arrived = Arc::new(Notify::new());
        let shared = (Arc::clone(&seen), Arc::clone(&arrived));
        let serving = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(relay(client, server.clone(), shared.clone()));
            }
        });
        Self { base, seen, arrived, serving }
    }

    /// What happens to the next requests, one after the other.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut seen = self.seen.lock().unwrap();
        assert!(seen.faults.is_empty(), "what was told before has happened");
        seen.faults.extend(faults);
        seen.heads.clear();
        seen.answers.clear();
    }

    /// How many requests arrived here since then, and how many of them at the server.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.heads.len(), seen.answers.len())
    }

    /// Waits until this many requests have arrived.
    pub(crate) async fn seen(&self, requests: usize) {
        while self.counts().0 < requests {
            self.arrived.notified().await;
        }
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().heads.clone()
    }

    pub(crate) fn answers(&self) -> Vec<String> {
        self.seen.lock().unwrap().answers.clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn relay(
    mut client: TcpStream,
    server: String,
    (seen, arrived): (Arc<Mutex<Seen>>, Arc<Notify>),
) {
    let Some((head, body)) = request(&mut client).await else {
        return;
    };
    let fault = {
        let mut seen = seen.lock().unwrap();
        seen.heads.push(head.clone());
        seen.faults.pop_front()
    };
    arrived.notify_one();
    match &fault {
        Some(Fault::Answer(status, headers)) => {
            let headers = format!("{headers}connection: close\r\ncontent-length: 2\r\n");
            let answer = format!("HTTP/1.1 {status} Told\r\n{headers}\r\n{{}}");
            client.write_all(answer.as_bytes()).await.unwrap();
            return;
        }
        Some(Fault::Flood) => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
            client.write_all(head.as_bytes()).await.unwrap();
            // Until the client has enough of it.
            let spaces = vec![b' '; 65_536];
            while client.write_all(&spaces).await.is_ok() {}
            return;
        }
        Some(Fault::ResetBefore) => return client.set_zero_linger().unwrap(),
        Some(Fault::Hold(permits)) => permits.acquire().await.unwrap().forget(),
        _ => {}
    }
    let answer = pass_on(&server, &head, &body).await;
    seen.lock().unwrap().answers.push(String::from_utf8_lossy(&answer).into_owned());
    match fault {
        Some(Fault::ResetAfter) => client.set_zero_linger().unwrap(),
        Some(Fault::Cut) => {
            let (most, _) = answer.split_at(answer.len() - 5);
            client.write_all(most).await.unwrap();
        }
        // Until the client gives up.
        Some(Fault::Silence) => {
            let _ = client.read(&mut [0]).await;
        }
        _ => client.write_all(&answer).await.unwrap(),
    }
}

/// A request's head, and its body.
async fn request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut received = Vec::new();
    let end = loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if client.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let mut body = received.split_off(end);
    let head = String::from_utf8(received).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        client.read_buf(&mut body).await.unwrap();
    }
    Some((head, body))
}

/// Asks the server on a connection that it closes after its answer.
async fn pass_on(server: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let (line, headers) = head.split_once("\r\n").unwrap();
    // A proxy is asked for whole addresses.
    let line = line.replacen(&format!("http://{server}"), "", 1);
    let mut connection = TcpStream::connect(server).await.unwrap();
    let sent = format!("{line}\r\nconnection: close\r\n{headers}");
    connection.write_all(&[sent.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    answer
}
