//! Each code of gates 2 to 4, by the one fault that gives it.

use serde_json::{Value, json};

use crate::denial::Code;
use crate::digest::{Digest, hex};
use crate::json;
use crate::trust::attest::attest;
use crate::trust::awp::AwpManifest;
use crate::trust::certify;
use crate::trust::dsse;
use crate::trust::keys::{KeyError, Purpose, Require, Secret};

use super::world::{SECRET, World, at, attested, held, id, key, package, record, statement};

type Break = fn(&mut World);

fn expect(code: Code, cases: &[(&str, Break)]) {
    for (what, change) in cases {
        let mut world = World::good();
        change(&mut world);
        match world.judge() {
            Ok(_) => panic!("{what}: let through"),
            Err(denial) => assert_eq!(denial.code, code, "{what}: {denial}"),
        }
    }
}

/// A manifest.json that says something else and is signed rightly.
fn resigned(world: &mut World, change: impl FnOnce(&mut AwpManifest)) {
    let mut manifest = AwpManifest::parse(&world.awp()).unwrap();
    change(&mut manifest);
    manifest.signature_hmac_sha256 = Some(hex(&Secret::new(SECRET.to_vec()).authenticate(&manifest.signing_payload())));
    world.attestations(Some(manifest.to_bytes()), Some(world.dsse()));
}

/// A manifest.sig whose statement says something else and is signed rightly.
fn restated(world: &mut World, change: impl FnOnce(&mut Value)) {
    let payload = dsse::verify(&world.dsse(), &key(1).public()).unwrap();
    let mut statement = json::parse(&payload).unwrap();
    change(&mut statement);
    let envelope = dsse::sign(&json::canonical(&statement).unwrap(), &id("acme-1"), &key(1)).unwrap();
    world.attestations(Some(world.awp()), Some(envelope));
}

fn envelope(world: &mut World, change: impl FnOnce(&mut Value)) {
    let mut value = json::parse(&world.dsse()).unwrap();
    change(&mut value);
    world.attestations(Some(world.awp()), Some(serde_json::to_vec(&value).unwrap()));
}

#[test]
fn manifest_missing() {
    expect(
        Code::ManifestMissing,
        &[
            ("no manifest.json", |world| world.attestations(None, Some(world.dsse()))),
            ("no JSON", |world| world.attestations(Some(b"{".to_vec()), Some(world.dsse()))),
            ("an array", |world| world.attestations(Some(b"[]".to_vec()), Some(world.dsse()))),
            ("another form", |world| resigned(world, |manifest| manifest.schema_version = Some("awp.v2".into()))),
            ("a broken one that is not required", |world| {
                world.own_keys().require = Some(Require::Ed25519);
                world.attestations(Some(b"{".to_vec()), Some(world.dsse()));
            }),
        ],
    );
}

#[test]
fn hash_mismatch() {
    expect(
        Code::HashMismatch,
        &[
            ("another skill.json was published", |world| world.manifest_hash = Digest::of(b"")),
            ("another component was published", |world| world.component_hash = Digest::of(b"")),
            ("another package hash was published", |world| world.package_hash = Digest::of(b"")),
            ("another adapter was published", |world| world.adapters.extend([("adapters/mcp.json".to_owned(), Digest::of(b""))])),
            ("an adapter was not published", |world| world.adapters.clear()),
            ("an adapter is missing", |world| world.adapters.extend([("adapters/x.json".to_owned(), Digest::of(b""))])),
            ("manifest.json is of other bytes", |world| {
                resigned(world, |manifest| manifest.package_hash = Some(Digest::of(b"").to_string()));
            }),
            ("manifest.json states the hash in capitals", |world| {
                resigned(world, |manifest| {
                    manifest.package_hash = manifest.package_hash.as_ref().map(|text| text.to_uppercase());
                });
            }),
            ("manifest.sig is of another component", |world| {
                restated(world, |value| value["subject"][1]["digest"]["sha256"] = Digest::of(b"").to_string().into());
            }),
            ("manifest.sig leaves a file out", |world| {
                restated(world, |value| drop(value["subject"].as_array_mut().unwrap().pop()));
            }),
            ("manifest.sig names a file twice", |world| {
                restated(world, |value| {
                    let first = value["subject"][0].clone();
                    value["subject"].as_array_mut().unwrap().push(first);
                });
            }),
            ("manifest.sig names another file", |world| {
                restated(world, |value| value["subject"][0]["name"] = "adapters/other.json".into());
            }),
        ],
    );
}

#[test]
fn signature_missing() {
    expect(
        Code::SignatureMissing,
        &[
            ("no secret at hand", |world| world.secrets.clear()),
            ("no key record", |world| drop(world.own_keys().keys.pop())),
            ("no signature in manifest.json", |world| {
                let manifest = AwpManifest { signature_hmac_sha256: None, ..AwpManifest::parse(&world.awp()).unwrap() };
                world.attestations(Some(manifest.to_bytes()), Some(world.dsse()));
            }),
            ("an empty signature", |world| {
                let manifest =
                    AwpManifest { signature_hmac_sha256: Some(String::new()), ..AwpManifest::parse(&world.awp()).unwrap() };
                world.attestations(Some(manifest.to_bytes()), Some(world.dsse()));
            }),
        ],
    );
}

#[test]
fn ed25519_required() {
    expect(
        Code::Ed25519Required,
        &[
            ("both are required", |world| world.attestations(Some(world.awp()), None)),
            ("another's namespace, by default", |world| {
                world.own_keys().require = None;
                world.ring().own.clear();
                world.attestations(Some(world.awp()), None);
            }),
        ],
    );
}

#[test]
fn sig_invalid() {
    expect(
        Code::SigInvalid,
        &[
            ("another secret", |world| drop(world.secrets.insert(id("acme-hmac"), Ok(vec![b'x'; 32])))),
            ("an id altered after signing", |world| {
                let manifest =
                    AwpManifest { worker_id: Some("org.acme.other".into()), ..AwpManifest::parse(&world.awp()).unwrap() };
                world.attestations(Some(manifest.to_bytes()), Some(world.dsse()));
            }),
            ("a shortened tag", |world| {
                let mut manifest = AwpManifest::parse(&world.awp()).unwrap();
                manifest.signature_hmac_sha256.as_mut().unwrap().truncate(32);
                world.attestations(Some(manifest.to_bytes()), Some(world.dsse()));
            }),
            ("a wrong HMAC that is not required", |world| {
                world.own_keys().require = Some(Require::Ed25519);
                world.secrets.insert(id("acme-hmac"), Ok(vec![b'x'; 32]));
            }),
            ("a wrong Ed25519 that is not required", |world| {
                world.own_keys().require = Some(Require::Hmac);
                let envelope = dsse::sign(b"{}", &id("acme-1"), &key(9)).unwrap();
                world.attestations(Some(world.awp()), Some(envelope));
            }),
            ("a wrong HMAC where attestation is waived", |world| {
                *world = World::of(attested(&package(|manifest| manifest.attestation_required = false)));
                world.local_own = true;
                world.secrets.insert(id("acme-hmac"), Ok(vec![b'x'; 32]));
            }),
            ("the key's name under another's signature", |world| {
                let payload = dsse::verify(&world.dsse(), &key(1).public()).unwrap();
                let envelope = dsse::sign(&payload, &id("acme-1"), &key(9)).unwrap();
                world.attestations(Some(world.awp()), Some(envelope));
            }),
            ("no key's name and another's signature", |world| {
                let payload = dsse::verify(&world.dsse(), &key(1).public()).unwrap();
                let signed = dsse::sign(&payload, &id("acme-1"), &key(9)).unwrap();
                world.attestations(Some(world.awp()), Some(signed));
                envelope(world, |value| drop(value["signatures"][0].as_object_mut().unwrap().remove("keyid")));
            }),
            ("no envelope", |world| world.attestations(Some(world.awp()), Some(b"{}".to_vec()))),
            ("no signatures", |world| envelope(world, |value| value["signatures"] = json!([]))),
            ("too many signatures", |world| {
                envelope(world, |value| value["signatures"] = vec![value["signatures"][0].clone(); 17].into());
            }),
            ("another payload type", |world| envelope(world, |value| value["payloadType"] = "application/json".into())),
            ("a payload in another base64", |world| {
                envelope(world, |value| value["payload"] = value["payload"].as_str().unwrap().trim_end_matches('=').into());
            }),
            ("an algorithm of the envelope's own", |world| {
                envelope(world, |value| {
                    value["signatures"][0]["alg"] = "none".into();
                    value["signatures"][0]["sig"] = "".into();
                });
            }),
            ("a second signature that is wrong", |world| {
                envelope(world, |value| {
                    let mut second = value["signatures"][0].clone();
                    second["sig"] = "AAAA".into();
                    value["signatures"].as_array_mut().unwrap().push(second);
                });
            }),
            ("a payload that is no statement", |world| {
                let envelope = dsse::sign(b"{}", &id("acme-1"), &key(1)).unwrap();
                world.attestations(Some(world.awp()), Some(envelope));
            }),
            ("a certification's predicate", |world| {
                restated(world, |value| value["predicateType"] = certify::PREDICATE_TYPE.into());
            }),
            ("another kind of statement", |world| {
                restated(world, |value| value["_type"] = "https://in-toto.io/Statement/v0.1".into());
            }),
        ],
    );
}

#[test]
fn manifest_id_mismatch() {
    expect(
        Code::ManifestIdMismatch,
        &[
            ("another worker", |world| resigned(world, |manifest| manifest.worker_id = Some("org.acme.other".into()))),
            ("another species", |world| resigned(world, |manifest| manifest.worker_species_id = Some("wrk.other".into()))),
            ("another version", |world| resigned(world, |manifest| manifest.worker_version = Some("1.2.1".into()))),
            ("another name in the statement", |world| restated(world, |value| value["predicate"]["name"] = "other".into())),
            ("another version in the statement", |world| restated(world, |value| value["predicate"]["version"] = "1.2.1".into())),
            ("another namespace in the statement", |world| {
                restated(world, |value| value["predicate"]["namespace"] = "org.other".into());
            }),
            ("other authors in the statement", |world| restated(world, |value| value["predicate"]["authors"] = json!([]))),
            ("another key in the statement", |world| restated(world, |value| value["predicate"]["key_id"] = "acme-2".into())),
        ],
    );
}

#[test]
fn key_unknown() {
    expect(
        Code::KeyUnknown,
        &[
            ("the namespace has no such key", |world| drop(world.own_keys().keys.remove(0))),
            ("an HMAC key's name", |world| envelope(world, |value| value["signatures"][0]["keyid"] = "acme-hmac".into())),
            ("a certifier's name", |world| envelope(world, |value| value["signatures"][0]["keyid"] = "cert-1".into())),
            ("a name that is none", |world| envelope(world, |value| value["signatures"][0]["keyid"] = "\u{1b}[2J".into())),
            ("a key for another purpose", |world| world.ed25519_key().purpose = Purpose::Ledger),
            ("no keyring", |world| world.keyring = Err(KeyError::Malformed("broken".into()))),
            ("a secret that others can read", |world| {
                world.secrets.insert(id("acme-hmac"), Err(KeyError::Exposed("acme-hmac.hmac".into())));
            }),
        ],
    );
}

#[test]
fn keys_out_of_their_time() {
    expect(
        Code::KeyExpired,
        &[
            ("the HMAC key", |world| world.hmac_key().valid_to = Some(world.now)),
            ("the Ed25519 key", |world| world.ed25519_key().valid_to = Some(world.now)),
        ],
    );
    expect(
        Code::KeyNotYetValid,
        &[
            ("the HMAC key", |world| world.hmac_key().valid_from = world.now.plus_millis(1)),
            ("the Ed25519 key", |world| world.ed25519_key().valid_from = world.now.plus_millis(1)),
        ],
    );
    expect(
        Code::KeyRevoked,
        &[
            ("the HMAC key", |world| world.hmac_key().revoked_at = Some(world.now)),
            ("the Ed25519 key", |world| world.ed25519_key().revoked_at = Some(world.now)),
            ("the Ed25519 key, not required", |world| {
                world.own_keys().require = Some(Require::Hmac);
                world.ed25519_key().revoked_at = Some(world.now);
            }),
            ("a second record of the same secret", |world| {
                let mut second = world.hmac_key().clone();
                second.id = id("acme-hmac-old");
                second.revoked_at = Some(world.now);
                world.secrets.insert(second.id.clone(), Ok(SECRET.to_vec()));
                world.own_keys().keys.push(second);
            }),
        ],
    );
}

#[test]
fn key_weak() {
    expect(
        Code::KeyWeak,
        &[
            ("an HMAC secret of 31 bytes", |world| {
                let short = SECRET[..31].to_vec();
                let mut manifest = AwpManifest::parse(&world.awp()).unwrap();
                manifest.signature_hmac_sha256 = Some(hex(&Secret::new(short.clone()).authenticate(&manifest.signing_payload())));
                world.attestations(Some(manifest.to_bytes()), Some(world.dsse()));
                world.secrets.insert(id("acme-hmac"), Ok(short));
            }),
            ("a point of small order", |world| world.ed25519_key().public = Some("0".repeat(64))),
        ],
    );
    let short = Secret::new(SECRET[..31].to_vec());
    let denial = attest(&package(|_| {}), Some(&short), None, "ci", at("2026-02-01T00:00:00Z")).unwrap_err();
    assert_eq!(denial.code, Code::KeyWeak);
    let denial = attest(&package(|_| {}), None, None, "ci", at("2026-02-01T00:00:00Z")).unwrap_err();
    assert_eq!(denial.code, Code::SignatureMissing);
}

#[test]
fn namespace_invalid() {
    expect(
        Code::NamespaceInvalid,
        &[
            ("another namespace's key", |world| {
                let signed = attest(&world.package, None, Some((&id("other-1"), &key(4))), "ci", world.now).unwrap();
                world.attestations(Some(world.awp()), signed.dsse_envelope().map(<[u8]>::to_vec));
            }),
            ("another namespace's key, not required", |world| {
                let signed = attest(&world.package, None, Some((&id("other-1"), &key(4))), "ci", world.now).unwrap();
                world.attestations(Some(world.awp()), signed.dsse_envelope().map(<[u8]>::to_vec));
                world.own_keys().require = Some(Require::Hmac);
            }),
        ],
    );
}

#[test]
fn not_certified() {
    expect(Code::NotCertified, &[("no certification", |world| world.certifications.clear())]);
}

#[test]
fn certification_invalid() {
    expect(
        Code::CertificationInvalid,
        &[
            ("no certifier of this hall", |world| drop(world.ring().certifiers.remove(0))),
            ("a publisher's key", |world| {
                let mut statement = statement("c-1");
                statement.certifier = id("acme-1");
                world.certifications = vec![held(&world.package, statement, &key(1))];
            }),
            ("another key's signature", |world| world.certifications = vec![held(&world.package, statement("c-1"), &key(5))]),
            ("another certifier in the statement", |world| {
                let mut statement = statement("c-1");
                statement.certifier = id("cert-2");
                world.certifications = vec![held(&world.package, statement, &key(2))];
                world.certifications[0].signer = id("cert-1");
            }),
            ("another id in the registry", |world| world.certifications[0].id = "c-2".into()),
            ("another package", |world| {
                let other = package(|manifest| manifest.summary = "Another".into());
                world.certifications = vec![held(&other, statement("c-1"), &key(2))];
            }),
            ("an attestation in its place", |world| {
                let attested = attest(&world.package, None, Some((&id("cert-1"), &key(2))), "ci", world.now).unwrap();
                world.certifications[0].body = attested.dsse_envelope().unwrap().to_vec();
            }),
            ("a check that did not pass", |world| {
                let payload = dsse::verify(&world.certifications[0].body, &key(2).public()).unwrap();
                let mut value = json::parse(&payload).unwrap();
                value["predicate"]["checks"][0]["ok"] = false.into();
                world.certifications[0].body = dsse::sign(&json::canonical(&value).unwrap(), &id("cert-1"), &key(2)).unwrap();
            }),
            ("a tier above 8", |world| {
                let payload = dsse::verify(&world.certifications[0].body, &key(2).public()).unwrap();
                let mut value = json::parse(&payload).unwrap();
                value["predicate"]["policy_tier"] = 9.into();
                world.certifications[0].body = dsse::sign(&json::canonical(&value).unwrap(), &id("cert-1"), &key(2)).unwrap();
            }),
            ("no envelope", |world| world.certifications[0].body = b"{}".to_vec()),
            ("the certifier's key was revoked", |world| world.ring().certifiers[0].revoked_at = Some(at("2026-03-01T00:00:00Z"))),
        ],
    );
}

#[test]
fn certification_expired() {
    expect(
        Code::CertificationExpired,
        &[
            ("its time is over", |world| world.now = at("2027-02-02T00:00:00Z")),
            ("its time has not begun", |world| world.now = at("2026-02-01T00:00:00Z")),
            ("the certifier's key is over", |world| world.ring().certifiers[0].valid_to = Some(world.now)),
            ("the certifier's key has not begun", |world| world.ring().certifiers[0].valid_from = world.now.plus_millis(1)),
        ],
    );
}

#[test]
fn certification_revoked() {
    expect(
        Code::CertificationRevoked,
        &[
            ("the only one", |world| world.certifications[0].revoked = true),
            ("beside one that was never good", |world| {
                world.certifications[0].revoked = true;
                world.certifications.push(held(&world.package, statement("c-2"), &key(9)));
            }),
        ],
    );
}

#[test]
fn a_certifier_signs_nothing_that_did_not_pass() {
    let world = World::good();
    let mut cases = vec![statement("a"), statement("b"), statement("c"), statement("d")];
    cases[0].checks[0].ok = false;
    cases[1].checks.clear();
    cases[2].expires_at = cases[2].issued_at;
    cases[3].policy_tier = 9;
    for case in cases {
        let name = case.id.clone();
        assert_eq!(certify::sign(&world.package, case, &key(2)).unwrap_err().code, Code::CertificationRefused, "{name}");
    }
    // The public half of another record proves nothing about this one.
    assert_ne!(record("cert-1", Purpose::Certify, &key(2)).public, record("cert-1", Purpose::Certify, &key(5)).public);
}
