//! `wasi:sockets`: TCP and UDP to the addresses that were granted, and nothing that lets others in. Linked empty, every
//! operation is refused.
//!
//! What is done with a socket is the engine's own implementation. Before it stands the decision about each address that the
//! guest names (`decide`), which the engine asks once more before each system call; and a count of sockets, datagrams and bytes.

mod decide;
pub(crate) mod far;
mod names;
mod tcp;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skillhall_core::capability::sockets::Protocol;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p2::bindings::sockets as interfaces;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::{SocketError, SocketResult};
use wasmtime_wasi::sockets::{SocketAddrUse, WasiSocketsCtx, WasiSocketsCtxView};

use super::meter::Meter;
use super::refusal::Reason;
use super::{Broker, Guest, Refusal};
pub(super) use decide::{asked, decide};

/// What a socket is to do with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Over which protocol.
    pub protocol: Protocol,
    /// What is to be done.
    pub operation: SocketOperation,
    /// The other end; to bind and to listen, one's own.
    pub address: SocketAddr,
}

/// What can be done with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOperation {
    /// To take a port of one's own.
    Bind,
    /// To wait for whoever connects.
    Listen,
    /// To take a connection of this other end's.
    Accept,
    /// To connect to it.
    Connect,
    /// To send it a datagram.
    Send,
    /// To take a datagram of its.
    Receive,
}

/// What sockets had to do with one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Protocol, address and port, such as `tcp 192.0.2.1:5432`.
    pub address: String,
    /// Connections that were begun, or datagrams that were handed over to be sent.
    pub used: u64,
    /// How often it was refused.
    pub refused: u64,
}

/// What the functions need of the engine's context: only a builder can set it.
pub(super) fn prepare(builder: &mut WasiCtxBuilder, protocols: &[Protocol], broker: &Arc<dyn Broker>) {
    let broker = Arc::clone(broker);
    builder
        .allow_tcp(protocols.contains(&Protocol::Tcp))
        .allow_udp(protocols.contains(&Protocol::Udp))
        .allow_ip_name_lookup(false)
        .socket_addr_check(move |address, usage| {
            let allowed = broker.reach(reach(address, usage)).is_ok();
            Box::pin(std::future::ready(allowed))
        });
}

fn reach(address: SocketAddr, usage: SocketAddrUse) -> Reach {
    let (protocol, operation) = match usage {
        SocketAddrUse::TcpBind => (Protocol::Tcp, SocketOperation::Bind),
        SocketAddrUse::TcpListen => (Protocol::Tcp, SocketOperation::Listen),
        SocketAddrUse::TcpAccept => (Protocol::Tcp, SocketOperation::Accept),
        SocketAddrUse::TcpConnect => (Protocol::Tcp, SocketOperation::Connect),
        SocketAddrUse::UdpBind => (Protocol::Udp, SocketOperation::Bind),
        SocketAddrUse::UdpSend => (Protocol::Udp, SocketOperation::Send),
        SocketAddrUse::UdpReceive => (Protocol::Udp, SocketOperation::Receive),
    };
    Reach { protocol, operation, address }
}

/// The parts of a guest that the functions need.
pub(super) struct SocketsView<'a> {
    context: &'a mut WasiSocketsCtx,
    table: &'a mut ResourceTable,
    meter: &'a mut Meter,
    broker: &'a dyn Broker,
    granted: &'a [Protocol],
}

impl SocketsView<'_> {
    /// The engine's own implementation.
    fn wasi(&mut self) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView { ctx: self.context, table: self.table }
    }

    /// Counts a socket that is about to be made, if any address is granted for it.
    fn making(&mut self, protocol: Protocol) -> SocketResult<()> {
        if !self.granted.contains(&protocol) {
            let message = format!("no address is granted over {protocol}");
            let hint = format!(
                "skill.toml asks for it: sockets = [{{ protocol = \"{protocol}\", address = \"192.0.2.1\", port = 5432 }}]; the \
                 operator grants it: hall grant NAMESPACE/NAME --socket {protocol}:192.0.2.1:5432"
            );
            let asked = format!("a {protocol} socket");
            self.meter.refused(Refusal::new("sockets", Reason::Peer, &asked, message, hint));
            return Err(ErrorCode::AccessDenied.into());
        }
        self.meter.making_socket().map_err(SocketError::trap)
    }

    /// Asks whether a socket may have to do with this address.
    fn admit(&mut self, protocol: Protocol, operation: SocketOperation, address: SocketAddr) -> SocketResult<()> {
        let outward = matches!(operation, SocketOperation::Connect | SocketOperation::Send);
        match self.broker.reach(Reach { protocol, operation, address }) {
            Ok(()) => {
                if outward {
                    self.meter.reached(protocol, address, true);
                }
                Ok(())
            }
            Err(refusal) => {
                if outward {
                    self.meter.reached(protocol, address, false);
                }
                self.meter.refused(*refusal);
                Err(ErrorCode::AccessDenied.into())
            }
        }
    }

    fn moving(&mut self, bytes: usize) -> SocketResult<()> {
        self.meter.moving(u64::try_from(bytes).unwrap_or(u64::MAX)).map_err(SocketError::trap)
    }
}

/// The address that a socket of this family has before it has one.
fn unspecified(family: IpAddressFamily) -> SocketAddr {
    match family {
        IpAddressFamily::Ipv4 => SocketAddr::from(([0; 4], 0)),
        IpAddressFamily::Ipv6 => SocketAddr::from(([0; 16], 0)),
    }
}

/// Names [`SocketsView`] to the linker.
struct HasSockets;

impl HasData for HasSockets {
    type Data<'a> = SocketsView<'a>;
}

fn view(guest: &mut Guest) -> SocketsView<'_> {
    guest.meter.host_call();
    SocketsView {
        context: guest.wasi.sockets(),
        table: &mut guest.table,
        meter: &mut guest.meter,
        broker: &*guest.broker,
        granted: &guest.sockets,
    }
}

/// Links the interfaces. What they reach is what the guest's broker says.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    link_to::<HasSockets>(linker, view)
}

/// Links the interfaces to sockets that are in another process, with whom the guest's broker knows there.
pub(super) fn link_far(linker: &mut Linker<Guest>) -> Result<()> {
    link_to::<far::view::HasFar>(linker, far::view::view)
}

fn link_to<D: HasData + Send>(linker: &mut Linker<Guest>, view: fn(&mut Guest) -> D::Data<'_>) -> Result<()>
where
    for<'a> D::Data<'a>: interfaces::network::Host
        + interfaces::instance_network::Host
        + interfaces::ip_name_lookup::Host
        + interfaces::tcp::Host
        + interfaces::tcp_create_socket::Host
        + interfaces::udp::Host
        + interfaces::udp_create_socket::Host,
{
    use interfaces as sockets;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<Guest, D>(linker, &options, view)?;
    sockets::instance_network::add_to_linker::<Guest, D>(linker, view)?;
    sockets::ip_name_lookup::add_to_linker::<Guest, D>(linker, view)?;
    sockets::tcp::add_to_linker::<Guest, D>(linker, view)?;
    sockets::tcp_create_socket::add_to_linker::<Guest, D>(linker, view)?;
    sockets::udp::add_to_linker::<Guest, D>(linker, view)?;
    sockets::udp_create_socket::add_to_linker::<Guest, D>(linker, view)
}
