//! Sockets that are in another process than the guest: what its functions wish done there, and what came of it, as plain data that
//! can go over a pipe.
//!
//! There it is done by the very functions that a guest in that process would call ([`served`]): what is decided, counted and told
//! is decided, counted and told there. Here ([`view`]) stands a name for each socket, and a count, so that the guest is stopped
//! where it would be stopped there.

pub(crate) mod served;
mod streams;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;
pub(super) mod view;

use std::future::Future;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skillhall_core::capability::sockets::Protocol;
use wasmtime_wasi::p2::bindings::sockets::network::ErrorCode;
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;

/// Something over there, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Thing {
    Tcp(u32),
    Udp(u32),
    Input(u32),
    Output(u32),
    Incoming(u32),
    Outgoing(u32),
}

/// An address with all that a guest can say of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    ip: IpAddr,
    port: u16,
    flow: u32,
    zone: u32,
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        let (flow, zone) = match address {
            SocketAddr::V4(_) => (0, 0),
            SocketAddr::V6(v6) => (v6.flowinfo(), v6.scope_id()),
        };
        Self { ip: address.ip(), port: address.port(), flow, zone }
    }
}

impl From<Place> for SocketAddr {
    fn from(place: Place) -> Self {
        match place.ip {
            IpAddr::V4(ip) => Self::from((ip, place.port)),
            IpAddr::V6(ip) => Self::V6(SocketAddrV6::new(ip, place.port, place.flow, place.zone)),
        }
    }
}

/// A datagram, and from or to whom.
pub(crate) type Datagram<P> = (Vec<u8>, P);

/// A figure of a socket's. What is true is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setting {
    ListenBacklog,
    KeepAlive,
    KeepAliveIdle,
    KeepAliveInterval,
    KeepAliveCount,
    HopLimit,
    ReceiveBuffer,
    SendBuffer,
}

/// What is to be done over there: each is one function of `wasi:sockets` or of its streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    Make { protocol: Protocol, v6: bool },
    StartBind(Thing, Place),
    FinishBind(Thing),
    StartConnect(Thing, Place),
    FinishConnect(Thing),
    StartListen(Thing),
    FinishListen(Thing),
    Accept(Thing),
    Stream(Thing, Option<Place>),
    LocalAddress(Thing),
    RemoteAddress(Thing),
    IsListening(Thing),
    Setting(Thing, Setting),
    Set(Thing, Setting, u64),
    Shutdown(Thing, Way),
    Receive(Thing, u64),
    CheckSend(Thing),
    Send(Thing, Vec<Datagram<Option<Place>>>),
    Read(Thing, u64),
    CheckWrite(Thing),
    Write(Thing, Vec<u8>),
    Flush(Thing),
    LookUp(String),
}

/// Which way of a connection is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Receive,
    Send,
    Both,
}

impl Wish {
    /// Whether it is a part of what a guest does with a stream, of which one call can take several.
    pub(crate) fn is_part(&self) -> bool {
        matches!(self, Self::Read(..) | Self::CheckWrite(_) | Self::Write(..) | Self::Flush(_))
    }
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Got {
    Nothing,
    One(Thing),
    Two(Thing, Thing),
    Place(Place),
    Number(u64),
    Bytes(Vec<u8>),
    Datagrams(Vec<Datagram<Place>>),
}

/// Why nothing came of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wrong {
    /// An error code of `wasi:sockets`, by its place in [`CODES`].
    Code(u8),
    /// The stream is closed.
    Closed,
    /// The last operation on the stream failed.
    Failed(String),
    /// So many bytes more are more than may go through the host.
    Over(u64),
    /// The guest did what it must not.
    Trap(String),
}

/// The error codes of `wasi:sockets`.
const CODES: [ErrorCode; 21] = [
    ErrorCode::Unknown,
    ErrorCode::AccessDenied,
    ErrorCode::NotSupported,
    ErrorCode::InvalidArgument,
    ErrorCode::OutOfMemory,
    ErrorCode::Timeout,
    ErrorCode::ConcurrencyConflict,
    ErrorCode::NotInProgress,
    ErrorCode::WouldBlock,
    ErrorCode::InvalidState,
    ErrorCode::NewSocketLimit,
    ErrorCode::AddressNotBindable,
    ErrorCode::AddressInUse,
    ErrorCode::RemoteUnreachable,
    ErrorCode::ConnectionRefused,
    ErrorCode::ConnectionReset,
    ErrorCode::ConnectionAborted,
    ErrorCode::DatagramTooLarge,
    ErrorCode::NameUnresolvable,
    ErrorCode::TemporaryResolverFailure,
    ErrorCode::PermanentResolverFailure,
];

impl From<ErrorCode> for Wrong {
    fn from(code: ErrorCode) -> Self {
        Self::Code(CODES.iter().position(|known| *known == code).and_then(|place| u8::try_from(place).ok()).unwrap_or(0))
    }
}

/// Whoever has the sockets of a guest that is in another process.
pub trait Far: Send + Sync {
    /// Has it done, and waits for that. Nothing of it takes long.
    ///
    /// # Errors
    /// Why nothing came of it.
    fn wish(&self, wish: Wish) -> Result<Got, Wrong>;

    /// Waits until there is something to be done with this thing.
    fn ready(&self, thing: Thing) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// The guest has this thing no more.
    fn let_go(&self, thing: Thing);
}

/// The name of a thing, in the place of the thing.
struct Held {
    thing: Thing,
    v6: bool,
    far: Arc<dyn Far>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.far.let_go(self.thing);
    }
}

#[async_trait]
impl Pollable for Held {
    async fn ready(&mut self) {
        self.far.ready(self.thing).await;
    }
}
