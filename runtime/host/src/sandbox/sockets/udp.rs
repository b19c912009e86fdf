//! The functions of UDP: what is decided and counted here, and done by the engine's implementation.

use skillhall_core::capability::sockets::Protocol;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{IpAddressFamily, IpSocketAddress, Network};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    self, HostIncomingDatagramStream, HostOutgoingDatagramStream, IncomingDatagram, IncomingDatagramStream, OutgoingDatagram,
    OutgoingDatagramStream,
};
use wasmtime_wasi::p2::bindings::sockets::udp_create_socket;
use wasmtime_wasi::p2::{DynPollable, SocketResult, UdpSocket};

use super::{SocketOperation, SocketsView};

type Socket = Resource<UdpSocket>;
type Incoming = Resource<IncomingDatagramStream>;
type Outgoing = Resource<OutgoingDatagramStream>;

impl udp_create_socket::Host for SocketsView<'_> {
    async fn create_udp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Socket> {
        self.making(Protocol::Udp)?;
        self.wasi().create_udp_socket(family).await
    }
}

impl udp::Host for SocketsView<'_> {}

impl udp::HostUdpSocket for SocketsView<'_> {
    async fn start_bind(&mut self, socket: Socket, network: Resource<Network>, local: IpSocketAddress) -> SocketResult<()> {
        self.admit(Protocol::Udp, SocketOperation::Bind, local.into())?;
        udp::HostUdpSocket::start_bind(&mut self.wasi(), socket, network, local).await
    }

    fn finish_bind(&mut self, socket: Socket) -> SocketResult<()> {
        udp::HostUdpSocket::finish_bind(&mut self.wasi(), socket)
    }

    async fn stream(&mut self, socket: Socket, remote: Option<IpSocketAddress>) -> SocketResult<(Incoming, Outgoing)> {
        if let Some(remote) = remote {
            self.admit(Protocol::Udp, SocketOperation::Connect, remote.into())?;
        }
        udp::HostUdpSocket::stream(&mut self.wasi(), socket, remote).await
    }

    fn local_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        udp::HostUdpSocket::local_address(&mut self.wasi(), socket)
    }

    fn remote_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        udp::HostUdpSocket::remote_address(&mut self.wasi(), socket)
    }

    fn address_family(&mut self, socket: Socket) -> Result<IpAddressFamily> {
        udp::HostUdpSocket::address_family(&mut self.wasi(), socket)
    }

    fn unicast_hop_limit(&mut self, socket: Socket) -> SocketResult<u8> {
        udp::HostUdpSocket::unicast_hop_limit(&mut self.wasi(), socket)
    }

    fn set_unicast_hop_limit(&mut self, socket: Socket, value: u8) -> SocketResult<()> {
        udp::HostUdpSocket::set_unicast_hop_limit(&mut self.wasi(), socket, value)
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        udp::HostUdpSocket::receive_buffer_size(&mut self.wasi(), socket)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        udp::HostUdpSocket::set_receive_buffer_size(&mut self.wasi(), socket, value)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        udp::HostUdpSocket::send_buffer_size(&mut self.wasi(), socket)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        udp::HostUdpSocket::set_send_buffer_size(&mut self.wasi(), socket, value)
    }

    fn subscribe(&mut self, socket: Socket) -> Result<Resource<DynPollable>> {
        udp::HostUdpSocket::subscribe(&mut self.wasi(), socket)
    }

    fn drop(&mut self, socket: Socket) -> Result<()> {
        udp::HostUdpSocket::drop(&mut self.wasi(), socket)
    }
}

impl HostIncomingDatagramStream for SocketsView<'_> {
    fn receive(&mut self, stream: Incoming, most: u64) -> SocketResult<Vec<IncomingDatagram>> {
        let received = self.wasi().receive(stream, most)?;
        self.moving(received.iter().map(|datagram| datagram.data.len()).sum())?;
        Ok(received)
    }

    fn subscribe(&mut self, stream: Incoming) -> Result<Resource<DynPollable>> {
        HostIncomingDatagramStream::subscribe(&mut self.wasi(), stream)
    }

    fn drop(&mut self, stream: Incoming) -> Result<()> {
        HostIncomingDatagramStream::drop(&mut self.wasi(), stream)
    }
}

impl HostOutgoingDatagramStream for SocketsView<'_> {
    fn check_send(&mut self, stream: Outgoing) -> SocketResult<u64> {
        self.wasi().check_send(stream)
    }

    /// All of them are decided before one is sent. Each counts as a host call of its own.
    fn send(&mut self, stream: Outgoing, datagrams: Vec<OutgoingDatagram>) -> SocketResult<u64> {
        datagrams.iter().for_each(|_| self.meter.host_call());
        for datagram in &datagrams {
            if let Some(remote) = datagram.remote_address {
                self.admit(Protocol::Udp, SocketOperation::Send, remote.into())?;
            }
        }
        self.moving(datagrams.iter().map(|datagram| datagram.data.len()).sum())?;
        self.wasi().send(stream, datagrams)
    }

    fn subscribe(&mut self, stream: Outgoing) -> Result<Resource<DynPollable>> {
        HostOutgoingDatagramStream::subscribe(&mut self.wasi(), stream)
    }

    async fn drop(&mut self, stream: Outgoing) -> Result<()> {
        HostOutgoingDatagramStream::drop(&mut self.wasi(), stream).await
    }
}
