//! The adapters of the real skill and of one with every type, byte for byte: what others have read once must not change unseen. `BLESS=1` writes them anew.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures of the repository, and write them where BLESS says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::package::adapters::Adapter;
use crate::package::wit::Docs;
use crate::package::{Package, build, source};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub(super) fn redact() -> Package {
    let text = |path| fs::read_to_string(repository(path)).unwrap();
    let source = source::parse(&text("examples/redact/skill.toml")).unwrap();
    let docs = Docs::read(&BTreeMap::from([("redact.wit".to_owned(), text("examples/redact/wit/redact.wit"))])).unwrap();
    let component = fs::read(repository("fixtures/skills/redact/component.wasm")).unwrap();
    let licence = BTreeMap::from([("docs/license".to_owned(), b"Apache-2.0".to_vec())]);
    build::assemble(&source, component, Some(&docs), licence, BTreeMap::new()).unwrap()
}

#[test]
fn skills_have_the_adapters_that_are_kept() {
    let real = redact();
    assert_eq!(real.manifest().adapters.len(), Adapter::ALL.len());
    for (name, package) in [("redact", real)].into_iter().chain(super::awkward::kept()) {
        for path in package.manifest().adapters.keys() {
            let made = package.file(path).unwrap();
            let kept = repository("fixtures/adapters").join(name).join(path.strip_prefix("adapters/").unwrap());
            if env::var_os("BLESS").is_some_and(|value| value == "1") {
                fs::create_dir_all(kept.parent().unwrap()).unwrap();
                fs::write(&kept, made).unwrap();
            }
            let wanted = fs::read(&kept).unwrap_or_default();
            assert!(
                wanted == made[..],
                "{} differs from what is made; what was read by others changes only with a new format version:\n{}",
                kept.display(),
                String::from_utf8_lossy(made)
            );
        }
    }
}

#[test]
fn each_adapter_cites_the_component_and_not_the_manifest() {
    let package = redact();
    let (component, manifest) = (package.manifest().component.sha256.to_string(), package.manifest_hash().to_string());
    for adapter in Adapter::ALL {
        let text = String::from_utf8(package.file(adapter.path()).unwrap().to_vec()).unwrap();
        assert!(text.contains(&format!("sha256:{component}")), "{adapter}");
        assert!(!text.contains(&manifest), "{adapter}");
    }
}
