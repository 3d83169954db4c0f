//! The address that a request came from: the peer's, and never what a header says.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};

/// The peer's address.
#[derive(Debug, Clone, Copy)]
pub struct ClientIp(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Without a connection there is no address: the router is driven from within.
        let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Ok(Self(peer.map_or(none, |ConnectInfo(address)| address.ip().to_canonical())))
    }
}
