//! Other people's vectors, over our own verify functions.

use std::path::PathBuf;

use serde_json::Value;

use crate::digest::unhex;
use crate::trust::dsse;
use crate::trust::keys::{PublicKey, Secret};

/// A vector file beside the repository; `None` (and one line that says so) if it is not there, which fails under CI.
fn vectors(path: &str) -> Option<Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("SKILLHALL_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = root.join("security").join(path);
    if let Ok(bytes) = std::fs::read(&file) {
        return Some(serde_json::from_slice(&bytes).unwrap());
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no vectors at {}", file.display());
    println!("skipped: no vectors at {}", file.display());
    None
}

fn bytes(value: &Value, member: &str) -> Vec<u8> {
    unhex(value[member].as_str().unwrap()).unwrap()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().unwrap()
}

fn ed25519_fits(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = PublicKey::from_bytes(&key.try_into().unwrap());
    key.is_ok_and(|key| key.verify(message, signature))
}

#[test]
fn wycheproof_ed25519_has_no_mismatch() {
    let Some(file) = vectors("wycheproof/ed25519_test.json") else { return };
    let mut cases = 0;
    for group in list(&file, "testGroups") {
        let key = bytes(&group["publicKey"], "pk");
        for test in list(group, "tests") {
            let fits = ed25519_fits(&key, &bytes(test, "msg"), &bytes(test, "sig"));
            assert_eq!(fits, test["result"] == "valid", "case {}", test["tcId"]);
            cases += 1;
        }
    }
    assert_eq!(cases, 151);
}

#[test]
fn cctv_accepts_exactly_what_strict_verification_accepts() {
    let Some(file) = vectors("ed25519-cctv/ed25519vectors.json") else { return };
    let mut accepted = 0;
    for case in file.as_array().unwrap() {
        let flags: Vec<&str> =
            case["flags"].as_array().map(|flags| flags.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
        let strict = flags.iter().all(|flag| matches!(*flag, "low_order_component_A" | "low_order_component_R"));
        let fits = ed25519_fits(&bytes(case, "key"), case["msg"].as_str().unwrap().as_bytes(), &bytes(case, "sig"));
        assert_eq!(fits, strict, "case {} {flags:?}", case["number"]);
        accepted += usize::from(fits);
    }
    assert_eq!(accepted, 43);
}

#[test]
fn wycheproof_hmac_has_no_mismatch_and_a_shortened_tag_is_refused() {
    let Some(file) = vectors("wycheproof/hmac_sha256_test.json") else { return };
    let mut cases = 0;
    for group in list(&file, "testGroups") {
        for test in list(group, "tests") {
            let fits = Secret::new(bytes(test, "key")).verify(&bytes(test, "msg"), &bytes(test, "tag"));
            assert_eq!(fits, test["result"] == "valid" && group["tagSize"] == 256, "case {}", test["tcId"]);
            cases += 1;
        }
    }
    assert_eq!(cases, 174);
}

#[test]
fn rfc_4231_tags_are_equal_and_shortened_ones_are_refused() {
    let Some(file) = vectors("hmac-rfc4231/rfc4231.json") else { return };
    for case in list(&file, "cases") {
        let secret = Secret::new(bytes(case, "key_hex"));
        let (message, tag) = (bytes(case, "data_hex"), bytes(case, "hmac_sha256_hex"));
        assert_eq!(secret.authenticate(&message)[..], tag, "case {}", case["case"]);
        assert!(secret.verify(&message, &tag), "case {}", case["case"]);
        assert!(!secret.verify(&message, &tag[..16]), "case {}", case["case"]);
    }
}

#[test]
fn the_pre_authentication_encoding_is_the_specifications() {
    let Some(file) = vectors("dsse/pae.json") else { return };
    for case in list(&file, "cases") {
        let kind = case["payloadType_utf8"].as_str().unwrap();
        assert_eq!(dsse::pae(kind, &bytes(case, "payload_hex")), bytes(case, "pae_hex"), "{kind}");
    }
}
