//! Halls for tests: the same gates, and nothing left behind.

use std::os::unix::fs::MetadataExt as _;

use skillhall::hall::{Config, Fault, Hall};
use skillhall_core::denial::Code;
use skillhall_core::registry::{Scope, State, Target};
use skillhall_core::trust::keys::KeySource as _;
use skillhall_tests::skills::{redact, spin};
use skillhall_tests::world::{TEXT, good_call, install};

use super::{block_on, hall_with};

#[test]
fn a_throwaway_hall_runs_through_the_same_gates() {
    let hall = hall_with(&[redact()]);
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    let gates: Vec<Option<u8>> = receipt.gates().iter().map(|time| time.gate.gate()).collect();
    assert_eq!(gates, (1..=11).map(Some).collect::<Vec<_>>());
    assert!(!receipt.into_output().expect("it is done").to_string().contains(TEXT));

    let target = Target::Skill(redact().manifest().id());
    hall.stand(target, State::Revoked, Scope::Global, "a test").expect("it is revoked");
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    assert_eq!(receipt.denial().map(|denial| denial.code), Some(Code::SkillRevoked));
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted, []);
}

#[test]
fn what_is_not_certified_does_not_run_in_a_throwaway_hall_either() {
    let hall = hall_with(&[]);
    let attested = std::sync::Arc::new(hall.attest(&redact(), "test").expect("it is attested").0);
    hall.publish(&attested).expect("it is published");
    hall.install(&attested, &mut skillhall::hall::Silent).expect("it is installed");
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    assert_eq!(receipt.denial().map(|denial| denial.code), Some(Code::NotCertified));
}

#[test]
fn a_throwaway_hall_is_private_and_leaves_nothing() {
    let hall = hall_with(&[redact()]);
    let folder = hall.folder().path().to_owned();
    let parent = folder.parent().expect("it lies in a folder of its own").to_owned();
    for path in [&folder, &parent] {
        assert_eq!(path.metadata().expect("it is there").mode() & 0o777, 0o700, "{}", path.display());
    }
    assert!(!folder.join("registry.db").exists());
    drop(hall);
    assert!(!parent.exists());
}

#[test]
fn two_throwaway_halls_share_nothing() {
    let (one, other) = (hall_with(&[redact()]), hall_with(&[]));
    assert_ne!(one.folder().path(), other.folder().path());
    assert_ne!(one.ledger_key().expect("its key"), other.ledger_key().expect("its key"));
    assert_ne!(one.keys().keyring().expect("its keys").certifiers, other.keys().keyring().expect("its keys").certifiers);
    let receipt = block_on(other.execute(good_call())).expect("the host is well");
    assert_eq!(receipt.denial().map(|denial| denial.code), Some(Code::SkillUnknown));
    // What one hall attested and certified counts for nothing in the other.
    let foreign = install(&one, &spin());
    assert!(other.publish(&foreign).is_err());
}

#[test]
fn a_throwaway_hall_owns_the_namespaces_that_it_was_made_with() {
    let hall = Hall::in_memory().expect("a throwaway hall is made");
    let own: Vec<&str> = hall.config().hall.namespaces.iter().map(|name| name.as_str()).collect();
    assert_eq!(own, ["org.example", "x.example"]);
    assert!(hall.attest(&redact(), "test").is_err());
    assert!(matches!(Hall::open(Config::in_memory(["no namespace"])), Err(Fault::Configuration(_))));
}
