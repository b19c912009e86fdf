//! The functions of `wasi:sockets` for a guest whose sockets are in another process.

use std::sync::Arc;

use skillhall_core::capability::sockets::Protocol;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Network};
use wasmtime_wasi::p2::bindings::sockets::{instance_network, ip_name_lookup};
use wasmtime_wasi::p2::{DynPollable, SocketError, SocketResult};
use wasmtime_wasi::sockets::{WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi_io::poll::Pollable as _;

use super::{CODES, Far, Got, Held, Place, Setting, Thing, Wish, Wrong};
use crate::sandbox::Guest;
use crate::sandbox::meter::Meter;

/// The parts of a guest that the functions need.
pub(in crate::sandbox::sockets) struct FarView<'a> {
    far: Option<Arc<dyn Far>>,
    context: &'a mut WasiSocketsCtx,
    pub(super) table: &'a mut ResourceTable,
    pub(super) meter: &'a mut Meter,
    granted: &'a [Protocol],
}

/// Names [`FarView`] to the linker.
pub(in crate::sandbox::sockets) struct HasFar;

impl HasData for HasFar {
    type Data<'a> = FarView<'a>;
}

pub(in crate::sandbox::sockets) fn view(guest: &mut Guest) -> FarView<'_> {
    guest.meter.host_call();
    FarView {
        far: guest.broker.far(),
        context: guest.wasi.sockets(),
        table: &mut guest.table,
        meter: &mut guest.meter,
        granted: &guest.sockets,
    }
}

impl FarView<'_> {
    fn far(&self) -> SocketResult<Arc<dyn Far>> {
        self.far.clone().ok_or_else(|| ErrorCode::AccessDenied.into())
    }

    /// Has it done.
    pub(super) fn wish(&mut self, wish: Wish) -> SocketResult<Got> {
        let told = self.far()?.wish(wish);
        told.map_err(|wrong| self.wrong(wrong))
    }

    /// As [`wish`](Self::wish); what is refused outright is not counted, and all else is, whatever came of it.
    fn counted(&mut self, wish: Wish, count: impl FnOnce(&mut Self) -> SocketResult<()>) -> SocketResult<Got> {
        let told = self.far()?.wish(wish);
        if told != Err(ErrorCode::AccessDenied.into()) {
            count(self)?;
        }
        told.map_err(|wrong| self.wrong(wrong))
    }

    fn wrong(&mut self, wrong: Wrong) -> SocketError {
        match wrong {
            Wrong::Code(place) => CODES.get(usize::from(place)).copied().unwrap_or(ErrorCode::Unknown).into(),
            Wrong::Over(bytes) => self.moving(bytes).err().unwrap_or_else(other),
            Wrong::Closed => other(),
            Wrong::Failed(text) | Wrong::Trap(text) => SocketError::trap(Error::msg(text)),
        }
    }

    /// Counts bytes.
    pub(super) fn moving(&mut self, bytes: u64) -> SocketResult<()> {
        self.meter.moving(bytes).map_err(SocketError::trap)
    }

    /// As [`wish`](Self::wish), where bytes go out.
    pub(super) fn sends(&mut self, wish: Wish, bytes: u64) -> SocketResult<Got> {
        self.counted(wish, |view| view.moving(bytes))
    }

    /// Makes a socket.
    pub(super) fn make<T: 'static>(&mut self, protocol: Protocol, family: IpAddressFamily) -> SocketResult<Resource<T>> {
        let v6 = matches!(family, IpAddressFamily::Ipv6);
        let is_granted = self.granted.contains(&protocol);
        let count = |view: &mut Self| if is_granted { view.meter.making_socket().map_err(SocketError::trap) } else { Ok(()) };
        match self.counted(Wish::Make { protocol, v6 }, count)? {
            Got::One(thing) => {
                let held = Held { thing, v6, far: self.far()? };
                Ok(Resource::new_own(self.table.push(held)?.rep()))
            }
            _ => Err(other()),
        }
    }

    /// The thing that a resource names.
    pub(super) fn thing<T: 'static>(&self, resource: &Resource<T>) -> SocketResult<Thing> {
        Ok(self.table.get(&held(resource))?.thing)
    }

    /// A name for a thing that came of another one.
    pub(super) fn name<T: 'static, P: 'static>(&mut self, thing: Thing, parent: &Resource<P>) -> SocketResult<Resource<T>> {
        let name = Held { thing, v6: false, far: self.far()? };
        Ok(Resource::new_own(self.table.push_child(name, &held(parent))?.rep()))
    }

    /// Whoever has the things that are given a name outside of this.
    pub(super) fn held(&self, thing: Thing) -> SocketResult<Held> {
        Ok(Held { thing, v6: false, far: self.far()? })
    }

    pub(super) fn family<T: 'static>(&self, resource: &Resource<T>) -> Result<IpAddressFamily> {
        let v6 = self.table.get(&held(resource))?.v6;
        Ok(if v6 { IpAddressFamily::Ipv6 } else { IpAddressFamily::Ipv4 })
    }

    pub(super) fn subscribe_to<T: 'static>(&mut self, resource: &Resource<T>) -> Result<Resource<DynPollable>> {
        wasmtime_wasi_io::poll::subscribe(self.table, held(resource))
    }

    pub(super) fn let_go<T: 'static>(&mut self, resource: &Resource<T>) -> Result<()> {
        self.table.delete(Resource::<Held>::new_own(resource.rep()))?;
        Ok(())
    }

    /// Waits until what is under way with a thing is done.
    pub(super) async fn gone<T: 'static>(&mut self, resource: &Resource<T>) -> Result<()> {
        self.table.get_mut(&held(resource))?.ready().await;
        Ok(())
    }

    /// Does something with a thing, which gives nothing back.
    pub(super) fn does<T: 'static>(&mut self, resource: &Resource<T>, wish: impl FnOnce(Thing) -> Wish) -> SocketResult<()> {
        let wish = wish(self.thing(resource)?);
        self.wish(wish).map(drop)
    }

    pub(super) fn place<T: 'static>(&mut self, resource: &Resource<T>, wish: fn(Thing) -> Wish) -> SocketResult<IpSocketAddress> {
        let wish = wish(self.thing(resource)?);
        match self.wish(wish)? {
            Got::Place(place) => Ok(std::net::SocketAddr::from(place).into()),
            _ => Err(other()),
        }
    }

    pub(super) fn number<T: 'static>(&mut self, resource: &Resource<T>, wish: impl FnOnce(Thing) -> Wish) -> SocketResult<u64> {
        let wish = wish(self.thing(resource)?);
        match self.wish(wish)? {
            Got::Number(number) => Ok(number),
            _ => Err(other()),
        }
    }

    pub(super) fn setting<T: 'static, N: TryFrom<u64>>(&mut self, resource: &Resource<T>, setting: Setting) -> SocketResult<N> {
        let number = self.number(resource, |thing| Wish::Setting(thing, setting))?;
        number.try_into().map_err(|_| other())
    }

    pub(super) fn set<T: 'static>(&mut self, resource: &Resource<T>, setting: Setting, value: u64) -> SocketResult<()> {
        self.does(resource, |thing| Wish::Set(thing, setting, value))
    }

    fn wasi(&mut self) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView { ctx: self.context, table: self.table }
    }
}

fn held<T: 'static>(resource: &Resource<T>) -> Resource<Held> {
    Resource::new_borrow(resource.rep())
}

pub(super) fn other() -> SocketError {
    SocketError::trap(Error::msg("the host answered something else than it was asked"))
}

pub(super) fn place(address: IpSocketAddress) -> Place {
    std::net::SocketAddr::from(address).into()
}

// The network as a whole is a name alone, so that it is here.
impl network::Host for FarView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<Error>) -> Result<Option<ErrorCode>> {
        self.wasi().network_error_code(error)
    }
}

impl network::HostNetwork for FarView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        network::HostNetwork::drop(&mut self.wasi(), network)
    }
}

impl instance_network::Host for FarView<'_> {
    fn instance_network(&mut self) -> Result<Resource<Network>> {
        self.wasi().instance_network()
    }
}

type Names = Resource<ip_name_lookup::ResolveAddressStream>;

impl ip_name_lookup::Host for FarView<'_> {
    fn resolve_addresses(&mut self, _: Resource<Network>, name: String) -> SocketResult<Names> {
        self.wish(Wish::LookUp(name))?;
        Err(ErrorCode::AccessDenied.into())
    }
}

// There is none: nothing hands one out.
impl ip_name_lookup::HostResolveAddressStream for FarView<'_> {
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
