//! The functions of TCP: what is decided and counted here, and done by the engine's implementation.

use skillhall_core::capability::sockets::Protocol;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Network};
use wasmtime_wasi::p2::bindings::sockets::tcp::{self, ShutdownType};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, SocketResult, TcpSocket};

use super::{SocketOperation, SocketsView, unspecified};
use crate::sandbox::streams::{count_input, count_output};

type Socket = Resource<TcpSocket>;

impl tcp_create_socket::Host for SocketsView<'_> {
    fn create_tcp_socket(&mut self, family: IpAddressFamily) -> SocketResult<Socket> {
        self.making(Protocol::Tcp)?;
        self.wasi().create_tcp_socket(family)
    }
}

impl tcp::Host for SocketsView<'_> {}

impl tcp::HostTcpSocket for SocketsView<'_> {
    async fn start_bind(&mut self, socket: Socket, network: Resource<Network>, local: IpSocketAddress) -> SocketResult<()> {
        self.admit(Protocol::Tcp, SocketOperation::Bind, local.into())?;
        self.wasi().start_bind(socket, network, local).await
    }

    fn finish_bind(&mut self, socket: Socket) -> SocketResult<()> {
        self.wasi().finish_bind(socket)
    }

    fn start_connect(&mut self, socket: Socket, network: Resource<Network>, remote: IpSocketAddress) -> SocketResult<()> {
        self.admit(Protocol::Tcp, SocketOperation::Connect, remote.into())?;
        self.wasi().start_connect(socket, network, remote)
    }

    fn finish_connect(&mut self, socket: Socket) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let (input, output) = self.wasi().finish_connect(socket)?;
        let moved = self.meter.moved();
        count_input(self.table.get_mut(&input)?, moved.clone());
        count_output(self.table.get_mut(&output)?, [moved]);
        Ok((input, output))
    }

    /// Refused whatever the address: the engine is not even asked.
    async fn start_listen(&mut self, socket: Socket) -> SocketResult<()> {
        let family = self.wasi().address_family(socket).map_err(wasmtime_wasi::p2::SocketError::trap)?;
        self.admit(Protocol::Tcp, SocketOperation::Listen, unspecified(family))?;
        Err(ErrorCode::AccessDenied.into())
    }

    fn finish_listen(&mut self, socket: Socket) -> SocketResult<()> {
        self.wasi().finish_listen(socket)
    }

    /// Nothing listens, so that there is nobody to accept.
    fn accept(&mut self, socket: Socket) -> SocketResult<(Socket, Resource<DynInputStream>, Resource<DynOutputStream>)> {
        self.table.get(&socket)?;
        Err(ErrorCode::InvalidState.into())
    }

    fn local_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        self.wasi().local_address(socket)
    }

    fn remote_address(&mut self, socket: Socket) -> SocketResult<IpSocketAddress> {
        self.wasi().remote_address(socket)
    }

    fn is_listening(&mut self, socket: Socket) -> Result<bool> {
        self.wasi().is_listening(socket)
    }

    fn address_family(&mut self, socket: Socket) -> Result<IpAddressFamily> {
        self.wasi().address_family(socket)
    }

    fn set_listen_backlog_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.wasi().set_listen_backlog_size(socket, value)
    }

    fn keep_alive_enabled(&mut self, socket: Socket) -> SocketResult<bool> {
        self.wasi().keep_alive_enabled(socket)
    }

    fn set_keep_alive_enabled(&mut self, socket: Socket, value: bool) -> SocketResult<()> {
        self.wasi().set_keep_alive_enabled(socket, value)
    }

    fn keep_alive_idle_time(&mut self, socket: Socket) -> SocketResult<u64> {
        self.wasi().keep_alive_idle_time(socket)
    }

    fn set_keep_alive_idle_time(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.wasi().set_keep_alive_idle_time(socket, value)
    }

    fn keep_alive_interval(&mut self, socket: Socket) -> SocketResult<u64> {
        self.wasi().keep_alive_interval(socket)
    }

    fn set_keep_alive_interval(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.wasi().set_keep_alive_interval(socket, value)
    }

    fn keep_alive_count(&mut self, socket: Socket) -> SocketResult<u32> {
        self.wasi().keep_alive_count(socket)
    }

    fn set_keep_alive_count(&mut self, socket: Socket, value: u32) -> SocketResult<()> {
        self.wasi().set_keep_alive_count(socket, value)
    }

    fn hop_limit(&mut self, socket: Socket) -> SocketResult<u8> {
        self.wasi().hop_limit(socket)
    }

    fn set_hop_limit(&mut self, socket: Socket, value: u8) -> SocketResult<()> {
        self.wasi().set_hop_limit(socket, value)
    }

    fn receive_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        self.wasi().receive_buffer_size(socket)
    }

    fn set_receive_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.wasi().set_receive_buffer_size(socket, value)
    }

    fn send_buffer_size(&mut self, socket: Socket) -> SocketResult<u64> {
        self.wasi().send_buffer_size(socket)
    }

    fn set_send_buffer_size(&mut self, socket: Socket, value: u64) -> SocketResult<()> {
        self.wasi().set_send_buffer_size(socket, value)
    }

    fn subscribe(&mut self, socket: Socket) -> Result<Resource<DynPollable>> {
        self.wasi().subscribe(socket)
    }

    fn shutdown(&mut self, socket: Socket, how: ShutdownType) -> SocketResult<()> {
        self.wasi().shutdown(socket, how)
    }

    fn drop(&mut self, socket: Socket) -> Result<()> {
        self.wasi().drop(socket)
    }
}
