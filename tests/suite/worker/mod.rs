//! Compiling in a process of its own: its locks, what it makes, and how it ends, through real programs.

mod bombs;
mod ends;
mod locks;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use skillhall_tests::command::{Run, finish, hall};
use skillhall_tests::files::{put, text};
use skillhall_tests::skills::{assemble, component, source_of, write};
use skillhall_tests::world::World;

/// A program that embeds a hall and can be its own worker.
const EMBEDDER: &str = env!("CARGO_BIN_EXE_embedder");

/// A component with the tool `run`, and beside it a core module that nobody instantiates, though everybody compiles it.
fn with_module(module: &[u8]) -> Vec<u8> {
    let mut bytes = component(
        r#"(component
            (core module $m (func (export "run") (result i32) (i32.const 7)))
            (core instance $i (instantiate $m))
            (func (export "run") (result u32) (canon lift (core func $i "run"))))"#,
    );
    bytes.extend(bombs::section(1, module));
    bytes
}

/// Writes a package of this component beside the hall; gives its folder.
fn package(world: &World, name: &str, component: Vec<u8>) -> PathBuf {
    let package = assemble(&source_of(name, ""), component, None).expect("the package is built");
    write(&package, world.desk(), name);
    world.desk().join(name)
}

/// A hall whose host is the command, with these lines under `[limits]`.
fn limited(lines: &str) -> World {
    let world = World::bare();
    let path = world.home().join("hall.toml");
    put(&path, text(&path).replace("[limits]", &format!("[limits]\n{lines}")).as_bytes());
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    world
}

/// Everything up to the install, which is given back as a command that is not started yet.
fn published(world: &World, name: &str, component: Vec<u8>) -> Command {
    let folder = package(world, name, component).display().to_string();
    for verb in ["attest", "certify", "publish"] {
        hall(&world.home(), &[verb, &folder, "--json"]).object();
    }
    skillhall_tests::command::command(&world.home(), &["install", &folder, "--json"])
}

/// What the embedder says, a value for each line.
fn embedder(world: &World, verb: &str, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(EMBEDDER);
    let run: Run = finish(command.arg(verb).arg(world.home()).args(arguments)).ends(0);
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON value a line")).collect()
}

/// The files of compiled code in the hall's cache.
fn cached(world: &World) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(world.home().join("cache")).expect("the cache is there");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// The processes that were started by this one and are not gone.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let line = format!("PPid:\t{parent}");
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let status = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    pids.filter(|pid| status(*pid).lines().any(|own| own == line)).collect()
}
