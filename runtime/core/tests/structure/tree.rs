//! The repository's files, and what holds of all of them.

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines that a source file may have.
const MAX_LINES: usize = 600;

/// A file of the repository.
pub(crate) struct File {
    /// Its path from the repository's root, with `/`.
    pub(crate) path: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl File {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below a folder of the repository but what is built or belongs to git, in order of their paths.
pub(crate) fn files(below: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root().join(below), below, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "there are no files in {below:?}");
    found
}

/// The sources of the workspace's crates. The hostile guests of the tests are no members of it.
pub(crate) fn sources() -> Vec<File> {
    let crates = ["runtime", "sdk", "tests", "examples"];
    let all = crates.iter().flat_map(|folder| files(folder));
    all.filter(|file| file.is_rust() && !file.path.starts_with("tests/guests/")).collect()
}

fn walk(folder: &Path, name: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let part = entry.file_name().into_string().unwrap();
        let path = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
        if kind.is_dir() && part != "target" && part != ".git" {
            walk(&entry.path(), &path, found);
        } else if kind.is_file() && part != ".git" {
            found.push(File { path, bytes: fs::read(entry.path()).unwrap() });
        }
    }
}

/// Paths that say on which machine something was made.
fn machine_paths(file: &File) -> Vec<String> {
    // Put together here, or this file would hold them.
    let folders = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let holds = |folder: &&String| file.bytes.windows(folder.len()).any(|part| part == folder.as_bytes());
    folders.iter().filter(holds).map(|folder| format!("{}: holds a path below {folder}", file.path)).collect()
}

fn too_long(file: &File) -> Option<String> {
    let lines = file.text().lines().count();
    (lines > MAX_LINES).then(|| format!("{}: {lines} lines, at most {MAX_LINES}", file.path))
}

#[test]
fn no_file_names_a_path_of_a_machine() {
    let lock = |file: &File| file.path.ends_with("Cargo.lock");
    let found: Vec<String> = files("").iter().filter(|file| !lock(file)).flat_map(machine_paths).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_source_file_is_too_long() {
    let found: Vec<String> = sources().iter().filter_map(too_long).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_checks_of_a_file_find_what_they_look_for() {
    let file = |text: String| File { path: "a.rs".into(), bytes: text.into_bytes() };
    assert_eq!(machine_paths(&file(format!("see /{}/someone/notes", "home"))).len(), 1);
    assert!(machine_paths(&file("see a/network/b".into())).is_empty());
    assert!(too_long(&file("\n".repeat(MAX_LINES + 1))).is_some());
    assert!(too_long(&file("\n".repeat(MAX_LINES))).is_none());
}
