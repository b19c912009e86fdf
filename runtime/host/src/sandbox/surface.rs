//! Holds the linker against the table in `docs/sandbox.md`: what stands there can be linked, and nothing else.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use super::{Link, SandboxLinks, link};

const DOCS: &str = include_str!("../../../../docs/sandbox.md");

/// The release of WASI 0.2 that the pinned wasmtime-wasi speaks.
const VERSION: &str = "0.2.12";

#[derive(Clone, Debug, PartialEq)]
struct Row {
    interface: String,
    linked: String,
    functions: Vec<String>,
}

impl Row {
    fn unversioned(&self) -> String {
        self.interface.split('@').next().unwrap().to_owned()
    }

    /// With the version that is linked: what is published as drafts only stands with it in the table.
    fn versioned(&self) -> String {
        if self.interface.contains('@') { self.interface.clone() } else { format!("{}@{VERSION}", self.interface) }
    }
}

fn table() -> Vec<Row> {
    let section = DOCS.split("## Every function").nth(1).unwrap().split("## Limits").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let functions = cells[2].split(", ").filter(|name| name.starts_with('`'));
        Row {
            interface: cells[0].trim_matches('`').to_owned(),
            linked: cells[1].to_owned(),
            functions: functions.map(|name| name.trim_matches('`').to_owned()).collect(),
        }
    })
    .collect()
}

fn engine() -> Engine {
    let mut config = Config::new();
    config.concurrency_support(false);
    Engine::new(&config).unwrap()
}

fn links(power: &str, link: Link) -> SandboxLinks {
    let on = |name: &str| if power == name { link } else { Link::Absent };
    SandboxLinks {
        files: on("files"),
        http: on("http"),
        sockets: on("sockets"),
        config: on("config"),
        keyvalue: on("keyvalue"),
        secrets: on("secrets"),
        tools: on("tools"),
    }
}

/// Whether the linker has something of this name. A component imports it with a type made up for the purpose, and the
/// linker's words tell whether it has none, or one of another type.
fn has(engine: &Engine, interface: &str, name: &str, links: SandboxLinks) -> bool {
    let [here, far] = [false, true].map(|far| has_with(engine, interface, name, links, far));
    assert_eq!(here, far, "{interface} {name}: a worker has the same interfaces");
    here
}

fn has_with(engine: &Engine, interface: &str, name: &str, links: SandboxLinks, far: bool) -> bool {
    let mut body = String::new();
    let method = name.strip_prefix("[method]").map(|rest| (rest, "(param \"self\" (borrow $r))"));
    let of_type = name.strip_prefix("[static]").map(|rest| (rest, ""));
    let constructor = name.strip_prefix("[constructor]").map(|rest| (rest, "(result (own $r))"));
    if let Some(resource) = name.strip_prefix("[resource]") {
        write!(body, "(export \"{resource}\" (type (sub resource)))").unwrap();
    } else if let Some((rest, signature)) = method.or(constructor).or(of_type) {
        let resource = rest.split('.').next().unwrap();
        write!(body, "(export \"{resource}\" (type $r (sub resource))) (export \"{name}\" (func {signature}))").unwrap();
    } else {
        write!(body, "(export \"{name}\" (func (param \"no-such\" (tuple u8 u8 u8))))").unwrap();
    }
    let wat = format!("(component (import \"{interface}\" (instance {body})))");
    let component = Component::from_binary(engine, &wat::parse_str(&wat).unwrap()).unwrap();
    match link(engine, &component, links, far) {
        Ok(_) => true,
        Err(error) => {
            let told = format!("{error:#}");
            assert!(told.contains("missing") || told.contains("mismatch"), "{interface} {name}: {told}");
            !told.contains("implementation is missing")
        }
    }
}

#[test]
fn what_the_table_names_is_linked_and_only_with_its_power() {
    let engine = engine();
    let empty = ["base", "files", "http", "sockets"].map(|power| (power, Link::Empty));
    let granted = [
        ("files", Link::Granted),
        ("config", Link::Granted),
        ("keyvalue", Link::Granted),
        ("secrets", Link::Granted),
        ("sockets", Link::Granted),
        ("tools", Link::Granted),
        #[cfg(feature = "http")]
        ("http", Link::Granted),
    ];
    let powers: Vec<(&str, Link)> = empty.into_iter().chain(granted).collect();
    let mut probed = 0;
    for row in table() {
        let interface = row.versioned();
        for name in &row.functions {
            for (power, link) in &powers {
                let expected = row.linked == "base" || row.linked == *power && *power != "base";
                let found = has(&engine, &interface, name, links(power, *link));
                assert_eq!(found, expected, "{interface} {name} with {power} {link:?}");
                probed += 1;
            }
        }
    }
    assert!(probed > 1_000, "the table was not read: {probed}");
}

#[test]
fn no_other_version_is_linked() {
    let engine = engine();
    let empty = SandboxLinks { files: Link::Empty, http: Link::Empty, sockets: Link::Empty, ..SandboxLinks::default() };
    let all =
        SandboxLinks { config: Link::Granted, keyvalue: Link::Granted, secrets: Link::Granted, tools: Link::Granted, ..empty };
    for version in ["0.1.0", "0.3.0", "0.3.0-rc-2025", "1.0.0", "0.2.0-rc-2023-12-05", "0.2.0-draft3"] {
        for (interface, name) in [
            ("wasi:cli/exit", "exit"),
            ("wasi:filesystem/preopens", "get-directories"),
            ("wasi:http/outgoing-handler", "handle"),
            ("wasi:config/store", "get"),
            ("wasi:keyvalue/store", "open"),
            ("wasi:logging/logging", "log"),
        ] {
            assert!(!has(&engine, &format!("{interface}@{version}"), name, all), "{interface}@{version}");
        }
    }
    assert!(has(&engine, "wasi:cli/exit@0.2.0", "exit", all));
    assert!(has(&engine, "skillhall:secrets/reveal@0.1.0", "get", all));
    assert!(has(&engine, "skillhall:tools/call@0.1.0", "call", all));
    for version in ["0.2.0", "1.0.0"] {
        assert!(!has(&engine, &format!("skillhall:secrets/reveal@{version}"), "get", all), "{version}");
        assert!(!has(&engine, &format!("skillhall:tools/call@{version}"), "call", all), "{version}");
    }
}

/// The linker cannot be listed, so the code that fills it is read: each `add_to_linker` names an interface of the table.
#[test]
fn the_code_links_no_interface_that_is_not_in_the_table() {
    let sources = [
        (concat!(include_str!("base.rs"), include_str!("log.rs")), "base"),
        (include_str!("config.rs"), "config"),
        (concat!(include_str!("keyvalue/draft.rs"), include_str!("keyvalue/draft2.rs")), "keyvalue"),
        (include_str!("keyvalue/mod.rs"), ""),
        (include_str!("secrets/mod.rs"), "secrets"),
        (include_str!("tools/mod.rs"), "tools"),
        (include_str!("files/mod.rs"), "files"),
        (include_str!("http/granted.rs"), "http"),
        (include_str!("sockets/mod.rs"), "sockets"),
        (include_str!("mod.rs"), ""),
    ];
    for (source, linked) in sources {
        let code: BTreeSet<String> = source
            .lines()
            .filter_map(|line| line.split("::add_to_linker").next().filter(|before| before.len() < line.len()))
            .map(|before| {
                let path: Vec<&str> = before.trim().rsplit("::").take(2).collect();
                let namespace = if matches!(path[1], "secrets" | "tools") { "skillhall" } else { "wasi" };
                format!("{namespace}:{}/{}", path[1], path[0].replace('_', "-"))
            })
            .collect();
        let documented: BTreeSet<String> =
            table().into_iter().filter(|row| row.linked == linked).map(|row| row.unversioned()).collect();
        assert_eq!(code, documented);
        assert!(!source.contains(".instance(") && !source.contains("func_new") && !source.contains("func_wrap"));
    }
}
