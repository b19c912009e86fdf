//! What must not compile: every way round the line that the types close.
//!
//! Each `cases/*.rs` is compiled by rustc itself against the crates that this test was built with, and has to fail with
//! exactly the errors of its `.stderr`: one line each, the error's code and its message. `BLESS=1` writes them anew. A case
//! is a whole program that would do harm if it compiled; `cases/control.rs` is one that does no harm and has to compile, so
//! that no case fails for another reason than its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use skillhall_tests::files;

/// The errors of a program, as the compiler's JSON tells them.
fn errors(source: &Path, out: &Path) -> Vec<String> {
    let own = std::env::current_exe().expect("the test knows its own file");
    let deps = own.parent().expect("target/<profile>/deps");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args([
        "--edition",
        "2024",
        "--crate-type",
        "bin",
        "--emit",
        "metadata",
        "--error-format",
        "json",
        "--crate-name",
        "forge",
    ]);
    rustc.arg("-L").arg(format!("dependency={}", deps.display())).arg("--out-dir").arg(out);
    rustc.arg("--extern").arg(format!("skillhall_tests={}", library(deps).display())).arg(source);
    let output = rustc.output().expect("rustc starts");
    let mut errors = BTreeSet::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Ok(told) = serde_json::from_str::<Value>(line) else { panic!("rustc says: {line}") };
        let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if text("/level") == "error" && !text("/message").starts_with("aborting due to") {
            errors.insert(format!("{}: {}", text("/code/code"), text("/message")));
        }
    }
    assert_eq!(output.status.success(), errors.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    errors.into_iter().collect()
}

/// The harness's own library, which names both crates: the newest one is what this test was built with.
fn library(deps: &Path) -> PathBuf {
    let entries = std::fs::read_dir(deps).expect("the folder can be read").map(|entry| entry.expect("it can be read").path());
    let is_library = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("libskillhall_tests-") && name.ends_with(".rlib")
    };
    let changed = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).expect("its time is known");
    entries.filter(is_library).max_by_key(changed).expect("the harness's library is there")
}

#[test]
fn no_gate_can_be_gone_round() {
    let folder = files::repository("tests/forge/cases");
    let out = tempfile::tempdir().expect("a temporary folder");
    let bless = std::env::var_os("BLESS").is_some();
    let (mut faults, mut count) = (Vec::new(), 0);
    for name in files::below(&folder).iter().filter(|name| name.ends_with(".rs")) {
        let source = folder.join(name);
        let found = errors(&source, out.path());
        if name == "control.rs" {
            assert!(found.is_empty(), "the control does not compile: {found:?}");
            continue;
        }
        count += 1;
        let expected = source.with_extension("stderr");
        let text = found.iter().map(|line| format!("{line}\n")).collect::<String>();
        if found.is_empty() {
            faults.push(format!("{name} compiles"));
        } else if bless {
            files::put(&expected, text.as_bytes());
        } else if !expected.exists() || files::text(&expected) != text {
            faults.push(format!("{name} fails otherwise than {} says:\n{text}", expected.display()));
        }
    }
    assert!(count >= 20, "only {count} cases in {}", folder.display());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
