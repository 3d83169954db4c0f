//! The address that a request came from: the peer's, and never what a header says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::request_context;

/// The peer's address. Outside a request there is none.
pub fn client_ip() -> IpAddr {
    let none = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    request_context::peer().unwrap_or(none).ip().to_canonical()
}
