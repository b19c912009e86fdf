//! What the gate lets through, what it says of it, and the order in which it judges.

use crate::denial::{Code, Stage};
use crate::digest::Digest;
use crate::id::KeyId;
use crate::json;
use crate::trust::awp;
use crate::trust::dsse;
use crate::trust::facts::Form;
use crate::trust::keys::{Require, Verdicts};

use super::world::{World, attested, held, id, key, package, record, statement};

fn verified(text: &str) -> Form {
    Form::Verified { key: id(text) }
}

#[test]
fn a_good_package_passes_and_says_by_what() {
    let world = World::good();
    let mut stages = Vec::new();
    let passed = world.observe(&mut |stage| stages.push(stage)).unwrap();
    assert_eq!(stages, [Stage::Package, Stage::Attestation, Stage::Certification]);
    assert_eq!(passed.attestation().hmac, verified("acme-hmac"));
    assert_eq!(passed.attestation().ed25519, verified("acme-1"));
    assert_eq!(passed.attestation().required, Some(Require::Both));
    assert_eq!(passed.certification().id, "c-1");
    assert_eq!(passed.certification().policy_tier, 3);
    let used: Vec<&str> = passed.keys_used().into_iter().map(KeyId::as_str).collect();
    assert_eq!(used, ["acme-hmac", "acme-1", "cert-1"]);
    assert_eq!(passed.package_hash(), world.package_hash);
    assert_eq!(passed.package().manifest_hash(), world.manifest_hash);
}

#[test]
fn the_package_hash_from_stated_digests_is_that_of_the_bytes() {
    let package = attested(&package(|_| {}));
    let files = package.files().map(|(path, bytes)| (path, &bytes[..]));
    assert_eq!(awp::hash_of_package(&package), awp::package_hash(files));
}

#[test]
fn the_first_gate_that_fails_gives_the_code() {
    let mut world = World::good();
    world.certifications.clear();
    let seen = |world: &World| {
        let mut stages = Vec::new();
        let code = world.observe(&mut |stage| stages.push(stage)).unwrap_err().code;
        (code, stages)
    };
    assert_eq!(seen(&world), (Code::NotCertified, vec![Stage::Package, Stage::Attestation]));
    world.ed25519_key().revoked_at = Some(world.now);
    assert_eq!(seen(&world), (Code::KeyRevoked, vec![Stage::Package]));
    world.component_hash = Digest::of(b"");
    assert_eq!(seen(&world), (Code::HashMismatch, vec![]));
    // Even where no key can be read, the package is judged first.
    world.keyring = Err(crate::trust::keys::KeyError::Malformed("broken".into()));
    assert_eq!(seen(&world), (Code::HashMismatch, vec![]));
}

#[test]
fn a_form_that_is_not_required_may_be_absent_or_unproven_and_is_named() {
    let mut world = World::good().require(Require::Ed25519);
    world.secrets.clear();
    assert!(matches!(world.judge().unwrap().attestation().hmac, Form::NotRequiredUnchecked { .. }));
    world.attestations(None, Some(world.dsse()));
    world.package_hash = awp::hash_of_package(&world.package);
    assert_eq!(world.judge().unwrap().attestation().hmac, Form::Absent);

    let mut world = World::good().require(Require::Hmac);
    world.ed25519_key().valid_to = Some(world.now);
    assert!(matches!(world.judge().unwrap().attestation().ed25519, Form::NotRequiredUnchecked { .. }));
    world.own_keys().keys.remove(0);
    let passed = world.judge().unwrap();
    assert!(matches!(passed.attestation().ed25519, Form::NotRequiredUnchecked { .. }));
    assert_eq!(passed.keys_used().len(), 2);
    drop(passed);
    world.attestations(Some(world.awp()), None);
    assert_eq!(world.judge().unwrap().attestation().ed25519, Form::Absent);
}

#[test]
fn attestation_is_waived_only_for_ones_own_skill_in_ones_own_hall() {
    let bare = || World::of(package(|manifest| manifest.attestation_required = false));
    let mut world = bare();
    assert_eq!(world.judge().unwrap_err().code, Code::ManifestMissing);
    world.local_own = true;
    let passed = world.judge().unwrap();
    assert_eq!(passed.attestation().required, None);
    assert_eq!((&passed.attestation().hmac, &passed.attestation().ed25519), (&Form::Absent, &Form::Absent));
    drop(passed);
    world.certifications.clear();
    assert_eq!(world.judge().unwrap_err().code, Code::NotCertified);

    let mut world = bare();
    (world.local_own, world.own_keys().require) = (true, None);
    world.ring().own.clear();
    assert_eq!(world.judge().unwrap_err().code, Code::Ed25519Required, "not the owner's");
    let mut world = World::of(package(|_| {}));
    world.local_own = true;
    assert_eq!(world.judge().unwrap_err().code, Code::ManifestMissing, "the manifest asks for it");
}

#[test]
fn rotation_overlaps() {
    let mut world = World::good();
    // A new key beside the old one; the package was signed by the old one, which still counts.
    let fresh = record("acme-2", crate::trust::keys::Purpose::Attest, &key(7));
    world.own_keys().keys.push(fresh);
    let mut new_secret = world.hmac_key().clone();
    new_secret.id = id("acme-hmac-2");
    world.own_keys().keys.push(new_secret);
    world.secrets.insert(id("acme-hmac-2"), Ok(vec![b'n'; 32]));
    let passed = world.judge().unwrap();
    assert_eq!((&passed.attestation().hmac, &passed.attestation().ed25519), (&verified("acme-hmac"), &verified("acme-1")));
}

#[test]
fn a_weak_secret_beside_a_strong_one_does_no_harm_and_no_good() {
    let mut world = World::good();
    let mut weak = world.hmac_key().clone();
    weak.id = id("acme-weak");
    world.own_keys().keys.push(weak);
    world.secrets.insert(id("acme-weak"), Ok(b"short".to_vec()));
    assert_eq!(world.judge().unwrap().attestation().hmac, verified("acme-hmac"));
}

#[test]
fn a_key_id_in_an_envelope_decides_nothing() {
    // Without a hint the namespace's keys are tried; a co-signature by a stranger neither helps nor harms.
    let mut world = World::good();
    let mut value = json::parse(&world.dsse()).unwrap();
    value["signatures"][0].as_object_mut().unwrap().remove("keyid");
    let payload = dsse::verify(&world.dsse(), &key(1).public()).unwrap();
    let stranger = json::parse(&dsse::sign(&payload, &id("nobody"), &key(9)).unwrap()).unwrap();
    value["signatures"].as_array_mut().unwrap().insert(0, stranger["signatures"][0].clone());
    world.attestations(Some(world.awp()), Some(serde_json::to_vec(&value).unwrap()));
    assert_eq!(world.judge().unwrap().attestation().ed25519, verified("acme-1"));
}

#[test]
fn the_newest_certification_that_counts_is_taken() {
    let mut world = World::good();
    let mut newer = statement("c-2");
    newer.policy_tier = 5;
    world.certifications.push(held(&world.package, newer, &key(2)));
    assert_eq!(world.judge().unwrap().certification().policy_tier, 5);
    world.certifications[1].revoked = true;
    assert_eq!(world.judge().unwrap().certification().id, "c-1");
    world.certifications[1].body = b"junk".to_vec();
    assert_eq!(world.judge().unwrap().certification().id, "c-1");
}

#[test]
fn a_remembered_verdict_says_nothing_of_the_key_or_of_other_bytes() {
    let mut world = World::good();
    world.verdicts = Some(Verdicts::default());
    assert!(world.judge().is_ok());
    assert!(world.judge().is_ok());
    assert_eq!(world.verdicts.as_ref().map(Verdicts::len), Some(2), "manifest.sig and the certification");

    world.ed25519_key().valid_to = Some(world.now);
    assert_eq!(world.judge().unwrap_err().code, Code::KeyExpired);
    world.ed25519_key().valid_to = None;
    // The same signature under another key, and another payload under the same signature.
    world.ed25519_key().public = Some(key(9).public().to_string());
    assert_eq!(world.judge().unwrap_err().code, Code::SigInvalid);
    world.ed25519_key().public = Some(key(1).public().to_string());
    let mut value = json::parse(&world.dsse()).unwrap();
    value["payload"] = "e30=".into();
    world.attestations(Some(world.awp()), Some(serde_json::to_vec(&value).unwrap()));
    assert_eq!(world.judge().unwrap_err().code, Code::SigInvalid);
    assert_eq!(world.verdicts.as_ref().map(Verdicts::len), Some(2));
}

#[test]
fn no_flipped_bit_of_a_signed_text_changes_what_is_found() {
    // Unoptimised signatures take milliseconds: then only every eleventh byte is flipped.
    let step = if cfg!(debug_assertions) { 11 } else { 1 };
    let mut world = World::good();
    let (attestation, certification) = {
        let passed = world.judge().unwrap();
        (passed.attestation().clone(), passed.certification().clone())
    };
    let flip = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << (at % 7);
        bytes
    };
    let (awp, dsse, body) = (world.awp(), world.dsse(), world.certifications[0].body.clone());
    let (mut flipped, mut denied) = (0, 0);
    for at in (0..awp.len() + dsse.len() + body.len()).step_by(step) {
        let (mut one, mut two, mut three) = (awp.clone(), dsse.clone(), body.clone());
        if at < awp.len() {
            one = flip(&awp, at);
        } else if at < awp.len() + dsse.len() {
            two = flip(&dsse, at - awp.len());
        } else {
            three = flip(&body, at - awp.len() - dsse.len());
        }
        world.attestations(Some(one), Some(two));
        world.certifications[0].body = three;
        flipped += 1;
        match world.judge() {
            Err(_) => denied += 1,
            // White space, a field that is not signed, the name of the hint: nothing that was found may differ.
            Ok(passed) => {
                assert_eq!((passed.attestation(), passed.certification()), (&attestation, &certification), "byte {at}");
            }
        }
    }
    assert!(denied * 4 > flipped * 3, "{denied} of {flipped}");
}
