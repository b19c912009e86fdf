//! The file is missing, foreign, damaged, exchanged or busy.
#![expect(clippy::disallowed_methods, reason = "a test does to the file what others could do")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn open_never_makes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    why(SqliteRegistry::open(&folder.path().join("registry.db")).map(drop));
    why(SqliteRegistry::open(&folder.path().join("no/registry.db")).map(drop));
    why(SqliteRegistry::create(&folder.path().join("no/registry.db")).map(drop));
    why(SqliteRegistry::open(Path::new("/")).map(drop));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn create_makes_one_private_file_and_never_replaces_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let registry = SqliteRegistry::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(names(folder.path()), ["registry.db", "registry.db-shm", "registry.db-wal"]);
    assert!(matches!(SqliteRegistry::create(&path).map(drop), Err(RegistryError::Conflict(_))));
    drop(registry);
    assert_eq!(names(folder.path()), ["registry.db"]);
    for left in ["-wal", "-shm", "-journal"] {
        let path = folder.path().join("second.db");
        let left = folder.path().join(format!("second.db{left}"));
        fs::write(&left, "left behind").unwrap();
        assert!(matches!(SqliteRegistry::create(&path).map(drop), Err(RegistryError::Conflict(_))), "{left:?}");
        fs::remove_file(&left).unwrap();
    }
    assert_eq!(names(folder.path()), ["registry.db"]);
}

#[test]
fn what_was_applied_is_there_after_reopening() {
    let (_folder, path, registry) = filled();
    let before = registry.snapshot(&query(REDACT)).unwrap();
    drop(registry);
    let registry = SqliteRegistry::open(&path).unwrap();
    assert_eq!(registry.snapshot(&query(REDACT)), Ok(before));
    assert_eq!(registry.commits(0).unwrap().len(), 9);
}

#[test]
fn a_link_a_folder_and_a_file_that_others_can_write_are_refused() {
    let (folder, path, registry) = filled();
    drop(registry);
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(why(SqliteRegistry::open(&link).map(drop)).contains("no regular file"));
    assert!(why(SqliteRegistry::open(folder.path()).map(drop)).contains("no regular file"));
    for mode in [0o620, 0o602] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(why(SqliteRegistry::open(&path).map(drop)).contains("by others"));
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    SqliteRegistry::open(&path).unwrap();
}

#[test]
fn another_programs_file_and_a_newer_version_are_refused() {
    for (pragma, value, reason) in [
        ("application_id", 0, "another program"),
        ("application_id", 7, "another program"),
        ("user_version", 4, "of version 4"),
        ("user_version", 2, "no release had"),
        ("user_version", 1, "no release had"),
        ("user_version", 0, "unknown version"),
        ("user_version", -1, "unknown version"),
    ] {
        let (_folder, path, registry) = filled();
        drop(registry);
        raw(&path).pragma_update(None, pragma, value).unwrap();
        assert!(why(SqliteRegistry::open(&path).map(drop)).contains(reason), "{pragma} = {value}");
    }
    let (_folder, path, registry) = filled();
    drop(registry);
    raw(&path).pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).unwrap();
    assert!(why(SqliteRegistry::open(&path).map(drop)).contains("journal mode"));
}

fn damaged(bytes: &[u8]) -> (TempDir, Result<SqliteRegistry, RegistryError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let opened = SqliteRegistry::open(&path);
    (folder, opened)
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    for bytes in [&b""[..], b"x", b"SQLite format 3\0", &[0; 4096], &[0xff; 9000]] {
        why(damaged(bytes).1.map(drop));
    }
    let (_folder, path, registry) = filled();
    let before = registry.snapshot(&query(REDACT));
    drop(registry);
    let whole = fs::read(&path).unwrap();
    let mut noticed = 0;
    for place in (0..whole.len()).step_by(997) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0xff;
        for bytes in [&flipped[..], &whole[..place]] {
            let (_folder, opened) = damaged(bytes);
            let Ok(registry) = opened else {
                noticed += 1;
                continue;
            };
            let (answer, verified) = (registry.snapshot(&query(REDACT)), registry.verify());
            assert!(answer == before || answer.is_err() || verified.is_err(), "place {place}: {answer:?}");
            noticed += usize::from(verified.is_err());
        }
    }
    assert!(noticed > whole.len() / 997, "only {noticed} damages were noticed");
}

/// Every method fails.
fn silent(registry: &SqliteRegistry) {
    let change = Change::Standing(event("more", Scope::Global, Target::Key(id("k")), State::Banned, "security"));
    let commit = Commit { sequence: 99, digest: change.digest().unwrap() };
    why(registry.snapshot(&query(REDACT)));
    why(registry.version());
    why(registry.check(&change));
    why(registry.apply(&change, commit));
    why(registry.commits(0));
    why(registry.versions(&id("org.acme/redact")));
    why(registry.skills());
    why(Registry::statements(registry, &digest("one manifest")));
    why(registry.standing_events(&Target::Key(id("k"))));
    why(Registry::namespace(registry, &id("org.acme")));
    why(registry.verify());
}

#[test]
fn a_file_that_was_deleted_or_replaced_does_not_answer() {
    let exchanges: [fn(&Path); 6] = [
        |path| fs::remove_file(path).unwrap(),
        |path| {
            let copy = path.with_extension("copy");
            fs::copy(path, &copy).unwrap();
            fs::rename(&copy, path).unwrap();
        },
        |path| {
            fs::rename(path, path.with_extension("moved")).unwrap();
            std::os::unix::fs::symlink(path.with_extension("moved"), path).unwrap();
        },
        |path| fs::rename(path.parent().unwrap(), path.parent().unwrap().with_extension("moved")).unwrap(),
        |path| fs::remove_file(path.with_extension("db-wal")).unwrap(),
        |path| fs::remove_file(path.with_extension("db-shm")).unwrap(),
    ];
    for exchange in exchanges {
        let (folder, path, registry) = filled();
        exchange(&path);
        silent(&registry);
        drop(registry);
        let _ = fs::remove_dir_all(folder.path().with_extension("moved"));
    }
}

#[test]
fn a_locked_file_does_not_take_changes_and_still_answers() {
    let (_folder, path, registry) = filled();
    drop(registry);
    let registry = SqliteRegistry::open_patient(&path, Duration::from_millis(50)).unwrap();
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let change = Change::Standing(event("more", Scope::Global, Target::Key(id("k")), State::Banned, "security"));
    let commit = Commit { sequence: 99, digest: change.digest().unwrap() };
    assert!(why(registry.apply(&change, commit)).contains("locked"));
    assert_eq!(registry.version(), Ok(9));
    other.execute_batch("ROLLBACK").unwrap();
    registry.apply(&change, commit).unwrap();
    assert_eq!(registry.version(), Ok(10));
}

#[test]
fn when_every_connection_is_busy_a_call_fails_after_its_wait() {
    let (_folder, path, registry) = filled();
    drop(registry);
    let registry = SqliteRegistry::open_patient(&path, Duration::from_millis(50)).unwrap();
    let leases: Vec<_> = (0..16).map(|_| registry.pool.lease().unwrap()).collect();
    assert!(why(registry.version()).contains("busy"));
    drop(leases);
    assert_eq!(registry.version(), Ok(9));
}
