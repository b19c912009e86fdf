//! The base that every guest gets: `wasi:cli` without arguments, environment, input or terminal; `wasi:io`; coarse
//! `wasi:clocks`; bounded `wasi:random`; `wasi:logging` into the receipt.

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi_io::bindings::wasi::io;

use super::random::{HasRandom, view as random_view};
use super::{Guest, WasiView as _, log};

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links the base. Interfaces that a later 0.2 release adds are not linked until they stand here.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    io::error::add_to_linker::<Guest, HasTable>(linker, |guest| guest.ctx().table)?;
    io::poll::add_to_linker::<Guest, HasTable>(linker, |guest| guest.ctx().table)?;
    io::streams::add_to_linker::<Guest, HasTable>(linker, |guest| guest.ctx().table)?;

    cli::environment::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::exit::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::stdin::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::stdout::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::stderr::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::terminal_input::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::terminal_output::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::terminal_stdin::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::terminal_stdout::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;
    cli::terminal_stderr::add_to_linker::<Guest, WasiCli>(linker, Guest::cli)?;

    clocks::monotonic_clock::add_to_linker::<Guest, WasiClocks>(linker, Guest::clocks)?;
    clocks::wall_clock::add_to_linker::<Guest, WasiClocks>(linker, Guest::clocks)?;

    random::random::add_to_linker::<Guest, HasRandom>(linker, random_view)?;
    random::insecure::add_to_linker::<Guest, HasRandom>(linker, random_view)?;
    random::insecure_seed::add_to_linker::<Guest, HasRandom>(linker, random_view)?;
    log::link(linker)
}
