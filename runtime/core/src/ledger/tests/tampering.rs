//! Every change of a ledger's bytes is found, at the record where it begins.

use super::*;
use crate::ledger::audit::AuditError;

/// Twenty records in appends of one to four, and the head's note.
fn twenty() -> (Folder, Vec<u8>, String) {
    let folder = Folder::new();
    let ledger = folder.create();
    let mut n = 0;
    for size in [1, 4, 2, 1, 3, 4, 1, 2, 2] {
        ledger.append((n..n + size).map(event).collect()).unwrap();
        n += size;
    }
    assert_eq!(n, 20);
    let bytes = folder.bytes(FIRST);
    let note = ledger.checkpoint().unwrap();
    (folder, bytes, note)
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Which line of the file holds a record, by its sequence.
fn line_of(lines: &[Vec<u8>], sequence: u64) -> usize {
    let is = |line: &Vec<u8>| Record::from_line(line.strip_suffix(b"\n").unwrap()).is_ok_and(|read| read.sequence == sequence);
    lines.iter().position(is).unwrap()
}

fn first_bad(folder: &Folder) -> (u64, Fault) {
    match folder.verify(None) {
        Err(AuditError::Corrupt(corrupt)) => (corrupt.record, corrupt.fault),
        other => panic!("{other:?}"),
    }
}

fn assert_found(folder: &Folder, good: &[u8], at: usize, bit: usize) {
    let mut bytes = good.to_vec();
    bytes[at] ^= 1 << bit;
    folder.put(FIRST, &bytes);
    let verdict = folder.verify(None);
    assert!(matches!(verdict, Err(AuditError::Corrupt(_))), "byte {at}, bit {bit}: {verdict:?}");
}

#[test]
fn a_flipped_bit_is_found() {
    let (folder, good, _) = twenty();
    let breaks = (0..good.len()).filter(|at| good[*at] == b'\n');
    for at in (0..good.len()).step_by(23).chain(breaks) {
        assert_found(&folder, &good, at, at % 8);
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "some 60,000 audits: too slow without optimisation")]
fn every_flipped_bit_is_found() {
    let (folder, good, _) = twenty();
    for at in 0..good.len() {
        (0..8).for_each(|bit| assert_found(&folder, &good, at, bit));
    }
}

#[test]
fn a_cut_at_any_byte_is_recovered_and_told_or_refused() {
    let (folder, good, kept) = twenty();
    let ends: Vec<usize> = {
        let mut end = 0;
        let lines = lines(&good);
        let ends = lines.iter().map(|line| {
            end += line.len();
            line.starts_with(b"{\"checkpoint\"").then_some(end)
        });
        ends.flatten().collect()
    };
    let exact = ends.iter().flat_map(|end| [end - 1, *end, end + 1]).filter(|at| *at < good.len());
    for at in (0..good.len()).step_by(37).chain(exact) {
        folder.put(FIRST, &good[..at]);
        let verdict = folder.verify(Some(&kept));
        assert!(matches!(verdict, Err(AuditError::Cut { kept: 20, .. } | AuditError::Corrupt(_))), "{at}: {verdict:?}");
        match folder.open() {
            Ok(ledger) => {
                let whole = ends.contains(&at);
                assert_eq!(ledger.recovered().unwrap().is_none(), whole, "{at}");
                assert!(ends.contains(&folder.bytes(FIRST).len()), "{at}");
            }
            Err(error) => assert!(at < ends[0] && matches!(error, LedgerError::Corrupt(_)), "{at}: {error}"),
        }
    }
}

#[test]
fn an_edit_is_told_to_the_record() {
    let (folder, good, _) = twenty();
    let good = lines(&good);
    for sequence in 0..20_u64 {
        let mut edited = good.clone();
        let line = line_of(&good, sequence);
        edited[line] = Record::new(sequence, event(99)).to_line().unwrap();
        edited[line].push(b'\n');
        folder.put(FIRST, &edited.concat());
        let (record, fault) = first_bad(&folder);
        assert_eq!(record, sequence);
        assert!(matches!(fault, Fault::Edited | Fault::Root), "{fault}");
    }
}

#[test]
fn removing_doubling_and_moving_are_told_to_the_record() {
    let (folder, good, _) = twenty();
    let good = lines(&good);
    for sequence in 0..20_u64 {
        let line = line_of(&good, sequence);
        let mut removed = good.clone();
        removed.remove(line);
        folder.put(FIRST, &removed.concat());
        let (record, fault) = first_bad(&folder);
        assert!(record <= sequence && record + 3 >= sequence, "{sequence}: {record} {fault}");

        let mut doubled = good.clone();
        doubled.insert(line, good[line].clone());
        folder.put(FIRST, &doubled.concat());
        assert_eq!(first_bad(&folder), (sequence + 1, Fault::Sequence { found: sequence }));

        let mut swapped = good.clone();
        let other = line_of(&good, (sequence + 1) % 20);
        swapped.swap(line, other);
        folder.put(FIRST, &swapped.concat());
        let found = (sequence + 1) % 20;
        assert_eq!(
            first_bad(&folder),
            if found == 0 { (0, Fault::Sequence { found: 19 }) } else { (sequence, Fault::Sequence { found }) }
        );
    }
}

#[test]
fn whole_appends_cannot_be_removed_doubled_or_brought_in() {
    let (folder, good, _) = twenty();
    let good = lines(&good);
    let closing: Vec<usize> = (0..good.len()).filter(|at| good[*at].starts_with(b"{\"checkpoint\"")).collect();
    let second = closing[1] + 1..=closing[2];
    let mut removed = good.clone();
    removed.drain(second.clone());
    folder.put(FIRST, &removed.concat());
    assert_eq!(first_bad(&folder), (1, Fault::Sequence { found: 5 }));
    let mut doubled = good.clone();
    doubled.splice(closing[2] + 1..closing[2] + 1, good[second.clone()].iter().cloned());
    folder.put(FIRST, &doubled.concat());
    assert_eq!(first_bad(&folder), (5, Fault::Sequence { found: 1 }));
    let mut noted = good.clone();
    noted.insert(closing[2] + 1, good[closing[2]].clone());
    folder.put(FIRST, &noted.concat());
    assert_eq!(first_bad(&folder), (5, Fault::CheckpointLine));

    // An append of another ledger of the same key, with the right sequences, does not fit either.
    let other = Folder::new();
    let ledger = other.create();
    ledger.append(vec![event(50)]).unwrap();
    ledger.append((1..5).map(|n| event(n + 50)).collect()).unwrap();
    let foreign = lines(&other.bytes(FIRST));
    let mut spliced = good.clone();
    spliced.splice(second, foreign[3..].iter().cloned());
    folder.put(FIRST, &spliced.concat());
    assert_eq!(first_bad(&folder), (1, Fault::Root));
    assert!(folder.open().is_err());
}

#[test]
fn a_rewritten_ledger_is_found_by_the_kept_checkpoint_only() {
    let (folder, _, kept) = twenty();
    let rewritten = Folder::new();
    let ledger = rewritten.create();
    ledger.append((0..30).map(|n| event(n + 1)).collect()).unwrap();
    rewritten.verify(None).unwrap();
    assert_eq!(rewritten.verify(Some(&kept)), Err(AuditError::Rewritten { kept: 20 }));
    assert!(matches!(rewritten.verify(Some("nothing")), Err(AuditError::Kept(_))));
    let foreign = Checkpoint { origin: Origin::of_hall("other").unwrap(), ..Checkpoint::read(&kept).unwrap() };
    assert_eq!(folder.verify(Some(&foreign.sign(&key()))), Err(AuditError::Kept(NoteError::Origin)));
    folder.verify(Some(&kept)).unwrap();
}

#[test]
fn segments_cannot_be_removed_or_brought_in() {
    let folder = Folder::new();
    let ledger = folder.create_with(Sizes { segment: 1500, frontier: 700 });
    for n in 0..20 {
        ledger.append(vec![event(n)]).unwrap();
    }
    let kept = ledger.checkpoint().unwrap();
    let segments = folder.segments();
    assert!(segments.len() > 4);
    for (at, name) in segments.iter().enumerate() {
        let bytes = folder.bytes(name);
        folder.dir().remove_file(name).unwrap();
        let verdict = folder.verify(Some(&kept));
        let last = at + 1 == segments.len();
        match verdict {
            Err(AuditError::Corrupt(corrupt)) => assert!(!last && corrupt.fault == Fault::SegmentMissing, "{corrupt}"),
            Err(AuditError::Cut { .. }) => assert!(last),
            other => panic!("{name}: {other:?}"),
        }
        folder.put(name, &bytes);
    }
    folder.put("000000000001.jsonl", &folder.bytes(&segments[1]));
    assert!(matches!(folder.verify(None), Err(AuditError::Corrupt(corrupt)) if corrupt.fault == Fault::SegmentStray));
}

#[test]
fn ends_need_decisions_and_open_decisions_are_told() {
    let folder = Folder::new();
    let ledger = folder.create();
    let (execute, complete) = (EventKind::SkillExecute, EventKind::SkillComplete);
    ledger.append(vec![run(execute, "a"), run(execute, "b"), run(complete, "a")]).unwrap();
    let report = folder.verify(None).unwrap();
    assert_eq!(report.interrupted, [audit::Interrupted { sequence: 1, decision_id: "b".into() }]);
    ledger.append(vec![run(complete, "b"), run(complete, "b")]).unwrap();
    assert_eq!(first_bad(&folder), (4, Fault::EndWithoutDecision));

    let folder = Folder::new();
    folder.create().append(vec![run(execute, "a"), run(execute, "a")]).unwrap();
    assert_eq!(first_bad(&folder), (1, Fault::DecisionTwice));
}

#[test]
fn an_audit_stands_beside_a_running_writer() {
    let folder = Folder::new();
    let ledger = folder.create_with(Sizes { segment: 3000, frontier: 900 });
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..150).for_each(|n| drop(ledger.append(vec![event(n)]).unwrap())));
        while !writer.is_finished() {
            assert_eq!(folder.verify(None).unwrap().torn, None);
        }
    });
    assert_eq!(folder.verify(None).unwrap().records, 150);
}
