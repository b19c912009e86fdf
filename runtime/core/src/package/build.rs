//! From skill.toml and a component to a package: imports are held against capabilities, schemas are made, skill.json is written.

mod recheck;
mod tools;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::adapters;
use super::files::{COMPONENT, Package, PackageError, SKILL_JSON};
use super::manifest::{ComponentInfo, Manifest, SCHEMA_VERSION};
use super::source::Source;
use super::wit::{self, Interface};
use crate::capability::{self, Asks, ImportClass, PowerClass};
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::json;

pub use recheck::{Check, recheck};

/// Makes a package of what an author wrote and the component that was built from it.
///
/// `wit_docs` are the doc comments of the skill's `wit/` folder. `docs` and `assets` hold files by their path in the package, such as
/// `docs/readme.md`. The adapters that skill.toml asks for are made here. The same arguments give the same bytes.
///
/// # Errors
/// - [`Code::PackageLayout`] if the component is none, a file's name or size is not for a package, or `/assets` is asked for and there
///   are none,
/// - [`Code::ImportUndeclared`] as [`check_imports`] says,
/// - [`Code::SchemaInvalid`] if a tool's export is not there or cannot be a tool, or its narrowing gives no schema,
/// - [`Code::CapabilityNotGranted`] if what is asked does not hold together,
/// - [`Code::AdapterMalformed`] if the skill cannot be described to a platform within its rules.
pub fn assemble(
    source: &Source,
    component: Vec<u8>,
    wit_docs: Option<&wit::Docs>,
    docs: BTreeMap<String, Vec<u8>>,
    assets: BTreeMap<String, Vec<u8>>,
) -> Result<Package, Denial> {
    source.capabilities.validate().map_err(|error| Denial::new(Code::CapabilityNotGranted, error.to_string()))?;
    if assets.is_empty() && source.capabilities.files.entries().iter().any(capability::files::Ask::is_of_the_package) {
        return Err(Denial::new(
            Code::PackageLayout,
            "skill.toml asks for /assets, and there is nothing that the package would have there",
        )
        .advise("Put the files into the folder assets beside skill.toml, or take the mount out of skill.toml."));
    }
    let mut interface = wit::read(&component).map_err(|error| no_component(&error))?;
    if let Some(wit_docs) = wit_docs {
        wit_docs.apply(&mut interface);
    }
    let imports = reaching(&interface);
    check_imports(&imports, &source.capabilities)?;
    let mut manifest = Manifest {
        schema_version: SCHEMA_VERSION.to_owned(),
        namespace: source.namespace.clone(),
        name: source.name.clone(),
        version: source.version.clone(),
        summary: source.summary.clone(),
        authors: source.authors.clone(),
        policy_tier: source.policy_tier,
        attestation_required: source.attestation_required,
        audit_events: source.audit_events.clone(),
        provides: source.provides.clone(),
        capabilities: source.capabilities.clone(),
        limits: source.limits,
        tools: tools::of(source, &interface)?,
        component: component_info(&component, imports, interface),
        adapters: BTreeMap::new(),
        docs: digests(&docs),
        assets: digests(&assets),
    };
    recheck::refuse_text(&manifest)?;
    let adapters = adapters::make(&source.adapters, &adapters::Facts::of(&manifest)).map_err(|error| error.denial())?;
    manifest.adapters = digests(&adapters);
    let skill_json = json::canonical(&manifest).map_err(|error| Denial::new(Code::SchemaInvalid, error.to_string()))?;
    let mut files: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
    for (path, bytes) in adapters.into_iter().chain(docs).chain(assets) {
        files.insert(path, bytes.into());
    }
    files.insert(COMPONENT.to_owned(), component.into());
    files.insert(SKILL_JSON.to_owned(), skill_json.into());
    Package::from_files(files).map_err(|error: PackageError| error.denial())
}

/// Holds a component's imports against what is declared: the base is everybody's, a power has to be declared, and what no host
/// offers is refused. `imports` are those that skill.json lists.
///
/// # Errors
/// [`Code::ImportUndeclared`] for the first import that is not covered, with the line that skill.toml lacks. Details:
/// `interface`, `capability` (unless nobody offers it), `undeclared` (all such imports).
pub fn check_imports(imports: &[String], asks: &Asks) -> Result<(), Denial> {
    let uncovered: Vec<(&str, Option<PowerClass>)> = imports
        .iter()
        .filter_map(|import| match capability::imports(import) {
            ImportClass::Base => None,
            ImportClass::Power(class) if asks.covers(class) => None,
            ImportClass::Power(class) => Some((import.as_str(), Some(class))),
            ImportClass::Unknown => Some((import.as_str(), None)),
        })
        .collect();
    let Some((import, class)) = uncovered.first() else {
        return Ok(());
    };
    let undeclared: Vec<&str> = uncovered.iter().map(|(import, _)| *import).collect();
    let shown = import.escape_default();
    let denial = match class {
        Some(class) => {
            let (capability, line) = (class.as_str(), class.declaration());
            Denial::new(
                Code::ImportUndeclared,
                format!("the component imports {shown}, and skill.toml declares no capability {capability}"),
            )
            .detail("capability", capability)
            .detail("declaration", line)
            .advise(format!(
                "If the skill needs it, or a library in it only mentions it, add this line to skill.toml under [capabilities]: {line}"
            ))
        }
        None => Denial::new(Code::ImportUndeclared, format!("the component imports {shown}, which no capability covers"))
            .advise("Remove the import: hosts offer the interfaces of WASI 0.2 that docs/sandbox.md lists, and nothing else."),
    };
    Err(denial.detail("interface", *import).detail("undeclared", undeclared))
}

fn no_component(error: &wit::WitError) -> Denial {
    Denial::new(Code::PackageLayout, format!("component.wasm: {error}"))
        .detail("file", COMPONENT)
        .advise("Build the component for wasm32-wasip2 (or any other WASI 0.2 component) and name its path in skill.toml.")
}

/// The imports through which anything is reached: not those that bring names of types only.
fn reaching(interface: &Interface) -> Vec<String> {
    interface.imports.iter().filter(|import| !interface.types_only.contains(import)).cloned().collect()
}

fn component_info(component: &[u8], imports: Vec<String>, interface: Interface) -> ComponentInfo {
    ComponentInfo {
        sha256: Digest::of(component),
        size: u64::try_from(component.len()).unwrap_or(u64::MAX),
        imports,
        exports: interface.exports,
        wit: interface.wit,
    }
}

fn digests(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Digest> {
    files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect()
}

#[cfg(test)]
#[path = "tests/build.rs"]
pub(crate) mod tests;
