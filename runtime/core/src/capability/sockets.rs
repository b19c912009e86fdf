//! Plain TCP and UDP to named addresses.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::AskError;

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

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "sockets";

    fn validate(&self) -> Result<(), AskError> {
        if self.port == 0 {
            return Err(AskError::new("sockets: a port is a number from 1 to 65535"));
        }
        if self.address.is_unspecified() || self.address.is_multicast() {
            return Err(AskError::new(format!("sockets: {} names no single host", self.address)));
        }
        Ok(())
    }

    fn overlaps(&self, other: &Self) -> bool {
        self == other
    }

    fn line(&self) -> String {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        format!("{protocol} {}", std::net::SocketAddr::new(self.address, self.port))
    }
}
