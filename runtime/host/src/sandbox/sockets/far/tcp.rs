//! The functions of TCP, where the sockets are in another process.

use skillhall_core::capability::sockets::Protocol;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Network};
use wasmtime_wasi::p2::bindings::sockets::tcp::{self, ShutdownType};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, SocketResult, TcpSocket};

use super::streams::Stream;
use super::view::{FarView, other, place};
use super::{Got, Setting, Way, Wish};

type Socket = Resource<TcpSocket>;

impl tcp_create_socket::Host for FarView<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Socket> {
        self.make(Protocol::Tcp, family)
    }
}

impl tcp::Host for FarView<'_> {}

impl tcp::HostTcpSocket for FarView<'_> {
    async fn start_bind(&mut self, socket: Socket, network: Resource<Network>, local: IpSocketAddress) -> SocketResult<()> {
        self.table.get(&network)?;
        self.does(&socket, |thing| Wish::StartBind(thing, place(local)))
    }

    fn finish_bind(&mut self, socket: Socket) -> SocketResult<()> {
        self.does(&socket, Wish::FinishBind)
    }

    fn start_connect(&mut self, socket: Socket, network: Resource<Network>, remote: IpSocketAddress) -> SocketResult<()> {
        self.table.get(&network)?;
        self.does(&socket, |thing| Wish::StartConnect(thing, place(remote)))
    }

    fn finish_connect(&mut self, socket: Socket) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let wish = Wish::FinishConnect(self.thing(&socket)?);
        let Got::Two(input, output) = self.wish(wish)? else { return Err(other()) };
        let input: DynInputStream = Box::new(Stream { held: self.held(input)?, moved: self.meter.moved() });
        let output: DynOutputStream = Box::new(Stream { held: self.held(output)?, moved: self.meter.moved() });
        Ok((self.table.push_child(input, &socket)?, self.table.push_child(output, &socket)?))
    }

    async fn start_listen(&mut self, socket: Socket) -> SocketResult<()> {
        self.does(&socket, Wish::StartListen)
    }

    fn finish_listen(&mut self, socket: Socket) -> SocketResult<()> {
        self.does(&socket, Wish::FinishListen)
    }

    fn accept(&mut self, socket: Socket) -> SocketResult<(Socket, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        self.does(&socket, Wish::Accept)?;
        // Nothing listens, so that there is nobody to accept.
        Err(ErrorCode::InvalidState.into())
    }

    fn local_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        self.place(&socket, Wish::LocalAddress)
    }

    fn remote_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        self.place(&socket, Wish::RemoteAddress)
    }

    fn is_listening(&mut self, socket: Socket) -> Result<bool> {
        match self.number(&socket, Wish::IsListening) {
            Ok(number) => Ok(number == 1),
            Err(error) => Err(error.downcast().map_or_else(|error| error, Into::into)),
        }
    }

    fn address_family(&mut self, socket: Socket) -> Result<IpAddressFamily> {
        self.family(&socket)
    }

    fn set_listen_backlog_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.set(&socket, Setting::ListenBacklog, value)
    }

    fn keep_alive_enabled(&mut self, socket: Socket) -> SocketResult<bool> {
        Ok(self.setting::<_, u64>(&socket, Setting::KeepAlive)? == 1)
    }

    fn set_keep_alive_enabled(&mut self, socket: Socket, value: bool) -> SocketResult<()> {
        self.set(&socket, Setting::KeepAlive, value.into())
    }

    fn keep_alive_idle_time(&mut self, socket: Socket) -> SocketResult<u64> {
        self.setting(&socket, Setting::KeepAliveIdle)
    }

    fn set_keep_alive_idle_time(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.set(&socket, Setting::KeepAliveIdle, value)
    }

    fn keep_alive_interval(&mut self, socket: Socket) -> SocketResult<u64> {
        self.setting(&socket, Setting::KeepAliveInterval)
    }

    fn set_keep_alive_interval(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.set(&socket, Setting::KeepAliveInterval, value)
    }

    fn keep_alive_count(&mut self, socket: Socket) -> SocketResult<u32> {
        self.setting(&socket, Setting::KeepAliveCount)
    }

    fn set_keep_alive_count(&mut self, socket: Socket, value: u32) -> SocketResult<()> {
        self.set(&socket, Setting::KeepAliveCount, value.into())
    }

    fn hop_limit(&mut self, socket: Socket) -> SocketResult<u8> {
        self.setting(&socket, Setting::HopLimit)
    }

    fn set_hop_limit(&mut self, socket: Socket, value: u8) -> SocketResult<()> {
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

    fn shutdown(&mut self, socket: Socket, how: ShutdownType) -> SocketResult<()> {
        let way = match how {
            ShutdownType::Receive => Way::Receive,
            ShutdownType::Send => Way::Send,
            ShutdownType::Both => Way::Both,
        };
        self.does(&socket, |thing| Wish::Shutdown(thing, way))
    }

    fn drop(&mut self, socket: Socket) -> Result<()> {
        self.let_go(&socket)
    }
}
