//! The ledger as a whole: what is appended is there, and nothing can be changed unseen.

mod appending;
mod changing;
mod format;
mod proofs;
mod tampering;

use cap_std::fs::Dir;
use tempfile::TempDir;

use super::append::Sizes;
use super::*;
use crate::clock::Timestamp;
use crate::trust::keys::SigningKey;

/// A ledger's folder that is gone when the test is over.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    #[expect(clippy::disallowed_methods, reason = "a test opens its own folder")]
    fn dir(&self) -> Dir {
        Dir::open_ambient_dir(self.0.path(), cap_std::ambient_authority()).unwrap()
    }

    fn create(&self) -> Ledger {
        self.create_with(Sizes::default())
    }

    fn create_with(&self, sizes: Sizes) -> Ledger {
        Ledger::create_with(self.dir(), key(), &origin(), sizes).unwrap()
    }

    fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(self.dir(), key())
    }

    fn verify(&self, kept: Option<&str>) -> Result<audit::Report, audit::AuditError> {
        audit::verify(&self.dir(), &key().public(), kept)
    }

    fn bytes(&self, segment: &str) -> Vec<u8> {
        self.dir().read(segment).unwrap()
    }

    fn put(&self, segment: &str, bytes: &[u8]) {
        self.dir().write(segment, bytes).unwrap();
    }

    fn segments(&self) -> Vec<String> {
        segment::list(&self.dir()).unwrap().into_iter().map(segment::name).collect()
    }
}

const FIRST: &str = "000000000000.jsonl";

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn origin() -> Origin {
    Origin::of_hall("test").unwrap()
}

fn now() -> Timestamp {
    Timestamp::parse("2026-01-02T03:04:05Z").unwrap()
}

fn event(n: u64) -> Event {
    let mut event = Event::new(EventKind::SkillBuild, now()).with("n", n);
    event.caller = Some("someone".into());
    event
}

fn run(kind: EventKind, id: &str) -> Event {
    let mut event = Event::new(kind, now());
    event.decision_id = Some(id.into());
    event.decision = (kind == EventKind::SkillExecute).then_some(Decision::Allow);
    event
}
