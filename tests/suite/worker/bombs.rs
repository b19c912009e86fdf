//! Components that cost far more to compile than they weigh. Each ends at a limit, soon, and the next install works.

use std::time::{Duration, Instant};

use skillhall_tests::command::{finish, hall};
use skillhall_tests::files::{put, text};
use skillhall_tests::skills::redact_component;
use skillhall_tests::world::World;

use super::{cached, embedder, limited, package, published, with_module};

const BLOCK: &[u8] = &[0x02, 0x40];
const LOOP: &[u8] = &[0x03, 0x40];
const IF: &[u8] = &[0x04, 0x40];
const END: &[u8] = &[0x0b];
const GET_0: &[u8] = &[0x20, 0x00];
const NO_LOCALS: &[u8] = &[0x00];

/// A number as WebAssembly writes it.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 127).expect("seven bits");
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 128);
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len())[..], bytes].concat()
}

/// A section of a component or a module.
pub(super) fn section(id: u8, bytes: &[u8]) -> Vec<u8> {
    [&[id][..], &sized(bytes)].concat()
}

/// A module of so many functions with this body, each from one integer to one.
pub(super) fn module(functions: usize, body: &[u8]) -> Vec<u8> {
    let types = [1, 0x60, 1, 0x7f, 1, 0x7f];
    let declared = [number(functions), vec![0; functions]].concat();
    let bodies = [number(functions), sized(body).repeat(functions)].concat();
    [&b"\0asm\x01\0\0\0"[..], &section(1, &types), &section(3, &declared), &section(10, &bodies)].concat()
}

fn body(parts: &[&[u8]]) -> Vec<u8> {
    [parts.concat().as_slice(), GET_0, END].concat()
}

fn locals(count: usize) -> Vec<u8> {
    [vec![1], number(count), vec![0x7f]].concat()
}

/// Very many functions, each next to nothing.
pub(super) fn many_functions(count: usize) -> Vec<u8> {
    module(count, &body(&[NO_LOCALS, GET_0, &[0x41, 0x01, 0x6a, 0x1a]]))
}

/// One function of very many additions.
fn huge_function() -> Vec<u8> {
    let steps = [&[0x41, 0x03, 0x6a][..], GET_0, &[0x6c]].concat().repeat(1_200_000);
    module(1, &body(&[NO_LOCALS, GET_0, &steps, &[0x1a]]))
}

/// Blocks in blocks, and ifs in ifs.
fn deep_nesting() -> Vec<u8> {
    let (blocks, ifs) = (400_000, 400_000);
    let down = [BLOCK.repeat(blocks), [GET_0, IF].concat().repeat(ifs)].concat();
    module(1, &body(&[NO_LOCALS, &down, &END.repeat(blocks + ifs)]))
}

/// Tables of branches to a thousand places, many times.
fn huge_tables() -> Vec<u8> {
    let (places, entries, tables) = (1_000, 60_000, 60);
    let targets: Vec<u8> = (0..entries).flat_map(|entry| number(entry % places)).collect();
    let table = [BLOCK, GET_0, &[0x0e], &number(entries), &targets, &number(0), END].concat();
    module(1, &body(&[NO_LOCALS, &BLOCK.repeat(places), &table.repeat(tables), &END.repeat(places)]))
}

/// As many locals as there may be, over many loops.
fn many_locals() -> Vec<u8> {
    let count = 49_990;
    let a_loop = |turn: usize| [LOOP, GET_0, &[0x21], &number(1 + turn * 7919 % count), GET_0, &[0x0d, 0x00], END].concat();
    let loops: Vec<u8> = (0..100_000).flat_map(a_loop).collect();
    let moves: Vec<u8> =
        (0..count).flat_map(|at| [&[0x20][..], &number(1 + at), &[0x21], &number(1 + (at + 1) % count)].concat()).collect();
    module(1, &body(&[&locals(count), &loops, &moves]))
}

/// As many locals as there may be, in very many functions.
fn locals_everywhere() -> Vec<u8> {
    module(100_000, &body(&[&locals(49_990)]))
}

/// Very many types, in very many modules. The engine makes them cheaply: this one passes, within the limits.
fn many_types() -> Vec<u8> {
    let kinds = [0x7f, 0x7e, 0x7d, 0x7c];
    let a_type = |turn: usize| [0x60, 2, 0x7f, kinds[turn % 4], 1, kinds[turn / 4 % 4]];
    let types = [number(900_000), (0..900_000).flat_map(a_type).collect()].concat();
    [&b"\0asm\x01\0\0\0"[..], &section(1, &types)].concat()
}

fn bombs() -> [(&'static str, Vec<u8>); 6] {
    [
        ("functions", many_functions(100_000)),
        ("function", huge_function()),
        ("nesting", deep_nesting()),
        ("tables", huge_tables()),
        ("locals", many_locals()),
        ("locals-everywhere", locals_everywhere()),
    ]
}

/// How long a bomb may take beyond its limit, on a machine that does other things too.
const SLACK: Duration = Duration::from_secs(10);

#[test]
fn every_bomb_ends_at_a_limit_and_leaves_nothing() {
    let world = limited("compile_time_ms = 1500\ncompile_memory_bytes = 536870912");
    for (name, module) in bombs() {
        let mut install = published(&world, name, with_module(&module));
        let start = Instant::now();
        let error = finish(&mut install).error(3);
        assert!(start.elapsed() < Duration::from_millis(1_500) + SLACK, "{name}: {:?}", start.elapsed());
        assert_eq!(error["code"], "ATTEST_PACKAGE_LAYOUT", "{name}: {error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.starts_with("the component cannot be compiled: compiling it takes more than "), "{name}: {message}");
        let hint = error["hint"].as_str().expect("a hint");
        assert!(hint.contains("limits.compile_time_ms") && hint.contains("limits.compile_memory_bytes"), "{name}: {hint}");
        assert!(error["details"]["record"].is_u64(), "{name}: the refusal is recorded: {error}");
        assert!(cached(&world).is_empty(), "{name}");
        let packages = std::fs::read_dir(world.home().join("packages")).expect("the packages").count();
        assert_eq!(packages, 0, "{name}: nothing is half installed");
    }
    // With a time for machines that do other things too.
    let path = world.home().join("hall.toml");
    put(&path, text(&path).replace("1500", "60000").as_bytes());
    finish(&mut published(&world, "types", with_module(&many_types()))).object();
    finish(&mut published(&world, "good", redact_component())).object();
    assert_eq!(cached(&world).len(), 2);
}

/// The memory limit alone: time is plenty.
#[test]
fn a_bomb_that_grows_ends_at_its_memory() {
    let world = limited("compile_memory_bytes = 268435456");
    let mut install = published(&world, "locals", with_module(&many_locals()));
    let error = finish(&mut install).error(3);
    let message = error["message"].as_str().expect("a message");
    assert!(message.ends_with("compiling it takes more than 256 MiB of memory"), "{message}");
}

/// The time limit alone, with memory in plenty: a bomb that would take minutes.
#[test]
fn a_bomb_that_lasts_ends_at_its_time() {
    let world = limited("compile_time_ms = 1000");
    let mut install = published(&world, "functions", with_module(&many_functions(100_000)));
    let start = Instant::now();
    let error = finish(&mut install).error(3);
    assert!(start.elapsed() < Duration::from_secs(1) + SLACK, "{:?}", start.elapsed());
    let message = error["message"].as_str().expect("a message");
    assert!(message.ends_with("compiling it takes more than 1000 ms"), "{message}");
}

/// One program that installs bomb after bomb: none of what they take is taken from it, and a good skill follows.
#[test]
fn a_program_that_lives_on_keeps_its_memory() {
    let world = limited("compile_time_ms = 1500");
    let mut folders: Vec<String> =
        bombs().into_iter().map(|(name, module)| package(&world, name, with_module(&module)).display().to_string()).collect();
    // Small, so that a machine that does other things too compiles it in that time.
    folders.push(package(&world, "good", with_module(&many_functions(100))).display().to_string());
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let told = embedder(&world, "install", &folders);
    let (good, bombs) = told.split_last().expect("a line for each");
    for told in bombs {
        assert_eq!(told["end"]["code"], "ATTEST_PACKAGE_LAYOUT", "{told}");
        assert_eq!(told["children"], 0, "{told}");
        let figure = |when: &str, which: &str| told[when][which].as_u64().expect("a figure");
        // Each would take a gigabyte and more here; what the program itself needs is its package and a copy for the worker.
        assert!(figure("after", "most") - figure("before", "now") < 64 << 10, "{told}");
    }
    assert_eq!(good["end"]["ok"], true, "{good}");
}

/// A hall that is opened by a program that is no worker compiles nothing, says why, and starts nothing anew.
#[test]
fn a_program_that_did_not_enter_compiles_nothing() {
    let world = World::bare();
    let folder = package(&world, "good", redact_component()).display().to_string();
    let told = embedder(&world, "alien", &[&folder]).remove(0);
    let fault = told["end"]["fault"].as_str().expect("a fault");
    assert_eq!(fault, "this program may not be started anew to compile what nobody here has compiled before");
    let hint = told["end"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("skillhall::worker::enter()") && hint.contains("Config::compile_in_process()"), "{hint}");
    assert!(cached(&world).is_empty());
    // The same hall, by a program that did.
    for verb in ["attest", "install"] {
        hall(&world.home(), &[verb, &folder, "--json"]).object();
    }
    assert_eq!(cached(&world).len(), 1);
}
