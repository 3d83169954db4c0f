//! A relay between a node and its database, which can hold back what passes, or let nothing pass.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// As much as is passed on at once.
const CHUNK: usize = 64 << 10;

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Open,
    /// Each answer comes so much later.
    Slow(Duration),
    /// Connections stay, new ones are taken, and nothing passes.
    Stalled,
    /// Every connection is closed, new ones as well.
    Cut,
}

struct State {
    way: Way,
    connections: Vec<TcpStream>,
}

struct Shared {
    database: String,
    state: Mutex<State>,
    changed: Condvar,
}

/// A running relay; it lets nothing pass once it is dropped.
pub(super) struct Relay {
    port: u16,
    shared: Arc<Shared>,
}

impl Relay {
    /// One to the server with this port.
    pub(super) fn to(database: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { way: Way::Open, connections: Vec::new() };
        let shared = Arc::new(Shared {
            database: format!("127.0.0.1:{database}"),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let listening = shared.clone();
        // It ends with the process: nobody waits for connections that no longer come.
        thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                listening.take(&caller);
            }
        });
        Self { port, shared }
    }

    /// The address of a database that is reached by this way.
    pub(super) fn url(&self, database: &tokenry_postgres_testing::Server, url: &str) -> String {
        let [here, there] = [self.port, database.port()].map(|port| format!(":{port}/"));
        assert!(url.contains(&there), "{url}");
        url.replace(&there, &here)
    }

    pub(super) fn set(&self, way: Way) {
        let mut state = self.shared.state.lock().unwrap();
        state.way = way;
        if way == Way::Cut {
            for connection in state.connections.drain(..) {
                // Of one that has ended already nothing is left to end.
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.set(Way::Cut);
    }
}

impl Shared {
    /// A new connection. If its other half cannot be made it is closed, as the database's is.
    fn take(self: &Arc<Self>, caller: &TcpStream) {
        let mut state = self.state.lock().unwrap();
        if state.way == Way::Cut {
            return;
        }
        let Ok(database) = TcpStream::connect(&self.database) else { return };
        for (from, to) in [(caller, &database), (&database, caller)] {
            from.set_nodelay(true).unwrap();
            state.connections.push(from.try_clone().unwrap());
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let shared = self.clone();
            thread::spawn(move || shared.pass(from, to));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let is_answer = from.peer_addr().is_ok_and(|address| address.to_string() == self.database);
        let mut chunk = vec![0; CHUNK];
        while let Ok(length @ 1..) = from.read(&mut chunk) {
            let way = self.wait();
            if let (Way::Slow(time), true) = (way, is_answer) {
                thread::sleep(time);
            }
            if way == Way::Cut || to.write_all(&chunk[..length]).is_err() {
                break;
            }
        }
        for end in [from, to] {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Waits until something may pass.
    fn wait(&self) -> Way {
        let state = self.state.lock().unwrap();
        self.changed.wait_while(state, |state| state.way == Way::Stalled).unwrap().way
    }
}
