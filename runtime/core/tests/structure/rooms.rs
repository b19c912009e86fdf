//! Rooms use each other one way only: what a room names stands to its left in the order that `lib.rs` tells.

use crate::rust::{paths, tokens};
use crate::tree::{File, files};

/// The rooms in their order: the names in back quotes on the line of the crate's documentation that has arrows.
fn order(lib: &str) -> Vec<String> {
    let line = lib.lines().find(|line| line.starts_with("//!") && line.contains("` <- `")).expect("an order of rooms in lib.rs");
    let groups = line.split('`').skip(1).step_by(2);
    groups.flat_map(|group| group.split(", ")).map(str::to_owned).collect()
}

/// The modules that `lib.rs` declares.
fn declared(lib: &str) -> Vec<String> {
    let found = tokens(lib);
    let names = found.windows(3).filter(|part| part[0].is("mod") && part[2].is(";"));
    names.map(|part| part[1].text.clone()).collect()
}

/// Where a file stands in its crate: `ledger/tests/mod.rs` is `ledger::tests`.
fn module(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// What in a file runs back against the order. `path` is from `src/`.
fn running_back(path: &str, source: &str, order: &[String]) -> Vec<String> {
    let place = |room: &str| order.iter().position(|name| name == room);
    let module = module(path);
    let own = &module[0];
    let mut found = Vec::new();
    for used in paths(&tokens(source), &module) {
        let Some(room) = used.segments.first() else {
            found.push(format!("{path}:{}: names the crate's root as a whole, which hides what it uses", used.line));
            continue;
        };
        match (place(room), place(own)) {
            (Some(to), Some(from)) if to <= from => {}
            (None, _) => found.push(format!("{path}:{}: {room} is no room", used.line)),
            _ => found.push(format!("{path}:{}: {own} uses {}, which runs back", used.line, used.segments.join("::"))),
        }
    }
    found
}

fn check(source_folder: &str) {
    let sources: Vec<File> = files(source_folder).into_iter().filter(File::is_rust).collect();
    let inside = |file: &File| file.path[source_folder.len() + 1..].to_owned();
    let lib = sources.iter().find(|file| inside(file) == "lib.rs").expect("a lib.rs").text();
    let order = order(&lib);
    let mut rooms = order.clone();
    let mut modules = declared(&lib);
    rooms.sort();
    modules.sort();
    assert_eq!(rooms, modules, "the order of rooms in {source_folder}/lib.rs (left) and its modules (right)");
    let others = sources.iter().filter(|file| inside(file) != "lib.rs");
    let found: Vec<String> = others.flat_map(|file| running_back(&inside(file), &file.text(), &order)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_rooms_of_core_use_each_other_one_way() {
    check("runtime/core/src");
}

#[test]
fn the_rooms_of_the_host_use_each_other_one_way() {
    check("runtime/host/src");
}

#[test]
fn the_rooms_of_the_protocol_use_each_other_one_way() {
    check("runtime/mcp/src");
}

#[test]
fn only_what_serves_agents_knows_their_protocol() {
    for folder in ["runtime/core", "runtime/host", "runtime/cli"] {
        for file in files(folder).iter().filter(|file| file.is_rust() || file.path.ends_with("Cargo.toml")) {
            // In words that are put together here, so that this file is none of those that name it.
            let named = file.text().contains(&["rm", "cp"].concat());
            assert!(!named, "{} names the protocol's crate", file.path);
        }
    }
}

#[test]
fn core_names_no_engine() {
    for file in files("runtime/core/src").iter().filter(|file| file.is_rust()) {
        let words = tokens(&file.text());
        let named = words.iter().find(|token| token.text.starts_with("wasmtime") || token.text.starts_with("cranelift"));
        assert!(named.is_none(), "{}: {named:?}", file.path);
    }
}

#[test]
fn what_runs_back_is_found() {
    let order = order("//! Rooms:\n//! `id, json` <- `trust` <- `ledger`.\n");
    assert_eq!(order, ["id", "json", "trust", "ledger"]);
    let back = |path: &str, source: &str| running_back(path, source, &order).len();
    assert_eq!(back("trust/verify.rs", "use crate::id::KeyId; use super::facts::Form; // crate::ledger\n"), 0);
    assert_eq!(back("trust/verify.rs", "use crate::{id::KeyId, ledger::Ledger};"), 1);
    assert_eq!(back("trust/keys/mod.rs", "fn a() { super::super::ledger::append() }"), 1);
    assert_eq!(back("id.rs", "mod tests { use super::*; use crate::json; }"), 1);
    assert_eq!(back("trust/mod.rs", "use crate as all;"), 1);
    assert_eq!(back("trust/mod.rs", "use super::*;"), 1);
}
