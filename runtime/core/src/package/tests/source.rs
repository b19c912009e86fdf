//! skill.toml as authors write it, and as they get it wrong.

use serde_json::json;

use super::*;
use crate::capability::PowerClass;

const WHOLE: &str = r#"
[skill]
namespace   = "org.acme"
name        = "redact"
version     = "1.2.0"
summary     = "Masks personal data in text"
authors     = ["A. Author <a@acme.example>"]
policy_tier = 2
attestation_required = true
audit_events = ["execute", "deny"]
provides    = ["cap.text.redact"]
component   = "target/wasm32-wasip2/release/redact.wasm"
build       = "cargo build --release --target wasm32-wasip2"

[capabilities]
files    = [{ mount = "/in", access = "read" }]
http     = [{ origin = "https://api.example.com", methods = ["GET"], paths = ["/v1/"] }]
sockets  = "empty"
env      = ["LANG"]
secrets  = [{ name = "API_TOKEN", for = "https://api.example.com", header = "authorization" }]
keyvalue = ["cache"]
config   = ["level"]
clocks   = "precise"
tools    = [{ skill = "x.ann/count", version = "^1" }]

[limits]
memory = "64MiB"
time   = "2s"
fuel   = 500_000_000
output = "1MiB"

[tools.redact]
export      = "acme:redact/api#redact"
description = """Masks
personal data"""
effects     = ["write", "read", "read"]
input.text  = { maxLength = 100000, pattern = "^a", enum = ["a", 1.5, true] }
output      = { maxLength = 10 }
"#;

const LEAST: &str = r#"
[skill]
namespace = "x.ann"
name = "count"
version = "0.1.0"
summary = "Counts"
policy_tier = 0
component = "count.wasm"
"#;

#[test]
fn a_whole_one() {
    let source = parse(WHOLE).unwrap();
    assert_eq!(source.reference().to_string(), "org.acme/redact@1.2.0");
    assert_eq!(source.audit_events, ["execute", "deny"]);
    assert_eq!(source.provides[0].as_str(), "cap.text.redact");
    assert_eq!(source.build.as_deref(), Some("cargo build --release --target wasm32-wasip2"));
    assert!(source.capabilities.covers(PowerClass::Sockets));
    assert_eq!(source.capabilities.list().len(), 9);
    let limits =
        LimitsAsk { memory_bytes: Some(64 << 20), time_ms: Some(2000), fuel: Some(500_000_000), output_bytes: Some(1 << 20) };
    assert_eq!(source.limits, limits);
    let tool = &source.tools[&"redact".parse().unwrap()];
    assert_eq!(tool.export, "acme:redact/api#redact");
    assert_eq!(tool.effects, Some(vec![Effect::Read, Effect::Write]));
    assert_eq!(tool.input["text"], json!({"maxLength": 100_000, "pattern": "^a", "enum": ["a", 1.5, true]}));
    assert_eq!(tool.output, Some(json!({"maxLength": 10})));
}

#[test]
fn the_least_and_its_defaults() {
    let source = parse(LEAST).unwrap();
    assert!(source.attestation_required, "an attestation is required unless the author says otherwise");
    assert!(source.capabilities.is_empty() && source.tools.is_empty() && source.authors.is_empty());
    assert_eq!(source.limits, LimitsAsk::default());
}

/// Parses the least skill.toml with these lines behind it.
fn with(lines: &str) -> SourceError {
    parse(&format!("{LEAST}{lines}")).unwrap_err()
}

#[test]
fn unknown_keys_are_told_with_their_place_and_the_nearest() {
    let cases = [
        ("sumary = 'x'", "unknown key 'sumary' in [skill]; did you mean 'summary'?", Some("summary"), (9, 1)),
        ("[capabilites]", "unknown key 'capabilites' in skill.toml; did you mean 'capabilities'?", Some("capabilities"), (9, 2)),
        ("[limits]\n  memroy = 1", "unknown key 'memroy' in [limits]; did you mean 'memory'?", Some("memory"), (10, 3)),
        ("[capabilities]\nfile = 'empty'", "unknown key 'file' in [capabilities]; did you mean 'files'?", Some("files"), (10, 1)),
        (
            "[capabilities]\nfiles = [{ mount = '/in', acces = 'read' }]",
            "unknown key 'acces' in files; did you mean 'access'?",
            Some("access"),
            (10, 27),
        ),
        (
            "[tools.t]\nexport = 'f'\ndescripton = 'x'",
            "unknown key 'descripton' in a tool; did you mean 'description'?",
            Some("description"),
            (11, 1),
        ),
        ("zzz = 1", "unknown key 'zzz' in [skill]", None, (9, 1)),
    ];
    for (lines, message, nearest, place) in cases {
        let error = with(lines);
        assert_eq!((error.message.as_str(), error.nearest.as_deref()), (message, nearest));
        assert_eq!((error.line, error.column), place, "{lines}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_told_with_their_place() {
    let cases = [
        ("[limits]\nmemory = '64 miles'", (10, 10)),
        ("[limits]\nmemory = -1", (10, 10)),
        ("[limits]\ntime = 5", (10, 8)),
        ("[limits]\ntime = '5'", (10, 8)),
        ("[limits]\nfuel = '5'", (10, 8)),
        ("[limits]\nfuel = -5", (10, 8)),
        ("[limits]\nmemory = '1B'", (9, 1)),
        ("[limits]\nfuel = 0", (9, 1)),
        ("[limits]\ntime = '2h'", (9, 1)),
        ("[capabilities]\nsecrets = [{ name = 'T', for = 'https://a.example', header = 'authorization' }]", (9, 1)),
        ("[capabilities]\nclocks = 'fine'", (10, 10)),
        ("[capabilities]\nenv = ['A B']", (10, 7)),
        ("[tools.T]\nexport = 'f'", (9, 8)),
        ("[tools.t]\ndescription = 'f'", (9, 1)),
        ("[tools.t]\nexport = 'f'\neffects = ['destroy']", (11, 12)),
        ("[tools.t]\nexport = 'f'\ninput.text = 5", (11, 14)),
        ("[tools.t]\nexport = 'f'\ninput.text = { const = 1979-05-27 }", (11, 14)),
        ("[tools.t]\nexport = 'f'\ninput.text = { maximum = inf }", (11, 14)),
        ("[tools.t]\nexport = 'f'\ninput.text = { maximum = 9007199254740992 }", (11, 14)),
        ("build = 5", (9, 9)),
        ("authors = ['']", (9, 11)),
        ("authors = [\"a\\u202Eb\"]", (9, 11)),
        ("name = 'again'", (9, 1)),
        ("x = ", (9, 5)),
    ];
    for (lines, place) in cases {
        let error = with(lines);
        assert_eq!((error.line, error.column), place, "{lines}: {error}");
    }
}

#[test]
fn each_required_key_is_missed() {
    for line in LEAST.lines().filter(|line| line.contains('=')) {
        let key = line.split(' ').next().unwrap();
        let error = parse(&LEAST.replace(line, "")).unwrap_err();
        assert!(error.message.contains(&format!("missing field `{key}`")), "{key}: {error}");
    }
    assert!(parse("").unwrap_err().message.contains("missing field `skill`"));
}

#[test]
fn names_and_texts_are_bounded() {
    for (from, to) in [
        ("x.ann", "ann"),
        ("x.ann", "com.ann"),
        ("\"count\"", "\"Count\""),
        ("0.1.0", "1"),
        ("Counts", ""),
        ("Counts", "two\\nlines"),
        ("Counts", "a\\u200Bb"),
        ("policy_tier = 0", "policy_tier = 9"),
        ("policy_tier = 0", "policy_tier = -1"),
        ("count.wasm", "/etc/passwd"),
        ("count.wasm", "a\\\\b"),
    ] {
        assert!(parse(&LEAST.replace(from, to)).is_err(), "{to}");
    }
    assert!(parse(&LEAST.replace("Counts", &"a".repeat(201))).is_err());
    assert!(parse(&format!("{LEAST}{}", "#".repeat(300_000))).is_err(), "larger than a skill.toml may be");
    let deep = format!("[tools.t]\nexport = 'f'\ninput.a = {{ const = {}1{} }}", "[".repeat(5000), "]".repeat(5000));
    let error = with(&deep);
    assert_eq!(error.line, 11, "{error}");
}

#[test]
fn units() {
    for (text, bytes) in [
        ("0B", 0),
        ("512B", 512),
        ("1KiB", 1024),
        ("1kB", 1000),
        ("1KB", 1000),
        ("10MB", 10_000_000),
        ("64MiB", 64 << 20),
        ("2 GiB", 2 << 30),
        ("1GB", 1_000_000_000),
    ] {
        assert_eq!(parse_bytes(text).as_ref(), Ok(&bytes), "{text}");
    }
    for (text, ms) in [("500ms", 500), ("2s", 2000), ("1m", 60_000), ("1h", 3_600_000)] {
        assert_eq!(parse_time(text).as_ref(), Ok(&ms), "{text}");
    }
    for text in
        ["", "B", "5", "-5B", "+5B", "5 5B", "5.5MB", "5mb", "5TiB", "5  B", "99999999999GiB", "99999999999999999999B", "ä"]
    {
        assert!(parse_bytes(text).is_err(), "{text}");
    }
    for text in ["", "5", "5S", "5 min", "-1s", "1d", "s"] {
        assert!(parse_time(text).is_err(), "{text}");
    }
}
