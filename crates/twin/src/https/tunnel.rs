//! How a connection to the proxy begins: with `CONNECT` for one of its names and then the TLS of a
//! client that takes this for the end of a tunnel, or with that TLS at once.

use std::{io, str, sync::Arc};

use http::{StatusCode, uri::Authority};
use tokenry_server::{
    listen::{Handshake, Shaken},
    tls::FixedTls,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// More than any client writes before a tunnel, in bytes.
const HEAD_MAX: usize = 8 << 10;
/// As much is read of what is behind a head that was refused, in bytes.
const REST_MAX: u64 = 16 << 20;
/// What a TLS connection begins with (RFC 8446 §5.1: a record of the kind `handshake`).
const HANDSHAKE: u8 = 22;
const HTTPS: u16 = 443;
const END: &[u8] = b"\r\n\r\n";

/// A proxy whose tunnels end here.
pub(super) struct Tunnel {
    /// In lower case; the first is Zendesk's.
    names: Arc<[String]>,
    tls: Arc<FixedTls>,
}

impl Tunnel {
    /// For these names and no other.
    pub(super) fn new(names: Vec<String>, tls: FixedTls) -> Self {
        Self { names: names.into(), tls: Arc::new(tls) }
    }
}

impl Handshake for Tunnel {
    fn shake(&self, mut stream: TcpStream) -> Shaken {
        let (names, tls) = (Arc::clone(&self.names), Arc::clone(&self.tls));
        Box::pin(async move {
            let mut first = [0];
            stream.peek(&mut first).await?;
            if first != [HANDSHAKE] {
                open(&mut stream, &names).await?;
            }
            tls.shake(stream).await
        })
    }
}

/// Answers what asks for a tunnel. What is refused is an error here, after it was told.
async fn open(stream: &mut TcpStream, names: &[String]) -> io::Result<()> {
    let refusal = match read_head(stream).await? {
        Some(head) => judge(&head, names).err(),
        None => Some(Refusal::too_long()),
    };
    let Some(refusal) = refusal else {
        return stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    };
    tracing::warn!("{}", refusal.told);
    stream.write_all(refusal.response().as_bytes()).await?;
    stream.shutdown().await?;
    // Closed with something unread, the connection would be reset and the answer lost with it.
    tokio::io::copy(&mut stream.take(REST_MAX), &mut tokio::io::sink()).await?;
    Err(io::Error::other(refusal.told))
}

/// Reads to the end of the head, and nothing behind it: what comes then is TLS. `None` of one that
/// is too long.
async fn read_head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let (mut head, mut chunk) = (Vec::new(), [0; 1_024]);
    while head.len() < HEAD_MAX {
        let seen = stream.peek(&mut chunk).await?;
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let before = head.len();
        head.extend(chunk.iter().take(seen));
        let end = head.windows(END.len()).position(|bytes| bytes == END);
        head.truncate(end.map_or(head.len(), |end| end + END.len()));
        let taken = chunk.get_mut(..head.len() - before).unwrap_or_default();
        stream.read_exact(taken).await?;
        if end.is_some() {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

/// Why there is no tunnel.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    told: String,
}

impl Refusal {
    fn too_long() -> Self {
        let told = format!("What asks for a tunnel is longer than {HEAD_MAX} bytes.");
        Self { status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, told }
    }

    fn response(&self) -> String {
        let Self { status, told } = self;
        let (length, told) = (told.len() + 1, told.as_str());
        // RFC 9110 §15.5.6.
        let allow = match *status {
            StatusCode::METHOD_NOT_ALLOWED => "Allow: CONNECT\r\n",
            _ => "",
        };
        format!(
            "HTTP/1.1 {status}\r\n{allow}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{told}\n"
        )
    }
}

/// Whether a head asks for a tunnel to one of the names.
fn judge(head: &[u8], names: &[String]) -> Result<(), Refusal> {
    let zendesk = names.first().map_or("", String::as_str);
    let refusal = |status, told| Err(Refusal { status, told });
    let line = head.split(|&byte| byte == b'\r').next().and_then(|line| str::from_utf8(line).ok());
    let mut words = line.unwrap_or_default().split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if method != Some("CONNECT") {
        let told = format!(
            "This is a proxy for https://{zendesk}, and takes CONNECT alone: name it in HTTPS_PROXY, \
             and not in HTTP_PROXY. The twin's pages are at its other port."
        );
        return refusal(StatusCode::METHOD_NOT_ALLOWED, told);
    }
    let authority = target.parse::<Authority>().ok().filter(|it| !it.as_str().contains('@'));
    let Some(authority) = authority else {
        let told = "CONNECT names no host and port, as in `CONNECT acme.zendesk.com:443 HTTP/1.1`.";
        return refusal(StatusCode::BAD_REQUEST, told.to_owned());
    };
    let is_ours = names.iter().any(|name| name.eq_ignore_ascii_case(authority.host()));
    if is_ours && authority.port_u16() == Some(HTTPS) {
        return Ok(());
    }
    let told = format!(
        "A call to {authority} did not get past the twin, whose proxy leads to {} at port 443 and \
         nowhere else. If it is meant, name the host in NO_PROXY.",
        names.join(" and ")
    );
    refusal(StatusCode::FORBIDDEN, told)
}
