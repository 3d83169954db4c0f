//! HTTP/2 frames written by hand (RFC 9113 §4, §6): a client that keeps no rule.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use crate::wire::PATIENCE;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// `SETTINGS_INITIAL_WINDOW_SIZE`
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
/// `PROTOCOL_ERROR`
pub(crate) const PROTOCOL_ERROR: u32 = 1;
/// `FLOW_CONTROL_ERROR`
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
/// `ENHANCE_YOUR_CALM`
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;

/// A frame that came.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) payload: Vec<u8>,
}

/// A frame as it is sent.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A setting.
pub(crate) fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// The header block of a request, by the static table and literals (RFC 7541 §6).
pub(crate) fn request(get_or_post: &str, path: &str) -> Vec<u8> {
    let method = if get_or_post == "GET" { 0x82 } else { 0x83 };
    let literal = |name: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 127, "longer ones have another form");
        [&[name, length][..], text.as_bytes()].concat()
    };
    [&[method, 0x86][..], &literal(0x04, path), &literal(0x01, "a.test")].concat()
}

/// One connection.
pub(crate) struct Http2 {
    stream: TcpStream,
}

impl Http2 {
    /// Connects to `host:port` with these settings.
    pub(crate) fn connect(host: &str, settings: &[u8]) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut this = Self { stream };
        this.send(&[PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).unwrap();
        this
    }

    /// Sends bytes; fails when the server has hung up, or takes nothing for a long time.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next frame; `None` when the connection is over. Panics when nothing comes.
    pub(crate) fn hear(&mut self) -> Option<Frame> {
        let mut head = [0; HEAD];
        self.fill(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.fill(&mut payload)?;
        Some(Frame { kind: head[3], payload })
    }

    /// The error code of the server's goodbye, and then the end; `None` when it ends without one.
    pub(crate) fn hear_goodbye(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(frame) = self.hear() {
            if frame.kind == GOAWAY {
                code = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
            }
        }
        code
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    panic!("the server says nothing and does not hang up")
                }
                _ => None,
            },
        }
    }
}
