//! Records, notes and lines as text.

use super::*;
use crate::denial::{Code, Denial};
use crate::ledger::segment::CheckpointLine;

#[test]
fn a_record_is_one_canonical_line_and_reads_back() {
    let mut event = event(3).with("reason", "a\nb\u{1b}[31m\u{9b}\u{7f}");
    event.caller = Some("eve\u{1b}[2J\u{202a}\n".into());
    event.skill = Some("org.acme/redact".parse().unwrap());
    let line = Record::new(9, event).to_line().unwrap();
    let text = String::from_utf8(line.clone()).unwrap();
    assert_eq!(
        text,
        r#"{"caller":"eve[2J","data":{"n":3,"reason":"a\nb\u001b[31m"},"event":"skill.build","sequence":9,"skill":"org.acme/redact","time":"2026-01-02T03:04:05Z"}"#
    );
    assert!(!text.chars().any(char::is_control));
    assert_eq!(Record::from_line(&line).unwrap().to_line().unwrap(), line);
}

#[test]
fn a_line_in_any_other_form_is_refused() {
    let line = String::from_utf8(Record::new(9, event(3)).to_line().unwrap()).unwrap();
    let other = [
        line.replace(":9", ": 9"),
        line.replace("\"n\":3", "\"n\":3,\"n\":3"),
        line.replace("\"n\":3", "\"n\":3.0"),
        line.replace("skill.build", "skill.other"),
        line.replace("\"event\"", "\"extra\":1,\"event\""),
        line.replace("\"sequence\":9,", ""),
        line.replace("\"sequence\":9", "\"sequence\":-9"),
        line.replace("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        format!("{line} "),
        "[]".into(),
        String::new(),
    ];
    for line in other {
        assert!(Record::from_line(line.as_bytes()).is_err(), "{line}");
    }
}

#[test]
fn what_cannot_be_a_record_is_refused_alone() {
    let folder = Folder::new();
    let ledger = folder.create();
    let huge = event(0).with("text", "x".repeat(event::MAX_RECORD));
    assert!(matches!(ledger.append(vec![event(0), huge]), Err(LedgerError::Refused(RecordError::TooLong(_)))));
    let unsafe_integer = event(0).with("n", u64::MAX);
    assert!(matches!(ledger.append(vec![unsafe_integer]), Err(LedgerError::Refused(RecordError::Unwritable(_)))));
    assert_eq!(ledger.append(vec![event(1); MAX_BATCH_RECORDS]), Err(LedgerError::TooMuch));
    assert_eq!(ledger.append(vec![event(0).with("x", "y".repeat(1 << 19)); 17]), Err(LedgerError::TooMuch));
    assert_eq!(ledger.append(Vec::new()).unwrap(), Vec::<u64>::new());
    assert_eq!(ledger.append(vec![event(1)]).unwrap(), [0]);
    assert_eq!(folder.verify(None).unwrap().records, 1);
}

#[test]
fn every_kind_is_named_once_and_in_serde_as_in_text() {
    for kind in EventKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        assert_eq!(EventKind::ALL.iter().filter(|other| other.as_str() == kind.as_str()).count(), 1);
    }
}

#[test]
fn a_denial_is_recorded_beside_its_decision() {
    let mut decision = run(EventKind::SkillExecute, "d1");
    decision.decision = Some(Decision::Deny);
    let denied = decision.denied(&Denial::new(Code::SkillBanned, "banned by acme"));
    assert_eq!((denied.kind, denied.code, denied.decision), (EventKind::SkillDeny, Some(Code::SkillBanned), None));
    assert_eq!(denied.decision_id.as_deref(), Some("d1"));
    assert_eq!(denied.data.get("stage").unwrap(), "standing");
}

#[test]
fn a_checkpoint_is_a_signed_note_and_only_that() {
    let checkpoint = Checkpoint { origin: origin(), size: 5, root: crate::digest::Digest::of(b"r") };
    let note = checkpoint.sign(&key());
    let key_of = key().public();
    assert_eq!(Checkpoint::verify(&note, &key_of).unwrap(), checkpoint);
    assert!(note.starts_with("skillhall/test\n5\n") && note.contains("\n\n\u{2014} skillhall/test "));
    assert_eq!(Checkpoint::verify(&note, &SigningKey::from_seed(&[8; 32]).public()), Err(NoteError::Unsigned));
    assert_eq!(Checkpoint::verify(&note.replace("\n5\n", "\n6\n"), &key_of), Err(NoteError::Signature));
    let witnessed = format!("{note}\u{2014} witness.example AAAAAAAA\n");
    assert_eq!(Checkpoint::verify(&witnessed, &key_of).unwrap(), checkpoint);
    let broken = [
        note.replace("\n5\n", "\n05\n"),
        note.replace("\n5\n", "\n+5\n"),
        note.replace("\n5\n", "\n5\nmore\n"),
        note.replace("skillhall/test\n5", "other/test\n5"),
        note.replace("\n\n", "\n"),
        note.trim_end().to_owned(),
        note.replace('\u{2014}', "-"),
        format!("{note}\n"),
        format!("{note}{}", "\u{2014} w AAAAAAAA\n".repeat(16)),
        note.replace("\n5\n", "\n5\r\n"),
        String::new(),
    ];
    for note in broken {
        assert!(Checkpoint::verify(&note, &key_of).is_err(), "{note:?}");
    }
}

/// The key id and the verifier key of RFC 8032's first test key, computed with another program (Python's hashlib).
#[test]
fn the_key_id_is_that_of_the_specification() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let key = SigningKey::from_seed(&crate::digest::unhex(seed).unwrap().try_into().unwrap());
    assert_eq!(crate::digest::hex(&key.public().to_bytes()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert_eq!(crate::digest::hex(&origin().key_id(&key.public())), "f35d38da");
    assert_eq!(origin().verifier_key(&key.public()), "skillhall/test+f35d38da+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
}

#[test]
fn only_the_one_form_of_a_checkpoint_line_is_read() {
    let checkpoint = Checkpoint { origin: origin(), size: 0, root: crate::digest::Digest::of(b"") };
    let (_, line) = CheckpointLine::write(&checkpoint, &key(), None, &[]).unwrap();
    let line = line.strip_suffix(b"\n").unwrap();
    assert!(CheckpointLine::claims(line) && CheckpointLine::read(line).is_some());
    let text = std::str::from_utf8(line).unwrap();
    for other in
        [text.replace('{', "{ "), text.replace('}', ",\"leaves\":[]}"), text.replace('}', ",\"x\":1}"), format!("{text} ")]
    {
        assert!(CheckpointLine::read(other.as_bytes()).is_none(), "{other}");
    }
}
