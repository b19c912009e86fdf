//! What a guest is given: a fresh `Guest` for each call, and a linker that holds the harmless base and what was granted.
//!
//! One file for each power, with the same names as in `skillhall_core::capability`: `link` puts the power into a linker.
//! Everything a power does outside the process goes through the [`Broker`]. `docs/sandbox.md` shows every
//! function that can be reached as one table, and a test holds the linker against it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skillhall_core::capability::sockets::Protocol;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod address;
pub mod assets;
pub mod broker;
#[cfg(feature = "http")]
pub mod egress;
mod local;
pub mod meter;
pub mod refusal;
pub(crate) mod rehearsal;
pub mod replay;
mod reserved;
pub mod stop;
pub mod traffic;

mod base;
mod clocks;
mod config;
mod files;
mod given;
mod http;
mod keyvalue;
pub mod log;
mod random;
pub mod secrets;
mod sockets;
mod stdio;
mod streams;
#[cfg(test)]
mod surface;
pub mod tools;
mod way;

pub use address::is_public;
pub use broker::{Broker, DenyAll, Folder, LocalPowers, Powers};
pub use keyvalue::{Keeping, Told, Unkept};
pub(crate) use keyvalue::{brought, sent};
pub use refusal::{Reason, Refusal};
pub use rehearsal::Touched;
pub use replay::Replay;
pub use reserved::Reserved;
pub(crate) use sockets::far;
pub use sockets::{Reach, Reached, SocketOperation};
pub use stop::Stop;
pub use traffic::{Allowance, Requested, Traffic};

pub(crate) use files::Files;
pub(crate) use given::Given;
use meter::Meter;
use random::RandomSource;
use stdio::Output;
pub(crate) use stdio::inert;

/// How a power is linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Not at all: a component that imports it cannot be instantiated.
    #[default]
    Absent,
    /// The interfaces are there and give nothing: no directory, no socket, every request refused.
    Empty,
    /// The interfaces are there and reach what was granted, by way of the broker.
    Granted,
}

/// Which powers are linked beyond the base. The default links none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SandboxLinks {
    /// `wasi:filesystem`.
    pub files: Link,
    /// `wasi:http`, outgoing.
    pub http: Link,
    /// `wasi:sockets`.
    pub sockets: Link,
    /// `wasi:config`. It has no empty form.
    pub config: Link,
    /// `wasi:keyvalue`. It has no empty form.
    pub keyvalue: Link,
    /// `skillhall:secrets`, for what the guest may see. It has no empty form.
    pub secrets: Link,
    /// `skillhall:tools`. It has no empty form.
    pub tools: Link,
}

/// Links a component with the base and the named powers, and with nothing else. `far` says that its sockets are in another process.
///
/// # Errors
/// If the component imports something that is not linked, or with another type.
pub(crate) fn link(engine: &Engine, component: &Component, links: SandboxLinks, far: bool) -> Result<InstancePre<Guest>> {
    let mut linker = Linker::new(engine);
    base::link(&mut linker)?;
    match links.files {
        Link::Absent => {}
        // What is reached is the guest's own: the folders it was opened with, which are none if it was granted none.
        Link::Empty | Link::Granted => files::link(&mut linker)?,
    }
    match links.sockets {
        Link::Absent => {}
        // What is reached is what the guest's broker says, which is nothing if it was granted none.
        Link::Empty | Link::Granted if far => sockets::link_far(&mut linker)?,
        Link::Empty | Link::Granted => sockets::link(&mut linker)?,
    }
    match links.http {
        Link::Absent => {}
        Link::Empty => http::link_empty(&mut linker, component)?,
        #[cfg(feature = "http")]
        Link::Granted => http::granted::link(&mut linker)?,
        #[cfg(not(feature = "http"))]
        Link::Granted => return Err(not_built("http")),
    }
    match links.config {
        Link::Absent => {}
        Link::Empty | Link::Granted => config::link(&mut linker)?,
    }
    match links.keyvalue {
        Link::Absent => {}
        Link::Empty | Link::Granted => keyvalue::link(&mut linker)?,
    }
    match links.secrets {
        Link::Absent => {}
        Link::Empty | Link::Granted => secrets::link(&mut linker)?,
    }
    match links.tools {
        Link::Absent => {}
        Link::Empty | Link::Granted => tools::link(&mut linker)?,
    }
    linker.instantiate_pre(component)
}

/// The engine's own sockets, as they are prepared for a guest that was granted addresses over both protocols.
#[cfg(test)]
pub(crate) fn engine_sockets(broker: &Arc<dyn Broker>) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    sockets::prepare(&mut builder, &[Protocol::Tcp, Protocol::Udp], broker);
    builder.build()
}

#[cfg(not(feature = "http"))]
fn not_built(power: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!("this host was built without the power {power}"))
}

/// The bounds that the sandbox itself enforces on one guest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) time_ms: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) host_calls: u64,
    pub(crate) host_call_bytes: u64,
    pub(crate) file_opens: u64,
    pub(crate) file_bytes: u64,
    pub(crate) sockets: u64,
    pub(crate) handles: usize,
    pub(crate) instances: usize,
    pub(crate) tables: usize,
    pub(crate) tool_calls: u64,
    pub(crate) http: Allowance,
}

/// What one guest holds on the host's side. It lives for one call.
pub(crate) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    files: Files,
    config: config::Values,
    /// Over which protocols any address is granted.
    sockets: Vec<Protocol>,
    pub(crate) stores: keyvalue::Opened,
    broker: Arc<dyn Broker>,
    random: RandomSource,
    output: Output,
    pub(crate) meter: Meter,
    #[cfg(feature = "http")]
    outgoing: http::granted::Outgoing,
}

impl Guest {
    /// A guest with these folders and values, stores, requests and sockets by way of its broker if they are linked, and nothing
    /// else: no arguments, no input, and nothing of the host's environment.
    pub(crate) fn new(bounds: &Bounds, replay: Option<&Replay>, given: &Given, files: Files, broker: &Arc<dyn Broker>) -> Self {
        let output = Output::new(bounds.output_bytes);
        let mut table = ResourceTable::new();
        table.set_max_capacity(bounds.handles);
        let mut builder = WasiCtx::builder();
        builder
            .stdin(stdio::closed())
            .stdout(output.stdout())
            .stderr(output.stderr())
            .wall_clock(clocks::Wall::new(replay, given.clocks))
            .monotonic_clock(clocks::Monotonic::new(replay, given.clocks))
            .allow_blocking_current_thread(false);
        sockets::prepare(&mut builder, &given.sockets, broker);
        for variable in &given.env {
            builder.env(&variable.name, &variable.value);
        }
        let (random, meter) = (RandomSource::new(replay), Meter::new(bounds));
        #[cfg(feature = "http")]
        let outgoing = http::granted::Outgoing::new(Arc::clone(broker), Arc::clone(meter.traffic()));
        Self {
            wasi: builder.build(),
            table,
            files,
            config: config::Values::new(&given.config),
            sockets: given.sockets.clone(),
            stores: keyvalue::Opened::new(&given.keyvalue, Arc::clone(broker)),
            broker: Arc::clone(broker),
            random,
            output,
            meter,
            #[cfg(feature = "http")]
            outgoing,
        }
    }

    /// What the guest wrote, as text that is safe to show, and how many bytes that was.
    pub(crate) fn written(&self) -> stdio::Written {
        self.output.written()
    }

    /// How many bytes it and the skills that it called gave out by now.
    pub(crate) fn given_out(&self) -> u64 {
        self.output.given_out()
    }

    /// How many bytes it wrote.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.output.bytes()
    }

    fn view(&mut self) -> WasiCtxView<'_> {
        self.meter.host_call();
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.view()
    }
}
