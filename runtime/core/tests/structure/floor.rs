//! `.ci/floor.toml` holds the lowest version of each crate that is free of known holes; the lock files must not fall below it.
//! And the lock file tells what core is built from: no engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use semver::Version;
use serde::Deserialize;

use crate::tree::{files, root};

/// The workspace's lock file, and that of each skill in `examples/`.
fn locks() -> Vec<String> {
    let skills = files("examples").into_iter().map(|file| file.path).filter(|path| path.ends_with("/Cargo.lock"));
    std::iter::once("Cargo.lock".to_owned()).chain(skills).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Floors {
    #[serde(rename = "crate")]
    crates: Vec<Floor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Floor {
    name: String,
    lowest: Version,
    /// The version that the hole came with, where older ones that are locked do not have it.
    #[serde(default)]
    since: Option<Version>,
    reason: String,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Version,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Each package of a lock that is below its floor. Of a crate that is there twice, each version counts.
fn below(floors: &Floors, lock: &Lock) -> Vec<String> {
    let mut found = Vec::new();
    for floor in &floors.crates {
        let has_hole = |version: &Version| *version < floor.lowest && floor.since.as_ref().is_none_or(|since| version >= since);
        for package in lock.package.iter().filter(|package| package.name == floor.name && has_hole(&package.version)) {
            found.push(format!("{} {} is below {}: {}", package.name, package.version, floor.lowest, floor.reason));
        }
    }
    found
}

/// The names of all that a package is built from, tests included.
fn built_from(lock: &Lock, name: &str) -> BTreeSet<String> {
    let packages: BTreeMap<&str, Vec<&Package>> = lock.package.iter().fold(BTreeMap::new(), |mut all, package| {
        all.entry(package.name.as_str()).or_insert_with(Vec::new).push(package);
        all
    });
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        for dependency in packages.get(name.as_str()).into_iter().flatten().flat_map(|package| &package.dependencies) {
            let dependency = dependency.split(' ').next().unwrap_or_default().to_owned();
            if found.insert(dependency.clone()) {
                open.push(dependency);
            }
        }
    }
    found
}

fn read<T: for<'de> Deserialize<'de>>(path: &str) -> T {
    toml::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn no_locked_crate_is_below_its_floor() {
    let floors: Floors = read(".ci/floor.toml");
    assert!(floors.crates.iter().all(|floor| !floor.reason.is_empty()), "each floor has a reason");
    let locks = locks();
    assert!(locks.len() > 3, "the lock files of the skills are not found: {locks:?}");
    let found: Vec<String> = locks.iter().flat_map(|path| below(&floors, &read(path))).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_floor_holds_for_every_version_of_a_crate() {
    let floors: Floors = toml::from_str("[[crate]]\nname = 'a'\nlowest = '1.2.3'\nreason = 'a hole'\n").unwrap();
    let lock = |versions: &[&str]| {
        let package = |version: &&str| Package { name: "a".into(), version: version.parse().unwrap(), dependencies: Vec::new() };
        Lock { package: versions.iter().map(package).collect() }
    };
    assert_eq!(below(&floors, &lock(&["1.2.3", "2.0.0"])).len(), 0);
    assert_eq!(below(&floors, &lock(&["1.2.2", "2.0.0"])).len(), 1);
    assert_eq!(below(&floors, &lock(&["1.2.3-rc.1"])).len(), 1);
    assert_eq!(below(&floors, &lock(&[])).len(), 0);
    let floors: Floors = toml::from_str("[[crate]]\nname = 'a'\nlowest = '1.2.3'\nsince = '1.2.0'\nreason = 'a hole'\n").unwrap();
    for (versions, holes) in [(["1.1.9", "1.2.3"], 0), (["1.2.0", "1.1.9"], 1), (["1.2.0", "1.2.2"], 2)] {
        assert_eq!(below(&floors, &lock(&versions)).len(), holes, "{versions:?}");
    }
}

#[test]
fn core_is_built_without_an_engine() {
    let lock: Lock = read("Cargo.lock");
    let engine = |name: &&String| name.starts_with("wasmtime") || name.starts_with("cranelift");
    let core = built_from(&lock, "skillhall-core");
    let found: Vec<&String> = core.iter().filter(engine).collect();
    assert!(found.is_empty(), "skillhall-core is built from {found:?}");
    assert!(
        built_from(&lock, "skillhall").iter().any(|name| name == "wasmtime"),
        "the host's engine is not found: does this test still see?"
    );
}
