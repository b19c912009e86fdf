//! Packages made from components, and packages that someone else made.

use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::super::manifest::Effect;
use super::super::{archive, schema, source};
use super::*;

/// A component with code for the one world of a WIT text.
pub(crate) fn component(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("w")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

const MASK: &str = "package acme:redact@1.2.0;
    interface types { record options { mask: option<char> } }
    interface api { use types.{options}; mask: func(text: string, options: option<options>) -> result<string, string>; }
    world w { export api; }";

/// A skill.toml with these lines behind its head.
fn skill(lines: &str) -> Source {
    let head = "[skill]\nnamespace = 'org.acme'\nname = 'redact'\nversion = '1.2.0'\nsummary = 'Masks'\npolicy_tier = 2\ncomponent = 'c'\n";
    source::parse(&format!("{head}{lines}")).unwrap()
}

fn assembled(lines: &str, wit: &str) -> Result<Package, Denial> {
    assemble(&skill(lines), component(wit), None, BTreeMap::new(), BTreeMap::new())
}

/// The world of a skill that imports one interface with this name and a function.
fn importing(package: &str, interface: &str) -> String {
    format!(
        "package t:t; world w {{ import {package}/{interface}@0.2.0; export f: func(); }}
         package {package}@0.2.0 {{ interface {interface} {{ do-it: func() -> u32; }} }}"
    )
}

fn faults(package: &Package) -> Vec<String> {
    recheck(package).into_iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn a_component_and_a_skill_toml_become_a_package() {
    let docs = BTreeMap::from([("docs/readme.md".to_owned(), b"# Redact".to_vec())]);
    let wit_docs =
        wit::Docs::read(&BTreeMap::from([("r.wit".to_owned(), MASK.replace("mask: func", "/// Masks a text.\nmask: func"))]))
            .unwrap();
    let toml = "[tools.hide]\nexport = 'acme:redact/api#mask'\ninput.text = { maxLength = 10 }\noutput = { maxLength = 10 }";
    let build = || assemble(&skill(toml), component(MASK), Some(&wit_docs), docs.clone(), BTreeMap::new()).unwrap();
    let package = build();
    let manifest = package.manifest();
    assert_eq!(manifest.reference().to_string(), "org.acme/redact@1.2.0");
    assert_eq!(manifest.component.exports, ["acme:redact/api@1.2.0"]);
    let tool = &manifest.tools[&"hide".parse().unwrap()];
    assert_eq!((tool.export.as_str(), tool.description.as_str()), ("acme:redact/api@1.2.0#mask", "Masks a text."));
    assert!(tool.effects.is_empty(), "a skill without capabilities has no effects");
    let input = schema::Validator::compile(&tool.input).unwrap();
    assert!(input.validate(&json!({"text": "0123456789"})).is_ok());
    assert_eq!(input.validate(&json!({"text": "0123456789x"})).unwrap_err().pointer, "/text");
    assert!(input.validate(&json!({"text": 5})).is_err(), "the narrowing did not take the place of the type");
    assert!(schema::Validator::compile(&tool.output).unwrap().validate(&json!("0123456789x")).is_err());
    assert_eq!(recheck(&package).len(), 6);
    assert_eq!(faults(&package), [""; 0]);
    assert_eq!(archive::write(&package), archive::write(&build()), "the same arguments give the same bytes");
}

#[test]
fn an_interface_that_brings_only_types_is_no_power() {
    let package = assembled("", MASK).unwrap();
    assert_eq!(package.manifest().component.imports, [""; 0]);
    assert!(package.manifest().component.wit.contains("import acme:redact/types@1.2.0;"), "{}", package.manifest().component.wit);
    assert_eq!(faults(&package), [""; 0]);
    let resource = "package t:t; interface types { resource r; } world w { import types; export f: func(); }";
    assert_eq!(assembled("", resource).unwrap_err().code, Code::ImportUndeclared);
    let renamed = "package t:t; interface names { use wasi:io/poll@0.2.0.{pollable}; }
        world w { use names.{pollable}; export f: func(p: borrow<pollable>); }
        package wasi:io@0.2.0 { interface poll { resource pollable; } }";
    assert_eq!(assembled("", renamed).unwrap_err().details["undeclared"], json!(["t:t/names"]));
}

#[test]
fn imports_are_held_against_capabilities() {
    for (package, interface, capability, line) in [
        ("wasi:filesystem", "types", "files", "files = \"empty\""),
        ("wasi:http", "outgoing-handler", "http", "http = \"empty\""),
        ("wasi:sockets", "tcp", "sockets", "sockets = \"empty\""),
    ] {
        let wit = importing(package, interface);
        let denial = assembled("", &wit).unwrap_err();
        assert_eq!(denial.code, Code::ImportUndeclared);
        let name = format!("{package}/{interface}@0.2.0");
        assert_eq!((&denial.details["interface"], &denial.details["capability"]), (&json!(name), &json!(capability)));
        assert!(denial.message.contains(&name) && denial.hint().ends_with(line), "{}: {}", denial.message, denial.hint());
        let package = assembled(&format!("[capabilities]\n{line}"), &wit).unwrap();
        assert_eq!(faults(&package), [""; 0]);
        assert_eq!(package.manifest().component.imports, [name]);
    }
    assert!(assembled("", &importing("wasi:random", "insecure")).is_ok(), "the base is everybody's");
    let denial = assembled("[capabilities]\nfiles = 'empty'", &importing("acme:secret", "door")).unwrap_err();
    assert_eq!((denial.code, denial.details.get("capability")), (Code::ImportUndeclared, None));
    let bare = "package t:t; world w { import open: func() -> u32; export f: func(); }";
    assert_eq!(assembled("", bare).unwrap_err().code, Code::ImportUndeclared);
}

#[test]
fn tools_that_are_not_named_are_all_that_can_be() {
    let wit =
        "package t:t@1.0.0; interface a { go: func(); stop: func(); } interface b { go: func(); resource r; make: func() -> r; }
        world w { export a; export b; export bare: func(n: u8) -> u8; }";
    let package = assembled("", wit).unwrap();
    let tools: Vec<(&str, &str)> =
        package.manifest().tools.iter().map(|(name, tool)| (name.as_str(), tool.export.as_str())).collect();
    assert_eq!(tools, [("a-go", "t:t/a@1.0.0#go"), ("b-go", "t:t/b@1.0.0#go"), ("bare", "bare"), ("stop", "t:t/a@1.0.0#stop")]);
    assert_eq!(faults(&package), [""; 0]);
    for none in [
        "package t:t; interface a { resource r; f: func() -> r; } world w { export a; }",
        "package t:t; world w { export wasi:cli/run@0.2.0; } package wasi:cli@0.2.0 { interface run { run: func() -> result; } }",
    ] {
        assert_eq!(assembled("", none).unwrap_err().code, Code::SchemaInvalid, "{none}");
    }
}

#[test]
fn effects_that_are_not_written_are_all_that_are_possible() {
    let bare = "package t:t; world w { export f: func(); }";
    for (capabilities, effects) in [
        ("files = 'empty'", vec![]),
        ("files = [{ mount = '/in', access = 'read' }]", vec![Effect::Read]),
        ("files = [{ mount = '/in', access = 'write' }]", vec![Effect::Read, Effect::Write]),
        ("sockets = [{ protocol = 'tcp', address = '192.0.2.1', port = 1 }]", vec![Effect::External]),
        ("env = ['A']", vec![Effect::Read]),
    ] {
        let package = assembled(&format!("[capabilities]\n{capabilities}"), bare).unwrap();
        assert_eq!(package.manifest().tools[&"f".parse().unwrap()].effects, effects, "{capabilities}");
    }
}

#[test]
fn tools_that_cannot_be_made() {
    let cases = [
        ("export = 'acme:redact/api#mass'", "the component exports no function 'acme:redact/api#mass'"),
        ("export = 'acme:redact/api#mask'\ninput.txt = { maxLength = 1 }", "there is no parameter \"txt\""),
        ("export = 'acme:redact/api#mask'\ninput.text = { anyOf = [] }", "`anyOf` cannot narrow"),
        ("export = 'acme:redact/api#mask'\ninput.text = { pattern = '(' }", "input"),
        ("export = 'acme:redact/api#mask'\noutput = { maxLength = 'x' }", "output"),
        ("export = 'acme:redact/api#mask'\ninput.text = { title = \"a\\u202Eb\" }", "does not show as what it is"),
    ];
    for (lines, message) in cases {
        let denial = assembled(&format!("[tools.t]\n{lines}"), MASK).unwrap_err();
        assert_eq!(denial.code, Code::SchemaInvalid, "{lines}");
        assert!(denial.message.contains(message), "{lines}: {}", denial.message);
    }
    let denial = assembled("[tools.t]\nexport = 'acme:redact/api#mass'", MASK).unwrap_err();
    assert_eq!(denial.details["nearest"], "acme:redact/api@1.2.0#mask");
    let resource = "package t:t; interface a { resource r; f: func() -> r; } world w { export a; }";
    let denial = assembled("[tools.t]\nexport = 't:t/a#f'", resource).unwrap_err();
    assert!(denial.message.contains("cannot be a tool"), "{}", denial.message);
}

#[test]
fn bytes_that_are_no_component() {
    for bytes in [&b""[..], b"MZ", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0\xff"] {
        let denial = assemble(&skill(""), bytes.to_vec(), None, BTreeMap::new(), BTreeMap::new()).unwrap_err();
        assert_eq!(denial.code, Code::PackageLayout, "{bytes:?}");
    }
    let docs = BTreeMap::from([("readme.md".to_owned(), vec![])]);
    let denial = assemble(&skill(""), component(MASK), None, docs, BTreeMap::new()).unwrap_err();
    assert_eq!(denial.code, Code::PackageLayout, "a document that does not lie under docs/");
}

/// A sound package without adapters whose skill.json was changed by someone who knows how to make it canonical.
fn forged(change: impl FnOnce(&mut Value)) -> Result<Package, PackageError> {
    let package = assembled("[tools.mask]\nexport = 'acme:redact/api#mask'\ninput.text = { maxLength = 10 }", MASK).unwrap();
    let mut manifest: Value = serde_json::from_slice(package.file(SKILL_JSON).unwrap()).unwrap();
    manifest["adapters"] = json!({});
    change(&mut manifest);
    let kept = package.files().filter(|(path, _)| !path.starts_with("adapters/"));
    let mut files: BTreeMap<String, Arc<[u8]>> = kept.map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect();
    files.insert(SKILL_JSON.to_owned(), json::canonical(&manifest).unwrap().into());
    Package::from_files(files)
}

#[test]
fn a_certifier_sees_what_skill_json_says_and_the_component_does_not() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 16] = [
        ("component", |m| m["component"]["imports"] = json!(["wasi:io/poll@0.2.0"])),
        ("component", |m| m["component"]["exports"] = json!(["acme:other/api"])),
        ("component", |m| m["component"]["wit"] = json!("world w {}")),
        ("tools", |m| m["tools"]["mask"]["export"] = json!("acme:redact/api#mask")),
        ("tools", |m| m["tools"]["mask"]["input"]["properties"]["text"]["type"] = json!(["string", "number"])),
        ("tools", |m| m["tools"]["mask"]["input"]["additionalProperties"] = json!(true)),
        ("tools", |m| m["tools"]["mask"]["input"] = json!({})),
        ("tools", |m| m["tools"]["mask"]["output"] = json!(true)),
        ("tools", |m| m["tools"]["mask"]["input"]["properties"]["text"]["allOf"] = json!([{"$ref": "https://a.example/s"}])),
        ("tools", |m| m["tools"] = json!({})),
        ("tools", |m| m["tools"]["mask"]["effects"] = json!(["write", "read"])),
        ("limits", |m| m["limits"]["memory_bytes"] = json!(1)),
        ("limits", |m| m["limits"]["time_ms"] = json!(86_400_000)),
        ("limits", |m| m["policy_tier"] = json!(9)),
        ("text", |m| m["summary"] = json!("a\u{202e}b")),
        ("text", |m| m["tools"]["mask"]["description"] = json!("x".repeat(5000))),
    ];
    assert_eq!(faults(&forged(|_| ()).unwrap()), [""; 0]);
    for (index, (name, change)) in cases.into_iter().enumerate() {
        assert_eq!(faults(&forged(change).unwrap()), [name], "case {index}");
    }
    // What a manifest may say by its type alone never gets so far.
    for change in [
        (|m: &mut Value| m["capabilities"] = json!({"files": "all"})) as Change,
        |m| m["more"] = json!(1),
        |m| m["tools"]["../x"] = m["tools"]["mask"].clone(),
        |m| m["component"]["size"] = json!(1),
        |m| m["capabilities"] = json!({"files": []}),
    ] {
        assert!(matches!(forged(change), Err(PackageError::Manifest(_))));
    }
}

#[test]
fn adapters_that_skill_json_does_not_give_are_not_certified() {
    let package = assembled("", MASK).unwrap();
    assert_eq!(package.manifest().adapters.len(), 6);
    let mut manifest = package.manifest().clone();
    let mut files: BTreeMap<String, Arc<[u8]>> = package.files().map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect();
    files.insert("adapters/mcp.json".to_owned(), b"{}"[..].into());
    manifest.adapters.insert("adapters/mcp.json".to_owned(), Digest::of(b"{}"));
    files.insert(SKILL_JSON.to_owned(), json::canonical(&manifest).unwrap().into());
    let checks = recheck(&Package::from_files(files).unwrap());
    let refused: Vec<&Check> = checks.iter().filter(|check| !check.ok).collect();
    assert_eq!((refused.len(), refused[0].name.as_str()), (1, "adapters"));
    assert!(refused[0].message.starts_with("DENY_ADAPTER_MALFORMED: the adapter mcp: "), "{}", refused[0].message);
}

#[test]
fn a_skill_that_a_platform_cannot_be_told_of_is_not_packaged() {
    let wit = "package t:t; world w { export f: func(); }";
    let build = |adapters: &str| {
        let text = format!(
            "[skill]\nnamespace = 'org.acme'\nname = 'n'\nversion = '1.0.0'\nsummary = 's'\npolicy_tier = 2\ncomponent = 'c'\n{adapters}
             [tools.f]\nexport = 'f'\ndescription = '{}'",
            "x".repeat(1025)
        );
        assemble(&source::parse(&text).unwrap(), component(wit), None, BTreeMap::new(), BTreeMap::new())
    };
    let denial = build("").unwrap_err();
    assert_eq!((denial.code, &denial.details["adapter"]), (Code::AdapterMalformed, &json!("openai")));
    let package = build("adapters = ['mcp', 'agent-skill']").unwrap();
    assert_eq!(package.manifest().adapters.keys().collect::<Vec<_>>(), ["adapters/agent-skill.md", "adapters/mcp.json"]);
    assert_eq!(faults(&package), [""; 0]);
}

#[test]
fn a_component_with_undeclared_imports_is_not_certified() {
    let package = assembled("[capabilities]\nfiles = 'empty'", &importing("wasi:filesystem", "types")).unwrap();
    let mut manifest = package.manifest().clone();
    manifest.capabilities = Asks::default();
    let mut files: BTreeMap<String, Arc<[u8]>> = package.files().map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect();
    files.insert(SKILL_JSON.to_owned(), json::canonical(&manifest).unwrap().into());
    assert_eq!(faults(&Package::from_files(files).unwrap()), ["imports"]);
}
