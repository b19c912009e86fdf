//! The file of stores: kept, exchanged, damaged, full, and written to by processes that die.
#![expect(clippy::disallowed_methods, reason = "a test does to the file what others could do")]

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use super::super::tests::{ask, cache, get, set};
use super::super::{Answer, Quota};
use super::*;

const TASK: &str = "SKILLHALL_TEST_STORES_CHILD";
const ROOMY: Quota = Quota { bytes: 1 << 30, entries: 1 << 20 };

fn desk() -> (tempfile::TempDir, PathBuf, SqliteStores) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyvalue.db");
    let stores = SqliteStores::patient(&path, Duration::from_millis(200));
    (folder, path, stores)
}

fn why(result: Result<Answer, StoreError>) -> String {
    match result {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn value(text: &str) -> Result<Answer, StoreError> {
    Ok(Answer::Value(Some(text.as_bytes().to_vec())))
}

#[test]
fn what_was_set_is_there_after_reopening_in_a_private_file() {
    let (_folder, path, stores) = desk();
    assert!(!path.exists(), "it is made when it is needed");
    ask(&stores, set(&[("a", "1")])).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    drop(stores);
    assert_eq!(ask(&SqliteStores::at(&path), get("a")), value("1"));
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    for (what, spoil) in [
        ("version 2", (|raw| raw.pragma_update(None, "user_version", 2).unwrap()) as fn(&Connection)),
        ("another program", |raw| raw.pragma_update(None, "application_id", 7).unwrap()),
        ("altered", |raw| raw.execute_batch("CREATE TABLE more (x)").unwrap()),
    ] {
        let (_folder, path, stores) = desk();
        ask(&stores, set(&[("a", "1")])).unwrap();
        drop(stores);
        spoil(&Connection::open(&path).unwrap());
        let before = fs::read(&path).unwrap();
        let told = why(ask(&SqliteStores::at(&path), set(&[("a", "2")])));
        assert!(told.contains(what) && told.contains("keyvalue.db"), "{told}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let (folder, path, stores) = desk();
    let other = folder.path().join("other.db");
    drop(stores);
    fs::write(&other, "not a database, and longer than a header of one would have to be, so that it is read as one.....")
        .unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    assert!(why(ask(&SqliteStores::at(&path), get("a"))).contains("no regular file"));
    fs::remove_file(&path).unwrap();
    fs::rename(&other, &path).unwrap();
    assert!(why(ask(&SqliteStores::at(&path), get("a"))).contains("not a database"));
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    assert!(why(ask(&SqliteStores::at(&path), get("a"))).contains("written by others"));
    fs::remove_file(&path).unwrap();
    fs::write(folder.path().join("keyvalue.db-wal"), "left behind").unwrap();
    assert!(why(ask(&SqliteStores::at(&path), get("a"))).contains("keyvalue.db-wal is there already"));
}

#[test]
fn a_damaged_file_is_told_and_a_good_one_in_its_place_is_used_again() {
    let (folder, path, stores) = desk();
    let big = "x".repeat(900);
    ask(&stores, set(&[("a", &big)])).unwrap();
    drop(stores);
    let aside = folder.path().join("aside.db");
    fs::copy(&path, &aside).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let stores = SqliteStores::at(&path);
    why(ask(&stores, get("a")));
    why(ask(&stores, set(&[("a", "2")])));
    fs::rename(&aside, &path).unwrap();
    for name in ["keyvalue.db-wal", "keyvalue.db-shm"] {
        let _ = fs::remove_file(folder.path().join(name));
    }
    assert_eq!(ask(&stores, get("a")), value(&big));
}

#[test]
fn a_full_disk_changes_nothing() {
    let (_folder, _path, stores) = desk();
    ask(&stores, set(&[("a", "1")])).unwrap();
    let full = |big: &str| {
        stores.pool().unwrap().transaction(
            TransactionBehavior::Immediate,
            |_| false,
            |transaction| {
                // As many pages as there are, and no more.
                let pages: i64 = transaction.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
                transaction.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
                let mut rows = StoreRows::find(transaction, &cache(), true)?;
                rules::perform(&mut rows, ROOMY, set(&[("a", "2"), ("b", big)]))
            },
        )
    };
    let told = why(full(&"x".repeat(100_000)).map(|performed| performed.answer));
    assert!(told.contains("full"), "{told}");
    assert_eq!(ask(&stores, get("a")), value("1"));
    assert_eq!(ask(&stores, set(&[("a", "3")])), Ok(Answer::Done));
}

#[test]
fn who_waits_too_long_for_others_is_told() {
    let (_folder, path, stores) = desk();
    ask(&stores, set(&[("a", "1")])).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(why(ask(&stores, set(&[("a", "2")]))).contains("locked"));
    assert_eq!(ask(&stores, get("a")), value("1"), "reading waits for nobody");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ask(&stores, set(&[("a", "2")])), Ok(Answer::Done));
}

/// What a child does; nothing when the tests are run as such.
#[test]
fn child() {
    let Ok(path) = std::env::var(TASK) else { return };
    let stores = SqliteStores::at(Path::new(&path));
    for turn in 0_u64.. {
        let (turn, filler) = (turn.to_string(), "x".repeat(20_000));
        let entries = [("one", &turn), ("filler", &filler), ("other", &turn)];
        let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value.clone().into_bytes())).collect();
        stores.perform(&cache(), ROOMY, Operation::Set { entries }, &|| true).unwrap();
        println!("\nset {turn}");
    }
}

#[test]
fn a_process_that_is_killed_leaves_every_operation_whole() {
    let (_folder, path, stores) = desk();
    for turn in 1..=8 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "stores::sqlite::tests::child", "--nocapture"]).env(TASK, &path);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.map_while(Result::ok).filter(|line| line.starts_with("set ")).nth(turn * 3).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let told: u64 = told["set ".len()..].parse().unwrap();
        let number = |key: &str| match ask(&stores, get(key)) {
            Ok(Answer::Value(Some(value))) => String::from_utf8(value).unwrap().parse::<u64>().unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(number("one"), number("other"));
        assert!(number("one") >= told, "what was acknowledged is there");
        let usage = stores.perform(&cache(), ROOMY, Operation::Open, &|| true).unwrap().usage;
        let length = told_length(number("one"));
        assert_eq!((usage.bytes, usage.entries), (20_000 + 6 + 3 + 5 + 2 * length, 3));
    }
    let raw = Connection::open(&path).unwrap();
    let verdict: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

fn told_length(number: u64) -> u64 {
    number.to_string().len() as u64
}
