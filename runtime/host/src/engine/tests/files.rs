//! Guests with folders: what they can do there, and what they try in vain. The guest is `tests/guests/bodies/files.wat`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use skillhall_core::capability::{Asks, narrow};
use tempfile::TempDir;

use super::*;
use crate::sandbox::{Link, LocalPowers, Powers as _};

const GUEST: &str = include_str!("../../../../../tests/guests/bodies/files.wat");

const CODES: [&str; 37] = [
    "access",
    "would-block",
    "already",
    "bad-descriptor",
    "busy",
    "deadlock",
    "quota",
    "exist",
    "file-too-large",
    "illegal-byte-sequence",
    "in-progress",
    "interrupted",
    "invalid",
    "io",
    "is-directory",
    "loop",
    "too-many-links",
    "message-size",
    "name-too-long",
    "no-device",
    "no-entry",
    "no-lock",
    "insufficient-memory",
    "insufficient-space",
    "not-directory",
    "not-empty",
    "not-recoverable",
    "unsupported",
    "no-tty",
    "no-such-device",
    "overflow",
    "not-permitted",
    "pipe",
    "read-only",
    "invalid-seek",
    "text-file-busy",
    "cross-device",
];

/// Folders on disk: `in` and `out` to be granted, `outside` that never is.
struct Desk {
    folder: TempDir,
    grants: Vec<(&'static str, PathBuf, &'static str)>,
    reserved: Arc<Reserved>,
}

impl Desk {
    fn new(grants: &[(&'static str, &'static str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["in/deep", "out", "outside"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["in/data", "in/deep/data", "out/data", "outside/secret"] {
            fs::write(root.join(name), format!("text of {name}")).unwrap();
        }
        let grants = grants.iter().map(|(name, access)| (mount(name), root.join(name), *access)).collect();
        Self { folder, grants, reserved: Arc::new(Reserved::nothing()) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn order(&self, export: &str, path: &str, other: &str) -> Order {
        let asked: Vec<Value> = self.grants.iter().map(|(mount, _, access)| json!({"mount": mount, "access": access})).collect();
        let asks: Asks = serde_json::from_value(json!({ "files": asked })).unwrap();
        let policy: Vec<Value> = self
            .grants
            .iter()
            .map(|(mount, folder, access)| json!({"mount": mount, "folder": folder, "access": access}))
            .collect();
        let grants = narrow(&asks, &serde_json::from_value(json!({ "files": policy })).unwrap()).unwrap();
        Order {
            links: SandboxLinks { files: Link::Granted, ..SandboxLinks::default() },
            broker: LocalPowers::default().broker(&grants),
            reserved: Arc::clone(&self.reserved),
            ..order(GUEST, export, json!({"path": path, "other": other}), limits())
        }
    }

    fn run(&self, export: &str, path: &str, other: &str) -> Outcome {
        execute(self.order(export, path, other))
    }

    /// What came of it: `done`, or the name of the error.
    fn does(&self, export: &str, path: &str, other: &str) -> &'static str {
        let outcome = self.run(export, path, other);
        let told = outcome.end.unwrap_or_else(|failure| panic!("{export} {path}: {failure:?}"));
        match told.as_u64().and_then(|told| usize::try_from(told).ok()).unwrap() {
            1000 => "done",
            code => CODES[code],
        }
    }

    fn text(&self, path: &str) -> Value {
        self.run("text", path, "").end.unwrap()
    }
}

fn mount(name: &str) -> &'static str {
    if name == "out" { "/out" } else { "/in" }
}

fn reader() -> Desk {
    Desk::new(&[("in", "read")])
}

fn writer() -> Desk {
    Desk::new(&[("in", "write")])
}

fn pipe(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

#[test]
fn a_granted_folder_is_read() {
    let desk = reader();
    assert_eq!(desk.text("data"), json!("text of in/data"));
    assert_eq!(desk.text("deep/data"), json!("text of in/deep/data"));
    assert_eq!(desk.text("deep/../data"), json!("text of in/data"));
    symlink("deep/data", desk.path("in/within")).unwrap();
    assert_eq!(desk.text("within"), json!("text of in/deep/data"));
    assert_eq!(desk.does("readlink", "within", ""), "done");
    for (export, path) in
        [("stat", "data"), ("stat", "deep"), ("open-folder", "deep"), ("metadata-hash", "data"), ("read", "data")]
    {
        assert_eq!(desk.does(export, path, ""), "done", "{export} {path}");
    }
    for (export, path, told) in [
        ("open", "none", "no-entry"),
        ("open", "", "no-entry"),
        ("open-folder", "data", "not-directory"),
        ("open", "data/", "not-directory"),
        ("open-synced", "data", "unsupported"),
        ("open-to-create-folder", "new", "invalid"),
        ("open-unfollowed", "within", "loop"),
    ] {
        assert_eq!(desk.does(export, path, ""), told, "{export} {path}");
    }
}

#[test]
fn what_was_opened_and_moved_is_counted() {
    let desk = reader();
    let outcome = desk.run("read", "data", "");
    assert_eq!(outcome.end, Ok(json!(1000)));
    assert_eq!(outcome.resources.file_opens, Some(super::super::Used { used: 1, allowed: 1_000 }));
    assert_eq!(outcome.resources.host_call_bytes.used, 15);
    assert_eq!(outcome.resources.host_calls.used, 3);
    fs::write(desk.path("in/large"), vec![b'x'; 1_000_000]).unwrap();
    let outcome = desk.run("stream", "large", "");
    assert_eq!((outcome.end, outcome.resources.host_call_bytes.used), (Ok(json!(1_000_000)), 1_000_000));
    // A guest without folders has no such figure.
    assert_eq!(run_wat(&alone(r#"(func (export "run"))"#), limits()).resources.file_opens, None);
}

#[test]
fn too_many_opens_or_bytes_end_the_run() {
    let desk = writer();
    let outcome = desk.run("flood", "data", "");
    let failure = fails(&outcome, FailureCode::HostCalls);
    assert!(failure.message.contains("more than 1000 files"), "{failure:?}");
    fails(&desk.run("flood-of-folders", "made", ""), FailureCode::HostCalls);
    fs::write(desk.path("in/large"), vec![b'x'; 1_000_000]).unwrap();
    for export in ["stream", "read-again-and-again"] {
        let order = desk.order(export, "large", "");
        let order = Order { limits: Limits { host_call_bytes: 500_000, ..limits() }, ..order };
        let outcome = execute(order);
        fails(&outcome, FailureCode::HostCalls);
        let moved = outcome.resources.host_call_bytes;
        assert!(moved.used > 500_000 && moved.used < 600_000, "{export}: {moved:?}");
    }
    let order = desk.order("put", "new", &"x".repeat(4_000));
    fails(&execute(Order { limits: Limits { host_call_bytes: 3_999, ..limits() }, ..order }), FailureCode::HostCalls);
    assert_eq!(fs::read(desk.path("in/new")).unwrap(), b"", "nothing of what is too much is written");
}

/// The guest, which opens its files to write them, and makes them longer.
fn grower() -> String {
    let opened =
        "(i32.const 0) (i32.const 1) (i32.const 512))\n            (if (i32.load8_u (i32.const 512)) (then (unreachable)))";
    let told = [
        (opened, opened.replace("(i32.const 0) (i32.const 1)", "(i32.const 0) (i32.const 3)")),
        ("(call $file (local.get $p) (local.get $pl)) (i64.const 0) (i32.const 512)) (call $told (i32.const 1))", String::new()),
        ("$write-via-stream (call $file (local.get $p) (local.get $pl)) (i64.const 0)", String::new()),
    ];
    told.into_iter().fold(GUEST.to_owned(), |text, (from, to)| {
        let to = if to.is_empty() { from.replace("(i64.const 0)", "(i64.const 1000000)") } else { to };
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, &to)
    })
}

#[test]
fn what_is_put_into_files_has_a_quota_and_so_has_their_length() {
    let desk = writer();
    let guest = grower();
    let run = |export: &str, path: &str, other: &str, file_bytes: u64| {
        let order = desk.order(export, path, other);
        let prepared = order_of(&guest, export).prepared;
        let outcome = execute(Order { prepared, limits: Limits { file_bytes, ..limits() }, ..order });
        let used = outcome.resources.file_bytes.unwrap();
        assert_eq!(used.allowed, file_bytes);
        (outcome.end.map_err(|failure| failure.code), used.used)
    };
    let length = |path: &str| fs::metadata(desk.path(path)).unwrap().len();
    let over = Err(FailureCode::HostCalls);
    let data = length("in/data");
    // As long as it may become, and not a byte more; what is too much does not happen.
    let growth = 1_000_000 - data;
    assert_eq!(run("set-size", "data", "", growth - 1), (over.clone(), growth));
    assert_eq!(length("in/data"), data);
    assert_eq!(run("set-size", "data", "", growth), (Ok(json!(1000)), growth));
    assert_eq!(length("in/data"), 1_000_000);
    assert_eq!(run("set-size", "data", "", 0), (Ok(json!(1000)), 0), "it is that long already");
    // A stream that begins behind the end.
    assert_eq!(run("write-via-stream", "deep/data", "", 1_000).0, over);
    assert_eq!(run("write-via-stream", "deep/data", "", 1_000_000).0, Ok(json!(1000)));
    // What is written, whether it makes the file longer or not.
    assert_eq!(run("write", "data", "four", 4), (Ok(json!(1000)), 4));
    assert_eq!(run("write", "data", "more than four", 4), (over.clone(), 14));
    assert_eq!(run("put", "new", "ten letters", 11), (Ok(json!(1000)), 11));
    assert_eq!(run("put", "newer", "ten letters", 10), (over, 11));
    assert_eq!(fs::read(desk.path("in/newer")).unwrap(), b"", "nothing of what is too much is written");
    // Where it may not write, nothing is counted.
    let reader = reader();
    let outcome = execute(Order { prepared: order_of(&guest, "stat").prepared, ..reader.order("stat", "data", "") });
    assert_eq!(outcome.resources.file_bytes.map(|bytes| bytes.used), Some(0));
}

fn order_of(text: &str, export: &str) -> Order {
    order(text, export, json!({}), limits())
}

#[test]
fn few_files_are_open_at_once() {
    let desk = reader();
    let quota = CODES.iter().position(|code| *code == "quota").unwrap();
    assert_eq!(desk.run("hold", "data", "").end, Ok(json!(256 * 100 + quota)));
    // What was closed is not counted.
    fails(&desk.run("flood", "data", ""), FailureCode::HostCalls);
}

#[test]
fn no_path_leads_out() {
    for desk in [reader(), writer()] {
        let outside = desk.path("outside");
        symlink("../outside", desk.path("in/folder")).unwrap();
        symlink("../outside/secret", desk.path("in/file")).unwrap();
        symlink(&outside, desk.path("in/absolute")).unwrap();
        symlink("/", desk.path("in/root")).unwrap();
        symlink("folder", desk.path("in/chain")).unwrap();
        symlink("/proc/self/root", desk.path("in/magic")).unwrap();
        symlink("..", desk.path("in/deep/up")).unwrap();
        let secret = outside.join("secret");
        let paths = [
            "..",
            "../",
            "../outside",
            "../outside/secret",
            "deep/../../outside/secret",
            "deep/up/../outside/secret",
            "./../outside/secret",
            "folder",
            "folder/",
            "folder/.",
            "folder/secret",
            "folder/../in/../outside/secret",
            "file",
            "file/",
            "chain",
            "chain/",
            "chain/secret",
            "absolute",
            "absolute/",
            "absolute/secret",
            "root",
            "root/",
            "root/etc/passwd",
            "magic",
            "magic/",
            "magic/etc/passwd",
            "/",
            "/etc/passwd",
            "//etc/passwd",
            "/proc/self/environ",
            secret.to_str().unwrap(),
        ];
        for path in paths {
            for export in
                ["open", "open-folder", "stat", "metadata-hash", "open-to-read-and-write", "open-to-create", "set-times-at"]
            {
                let told = desk.does(export, path, "");
                assert_ne!(told, "done", "{export} {path}");
            }
        }
        // A slash behind a link that is not to be followed asks for it to be followed all the same.
        for path in ["folder/", "chain/", "absolute/", "root/", "magic/", "../outside", "/etc"] {
            for export in ["open-unfollowed", "set-times-at-unfollowed", "readlink", "remove-directory", "unlink-file"] {
                assert_ne!(desk.does(export, path, ""), "done", "{export} {path}");
            }
        }
        for path in ["folder/", "chain/", "absolute/", "root/", "magic/"] {
            assert_eq!(desk.run("kind-unfollowed", path, "").end, Ok(json!(5)), "{path}: the link itself is wanted");
        }
        for (export, path, other) in [
            ("create-directory", "../outside/new", ""),
            ("create-directory", "folder/new", ""),
            ("create-directory", "folder/new/", ""),
            ("unlink-file", "folder/secret", ""),
            ("rename", "data", "../outside/new"),
            ("rename", "data", "folder/new"),
            ("rename", "folder/secret", "new"),
            ("rename", "folder/", "../outside/new"),
            ("link", "folder/secret", "new"),
            ("link", "../outside/secret", "new"),
            ("link", "data", "folder/new"),
            ("symlink", "data", "folder/new"),
            ("symlink", "data", "../outside/new"),
            ("symlink", "/etc/passwd", "new"),
        ] {
            assert_ne!(desk.does(export, path, other), "done", "{export} {path} {other}");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(&secret).unwrap(), "text of outside/secret");
        assert!(!desk.path("in/new").exists());
    }
}

/// What a guest may not do on a mount that is read only.
const MUTATIONS: [(&str, &str, &str); 24] = [
    ("open-to-write", "data", ""),
    ("open-to-read-and-write", "data", ""),
    ("open-to-create", "new", ""),
    ("open-to-create", "data", ""),
    ("open-to-create-new", "new", ""),
    ("open-to-create-and-read", "new", ""),
    ("open-to-truncate", "data", ""),
    ("set-times-at", "data", ""),
    ("set-times-at", "deep", ""),
    ("set-times-at-unfollowed", "data", ""),
    ("set-times", "data", ""),
    ("set-times-of-mount", "", ""),
    ("set-size", "data", ""),
    ("write", "data", "new text"),
    ("write-via-stream", "data", ""),
    ("append-via-stream", "data", ""),
    ("link", "data", "new"),
    ("symlink", "data", "new"),
    ("rename", "data", "new"),
    ("rename", "deep", "new"),
    ("create-directory", "new", ""),
    ("unlink-file", "data", ""),
    ("remove-directory", "empty", ""),
    ("put", "new", "text"),
];

#[test]
fn a_mount_that_is_read_only_cannot_be_changed() {
    let desk = reader();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::create_dir(desk.path("in/empty")).unwrap();
    for name in ["in/data", "in/deep", "in"] {
        fs::File::open(desk.path(name)).unwrap().set_modified(old).unwrap();
    }
    for (export, path, other) in MUTATIONS {
        assert_eq!(desk.does(export, path, other), "not-permitted", "{export} {path}");
    }
    let mut names: Vec<_> = fs::read_dir(desk.path("in")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["data", "deep", "empty"]);
    assert_eq!(fs::read_to_string(desk.path("in/data")).unwrap(), "text of in/data");
    for name in ["in/data", "in/deep", "in"] {
        assert_eq!(fs::metadata(desk.path(name)).unwrap().modified().unwrap(), old, "{name}");
    }
    // A folder below the mount has no more rights than the mount: the mode that is asked for gives none.
    assert_eq!(desk.does("open-folder-to-mutate", "deep", ""), "done");
    assert_eq!(desk.does("create-directory", "deep/new", ""), "not-permitted");
}

#[test]
fn the_same_is_done_where_writing_was_granted() {
    for (export, path, other) in MUTATIONS {
        let desk = writer();
        fs::create_dir(desk.path("in/empty")).unwrap();
        // A file that is open to be read only is not written by its handle either.
        let by_handle = ["set-size", "write"].contains(&export);
        let told = desk.does(export, path, other);
        assert_eq!(told == "done", !by_handle, "{export} {path}: {told}");
    }
    let desk = writer();
    assert_eq!(desk.does("put", "new", "what a guest wrote"), "done");
    assert_eq!(fs::read_to_string(desk.path("in/new")).unwrap(), "what a guest wrote");
}

#[test]
fn nothing_goes_between_mounts_of_different_rights() {
    let desk = Desk::new(&[("in", "read"), ("out", "write")]);
    for (export, path, other) in [
        ("link-to-second", "data", "new"),
        ("link-from-second", "data", "new"),
        ("rename-to-second", "data", "new"),
        ("rename-from-second", "data", "new"),
    ] {
        assert_eq!(desk.does(export, path, other), "not-permitted", "{export}");
    }
    assert_eq!(fs::read_dir(desk.path("out")).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(desk.path("in/data")).unwrap(), "text of in/data");
}

#[test]
fn pipes_sockets_and_devices_are_refused_without_waiting() {
    for desk in [reader(), writer()] {
        pipe(&desk.path("in/pipe"));
        symlink("pipe", desk.path("in/to-pipe")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(desk.path("in/socket")).unwrap();
        let begin = Instant::now();
        for path in ["pipe", "to-pipe", "socket"] {
            for export in
                ["open", "open-to-read-and-write", "open-to-write", "open-to-create", "open-to-truncate", "set-times-at"]
            {
                assert_eq!(desk.does(export, path, ""), "not-permitted", "{export} {path}");
            }
            assert_eq!(desk.does("stat", path, ""), "done", "to look at it opens nothing");
        }
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    }
    let mut desk = reader();
    desk.grants = vec![("/in", "/dev".into(), "write")];
    for path in ["null", "zero", "full", "random", "tty"] {
        for export in ["open", "open-to-write"] {
            let told = desk.does(export, path, "");
            assert!(told == "not-permitted" || told == "no-entry" && path == "tty", "{export} {path}: {told}");
        }
    }
}

/// Whatever stands at the path in the moment between looking and opening, nobody waits for it.
#[test]
fn a_pipe_put_in_the_place_of_a_file_is_not_waited_for() {
    let desk = reader();
    pipe(&desk.path("in/pipe"));
    let (data, pipe) = (desk.path("in/data"), desk.path("in/pipe"));
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let swapper = std::thread::spawn(move || {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            rustix::fs::renameat_with(rustix::fs::CWD, &data, rustix::fs::CWD, &pipe, flags).unwrap();
        }
    });
    let begin = Instant::now();
    let mut told = std::collections::BTreeSet::new();
    while begin.elapsed() < Duration::from_millis(1_500) {
        let end = desk.run("flood", "data", "").end;
        told.insert(end.map_or_else(|failure| failure.code.as_str().to_owned(), |code| code.to_string()));
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let not_permitted = CODES.iter().position(|code| *code == "not-permitted").unwrap().to_string();
    assert!(told.contains(&not_permitted) && !told.contains("FAIL_TIME"), "{told:?}");
}

/// A folder and a link that leads out change places, over and over, while a guest opens what only lies outside.
#[test]
fn a_link_put_in_the_place_of_a_folder_leads_nowhere_in_a_hundred_thousand_tries() {
    let desk = reader();
    let (way, link) = (desk.path("in/way"), desk.path("in/link"));
    fs::create_dir(&way).unwrap();
    symlink(desk.path("outside"), &link).unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let swapper = std::thread::spawn(move || {
        let (flags, mut swaps) = (rustix::fs::RenameFlags::EXCHANGE, 0_u64);
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            rustix::fs::renameat_with(rustix::fs::CWD, &way, rustix::fs::CWD, &link, flags).unwrap();
            swaps += 1;
        }
        swaps
    });
    let limits = Limits { file_opens: 200_000, host_calls: 1_000_000, time_ms: 120_000, ..limits() };
    let outcome = execute(Order { limits, ..desk.order("race", "way/secret", "") });
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    assert_eq!(outcome.resources.file_opens.map(|opens| opens.used), Some(120_000));
    assert_eq!(outcome.end, Ok(json!(1 | 2)), "both were met, and nothing else: no such file, and not permitted");
    assert!(swaps > 1_000, "{swaps}");
}

#[test]
fn a_folder_that_is_not_there_or_is_a_link_ends_the_run_before_it_begins() {
    let desk = reader();
    fs::rename(desk.path("in"), desk.path("gone")).unwrap();
    let outcome = desk.run("text", "data", "");
    let failure = fails(&outcome, FailureCode::Grant);
    assert!(failure.message.contains("granted as /in cannot be opened: it is not there"), "{failure:?}");
    assert!(failure.code.hint().contains("hall grant"));
    assert_eq!(outcome.resources.host_calls.used, 0);
    symlink("outside", desk.path("in")).unwrap();
    let failure = fails(&desk.run("text", "secret", ""), FailureCode::Grant);
    assert!(failure.message.contains("a link stands on the way"), "{failure:?}");
    fs::remove_file(desk.path("in")).unwrap();
    fs::write(desk.path("in"), "").unwrap();
    let failure = fails(&desk.run("text", "data", ""), FailureCode::Grant);
    assert!(failure.message.contains("it is no folder"), "{failure:?}");
}

#[test]
fn a_folder_that_is_replaced_while_the_guest_runs_is_the_one_that_was_opened() {
    let desk = reader();
    let (folder, moved, outside) = (desk.path("in"), desk.path("moved"), desk.path("outside"));
    fs::write(outside.join("data"), "text of another").unwrap();
    let limits = Limits { host_calls: 100_000_000, time_ms: 60_000, ..limits() };
    let order = Order { limits, ..desk.order("wait", "data", "go") };
    let replacer = std::thread::spawn(move || {
        // The guest cannot tell that it runs; its folder, which this process then holds open, does.
        let begin = Instant::now();
        while !is_open(&folder) && begin.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(1));
        }
        fs::rename(&folder, &moved).unwrap();
        symlink(&outside, &folder).unwrap();
        fs::write(moved.join("go"), "").unwrap();
    });
    let outcome = execute(order);
    replacer.join().unwrap();
    assert_eq!(outcome.end, Ok(json!("text of in/data")));
}

/// Whether this process holds this folder open.
fn is_open(folder: &Path) -> bool {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    open.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == folder))
}

#[test]
fn the_halls_own_folder_is_given_to_nobody() {
    let mut desk = reader();
    fs::create_dir_all(desk.path("in/hall/keys")).unwrap();
    let hall = fs::File::open(desk.path("in/hall")).unwrap();
    desk.reserved = Arc::new(Reserved::folders(&[hall]).unwrap());
    for (folder, why) in [
        ("in", "holds the hall's own folder"),
        ("in/hall", "lies in the hall's own folder"),
        ("in/hall/keys", "lies in the hall's own folder"),
    ] {
        desk.grants = vec![("/in", desk.path(folder), "read")];
        let failure = fails(&desk.run("text", "data", ""), FailureCode::Grant);
        assert!(failure.message.contains(why), "{folder}: {failure:?}");
    }
    desk.grants = vec![("/in", desk.path("in/deep"), "read")];
    assert_eq!(desk.text("data"), json!("text of in/deep/data"));
    desk.grants = vec![("/in", "/proc".into(), "read")];
    let failure = fails(&desk.run("text", "self/environ", ""), FailureCode::Grant);
    assert!(failure.message.contains("the kernel"), "{failure:?}");
}

#[test]
fn a_folder_that_the_host_itself_may_not_read_is_told() {
    let desk = reader();
    if rustix::process::geteuid().is_root() {
        return;
    }
    fs::set_permissions(desk.path("in"), fs::Permissions::from_mode(0o300)).unwrap();
    let failure = fails(&desk.run("text", "data", ""), FailureCode::Grant);
    assert!(failure.message.contains("cannot be opened"), "{failure:?}");
    fs::set_permissions(desk.path("in"), fs::Permissions::from_mode(0o700)).unwrap();
}
