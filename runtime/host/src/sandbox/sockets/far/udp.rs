//! The functions of UDP, where the sockets are in another process.

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

use super::view::{FarView, other, place};
use super::{Got, Setting, Wish};

type Socket = Resource<UdpSocket>;
type Incoming = Resource<IncomingDatagramStream>;
type Outgoing = Resource<OutgoingDatagramStream>;

impl udp_create_socket::Host for FarView<'_> {
    async fn create_udp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Socket> {
        self.make(Protocol::Udp, family)
    }
}

impl udp::Host for FarView<'_> {}

impl udp::HostUdpSocket for FarView<'_> {
    async fn start_bind(&mut self, socket: Socket, network: Resource<Network>, local: IpSocketAddress) -> SocketResult<()> {
        self.table.get(&network)?;
        self.does(&socket, |thing| Wish::StartBind(thing, place(local)))
    }

    fn finish_bind(&mut self, socket: Socket) -> SocketResult<()> {
        self.does(&socket, Wish::FinishBind)
    }

    async fn stream(&mut self, socket: Socket, remote: Option<IpSocketAddress>) -> SocketResult<(Incoming, Outgoing)> {
        let wish = Wish::Stream(self.thing(&socket)?, remote.map(place));
        let Got::Two(incoming, outgoing) = self.wish(wish)? else { return Err(other()) };
        Ok((self.name(incoming, &socket)?, self.name(outgoing, &socket)?))
    }

    fn local_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        self.place(&socket, Wish::LocalAddress)
    }

    fn remote_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        self.place(&socket, Wish::RemoteAddress)
    }

    fn address_family(&mut self, socket: Socket) -> Result<IpAddressFamily> {
        self.family(&socket)
    }

    fn unicast_hop_limit(&mut self, socket: Socket) -> SocketResult<u8> {
        self.setting(&socket, Setting::HopLimit)
    }

    fn set_unicast_hop_limit(&mut self, socket: Socket, value: u8) -> SocketResult<()> {
        self.set(&socket, Setting::HopLimit, value.into())
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        self.setting(&socket, Setting::ReceiveBuffer)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.set(&socket, Setting::ReceiveBuffer, value)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        self.setting(&socket, Setting::SendBuffer)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.set(&socket, Setting::SendBuffer, value)
    }

    fn subscribe(&mut self, socket: Socket) -> Result<Resource<DynPollable>> {
        self.subscribe_to(&socket)
    }

    fn drop(&mut self, socket: Socket) -> Result<()> {
        self.let_go(&socket)
    }
}

impl HostIncomingDatagramStream for FarView<'_> {
    fn receive(&mut self, stream: Incoming, most: u64) -> SocketResult<Vec<IncomingDatagram>> {
        let wish = Wish::Receive(self.thing(&stream)?, most);
        let Got::Datagrams(datagrams) = self.wish(wish)? else { return Err(other()) };
        self.moving(length(datagrams.iter().map(|(data, _)| data.len())))?;
        let datagram = |(data, from)| IncomingDatagram { data, remote_address: std::net::SocketAddr::from(from).into() };
        Ok(datagrams.into_iter().map(datagram).collect())
    }

    fn subscribe(&mut self, stream: Incoming) -> Result<Resource<DynPollable>> {
        self.subscribe_to(&stream)
    }

    fn drop(&mut self, stream: Incoming) -> Result<()> {
        self.let_go(&stream)
    }
}

impl HostOutgoingDatagramStream for FarView<'_> {
    fn check_send(&mut self, stream: Outgoing) -> SocketResult<u64> {
        self.number(&stream, Wish::CheckSend)
    }

    /// Each counts as a host call of its own.
    fn send(&mut self, stream: Outgoing, datagrams: Vec<OutgoingDatagram>) -> SocketResult<u64> {
        datagrams.iter().for_each(|_| self.meter.host_call());
        let bytes = length(datagrams.iter().map(|datagram| datagram.data.len()));
        let datagram = |datagram: OutgoingDatagram| (datagram.data, datagram.remote_address.map(place));
        let wish = Wish::Send(self.thing(&stream)?, datagrams.into_iter().map(datagram).collect());
        match self.sends(wish, bytes)? {
            Got::Number(count) => Ok(count),
            _ => Err(other()),
        }
    }

    fn subscribe(&mut self, stream: Outgoing) -> Result<Resource<DynPollable>> {
        self.subscribe_to(&stream)
    }

    /// What was sent is on its way before the stream goes.
    async fn drop(&mut self, stream: Outgoing) -> Result<()> {
        self.gone(&stream).await?;
        self.let_go(&stream)
    }
}

fn length(lengths: impl Iterator<Item = usize>) -> u64 {
    u64::try_from(lengths.sum::<usize>()).unwrap_or(u64::MAX)
}
