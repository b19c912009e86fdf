//! The sockets of a guest that is in another process: here, with whoever decides about each address and counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use skillhall_core::capability::sockets::Protocol;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::sockets::network::IpAddressFamily;
use wasmtime_wasi::p2::bindings::sockets::tcp::{HostTcpSocket as Tcp, ShutdownType};
use wasmtime_wasi::p2::bindings::sockets::udp::{
    HostIncomingDatagramStream as In, HostOutgoingDatagramStream as Out, HostUdpSocket as Udp, IncomingDatagramStream,
    OutgoingDatagram, OutgoingDatagramStream,
};
use wasmtime_wasi::p2::bindings::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, Network, SocketError, TcpSocket, UdpSocket};
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::StreamError;

use super::{Got, Place, Setting, Thing, Way, Wish, Wrong};
use crate::sandbox::meter::Meter;
use crate::sandbox::sockets::{SocketsView, prepare};
use crate::sandbox::{Broker, Stop};

/// The sockets of one run.
pub(crate) struct Served {
    wasi: WasiCtx,
    table: ResourceTable,
    broker: Arc<dyn Broker>,
    granted: Vec<Protocol>,
}

/// Why something was not done.
enum Fault {
    Socket(SocketError),
    Stream(StreamError),
    Table(wasmtime::Error),
    /// There is no such function for such a thing.
    Misnamed,
}

impl From<SocketError> for Fault {
    fn from(error: SocketError) -> Self {
        Self::Socket(error)
    }
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Table(error)
    }
}

impl From<wasmtime::component::ResourceTableError> for Fault {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Table(error.into())
    }
}

impl Fault {
    /// What the other side is told; `moved` is how many bytes the wish moved.
    fn told(self, moved: u64) -> Wrong {
        let trap = |error: wasmtime::Error| match error.downcast_ref::<Stop>() {
            Some(Stop::HostCallBytes { .. }) => Wrong::Over(moved),
            _ => Wrong::Trap(error.to_string()),
        };
        match self {
            Self::Socket(error) => error.downcast().map_or_else(trap, Into::into),
            Self::Stream(StreamError::Closed) => Wrong::Closed,
            Self::Stream(StreamError::LastOperationFailed(error)) => Wrong::Failed(error.to_string()),
            Self::Stream(StreamError::Trap(error)) | Self::Table(error) => trap(error),
            Self::Misnamed => Wrong::Trap("there is no such thing".to_owned()),
        }
    }
}

impl Served {
    /// None yet. `granted` says over which protocols any address is granted, and the broker decides about each.
    pub(crate) fn new(granted: &[Protocol], broker: &Arc<dyn Broker>, handles: usize) -> Self {
        let mut builder = WasiCtx::builder();
        prepare(&mut builder, granted, broker);
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        Self { wasi: builder.build(), table, broker: Arc::clone(broker), granted: granted.to_vec() }
    }

    /// Does what is wished, as the functions do that a guest calls in this process, counted in this account.
    pub(crate) async fn serve(&mut self, meter: &mut Meter, wish: Wish) -> Result<Got, Wrong> {
        let before = meter.bytes();
        let got = match wish {
            Wish::Read(..) | Wish::CheckWrite(_) | Wish::Write(..) | Wish::Flush(_) => self.stream(wish),
            Wish::Setting(thing, setting) => self.setting(meter, thing, setting),
            Wish::Set(thing, setting, value) => self.set(meter, thing, setting, value),
            wish => self.function(meter, wish).await,
        };
        got.map_err(|fault| fault.told(meter.bytes().saturating_sub(before)))
    }

    /// Whether there is something to be done with this thing. The engine's sockets remember who asked last, so that nothing has to be
    /// held until then; what is not there is never waited for.
    pub(crate) fn poll_ready(&mut self, thing: Thing, context: &mut Context<'_>) -> Poll<()> {
        let pollable: Result<&mut dyn Pollable, _> = match thing {
            Thing::Tcp(at) => self.table.get_mut(&named::<TcpSocket>(at)).map(|it| it as &mut dyn Pollable),
            Thing::Udp(at) => self.table.get_mut(&named::<UdpSocket>(at)).map(|it| it as &mut dyn Pollable),
            Thing::Input(at) => self.table.get_mut(&named::<DynInputStream>(at)).map(|it| it as &mut dyn Pollable),
            Thing::Output(at) => self.table.get_mut(&named::<DynOutputStream>(at)).map(|it| it as &mut dyn Pollable),
            Thing::Incoming(at) => self.table.get_mut(&named::<IncomingDatagramStream>(at)).map(|it| it as &mut dyn Pollable),
            Thing::Outgoing(at) => self.table.get_mut(&named::<OutgoingDatagramStream>(at)).map(|it| it as &mut dyn Pollable),
        };
        match pollable {
            Ok(pollable) => pollable.ready().as_mut().poll(context),
            Err(_) => Poll::Ready(()),
        }
    }

    /// Takes a thing away. One that others hang on stays until the end of the run.
    pub(crate) fn let_go(&mut self, thing: Thing) {
        let _ = match thing {
            Thing::Tcp(at) => self.table.delete(named::<TcpSocket>(at)).map(drop),
            Thing::Udp(at) => self.table.delete(named::<UdpSocket>(at)).map(drop),
            Thing::Input(at) => self.table.delete(named::<DynInputStream>(at)).map(drop),
            Thing::Output(at) => self.table.delete(named::<DynOutputStream>(at)).map(drop),
            Thing::Incoming(at) => self.table.delete(named::<IncomingDatagramStream>(at)).map(drop),
            Thing::Outgoing(at) => self.table.delete(named::<OutgoingDatagramStream>(at)).map(drop),
        };
    }

    fn view<'a>(&'a mut self, meter: &'a mut Meter) -> SocketsView<'a> {
        let Self { wasi, table, broker, granted } = self;
        SocketsView { context: wasi.sockets(), table, meter, broker: &**broker, granted }
    }

    async fn function(&mut self, meter: &mut Meter, wish: Wish) -> Result<Got, Fault> {
        let mut view = self.view(meter);
        match wish {
            Wish::Make { protocol: Protocol::Tcp, v6 } => {
                Ok(Got::One(Thing::Tcp(tcp_create_socket::Host::create_tcp_socket(&mut view, family(v6))?.rep())))
            }
            Wish::Make { protocol: Protocol::Udp, v6 } => {
                Ok(Got::One(Thing::Udp(udp_create_socket::Host::create_udp_socket(&mut view, family(v6)).await?.rep())))
            }
            Wish::StartBind(thing, place) => {
                let (network, place) = (network(&mut view)?, SocketAddr::from(place).into());
                let own = named(network.rep());
                let bound = match thing {
                    Thing::Tcp(at) => Tcp::start_bind(&mut view, named(at), own, place).await,
                    Thing::Udp(at) => Udp::start_bind(&mut view, named(at), own, place).await,
                    _ => return Err(Fault::Misnamed),
                };
                view.table.delete(network)?;
                Ok(nothing(bound?))
            }
            Wish::FinishBind(Thing::Tcp(at)) => Ok(nothing(Tcp::finish_bind(&mut view, named(at))?)),
            Wish::FinishBind(Thing::Udp(at)) => Ok(nothing(Udp::finish_bind(&mut view, named(at))?)),
            Wish::StartConnect(Thing::Tcp(at), place) => {
                let network = network(&mut view)?;
                let begun = Tcp::start_connect(&mut view, named(at), named(network.rep()), SocketAddr::from(place).into());
                view.table.delete(network)?;
                Ok(nothing(begun?))
            }
            Wish::FinishConnect(Thing::Tcp(at)) => {
                let (input, output) = Tcp::finish_connect(&mut view, named(at))?;
                Ok(Got::Two(Thing::Input(input.rep()), Thing::Output(output.rep())))
            }
            Wish::StartListen(Thing::Tcp(at)) => Ok(nothing(Tcp::start_listen(&mut view, named(at)).await?)),
            Wish::FinishListen(Thing::Tcp(at)) => Ok(nothing(Tcp::finish_listen(&mut view, named(at))?)),
            // Nothing listens, so that there is nobody to accept.
            Wish::Accept(Thing::Tcp(at)) => Ok(Tcp::accept(&mut view, named(at)).map(|_| Got::Nothing)?),
            Wish::IsListening(Thing::Tcp(at)) => Ok(Got::Number(Tcp::is_listening(&mut view, named(at))?.into())),
            Wish::Shutdown(Thing::Tcp(at), way) => {
                let how = match way {
                    Way::Receive => ShutdownType::Receive,
                    Way::Send => ShutdownType::Send,
                    Way::Both => ShutdownType::Both,
                };
                Ok(nothing(Tcp::shutdown(&mut view, named(at), how)?))
            }
            Wish::LocalAddress(Thing::Tcp(at)) => Ok(place(Tcp::local_address(&mut view, named(at))?.into())),
            Wish::LocalAddress(Thing::Udp(at)) => Ok(place(Udp::local_address(&mut view, named(at))?.into())),
            Wish::RemoteAddress(Thing::Tcp(at)) => Ok(place(Tcp::remote_address(&mut view, named(at))?.into())),
            Wish::RemoteAddress(Thing::Udp(at)) => Ok(place(Udp::remote_address(&mut view, named(at))?.into())),
            Wish::Stream(Thing::Udp(at), remote) => {
                let remote = remote.map(|place| SocketAddr::from(place).into());
                let (incoming, outgoing) = Udp::stream(&mut view, named(at), remote).await?;
                Ok(Got::Two(Thing::Incoming(incoming.rep()), Thing::Outgoing(outgoing.rep())))
            }
            Wish::Receive(Thing::Incoming(at), most) => {
                let datagrams = In::receive(&mut view, named(at), most)?.into_iter();
                let of = |place| Place::from(SocketAddr::from(place));
                Ok(Got::Datagrams(datagrams.map(|datagram| (datagram.data, of(datagram.remote_address))).collect()))
            }
            Wish::CheckSend(Thing::Outgoing(at)) => Ok(Got::Number(Out::check_send(&mut view, named(at))?)),
            Wish::Send(Thing::Outgoing(at), datagrams) => {
                let to = |place: Place| SocketAddr::from(place).into();
                let datagram = |(data, place): (_, Option<Place>)| OutgoingDatagram { data, remote_address: place.map(to) };
                Ok(Got::Number(Out::send(&mut view, named(at), datagrams.into_iter().map(datagram).collect())?))
            }
            Wish::LookUp(name) => {
                let network = network(&mut view)?;
                let told = ip_name_lookup::Host::resolve_addresses(&mut view, named(network.rep()), name);
                view.table.delete(network)?;
                Ok(told.map(|_| Got::Nothing)?)
            }
            _ => Err(Fault::Misnamed),
        }
    }

    /// What is done with the streams of a connection, which count by themselves.
    fn stream(&mut self, wish: Wish) -> Result<Got, Fault> {
        match wish {
            Wish::Read(Thing::Input(at), most) => {
                let stream = self.table.get_mut(&named::<DynInputStream>(at))?;
                Ok(Got::Bytes(stream.read(usize::try_from(most).unwrap_or(usize::MAX))?.into()))
            }
            Wish::CheckWrite(Thing::Output(at)) => {
                let count = self.table.get_mut(&named::<DynOutputStream>(at))?.check_write()?;
                Ok(Got::Number(u64::try_from(count).unwrap_or(u64::MAX)))
            }
            Wish::Write(Thing::Output(at), bytes) => {
                Ok(nothing(self.table.get_mut(&named::<DynOutputStream>(at))?.write(bytes.into())?))
            }
            Wish::Flush(Thing::Output(at)) => Ok(nothing(self.table.get_mut(&named::<DynOutputStream>(at))?.flush()?)),
            _ => Err(Fault::Misnamed),
        }
    }

    fn setting(&mut self, meter: &mut Meter, thing: Thing, setting: Setting) -> Result<Got, Fault> {
        let view = &mut self.view(meter);
        Ok(Got::Number(match (thing, setting) {
            (Thing::Tcp(at), Setting::KeepAlive) => view.keep_alive_enabled(named(at))?.into(),
            (Thing::Tcp(at), Setting::KeepAliveIdle) => view.keep_alive_idle_time(named(at))?,
            (Thing::Tcp(at), Setting::KeepAliveInterval) => view.keep_alive_interval(named(at))?,
            (Thing::Tcp(at), Setting::KeepAliveCount) => view.keep_alive_count(named(at))?.into(),
            (Thing::Tcp(at), Setting::HopLimit) => view.hop_limit(named(at))?.into(),
            (Thing::Tcp(at), Setting::ReceiveBuffer) => Tcp::receive_buffer_size(view, named(at))?,
            (Thing::Tcp(at), Setting::SendBuffer) => Tcp::send_buffer_size(view, named(at))?,
            (Thing::Udp(at), Setting::HopLimit) => view.unicast_hop_limit(named(at))?.into(),
            (Thing::Udp(at), Setting::ReceiveBuffer) => Udp::receive_buffer_size(view, named(at))?,
            (Thing::Udp(at), Setting::SendBuffer) => Udp::send_buffer_size(view, named(at))?,
            _ => return Err(Fault::Misnamed),
        }))
    }

    fn set(&mut self, meter: &mut Meter, thing: Thing, setting: Setting, value: u64) -> Result<Got, Fault> {
        let view = &mut self.view(meter);
        match (thing, setting) {
            (Thing::Tcp(at), Setting::ListenBacklog) => view.set_listen_backlog_size(named(at), value)?,
            (Thing::Tcp(at), Setting::KeepAlive) => view.set_keep_alive_enabled(named(at), value == 1)?,
            (Thing::Tcp(at), Setting::KeepAliveIdle) => view.set_keep_alive_idle_time(named(at), value)?,
            (Thing::Tcp(at), Setting::KeepAliveInterval) => view.set_keep_alive_interval(named(at), value)?,
            (Thing::Tcp(at), Setting::KeepAliveCount) => view.set_keep_alive_count(named(at), fits(value)?)?,
            (Thing::Tcp(at), Setting::HopLimit) => view.set_hop_limit(named(at), fits(value)?)?,
            (Thing::Tcp(at), Setting::ReceiveBuffer) => Tcp::set_receive_buffer_size(view, named(at), value)?,
            (Thing::Tcp(at), Setting::SendBuffer) => Tcp::set_send_buffer_size(view, named(at), value)?,
            (Thing::Udp(at), Setting::HopLimit) => view.set_unicast_hop_limit(named(at), fits(value)?)?,
            (Thing::Udp(at), Setting::ReceiveBuffer) => Udp::set_receive_buffer_size(view, named(at), value)?,
            (Thing::Udp(at), Setting::SendBuffer) => Udp::set_send_buffer_size(view, named(at), value)?,
            _ => return Err(Fault::Misnamed),
        }
        Ok(Got::Nothing)
    }
}

/// The network as a whole, for one function.
fn network(view: &mut SocketsView<'_>) -> Result<Resource<Network>, Fault> {
    Ok(instance_network::Host::instance_network(view)?)
}

/// The other side names things by numbers; the table knows of which kind each is.
fn named<T: 'static>(at: u32) -> Resource<T> {
    Resource::new_borrow(at)
}

fn family(v6: bool) -> IpAddressFamily {
    if v6 { IpAddressFamily::Ipv6 } else { IpAddressFamily::Ipv4 }
}

fn nothing((): ()) -> Got {
    Got::Nothing
}

fn place(address: SocketAddr) -> Got {
    Got::Place(address.into())
}

fn fits<N: TryFrom<u64>>(value: u64) -> Result<N, Fault> {
    value.try_into().map_err(|_| Fault::Misnamed)
}
