//! May a socket have to do with this address? Pure, and total: for every address there is an answer, and it is no unless a grant
//! says yes.

use std::net::{IpAddr, SocketAddr};

use skillhall_core::capability::Ask as _;
use skillhall_core::capability::sockets::{Grant, Protocol};

use super::{Reach, SocketOperation};
use crate::sandbox::refusal::{Reason, Refusal};

/// The decision. Protocol, address and port have to be those of one grant. An address of one's own is any and port none, which
/// is what a socket has that only goes out; nothing waits for whoever comes.
pub(in crate::sandbox) fn decide(grants: &[Grant], reach: Reach) -> Result<(), Box<Refusal>> {
    let Reach { protocol, operation, address } = reach;
    let refuse = |reason, message: &str| Err(refusal(grants, reach, reason, message));
    match operation {
        SocketOperation::Listen | SocketOperation::Accept => refuse(Reason::Inbound, "a skill waits for no connections"),
        SocketOperation::Bind if !address.ip().is_unspecified() || address.port() != 0 || has_zone(address) => {
            refuse(Reason::Inbound, "a skill takes no address or port of this machine's; the system gives it one to go out from")
        }
        SocketOperation::Bind if grants.iter().any(|grant| grant.protocol == protocol) => Ok(()),
        SocketOperation::Bind => refuse(Reason::Peer, "no address is granted over this protocol"),
        SocketOperation::Connect | SocketOperation::Send | SocketOperation::Receive => {
            if carries_ipv4(address.ip()) {
                return refuse(Reason::Spelling, "an IPv4 address is not spelled as an IPv6 address");
            }
            if has_zone(address) {
                return refuse(Reason::Spelling, "an address has no zone and no flow");
            }
            if grants.iter().any(|grant| grant.protocol == protocol && grant.place() == address) {
                return Ok(());
            }
            refuse(Reason::Peer, "this protocol, address and port are not granted together")
        }
    }
}

/// Mapped and compatible forms (RFC 4291, section 2.5.5).
fn carries_ipv4(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unspecified() && address.to_ipv4().is_some(),
    }
}

fn has_zone(address: SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(address) if address.scope_id() != 0 || address.flowinfo() != 0)
}

/// A refusal that says what was asked, what is granted, and the lines that would change it.
fn refusal(grants: &[Grant], reach: Reach, reason: Reason, message: &str) -> Box<Refusal> {
    let Reach { protocol, operation, address } = reach;
    let granted = match grants {
        [] => "nothing".to_owned(),
        grants => grants.iter().map(Grant::line).collect::<Vec<_>>().join("; "),
    };
    let meant = Grant { protocol, address: address.ip().to_canonical(), port: address.port() };
    let hint = match reason {
        Reason::Peer | Reason::Spelling if operation != SocketOperation::Bind && meant.validate().is_ok() => format!(
            "Granted is: {granted}. If {meant} is meant, skill.toml asks for it: sockets = [{{ protocol = \"{protocol}\", address = \
             \"{ip}\", port = {port} }}]; the operator grants it: hall grant NAMESPACE/NAME {flag}",
            meant = meant.line(),
            ip = meant.address,
            port = meant.port,
            flag = flag(&meant),
        ),
        _ => format!("Granted is: {granted}."),
    };
    Box::new(Refusal::new(Grant::CAPABILITY, reason, &asked(protocol, operation, address), message, hint))
}

fn flag(grant: &Grant) -> String {
    format!("--socket {}", grant.spelled())
}

pub(in crate::sandbox) fn asked(protocol: Protocol, operation: SocketOperation, address: SocketAddr) -> String {
    let operation = match operation {
        SocketOperation::Bind => "bind",
        SocketOperation::Listen => "listen at",
        SocketOperation::Accept => "accept from",
        SocketOperation::Connect => "connect to",
        SocketOperation::Send => "send to",
        SocketOperation::Receive => "receive from",
    };
    format!("{protocol} {operation} {address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants() -> Vec<Grant> {
        ["tcp:192.0.2.1:5432", "udp:[2001:db8::1]:53", "tcp:[::1]:80"].map(|text| text.parse().unwrap()).into()
    }

    fn told(protocol: Protocol, operation: SocketOperation, address: &str) -> Option<Reason> {
        let reach = Reach { protocol, operation, address: address.parse().unwrap() };
        decide(&grants(), reach).err().map(|refusal| refusal.reason)
    }

    #[test]
    fn only_the_very_place_over_the_very_protocol() {
        use Protocol::{Tcp, Udp};
        use SocketOperation::{Connect, Receive, Send};
        for (protocol, operation, address) in [
            (Tcp, Connect, "192.0.2.1:5432"),
            (Tcp, Connect, "[::1]:80"),
            (Udp, Send, "[2001:db8::1]:53"),
            (Udp, Receive, "[2001:db8:0::1]:53"),
        ] {
            assert_eq!(told(protocol, operation, address), None, "{address}");
        }
        for (protocol, operation, address, reason) in [
            (Tcp, Connect, "192.0.2.1:5433", Reason::Peer),
            (Tcp, Connect, "192.0.2.2:5432", Reason::Peer),
            (Udp, Send, "192.0.2.1:5432", Reason::Peer),
            (Udp, Receive, "[2001:db8::1]:54", Reason::Peer),
            (Tcp, Connect, "127.0.0.1:80", Reason::Peer),
            (Tcp, Connect, "169.254.169.254:80", Reason::Peer),
            (Tcp, Connect, "0.0.0.0:5432", Reason::Peer),
            (Tcp, Connect, "[::]:80", Reason::Peer),
            (Tcp, Connect, "[::ffff:192.0.2.1]:5432", Reason::Spelling),
            (Tcp, Connect, "[::192.0.2.1]:5432", Reason::Spelling),
            (Tcp, Connect, "[64:ff9b::192.0.2.1]:5432", Reason::Peer),
            (Tcp, Connect, "[2002:c000:201::]:5432", Reason::Peer),
            (Tcp, Connect, "[::1%1]:80", Reason::Spelling),
            (Tcp, Connect, "255.255.255.255:80", Reason::Peer),
            (Udp, Send, "224.0.0.1:53", Reason::Peer),
        ] {
            assert_eq!(told(protocol, operation, address), Some(reason), "{address}");
        }
    }

    #[test]
    fn a_socket_of_ones_own_only_goes_out() {
        use Protocol::{Tcp, Udp};
        use SocketOperation::{Accept, Bind, Listen};
        for (protocol, address) in [(Tcp, "0.0.0.0:0"), (Tcp, "[::]:0"), (Udp, "0.0.0.0:0"), (Udp, "[::]:0")] {
            assert_eq!(told(protocol, Bind, address), None);
            assert_eq!(told(protocol, Listen, address), Some(Reason::Inbound));
        }
        for address in ["0.0.0.0:80", "127.0.0.1:0", "192.0.2.1:5432", "[::1]:0", "[::1]:80", "[::%3]:0"] {
            assert_eq!(told(Tcp, Bind, address), Some(Reason::Inbound), "{address}");
        }
        assert_eq!(told(Tcp, Accept, "192.0.2.1:5432"), Some(Reason::Inbound));
        let reach = Reach { protocol: Tcp, operation: Bind, address: "0.0.0.0:0".parse().unwrap() };
        assert!(decide(&[], reach).is_err());
        assert!(decide(&["udp:192.0.2.1:1".parse().unwrap()], reach).is_err());
    }

    #[test]
    fn the_hint_has_the_lines_to_write() {
        let address = "192.0.2.9:25".parse().unwrap();
        let reach = Reach { protocol: Protocol::Tcp, operation: SocketOperation::Connect, address };
        let refusal = decide(&grants(), reach).unwrap_err();
        assert_eq!(refusal.asked, "tcp connect to 192.0.2.9:25");
        for words in [
            "Granted is: tcp 192.0.2.1:5432; udp [2001:db8::1]:53",
            "{ protocol = \"tcp\", address = \"192.0.2.9\", port = 25 }",
            "hall grant NAMESPACE/NAME --socket tcp:192.0.2.9:25",
        ] {
            assert!(refusal.hint.contains(words), "{}", refusal.hint);
        }
    }
}
