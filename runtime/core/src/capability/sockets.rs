//! Plain TCP and UDP to named addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// One address and port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Over which protocol.
    pub protocol: Protocol,
    /// The address in its usual form; never a name, because what is dialled is what is checked.
    pub address: IpAddr,
    /// The port, 1 to 65535.
    pub port: u16,
}

/// What a host's policy gives one skill: the same address and port, spelled the same way.
pub type Grant = Ask;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

impl Ask {
    /// Where it leads.
    #[must_use]
    pub fn place(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// How `hall grant` spells it: `tcp:192.0.2.1:5432`, `udp:[2001:db8::1]:53`.
    #[must_use]
    pub fn spelled(&self) -> String {
        format!("{}:{}", self.protocol, self.place())
    }
}

impl FromStr for Ask {
    type Err = AskError;

    /// Reads what [`Ask::spelled`] writes.
    fn from_str(text: &str) -> Result<Self, AskError> {
        let wrong = || AskError::new(format!("'{}' is no socket, such as tcp:192.0.2.1:5432", text.escape_default()));
        let (protocol, place) = match text.split_once(':') {
            Some(("tcp", place)) => (Protocol::Tcp, place),
            Some(("udp", place)) => (Protocol::Udp, place),
            _ => return Err(wrong()),
        };
        let place: SocketAddr = place.parse().map_err(|_| wrong())?;
        let ask = Self { protocol, address: place.ip(), port: place.port() };
        // A zone of this machine has no place in a policy.
        if ask.place() != place {
            return Err(wrong());
        }
        super::Ask::validate(&ask)?;
        Ok(ask)
    }
}

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "sockets";

    fn validate(&self) -> Result<(), AskError> {
        let refuse = |why: &str| Err(AskError::new(format!("sockets: {} {why}", self.address)));
        if self.port == 0 {
            return Err(AskError::new("sockets: a port is a number from 1 to 65535"));
        }
        match self.address {
            address if address.is_unspecified() || address.is_multicast() => refuse("names no single host"),
            IpAddr::V4(address) if address.is_broadcast() => refuse("names no single host"),
            // One host, one spelling: what is compared is the address that is dialled.
            IpAddr::V6(address) if !address.is_loopback() && address.to_ipv4().is_some() => {
                refuse("carries an IPv4 address: name that one itself")
            }
            _ => Ok(()),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self == other
    }

    fn line(&self) -> String {
        format!("{} {}", self.protocol, self.place())
    }
}

impl Meet for Ask {
    type Grant = Grant;

    /// Nothing is wider than another: it is there, or it is not.
    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        grants.iter().find(|grant| *grant == self).cloned().ok_or(Unmet::Nothing)
    }

    fn flag(&self) -> String {
        format!("--socket {}", self.spelled())
    }
}
