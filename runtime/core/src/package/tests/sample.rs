//! A small sound package for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{COMPONENT, SKILL_JSON};
use super::{ComponentInfo, LimitsAsk, Manifest, Package, SCHEMA_VERSION};
use crate::capability::Asks;
use crate::digest::Digest;
use crate::json;

/// The smallest component: a header and nothing else.
pub(crate) const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The manifest of a package with these files beside skill.json and component.wasm.
pub(crate) fn manifest(files: &[(&str, &[u8])]) -> Manifest {
    let listed = |folder: &str| -> BTreeMap<String, Digest> {
        files
            .iter()
            .filter(|(path, _)| path.starts_with(folder))
            .map(|(path, bytes)| ((*path).to_owned(), Digest::of(bytes)))
            .collect()
    };
    Manifest {
        schema_version: SCHEMA_VERSION.to_owned(),
        namespace: "org.acme".parse().unwrap(),
        name: "sample".parse().unwrap(),
        version: semver::Version::new(1, 0, 0),
        summary: "A sample".to_owned(),
        authors: vec!["A. Author <a@acme.example>".to_owned()],
        policy_tier: 2,
        attestation_required: true,
        audit_events: vec![],
        provides: vec![],
        capabilities: Asks::default(),
        limits: LimitsAsk::default(),
        component: ComponentInfo {
            sha256: Digest::of(EMPTY_COMPONENT),
            size: EMPTY_COMPONENT.len() as u64,
            imports: vec![],
            exports: vec![],
            wit: String::new(),
        },
        tools: BTreeMap::new(),
        adapters: listed("adapters/"),
        docs: listed("docs/"),
        assets: listed("assets/"),
    }
}

/// The files of a sound package with these beside skill.json and component.wasm.
pub(crate) fn files(more: &[(&str, &[u8])]) -> BTreeMap<String, Arc<[u8]>> {
    let mut files: BTreeMap<String, Arc<[u8]>> = more.iter().map(|(path, bytes)| ((*path).to_owned(), (*bytes).into())).collect();
    files.insert(SKILL_JSON.to_owned(), json::canonical(&manifest(more)).unwrap().into());
    files.insert(COMPONENT.to_owned(), EMPTY_COMPONENT.into());
    files
}

/// A sound package with these files beside skill.json and component.wasm.
pub(crate) fn package(more: &[(&str, &[u8])]) -> Package {
    Package::from_files(files(more)).unwrap()
}
