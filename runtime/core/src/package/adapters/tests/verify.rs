//! What someone else's package may hold under `adapters/`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::golden::redact;
use crate::denial::Code;
use crate::digest::Digest;
use crate::json;
use crate::package::adapters::{Adapter, make, verify};
use crate::package::files::SKILL_JSON;
use crate::package::{Package, source};

/// The real skill with these adapters in the place of its own, each with its right digest in skill.json.
fn with(adapters: &BTreeMap<String, Vec<u8>>) -> Package {
    let package = redact();
    let mut manifest = package.manifest().clone();
    manifest.adapters = adapters.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
    let kept = package.files().filter(|(path, _)| !path.starts_with("adapters/"));
    let mut files: BTreeMap<String, Arc<[u8]>> = kept.map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect();
    files.extend(adapters.iter().map(|(path, bytes)| (path.clone(), bytes.clone().into())));
    files.insert(SKILL_JSON.to_owned(), json::canonical(&manifest).unwrap().into());
    Package::from_files(files).unwrap()
}

fn own() -> BTreeMap<String, Vec<u8>> {
    let package = redact();
    Adapter::ALL.iter().map(|adapter| (adapter.path().to_owned(), package.file(adapter.path()).unwrap().to_vec())).collect()
}

#[test]
fn what_the_build_makes_is_what_is_wanted() {
    verify(&redact()).unwrap();
    verify(&with(&own())).unwrap();
    verify(&with(&BTreeMap::new())).unwrap();
    let some: BTreeMap<_, _> = own().into_iter().take(2).collect();
    verify(&with(&some)).unwrap();
}

#[test]
fn an_adapter_edited_by_hand_is_refused_though_its_digest_is_right() {
    for adapter in Adapter::ALL {
        let mut adapters = own();
        let bytes = adapters.get_mut(adapter.path()).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replacen("Masks", "Leaks", 1).into_bytes();
        let edited = with(&adapters);
        // It is a sound file of its platform, and a package like any other; only that it is not what skill.json gives.
        adapter.check(edited.file(adapter.path()).unwrap()).unwrap();
        let error = verify(&edited).unwrap_err();
        assert_eq!(error.adapter, adapter.as_str());
        assert_eq!(error.denial().code, Code::AdapterMalformed);
        assert!(error.denial().hint().contains("never by hand"), "{}", error.denial().hint());
    }
}

#[test]
fn what_is_no_adapter_is_refused() {
    for path in ["adapters/mcp.md", "adapters/langchain.json", "adapters/a/mcp.json"] {
        let error = verify(&with(&BTreeMap::from([(path.to_owned(), own()[Adapter::Mcp.path()].clone())]))).unwrap_err();
        assert_eq!(error.adapter, path);
        assert!(error.rule.contains("adapters/owasp.json"), "{error}");
    }
}

#[test]
fn an_author_says_which_adapters_are_made() {
    let head =
        "[skill]\nnamespace = 'org.acme'\nname = 'n'\nversion = '1.0.0'\nsummary = 's'\npolicy_tier = 2\ncomponent = 'c'\n";
    let chosen = |line: &str| source::parse(&format!("{head}{line}")).map(|source| source.adapters);
    assert_eq!(chosen("").unwrap(), BTreeSet::from(Adapter::ALL));
    assert_eq!(chosen("adapters = []").unwrap(), BTreeSet::new());
    let two = chosen("adapters = ['openai', 'mcp']").unwrap();
    assert_eq!(two, BTreeSet::from([Adapter::Mcp, Adapter::Openai]));
    let package = redact();
    let made = make(&two, &super::Facts::of(package.manifest())).unwrap();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["adapters/mcp.json", "adapters/openai.json"]);
    for (line, says) in [
        ("adapters = ['openia']", "'openia' is no adapter (did you mean 'openai'?); there are mcp, openai"),
        ("adapters = ['mpc']", "'mpc' is no adapter (did you mean 'mcp'?); there are"),
        ("adapters = ['xyz']", "'xyz' is no adapter; there are"),
        ("adapters = ['mcp', 'mcp']", "'mcp' is named twice"),
        ("adapters = 'mcp'", "expected a sequence"),
        ("adapter = ['mcp']", "did you mean 'adapters'?"),
    ] {
        let error = chosen(line).unwrap_err();
        assert_eq!(error.line, 8, "{line}: {error}");
        assert!(error.message.contains(says), "{line}: {error}");
    }
}
