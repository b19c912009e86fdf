//! What a guest is given: a fresh `Guest` for each call, and a linker that holds the harmless base and what was granted.
//!
//! One file for each power, with the same names as in `skillhall_core::capability`: `link` puts the power into a linker.
//! Everything a power does outside the process goes through the [`Broker`]. `docs/sandbox.md` shows every
//! function that can be reached as one table, and a test holds the linker against it.

use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Result};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

pub mod broker;
pub mod meter;
pub mod replay;
pub mod stop;

mod base;
mod clocks;
mod files;
mod http;
mod random;
mod sockets;
mod stdio;
#[cfg(test)]
mod surface;

pub use broker::{Broker, DenyAll};
pub use replay::Replay;
pub use stop::Stop;

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
}

/// Links a component with the base and the named powers, and with nothing else.
///
/// # Errors
/// If the component imports something that is not linked, or with another type.
pub(crate) fn link(engine: &Engine, component: &Component, links: SandboxLinks) -> Result<InstancePre<Guest>> {
    let mut linker = Linker::new(engine);
    base::link(&mut linker)?;
    if links.files == Link::Empty {
        files::link_empty(&mut linker)?;
    }
    if links.sockets == Link::Empty {
        sockets::link_empty(&mut linker)?;
    }
    if links.http == Link::Empty {
        http::link_empty(&mut linker, component)?;
    }
    linker.instantiate_pre(component)
}

/// The bounds that the sandbox itself enforces on one guest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) memory_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) host_calls: u64,
    pub(crate) host_call_bytes: u64,
    pub(crate) handles: usize,
    pub(crate) instances: usize,
    pub(crate) tables: usize,
}

/// What one guest holds on the host's side. It lives for one call.
pub(crate) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    random: RandomSource,
    output: Output,
    pub(crate) meter: Meter,
}

impl Guest {
    /// A guest with nothing: no arguments, no environment, no input, no directory, no network.
    pub(crate) fn new(bounds: &Bounds, replay: Option<&Replay>) -> Self {
        let output = Output::new(bounds.output_bytes);
        let mut table = ResourceTable::new();
        table.set_max_capacity(bounds.handles);
        let mut builder = WasiCtx::builder();
        builder
            .stdin(stdio::closed())
            .stdout(output.stdout())
            .stderr(output.stderr())
            .wall_clock(clocks::Wall::new(replay))
            .monotonic_clock(clocks::Monotonic::new(replay))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .allow_blocking_current_thread(false);
        Self { wasi: builder.build(), table, random: RandomSource::new(replay), output, meter: Meter::new(bounds) }
    }

    /// What the guest wrote, as text that is safe to show, and how many bytes that was.
    pub(crate) fn written(&self) -> stdio::Written {
        self.output.written()
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
