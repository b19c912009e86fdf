//! The network as a whole, and names: an address is named, never a name, so that no name is looked up.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::instance_network;
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, SocketError, SocketResult};

use super::SocketsView;
use crate::sandbox::Refusal;
use crate::sandbox::refusal::Reason;

impl network::Host for SocketsView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> Result<Option<ErrorCode>> {
        self.wasi().network_error_code(error)
    }
}

impl network::HostNetwork for SocketsView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        network::HostNetwork::drop(&mut self.wasi(), network)
    }
}

impl instance_network::Host for SocketsView<'_> {
    fn instance_network(&mut self) -> Result<Resource<Network>> {
        self.wasi().instance_network()
    }
}

type Names = Resource<ip_name_lookup::ResolveAddressStream>;

impl ip_name_lookup::Host for SocketsView<'_> {
    fn resolve_addresses(&mut self, _: Resource<Network>, name: String) -> SocketResult<Names> {
        let hint = "A socket is granted for an address. What is known by its name is reached with wasi:http, which looks it up.";
        self.meter.refused(Refusal::new("sockets", Reason::Name, &name, "no names are looked up for sockets", hint));
        Err(ErrorCode::AccessDenied.into())
    }
}

// There is none: nothing hands one out.
impl ip_name_lookup::HostResolveAddressStream for SocketsView<'_> {
    fn resolve_next_address(&mut self, names: Names) -> SocketResult<Option<IpAddress>> {
        ip_name_lookup::HostResolveAddressStream::resolve_next_address(&mut self.wasi(), names)
    }

    fn subscribe(&mut self, names: Names) -> Result<Resource<DynPollable>> {
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.wasi(), names)
    }

    fn drop(&mut self, names: Names) -> Result<()> {
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.wasi(), names)
    }
}
