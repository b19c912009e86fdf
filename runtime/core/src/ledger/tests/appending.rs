//! Appending: order, durability, several threads, several processes, failing disks, crashes.

use std::io;

use super::*;
use crate::ledger::append::LOCK_FILE;
use crate::ledger::read::{Filter, decision, read, search};

const SMALL: Sizes = Sizes { segment: 4000, frontier: 1500 };

#[test]
fn what_is_appended_is_there_in_order_and_after_a_reopen() {
    let folder = Folder::new();
    let ledger = folder.create();
    assert_eq!(folder.verify(None).unwrap().records, 0);
    assert_eq!(ledger.append(vec![event(0), event(1)]).unwrap(), [0, 1]);
    drop(ledger);
    let ledger = folder.open().unwrap();
    assert_eq!(ledger.append(vec![event(2)]).unwrap(), [2]);
    let records: Vec<Record> = read(&folder.dir(), 0).unwrap().map(Result::unwrap).collect();
    let expected: Vec<Record> = (0..3).map(|n| Record::new(n, event(n))).collect();
    assert_eq!(records, expected);
    let report = folder.verify(Some(&ledger.checkpoint().unwrap())).unwrap();
    assert_eq!((report.records, report.segments, report.continues, report.torn), (3, 1, Some(3), None));
    assert!(matches!(Ledger::create(folder.dir(), key(), &origin()), Err(LedgerError::Exists)));
}

#[test]
fn segments_follow_one_another_and_any_of_them_opens() {
    let folder = Folder::new();
    let ledger = folder.create_with(SMALL);
    let mut notes = Vec::new();
    for n in 0..60 {
        assert_eq!(ledger.append((0..=n % 3).map(|_| event(n)).collect()).unwrap().len() as u64, n % 3 + 1);
        notes.push(ledger.checkpoint().unwrap());
    }
    let size = ledger.size().unwrap();
    let report = folder.verify(None).unwrap();
    assert!(report.segments > 3, "{}", report.segments);
    for note in notes.iter().step_by(20) {
        folder.verify(Some(note)).unwrap();
    }
    for from in (0..=size).step_by(9).chain([size]) {
        let found: Vec<u64> = read(&folder.dir(), from).unwrap().map(|record| record.unwrap().sequence).collect();
        assert_eq!(found, (from..size).collect::<Vec<_>>());
    }
    let other = Ledger::open_with(folder.dir(), key(), SMALL).unwrap();
    assert_eq!(other.append(vec![event(1)]).unwrap(), [size]);
    assert_eq!(ledger.append(vec![event(2)]).unwrap(), [size + 1]);
    assert_eq!(folder.verify(None).unwrap().records, size + 2);
}

#[test]
fn four_threads_share_one_ledger() {
    let folder = Folder::new();
    let ledger = folder.create_with(Sizes { segment: 50_000, frontier: 9000 });
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let write = |thread: u64| {
            let ledger = &ledger;
            move || (0..200_u64).flat_map(|n| ledger.append(vec![event(thread * 1000 + n)]).unwrap()).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(write(thread))).collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                let sequences = thread.join().unwrap();
                assert!(sequences.is_sorted());
                sequences
            })
            .collect()
    });
    all.sort_unstable();
    assert_eq!(all, (0..800).collect::<Vec<_>>());
    assert_eq!(folder.verify(Some(&ledger.checkpoint().unwrap())).unwrap().records, 800);
}

/// The other process of `two_processes_share_one_ledger`; by itself it does nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "the parent says by the environment where the ledger is")]
fn as_another_process() {
    let Ok(path) = std::env::var("SKILLHALL_TEST_LEDGER") else { return };
    let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
    let ledger = Ledger::open_with(dir, key(), Sizes { segment: 20_000, frontier: 4000 }).unwrap();
    for n in 0..100 {
        ledger.append(vec![event(n), event(n)]).unwrap();
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "two processes are what is tested")]
fn two_processes_share_one_ledger() {
    let folder = Folder::new();
    let ledger = folder.create_with(Sizes { segment: 20_000, frontier: 4000 });
    let program = std::env::current_exe().unwrap();
    let other = || {
        std::process::Command::new(&program)
            .args(["--exact", "ledger::tests::appending::as_another_process"])
            .env("SKILLHALL_TEST_LEDGER", folder.0.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut others = [other(), other()];
    for n in 0..100 {
        ledger.append(vec![event(n)]).unwrap();
    }
    for other in &mut others {
        assert!(other.wait().unwrap().success());
    }
    ledger.append(vec![event(0)]).unwrap();
    let report = folder.verify(Some(&ledger.checkpoint().unwrap())).unwrap();
    assert_eq!(report.records, 501);
    assert!(report.segments > 2);
}

#[test]
fn a_full_disk_denies_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let mut ledger = folder.create();
    ledger.append(vec![event(0)]).unwrap();
    let before = folder.bytes(FIRST);
    let good = ledger.disk;
    ledger.disk.write = |mut file, bytes| {
        io::Write::write_all(&mut file, &bytes[..bytes.len() / 2])?;
        Err(io::ErrorKind::StorageFull.into())
    };
    assert!(matches!(ledger.append(vec![event(1)]), Err(LedgerError::Io(_))));
    assert_eq!(folder.bytes(FIRST), before);
    assert_eq!(LedgerError::Io(String::new()).denial().code.as_str(), "DENY_LEDGER_UNAVAILABLE");
    ledger.disk = good;
    assert_eq!(ledger.append(vec![event(1)]).unwrap(), [1]);
    assert_eq!(folder.verify(None).unwrap().records, 2);
}

#[test]
fn after_a_failed_sync_nothing_is_taken_until_reopened() {
    let folder = Folder::new();
    let mut ledger = folder.create();
    ledger.append(vec![event(0)]).unwrap();
    let good = ledger.disk;
    ledger.disk.sync = |_| Err(io::Error::other("EIO"));
    assert!(matches!(ledger.append(vec![event(1)]), Err(LedgerError::Broken(_))));
    ledger.disk = good;
    assert!(matches!(ledger.append(vec![event(2)]), Err(LedgerError::Broken(_))));
    assert!(matches!(ledger.checkpoint(), Err(LedgerError::Broken(_))));
    ledger.reopen().unwrap();
    // The append of the failed sync is whole on the disk, so it counts, though what it permits was denied.
    assert_eq!(ledger.append(vec![event(3)]).unwrap(), [2]);
    assert_eq!(folder.verify(None).unwrap().records, 3);
}

#[test]
fn a_ledger_that_is_cut_or_replaced_under_a_writer_is_noticed() {
    for tamper in [0, 1, 2] {
        let folder = Folder::new();
        let ledger = folder.create();
        ledger.append(vec![event(0)]).unwrap();
        let old = folder.bytes(FIRST);
        ledger.append(vec![event(1)]).unwrap();
        let new = folder.bytes(FIRST);
        match tamper {
            0 => folder.put(FIRST, &old),
            1 => {
                folder.dir().remove_file(FIRST).unwrap();
                folder.put(FIRST, &new);
            }
            _ => folder.dir().remove_file(FIRST).unwrap(),
        }
        assert!(matches!(ledger.append(vec![event(2)]), Err(LedgerError::Broken(_))), "{tamper}");
        assert_eq!(ledger.reopen().is_ok(), tamper == 1);
    }
}

#[test]
fn what_another_process_tore_is_cut_off_and_told() {
    let folder = Folder::new();
    let ledger = folder.create();
    ledger.append(vec![event(0)]).unwrap();
    let whole = folder.bytes(FIRST);
    let half = &Record::new(1, event(1)).to_line().unwrap()[..20];
    folder.put(FIRST, &[&whole[..], half].concat());
    assert_eq!(folder.verify(None).unwrap().torn, Some(Torn { record: 1, bytes: 20 }));
    // A writer that is running finds it as well as one that opens.
    for ledger in [ledger, folder.open().unwrap()] {
        folder.put(FIRST, &[&folder.bytes(FIRST)[..], br#"{"caller":"x"#].concat());
        let sequences = ledger.append(vec![event(7)]).unwrap();
        let told = read(&folder.dir(), sequences[0] - 1).unwrap().next().unwrap().unwrap();
        assert_eq!(told.event.kind, EventKind::LedgerRecover);
        assert_eq!(told.event.data.get("record").unwrap(), sequences[0] - 1);
    }
    assert_eq!(folder.verify(None).unwrap().torn, None);
}

#[test]
fn only_the_own_key_opens_and_links_are_not_followed() {
    let folder = Folder::new();
    folder.create().append(vec![event(0)]).unwrap();
    let other = Ledger::open(folder.dir(), SigningKey::from_seed(&[8; 32]));
    assert!(matches!(other, Err(LedgerError::Head(NoteError::Unsigned))));
    folder.dir().rename(FIRST, &folder.dir(), "elsewhere").unwrap();
    folder.dir().symlink("elsewhere", FIRST).unwrap();
    assert!(folder.open().is_err() && folder.verify(None).is_err());
    folder.dir().remove_file(FIRST).unwrap();
    folder.dir().create_dir(FIRST).unwrap();
    assert!(folder.open().is_err() && folder.verify(None).is_err());
    folder.dir().remove_dir(FIRST).unwrap();
    assert!(matches!(folder.open(), Err(LedgerError::Corrupt(_))));
    assert!(folder.dir().exists(LOCK_FILE));
}

#[test]
fn records_are_found_by_what_they_say() {
    let folder = Folder::new();
    let ledger = folder.create();
    ledger.append(vec![run(EventKind::SkillExecute, "a"), run(EventKind::SkillExecute, "b")]).unwrap();
    ledger.append(vec![run(EventKind::SkillComplete, "a"), event(1)]).unwrap();
    let sequences =
        |filter: Filter| -> Vec<u64> { search(&folder.dir(), &filter).unwrap().iter().map(|record| record.sequence).collect() };
    assert_eq!(decision(&folder.dir(), "a").unwrap().len(), 2);
    assert_eq!(sequences(Filter { kind: Some(EventKind::SkillExecute), ..Filter::default() }), [0, 1]);
    assert_eq!(sequences(Filter { limit: Some(1), ..Filter::default() }), [3]);
    assert_eq!(sequences(Filter { since: Some(now().plus_millis(1)), ..Filter::default() }), [0; 0]);
    assert_eq!(sequences(Filter { skill: Some("x.a/b".parse().unwrap()), ..Filter::default() }), [0; 0]);
}
