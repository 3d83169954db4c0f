//! The address that a request came from: the peer's, or what trusted proxies say about it.
//!
//! 1. A peer that is no trusted proxy is the client, whatever its headers say.
//! 2. Of a trusted proxy's header, the entries are read from the last to the first: each was added
//!    by the proxy after it. The first address that is no trusted proxy's own is the client's.
//! 3. What cannot be read ends the search: nobody trusted vouches for what stands before it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderMap;

use crate::{
    config::{AddressHeader, Proxy},
    request_context,
};

/// The client's address. Outside a request there is none.
pub fn client_ip(headers: &HeaderMap, proxy: &Proxy) -> IpAddr {
    let none = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let peer = request_context::peer().unwrap_or(none).ip().to_canonical();
    seen_through(peer, headers, proxy)
}

fn seen_through(peer: IpAddr, headers: &HeaderMap, proxy: &Proxy) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxy.trusted.iter().any(|range| range.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let lines = headers.get_all(proxy.header.name());
    let mut nearest = peer;
    for line in lines.iter().rev() {
        for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
            let address = std::str::from_utf8(entry).ok().and_then(|entry| match proxy.header {
                AddressHeader::XForwardedFor => address(entry.trim()),
                AddressHeader::Forwarded => forwarded_for(entry),
            });
            match address {
                Some(address) if is_trusted(&address) => nearest = address,
                Some(address) => return address,
                None => return nearest,
            }
        }
    }
    nearest
}

/// The `for` of one element of `Forwarded` (RFC 7239 §4). Quoted commas and semicolons occur in no
/// address: an element that is cut by one is not read.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let node = match node.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => node,
    };
    address(node)
}

/// An address, with or without a port; IPv6 in brackets or, without a port, bare.
fn address(text: &str) -> Option<IpAddr> {
    let parsed = text.parse::<IpAddr>().or_else(|_| text.parse().map(|with: SocketAddr| with.ip()));
    let bracketed = || {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    parsed.ok().or_else(bracketed).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn behind(header: AddressHeader) -> Proxy {
        let trusted = ["10.0.0.0/8", "192.0.2.1/32", "fd00::/8"];
        Proxy { trusted: trusted.map(|range| range.parse().unwrap()).to_vec(), header }
    }

    fn seen(peer: &str, header: AddressHeader, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header.name(), HeaderValue::from_str(line).unwrap());
        }
        seen_through(peer.parse().unwrap(), &headers, &behind(header)).to_string()
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_client() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.9"));
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(seen_through(peer, &headers, &Proxy::default()), peer);
    }

    #[test]
    fn the_client_is_the_last_address_that_no_trusted_proxy_has() {
        let rows: &[(&str, &[&str], &str)] = &[
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["2001:db8::9"], "2001:db8::9"),
            ("10.0.0.1", &["[2001:db8::9]"], "2001:db8::9"),
            ("10.0.0.1", &["[2001:db8::9]:4711"], "2001:db8::9"),
            ("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            // Through two proxies of ours, in one line or in two.
            ("10.0.0.1", &["203.0.113.9, 192.0.2.1"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "fd00::2"], "203.0.113.9"),
            // What the client itself wrote stands before what the first proxy wrote.
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.9, 203.0.113.9"], "203.0.113.9"),
            // Nobody but proxies: a health check of the innermost network.
            ("10.0.0.1", &["10.0.0.7, 10.0.0.2"], "10.0.0.7"),
            // What cannot be read hides whatever is before it.
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, unknown, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9,"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            // Somebody who is no proxy of ours.
            ("203.0.113.5", &["198.51.100.1"], "203.0.113.5"),
        ];
        for (peer, lines, expected) in rows {
            let found = seen(peer, AddressHeader::XForwardedFor, lines);
            assert_eq!(&found, expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn the_standard_header_is_read_by_its_own_grammar() {
        let rows: &[(&[&str], &str)] = &[
            (&["for=203.0.113.9"], "203.0.113.9"),
            (&["For=\"203.0.113.9:4711\";proto=https"], "203.0.113.9"),
            (&["proto=https; for=\"[2001:db8::9]:4711\""], "2001:db8::9"),
            (&["for=198.51.100.1, for=203.0.113.9;by=10.0.0.1, for=10.0.0.2"], "203.0.113.9"),
            (&["for=203.0.113.9", "for=192.0.2.1"], "203.0.113.9"),
            (&["for=203.0.113.9, for=_hidden"], "10.0.0.1"),
            (&["for=203.0.113.9, proto=https"], "10.0.0.1"),
            (&["203.0.113.9"], "10.0.0.1"),
            (&["for=\"203.0.113.9"], "10.0.0.1"),
        ];
        for (lines, expected) in rows {
            let found = seen("10.0.0.1", AddressHeader::Forwarded, lines);
            assert_eq!(&found, expected, "{lines:?}");
        }
    }

    #[test]
    fn the_other_header_is_never_looked_at() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", HeaderValue::from_static("for=203.0.113.9"));
        let peer = "10.0.0.1".parse().unwrap();
        let proxy = behind(AddressHeader::XForwardedFor);
        assert_eq!(seen_through(peer, &headers, &proxy), peer);
    }
}
