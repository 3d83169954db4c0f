//! Whom to believe when they say where a request came from.

use http::{HeaderName, header::FORWARDED};
use ipnet::IpNet;

use super::{
    error::Fault,
    kinds::{Choice, Kind, Raw, Shown, toml_text},
    section::section,
};

/// The header that a proxy writes the address of its peer into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressHeader {
    /// What nearly every proxy writes.
    XForwardedFor,
    /// The standard's (RFC 7239 §4).
    Forwarded,
}

impl AddressHeader {
    /// Its name.
    pub const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => FORWARDED,
        }
    }
}

const HEADERS: Choice<AddressHeader> = Choice(&[
    ("x-forwarded-for", AddressHeader::XForwardedFor),
    ("forwarded", AddressHeader::Forwarded),
]);

section! {
    /// Proxies in front of the server. Limits by address need to know who is behind them.
    Proxy "proxy." {
        /// The addresses of the proxies: networks such as `10.0.0.0/8`, or single addresses. Only
        /// what these say of a client's address is believed. The list must hold every proxy on the
        /// way and nobody else, because whoever is in it can name any address as its own. In an
        /// environment variable, separate them by commas.
        trusted: Vec<IpNet> = Vec::new(), Networks;
        /// The header that they write it into. The other one is not looked at: a proxy passes on
        /// what it does not write itself, and anybody can send that.
        header: AddressHeader = AddressHeader::XForwardedFor, HEADERS;
    }
}

struct Networks;

const REMEDY: &str = "write a list such as [\"10.0.0.0/8\", \"192.0.2.7\", \"fd00::/8\"]";

impl Kind for Networks {
    type Value = Vec<IpNet>;

    fn parse(&self, raw: &Raw) -> Result<Vec<IpNet>, Fault> {
        raw.list()
            .ok_or_else(|| {
                Fault::new(format!("{} is not a list of networks", raw.quoted()), REMEDY)
            })?
            .into_iter()
            .map(|text| {
                network(&text).ok_or_else(|| {
                    let quoted = Raw::Text(text).quoted();
                    Fault::new(format!("{quoted} is neither a network nor an address"), REMEDY)
                })
            })
            .collect()
    }

    fn show(&self, value: &Vec<IpNet>) -> Shown {
        let listed: Vec<_> = value.iter().map(|network| toml_text(&network.to_string())).collect();
        Shown::Toml(format!("[{}]", listed.join(", ")))
    }

    fn name(&self) -> String {
        "list of networks".to_owned()
    }
}

/// A network, or a single address. Bits behind the prefix are a mistake: it is not the network that
/// was meant.
fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpNet>() {
        Ok(network) if network.trunc() == network => Some(network),
        Ok(_) => None,
        Err(_) => text.parse().ok().map(|address: std::net::IpAddr| address.into()),
    }
}
