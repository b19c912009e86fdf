//! `wasi:sockets`. Linked empty, neither TCP nor UDP nor name lookup is permitted: every operation is refused.

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::sockets;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};

use super::Guest;

/// Links the interfaces over a context that permits no use of the network.
pub(super) fn link_empty(linker: &mut Linker<Guest>) -> Result<()> {
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<Guest, WasiSockets>(linker, &options, Guest::sockets)?;
    sockets::instance_network::add_to_linker::<Guest, WasiSockets>(linker, Guest::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<Guest, WasiSockets>(linker, Guest::sockets)?;
    sockets::tcp::add_to_linker::<Guest, WasiSockets>(linker, Guest::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<Guest, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp::add_to_linker::<Guest, WasiSockets>(linker, Guest::sockets)?;
    sockets::udp_create_socket::add_to_linker::<Guest, WasiSockets>(linker, Guest::sockets)
}
