//! `wasi:filesystem`. Linked empty there is no preopened directory, so no path leads anywhere.

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem;

use super::Guest;

/// Links the interfaces over no directory at all.
pub(super) fn link_empty(linker: &mut Linker<Guest>) -> Result<()> {
    filesystem::preopens::add_to_linker::<Guest, WasiFilesystem>(linker, Guest::filesystem)?;
    filesystem::types::add_to_linker::<Guest, WasiFilesystem>(linker, Guest::filesystem)
}
