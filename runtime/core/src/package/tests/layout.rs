//! What a package may hold, and what a folder may do to get something else in.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use cap_std::ambient_authority;
use tempfile::TempDir;

use super::super::sample;
use super::*;

const FILES: &[(&str, &[u8])] = &[
    ("adapters/mcp.json", b"{}"),
    ("assets/a/b/c/words.txt", b"one two"),
    ("docs/licence", b"free"),
    ("docs/readme.md", b"# Sample"),
];

#[expect(clippy::disallowed_methods, reason = "a test's own folder")]
fn folder() -> (TempDir, Dir) {
    let temporary = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority()).unwrap();
    (temporary, dir)
}

#[expect(clippy::disallowed_methods, reason = "a test's own folder")]
fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Writes the sample to `package/` of a new folder.
fn written() -> (TempDir, Dir) {
    let (temporary, dir) = folder();
    write(&sample::package(FILES), &dir, "package").unwrap();
    (temporary, dir)
}

fn reread(dir: &Dir) -> Result<Package, PackageError> {
    read(&dir.open_dir("package").unwrap())
}

fn paths(package: &Package) -> Vec<&str> {
    package.files().map(|(path, _)| path).collect()
}

#[test]
fn what_is_written_is_read() {
    let (_temporary, dir) = written();
    let package = reread(&dir).unwrap();
    assert_eq!(package.files().collect::<Vec<_>>(), sample::package(FILES).files().collect::<Vec<_>>());
    assert_eq!(dir.entries().unwrap().count(), 1, "no temporary folder is left");
}

#[test]
fn a_package_is_replaced_and_nothing_else_is() {
    let (temporary, dir) = written();
    write(&sample::package(&[]), &dir, "package").unwrap();
    assert_eq!(paths(&reread(&dir).unwrap()), ["component.wasm", "skill.json"]);
    put(temporary.path(), "mine/thesis.txt", b"years");
    put(temporary.path(), "note", b"mine");
    symlink(temporary.path().join("package"), temporary.path().join("link")).unwrap();
    for name in ["mine", "note", "link"] {
        assert_eq!(write(&sample::package(FILES), &dir, name).unwrap_err().kind(), io::ErrorKind::AlreadyExists, "{name}");
    }
    for name in ["", ".", "..", "a/b", "/a", "a\0"] {
        assert_eq!(write(&sample::package(FILES), &dir, name).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name}");
    }
    assert_eq!(dir.read("mine/thesis.txt").unwrap(), b"years");
    assert_eq!(dir.entries().unwrap().count(), 4, "no temporary folder is left");
}

#[test]
fn paths_that_no_package_holds() {
    let long = format!("docs/{}", "a".repeat(65));
    let longer = format!("docs/{0}/{0}", "a".repeat(60));
    let refused = [
        "readme.md",
        "Skill.json",
        "skill.json/a",
        "src/lib.rs",
        "docs",
        "docs/",
        "docs//a",
        "docs/.git",
        "docs/.hidden",
        "docs/a.",
        "docs/a..b",
        "docs/..",
        "docs/.",
        "docs/../skill.json",
        "docs/README.md",
        "docs/a b",
        "docs/a\n",
        "docs/a\\b",
        "docs/a\0",
        "docs/ä",
        "docs/c:",
        "docs/a/b/c/d/e",
        "/docs/a",
        "../docs/a",
        "docs/manifest.json",
        "assets/x/manifest.sig",
        "assets/manifest.tmp",
        "assets/__pycache__/a",
        "assets/a.pyc",
        "",
        long.as_str(),
        longer.as_str(),
    ];
    for path in refused {
        let files = BTreeMap::from([(path.to_owned(), Arc::from(&b"x"[..]))]);
        assert!(matches!(check(&files), Err(PackageError::Layout(_))), "{path:?} was let in");
    }
    for path in ["docs/a", "assets/a/b/c/d", "adapters/agent-skill.md", "docs/a.b_c-d.0"] {
        assert_eq!(check(&BTreeMap::from([(path.to_owned(), Arc::from(&b"x"[..]))])), Ok(()), "{path}");
    }
}

#[test]
fn a_path_is_a_file_or_a_folder() {
    let files = ["docs/a", "docs/a/b"].map(|path| (path.to_owned(), Arc::from(&b"x"[..])));
    assert_eq!(check(&BTreeMap::from(files)), Err(PackageError::Layout("docs/a is both a file and a folder".into())));
}

#[test]
fn bounds_hold_to_the_byte() {
    let sized = |path: &str, size: u64| -> BTreeMap<String, Arc<[u8]>> {
        BTreeMap::from([(path.to_owned(), vec![0; usize::try_from(size).unwrap()].into())])
    };
    for (path, max) in [
        ("component.wasm", MAX_COMPONENT),
        ("skill.json", MAX_SKILL_JSON),
        ("manifest.json", MAX_ATTESTATION),
        ("manifest.sig", MAX_ATTESTATION),
        ("docs/a", MAX_FILE),
    ] {
        assert_eq!(check(&sized(path, max)), Ok(()), "{path}");
        assert_eq!(check(&sized(path, max + 1)), Err(too_large(path, max)), "{path}");
    }
    let big: Arc<[u8]> = vec![0; usize::try_from(MAX_FILE).unwrap()].into();
    let mut files: BTreeMap<String, Arc<[u8]>> = (0..4).map(|n| (format!("assets/{n}"), big.clone())).collect();
    assert_eq!(check(&files), Ok(()));
    files.insert("docs/z".into(), Arc::from(&b"x"[..]));
    assert!(check(&files).is_err(), "a byte beyond what all files may have together");
    let mut files: BTreeMap<String, Arc<[u8]>> = (0..MAX_FILES).map(|n| (format!("docs/{n}"), Arc::from(&b""[..]))).collect();
    assert_eq!(check(&files), Ok(()));
    files.insert("docs/z".into(), Arc::from(&b""[..]));
    assert!(check(&files).is_err(), "a file beyond the count");
}

#[test]
fn a_folder_with_anything_else_is_refused() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 9] = [
        ("an unknown file", |at| put(at, "package/notes.txt", b"x")),
        ("a hidden file", |at| put(at, "package/.gitignore", b"x")),
        ("an unlisted document", |at| put(at, "package/docs/more.md", b"x")),
        ("an upper-case name", |at| put(at, "package/docs/LICENSE", b"x")),
        ("a folder in place of a file", |at| put(at, "package/manifest.json/x", b"x")),
        ("a file too deep", |at| put(at, "package/docs/a/b/c/d/e", b"x")),
        ("a file over its bound", |at| put(at, "package/manifest.sig", &vec![0; 70_000])),
        ("a pipe", |at| {
            let mode = Mode::RUSR;
            rustix::fs::mknodat(rustix::fs::CWD, at.join("package/manifest.sig"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }),
        ("another component", |at| put(at, "package/component.wasm", b"\0asm\x0d\0\x01\0 ")),
    ];
    for (what, change) in changes {
        let (temporary, dir) = written();
        change(temporary.path());
        assert!(reread(&dir).is_err(), "{what} was let in");
    }
}

#[test]
fn an_empty_folder_is_refused() {
    let (_temporary, dir) = written();
    dir.create_dir("package/docs/none").unwrap();
    assert!(matches!(reread(&dir), Err(PackageError::Layout(_))));
}

#[test]
fn links_are_never_followed() {
    // Each link leads to bytes that would be taken, were it followed.
    for (path, is_folder) in
        [("skill.json", false), ("component.wasm", false), ("docs/readme.md", false), ("docs", true), ("assets/a", true)]
    {
        let (temporary, dir) = written();
        let from = temporary.path().join("package").join(path);
        let to = temporary.path().join("elsewhere");
        dir.rename(format!("package/{path}"), &dir, "elsewhere").unwrap();
        symlink(&to, &from).unwrap();
        assert!(from.exists());
        let error = reread(&dir).unwrap_err();
        assert!(matches!(error, PackageError::Layout(_)), "{path} ({is_folder}): {error}");
    }
}

#[test]
fn missing_parts_have_their_codes() {
    use crate::denial::Code;
    for (path, code) in
        [("skill.json", Code::ManifestMissing), ("component.wasm", Code::PackageLayout), ("docs/readme.md", Code::PackageLayout)]
    {
        let (_temporary, dir) = written();
        dir.remove_file(format!("package/{path}")).unwrap();
        assert_eq!(reread(&dir).unwrap_err().denial().code, code, "{path}");
    }
    let (temporary, dir) = written();
    put(temporary.path(), "package/docs/readme.md", b"# Other");
    assert_eq!(reread(&dir).unwrap_err().denial().code, Code::HashMismatch);
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let (temporary, dir) = written();
    std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let result = write(&sample::package(&[]), &dir, "package");
    std::fs::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    // Root may write anyway; then the new package is there whole.
    let expected = if result.is_ok() { 2 } else { 2 + FILES.len() };
    assert_eq!(paths(&reread(&dir).unwrap()).len(), expected);
}

#[test]
fn a_file_that_is_swapped_while_it_is_read_is_never_taken_as_the_other() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (temporary, dir) = written();
    let outside = temporary.path().join("outside");
    put(temporary.path(), "outside", b"# Sample of another");
    let target = temporary.path().join("package/docs/readme.md");
    let (stop, swaps) = (AtomicBool::new(false), temporary.path().join("swap"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for link in [true, false] {
                    if link {
                        symlink(&outside, &swaps).unwrap();
                    } else {
                        put(temporary.path(), "swap", b"# Sample");
                    }
                    #[expect(clippy::disallowed_methods, reason = "a test's own folder")]
                    std::fs::rename(&swaps, &target).unwrap();
                }
            }
        });
        for _ in 0..500 {
            if let Ok(package) = reread(&dir) {
                assert_eq!(&package.file("docs/readme.md").unwrap()[..], b"# Sample");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}
