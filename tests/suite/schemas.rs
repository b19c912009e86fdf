//! The JSON Schemas of skill.toml and hall.toml, held against the parsers in both directions.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};
use skillhall_core::govern::config::HallConfig;
use skillhall_core::package::source;
use skillhall_tests::command::hall;
use skillhall_tests::files::{bytes, repository, text};

const SKILL: &str = r#"
[skill]
namespace = "org.acme"
name = "redact"
version = "1.2.0-rc.1+build.5"
summary = "Masks personal data in text"
authors = ["A. Author <a@acme.example>"]
policy_tier = 2
attestation_required = true
audit_events = ["execute", "deny"]
provides = ["cap.text.redact"]
component = "target/wasm32-wasip2/release/redact.wasm"
build = "cargo build --release --target wasm32-wasip2"
adapters = ["mcp", "agent-skill"]

[capabilities]
files = [{ mount = "/in", access = "read" }, { mount = "/assets", access = "read" }]
http = [{ origin = "https://api.example.com:8443", methods = ["GET", "POST"], paths = ["/v1/", "/v2"] }, { origin = "http://[::1]", methods = ["GET"], paths = ["/"] }]
sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 443 }, { protocol = "udp", address = "2001:db8::1", port = 53 }]
env = ["LANG"]
secrets = [{ name = "API_TOKEN", for = "https://api.example.com:8443", header = "authorization", reveal = true }]
keyvalue = ["cache"]
config = ["level"]
clocks = "precise"
tools = [{ skill = "x.ann/count", version = "^1" }]

[limits]
memory = "64MiB"
time = "2 s"
fuel = 500_000_000
output = 1048576

[tools.redact]
export = "acme:redact/api#redact"
description = """Masks
personal data"""
effects = ["read", "write", "external"]
input.text = { maxLength = 100000 }
output = { maxLength = 10 }
"#;

const HALL: &str = r#"
[hall]
id = "hall-1a2b3c4d"
organisation = "acme"
owner = "Ada L."
env = "dev"
namespaces = ["org.acme", "x.ada"]
attest_env_namespace = "x.ada"

[policy]
version = "local.v1"
rules = "rules.json"
min_tier = 0
foreign_min_tier = 2
controls = ["ctrl.obs.metrics-core"]
cedar = ["policies/*.cedar", "gate.cedar"]
command = ["/usr/bin/judge", "--strict"]
http = "https://gate.example/judge"
gate_deadline_ms = 500

[policy.tiers]
1 = ["ctrl.obs.structured-logging"]

[approvals]
url = "https://approve.example.org/{id}"
pending_minutes = 60
use_minutes = 5
own = "never"

[mcp.names]
mask = "org.acme/redact/mask"

[limits]
memory_bytes = 1073741824
time_ms = 600000
fuel = 1000000
output_bytes = 1048576
input_bytes = 4194304
host_calls = 1000
host_call_bytes = 1048576
file_opens = 10
file_bytes = 1048576
sockets = 1000
http_requests = 0
http_bytes = 1
http_time_ms = 3600000
tool_calls = 20
tool_depth = 2
handles = 100
depth = 64
elements = 1000
compile_time_ms = 60000
compile_memory_bytes = 1073741824

[isolation]
own = "none"
foreign = "process"
from_tier = 4
landlock = "for-folders"
workers = 16
idle_ms = 60000

[isolation.namespaces]
"org.acme" = "process"

[quotas]
calls_per_minute = 600
concurrent_runs = 8
guest_seconds_per_day = 36000
bytes_per_day = 1073741824

[quotas.organisations.rival]
calls_per_minute = 10
concurrent_runs = 1
guest_seconds_per_day = 60
bytes_per_day = 104857600

[grants."org.acme/csv-stats"]
files = [{ mount = "/in", folder = "/srv/data sets", access = "read" }]
http = [{ origin = "https://api.example.com", methods = ["GET"], paths = ["/"], addresses = ["127.0.0.1", "::1"] }]
env = [{ name = "LANG", value = "pl_PL.UTF-8" }]
secrets = [{ name = "API_TOKEN", for = "https://api.example.com", header = "authorization", file = "/etc/hall/a token", prefix = "Bearer ", reveal = true }]
config = [{ name = "level", value = "debug" }, { name = "retries", value = 3 }, { name = "deep", value = true }]
keyvalue = [{ store = "cache", bytes = 65536, entries = 100 }]
sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }, { protocol = "udp", address = "::1", port = 53 }]
tools = [{ skill = "org.acme/other", version = ">=1.2, <3" }]
clocks = "precise"
"#;

/// The schema as the command prints it.
fn schema(name: &str) -> Value {
    hall(Path::new("/nowhere"), &["schema", name, "--json"]).object()
}

fn json_of(toml: &str) -> Value {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

struct Schema(jsonschema::Validator);

impl Schema {
    fn of(name: &str) -> Self {
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
        Self(options.build(&schema(name)).expect("the schema is one"))
    }

    /// Why the schema refuses a text; `None` if it does not.
    fn refuses(&self, toml: &str) -> Option<String> {
        let value: Value = match toml::from_str(toml) {
            Ok(value) => value,
            Err(error) => return Some(error.to_string()),
        };
        self.0.iter_errors(&value).next().map(|error| format!("{}: {error}", error.instance_path()))
    }
}

/// Every key that a schema describes, as `source::known_keys` writes them.
fn keys(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(schema, schema, "", &mut found);
    found
}

fn walk(root: &Value, at: &Value, path: &str, found: &mut BTreeSet<String>) {
    let at = match at.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).expect("a reference leads somewhere"),
        None => at,
    };
    for (name, below) in at.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        found.insert(path.clone());
        walk(root, below, &path, found);
    }
    if let Some(below) = at.get("additionalProperties").filter(|below| below.is_object()) {
        let path = format!("{path}.*");
        if below.get("properties").is_none() {
            found.insert(path.clone());
        }
        walk(root, below, &path, found);
    }
    for form in at.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        walk(root, form, path, found);
    }
    if let Some(items) = at.get("items").filter(|items| items.get("properties").is_some()) {
        walk(root, items, &format!("{path}[]"), found);
    }
}

/// Every table of a document and its members, as paths; a list's entries as `[]`, names of one's own as `*`.
fn written(value: &Value, path: &str, named: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, below) in members {
                let name = if named.contains(&path) { "*" } else { name };
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                if name != "*" || !below.is_object() {
                    found.insert(path.clone());
                }
                written(below, &path, named, found);
            }
        }
        Value::Array(items) => {
            items.iter().filter(|item| item.is_object()).for_each(|item| written(item, &format!("{path}[]"), named, found))
        }
        _ => {}
    }
}

/// What the parser of hall.toml says it would have taken instead of a key that it does not know.
fn expected_by_the_parser(document: &Value, pointer: &str) -> BTreeSet<String> {
    let mut document = document.clone();
    let table: &mut Map<String, Value> = document.pointer_mut(pointer).and_then(Value::as_object_mut).expect("a table");
    table.insert("zzz".into(), 1.into());
    let error = HallConfig::parse(&toml::to_string(&document).expect("it is TOML")).expect_err("the key is unknown").to_string();
    let told = error.split_once("unknown field `zzz`, expected ").unwrap_or_else(|| panic!("{pointer}: {error}")).1;
    told.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_of_skill_toml_is_in_the_schema_and_the_reverse() {
    let known: BTreeSet<String> = source::known_keys().into_iter().collect();
    assert_eq!(keys(&schema("skill")), known, "the schema's keys (left) and the parser's");
    // And the whole example above holds each of them, so that each is read and validated below.
    let mut all = BTreeSet::new();
    written(&json_of(SKILL), "", &["tools", "tools.*.input"], &mut all);
    let narrowing = |key: &String| !key.starts_with("tools.*.input.*.") && !key.starts_with("tools.*.output.");
    let mut all: BTreeSet<String> = all.into_iter().filter(narrowing).collect();
    all.insert("tools.*.input.*".into());
    assert_eq!(all, known);
}

#[test]
fn every_key_of_hall_toml_is_in_the_schema_and_the_reverse() {
    let document = json_of(HALL);
    let schema = keys(&schema("hall"));
    let mut all = BTreeSet::new();
    written(&document, "", &["policy.tiers", "grants", "mcp.names", "isolation.namespaces", "quotas.organisations"], &mut all);
    assert_eq!(schema, all, "the schema's keys (left) and those of the whole example");
    let grants = "/grants/org.acme~1csv-stats";
    for (pointer, path) in [
        (String::new(), ""),
        ("/hall".into(), "hall."),
        ("/policy".into(), "policy."),
        ("/approvals".into(), "approvals."),
        ("/mcp".into(), "mcp."),
        ("/limits".into(), "limits."),
        ("/quotas".into(), "quotas."),
        ("/quotas/organisations/rival".into(), "quotas.organisations.*."),
        (grants.into(), "grants.*."),
        (format!("{grants}/files/0"), "grants.*.files[]."),
        (format!("{grants}/http/0"), "grants.*.http[]."),
        (format!("{grants}/env/0"), "grants.*.env[]."),
        (format!("{grants}/secrets/0"), "grants.*.secrets[]."),
        (format!("{grants}/config/0"), "grants.*.config[]."),
        (format!("{grants}/keyvalue/0"), "grants.*.keyvalue[]."),
        (format!("{grants}/tools/0"), "grants.*.tools[]."),
    ] {
        let of_parser = expected_by_the_parser(&document, &pointer);
        let below = schema.iter().filter_map(|key| key.strip_prefix(path)).filter(|rest| !rest.contains('.'));
        let of_schema: BTreeSet<String> = below.map(str::to_owned).collect();
        assert_eq!(of_schema, of_parser, "keys of the schema (left) and of the parser under '{path}'");
    }
}

#[test]
fn every_key_says_what_it_means() {
    fn described(at: &Value, path: &str, bare: &mut Vec<String>) {
        for (name, below) in at.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if below.get("description").and_then(Value::as_str).is_none_or(|text| text.len() < 10) {
                bare.push(format!("{path}.{name}"));
            }
            described(below, &format!("{path}.{name}"), bare);
        }
        for below in ["additionalProperties", "items"].iter().filter_map(|name| at.get(*name)) {
            described(below, path, bare);
        }
        at.get("oneOf").and_then(Value::as_array).into_iter().flatten().for_each(|form| described(form, path, bare));
    }
    for name in ["skill", "hall"] {
        let schema = schema(name);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], format!("https://skillhall.dev/schemas/{name}.schema.json"));
        let mut bare = Vec::new();
        described(&schema, name, &mut bare);
        assert!(bare.is_empty(), "without a description: {bare:?}");
        // What is printed for people is the file itself.
        let printed = hall(Path::new("/nowhere"), &["schema", name]).ends(0).stdout;
        assert_eq!(printed, text(&repository(&format!("runtime/cli/schemas/{name}.schema.json"))));
    }
}

#[test]
fn what_the_parsers_take_the_schemas_take() {
    let (skill, config) = (Schema::of("skill"), Schema::of("hall"));
    let mut skills = vec![("the whole example".to_owned(), SKILL.to_owned())];
    for entry in std::fs::read_dir(repository("examples")).expect("examples") {
        let path = entry.expect("an entry").path().join("skill.toml");
        if path.exists() {
            skills.push((path.display().to_string(), text(&path)));
        }
    }
    assert!(skills.len() > 1);
    for lines in ["files = 'empty'\nhttp = 'empty'\nsockets = 'empty'", "files = []\nclocks = 'coarse'"] {
        let least = SKILL.split("[capabilities]").next().expect("a head");
        skills.push((lines.to_owned(), format!("{least}\n[capabilities]\n{lines}")));
    }
    for (name, toml) in &skills {
        source::parse(toml).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(skill.refuses(toml), None, "{name}");
    }
    let desk = tempfile::tempdir().expect("a temporary folder");
    hall(&desk.path().join("hall"), &["setup", "--hmac-from-env", "org.acme", "--json"]).object();
    let made = text(&desk.path().join("hall/hall.toml"));
    for toml in [HALL, &made] {
        HallConfig::parse(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
        assert_eq!(config.refuses(toml), None, "{toml}");
    }
    // An editor finds the schema by the first line, beside the file.
    assert_eq!(made.lines().next(), Some("#:schema ./hall.schema.json"));
    let beside = bytes(&desk.path().join("hall/hall.schema.json"));
    assert_eq!(beside, bytes(&repository("runtime/cli/schemas/hall.schema.json")));
    let associations = json_of(&text(&repository(".taplo.toml")));
    for rule in associations["rule"].as_array().expect("rules") {
        assert!(repository(rule["schema"]["path"].as_str().expect("a path")).exists(), "{rule}");
    }
}

/// One change of an example, from what it says to what neither parser nor schema takes.
type Wrong = (&'static str, &'static str);

#[test]
fn what_skill_toml_may_not_say_neither_parser_nor_schema_takes() {
    let skill = Schema::of("skill");
    const WRONG: &[Wrong] = &[
        ("summary =", "sumary ="),
        ("name = \"redact\"\n", ""),
        ("[limits]\n", "[limit]\n"),
        ("[limits]\n", "[limits]\nmemroy = 1\n"),
        ("org.acme", "com.acme"),
        ("org.acme", "org.Acme"),
        ("name = \"redact\"", "name = \"Redact\""),
        ("name = \"redact\"", "name = \"-redact\""),
        ("name = \"redact\"", "name = 5"),
        ("1.2.0-rc.1+build.5", "1.2"),
        ("1.2.0-rc.1+build.5", "v1.2.0"),
        ("1.2.0-rc.1+build.5", "01.2.0"),
        ("Masks personal data in text", ""),
        ("Masks personal data in text", "two\\nlines"),
        ("policy_tier = 2", "policy_tier = 9"),
        ("policy_tier = 2", "policy_tier = -1"),
        ("policy_tier = 2", "policy_tier = \"2\""),
        ("attestation_required = true", "attestation_required = \"yes\""),
        ("\"execute\"", "\"Execute\""),
        ("cap.text.redact", "text.redact"),
        ("cap.text.redact", "cap."),
        ("target/wasm32-wasip2/release/redact.wasm", "/etc/passwd"),
        ("target/wasm32-wasip2/release/redact.wasm", "a\\\\b"),
        ("[\"mcp\", \"agent-skill\"]", "[\"mpc\"]"),
        ("[\"mcp\", \"agent-skill\"]", "[\"mcp\", \"mcp\"]"),
        ("mount = \"/in\"", "mount = \"in\""),
        ("mount = \"/in\"", "mount = \"/\""),
        ("access = \"read\"", "access = \"execute\""),
        ("{ mount = \"/in\", access = \"read\" }", "{ mount = \"/in\" }"),
        ("https://api.example.com:8443", "https://API.example.com:8443"),
        ("https://api.example.com:8443", "ftp://api.example.com:8443"),
        ("https://api.example.com:8443", "https://api.example.com:8443/"),
        ("methods = [\"GET\", \"POST\"]", "methods = [\"get\"]"),
        ("methods = [\"GET\", \"POST\"]", "methods = []"),
        ("methods = [\"GET\", \"POST\"]", "methods = [\"GET\", \"GET\"]"),
        ("\"/v1/\"", "\"v1\""),
        ("\"/v1/\"", "\"/v1?q\""),
        ("protocol = \"tcp\"", "protocol = \"icmp\""),
        ("address = \"192.0.2.1\"", "address = \"example.com\""),
        ("port = 443", "port = 0"),
        ("port = 443", "port = 65536"),
        ("\"LANG\"", "\"A B\""),
        ("\"LANG\"", "\"1A\""),
        ("header = \"authorization\"", "header = \"Authorization\""),
        ("header = \"authorization\"", "header = \"host\""),
        ("header = \"authorization\"", "header = \"proxy-authorization\""),
        ("keyvalue = [\"cache\"]", "keyvalue = [\"Cache\"]"),
        ("config = [\"level\"]", "config = [\"-level\"]"),
        ("clocks = \"precise\"", "clocks = \"fine\""),
        ("x.ann/count", "count"),
        ("\"64MiB\"", "\"64 miles\""),
        ("\"64MiB\"", "\"64\""),
        ("\"64MiB\"", "-1"),
        ("\"2 s\"", "\"2\""),
        ("\"2 s\"", "2"),
        ("\"2 s\"", "\"2 days\""),
        ("500_000_000", "0"),
        ("500_000_000", "\"500\""),
        ("[tools.redact]", "[tools.Redact]"),
        ("export = \"acme:redact/api#redact\"", ""),
        ("\"read\", \"write\", \"external\"", "\"destroy\""),
        ("{ maxLength = 100000 }", "5"),
    ];
    for (from, to) in WRONG {
        assert!(SKILL.contains(from), "the example does not say {from}");
        let toml = SKILL.replacen(from, to, 1);
        assert!(source::parse(&toml).is_err(), "the parser takes {to}");
        assert!(skill.refuses(&toml).is_some(), "the schema takes {to}");
    }
}

#[test]
fn what_hall_toml_may_not_say_neither_parser_nor_schema_takes() {
    let config = Schema::of("hall");
    const WRONG: &[Wrong] = &[
        ("organisation =", "organization ="),
        ("owner = \"Ada L.\"\n", ""),
        ("[policy]\n", "[polices]\n"),
        ("hall-1a2b3c4d", "Hall"),
        ("owner = \"Ada L.\"", "owner = \"\""),
        ("owner = \"Ada L.\"", "owner = \"a\\tb\""),
        ("env = \"dev\"", "env = \"test\""),
        ("\"org.acme\", \"x.ada\"", "\"acme\", \"x.ada\""),
        ("version = \"local.v1\"", "version = \"\""),
        ("rules = \"rules.json\"", "rules = \"../rules.json\""),
        ("rules = \"rules.json\"", "rules = \"\""),
        ("foreign_min_tier = 2", "foreign_min_tier = 1"),
        ("own = \"none\"", "own = \"thread\""),
        ("from_tier = 4", "from_tier = 9"),
        ("landlock = \"for-folders\"", "landlock = \"never\""),
        ("workers = 16", "workers = 0"),
        ("idle_ms = 60000", "idle_ms = 3600001"),
        ("\"org.acme\" = \"process\"", "\"com.acme\" = \"process\""),
        ("min_tier = 0", "min_tier = 9"),
        ("ctrl.obs.metrics-core", "obs.metrics-core"),
        ("1 = [", "9 = ["),
        ("memory_bytes = 1073741824", "memory_bytes = \"1GiB\""),
        ("memory_bytes = 1073741824", "memory_bytes = -1"),
        ("memory_bytes = 1073741824", "memory = 1"),
        ("calls_per_minute = 600", "calls_per_minute = 0"),
        ("calls_per_minute = 600", "calls_per_minute = 100001"),
        ("concurrent_runs = 8", "concurrent_runs = 10001"),
        ("guest_seconds_per_day = 36000", "guest_seconds_per_day = \"10h\""),
        ("bytes_per_day = 1073741824", "bytes_a_day = 1073741824"),
        ("[quotas.organisations.rival]", "[quotas.organisations.\"Rival Co\"]"),
        ("concurrent_runs = 1\n", "concurrent_runs = 0\n"),
        ("bytes_per_day = 104857600", "calls = 5"),
        ("org.acme/csv-stats", "csv-stats"),
        ("folder = \"/srv/data sets\"", "folder = \"data\""),
        ("folder = \"/srv/data sets\"", "folder = \"/srv//data\""),
        ("folder = \"/srv/data sets\", ", ""),
        ("access = \"read\"", "access = \"all\""),
        ("mount = \"/in\"", "mount = \"in\""),
        ("methods = [\"GET\"]", "methods = [\"*\"]"),
        ("methods = [\"GET\"]", "methods = []"),
        ("paths = [\"/\"]", "paths = []"),
        ("addresses = [\"127.0.0.1\", \"::1\"]", "addresses = [\"localhost\"]"),
        ("addresses =", "address ="),
        ("input_bytes = 4194304", "input_bytes = 4194305"),
        ("http_time_ms = 3600000", "http_time_ms = 3600001"),
        ("depth = 64", "depth = 65"),
        ("handles = 100", "handles = 100001"),
        ("file_opens = 10", "file_opens = \"10\""),
        ("file_bytes = 1048576", "file_bytes = -1"),
        ("sockets = 1000", "sockets = 1001"),
        ("protocol = \"tcp\"", "protocol = \"sctp\""),
        ("address = \"192.0.2.1\"", "address = \"db.example\""),
        ("port = 5432", "port = 0"),
        ("port = 5432 }", "port = 5432, listen = true }"),
        ("elements = 1000", "element = 1000"),
        ("name = \"LANG\"", "name = \"1A\""),
        ("value = \"pl_PL.UTF-8\"", "value = 5"),
        ("value = \"pl_PL.UTF-8\"", "value = \"a\\u0000b\""),
        ("for = \"https://api.example.com\"", "for = \"https://api.example.com/\""),
        ("header = \"authorization\"", "header = \"Authorization\""),
        ("file = \"/etc/hall/a token\"", "file = \"token\""),
        ("file = \"/etc/hall/a token\"", "file = \"/etc/hall/\""),
        ("file = \"/etc/hall/a token\"", "value = \"a\""),
        ("prefix = \"Bearer \"", "prefix = \"a\\r\\nb\""),
        ("prefix = \"Bearer \"", "prefix = \" Bearer\""),
        ("reveal = true", "reveal = \"true\""),
        ("name = \"API_TOKEN\"", "name = \"API-TOKEN\""),
        ("name = \"retries\"", "name = \"-retries\""),
        ("store = \"cache\", ", ""),
        ("store = \"cache\"", "store = \"Cache\""),
        ("store = \"cache\"", "store = \"-cache\""),
        ("bytes = 65536", "bytes = 0"),
        ("bytes = 65536", "bytes = 1073741825"),
        ("bytes = 65536", "bytes = \"64K\""),
        ("entries = 100 ", "entries = 0 "),
        ("entries = 100 ", "entries = 1000001 "),
        ("entries = 100 ", "keys = 100 "),
        ("value = 3", "value = 3.5"),
        ("value = 3", "value = [3]"),
        ("clocks = \"precise\"", "clocks = \"fine\""),
        ("http = [", "sockets = ["),
    ];
    for (from, to) in WRONG {
        assert!(HALL.contains(from), "the example does not say {from}");
        let toml = HALL.replacen(from, to, 1);
        assert!(HallConfig::parse(&toml).is_err(), "the parser takes {to}");
        assert!(config.refuses(&toml).is_some(), "the schema takes {to}");
    }
}
