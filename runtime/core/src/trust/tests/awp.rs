//! awp.v1 against what WCP's reference wrote and answered.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::{Digest, unhex};
use crate::trust::awp::{self, AwpManifest, AwpMeta, Provenance, Worker, read_folder};
use crate::trust::keys::Secret;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors/awp");
const CASES: [&str; 3] = ["attest-1-basic", "attest-2-ordering-exclusions", "attest-3-json-escaping"];

fn vector(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(format!("{VECTORS}/{name}.json")).unwrap()).unwrap()
}

type Files = BTreeMap<String, Vec<u8>>;

fn files(case: &Value, member: &str) -> Files {
    let files = case[member].as_object().unwrap();
    files.iter().map(|(path, bytes)| (path.clone(), STANDARD.decode(bytes.as_str().unwrap()).unwrap())).collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn worker(inputs: &Value) -> Worker {
    Worker { id: text(inputs, "worker_id").into(), species: text(inputs, "worker_species_id").into() }
}

fn secret(case: &Value) -> Secret {
    Secret::new(unhex(text(case, "secret_utf8_hex")).unwrap())
}

fn clock() -> Timestamp {
    Timestamp::parse("2026-01-02T03:04:05Z").unwrap()
}

fn hash(files: &Files) -> Digest {
    awp::package_hash(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
}

fn check(files: &Files, manifest: Option<&[u8]>, worker: &Worker, secret: &Secret) -> Result<AwpMeta, Denial> {
    awp::verify(&hash(files), manifest, worker, Some(secret), &|_| false, clock())
}

#[test]
fn attestations_are_byte_for_byte_those_of_the_reference() {
    for name in CASES {
        let case = vector(name);
        let (inputs, expected) = (&case["inputs"], &case["expected"]);
        let mut all = files(&case, "files_b64");
        all.extend(files(&case, "ignored_files_b64"));
        let package_hash = hash(&all);
        assert_eq!(package_hash.to_string(), text(expected, "package_hash"), "{name}");

        let provenance = Provenance { build_source: text(inputs, "build_source"), built_at: clock(), attested_at: clock() };
        let worker = worker(inputs);
        let bytes = awp::attest(&package_hash, &worker, text(inputs, "worker_version"), provenance, &secret(&case)).unwrap();
        assert_eq!(bytes, unhex(text(expected, "manifest_file_hex")).unwrap(), "{name}");
        let manifest = AwpManifest::parse(&bytes).unwrap();
        assert_eq!(manifest.signing_payload(), unhex(text(expected, "signing_payload_hex")).unwrap(), "{name}");

        let meta = check(&all, Some(&bytes), &worker, &secret(&case)).unwrap();
        assert_eq!(serde_json::to_value(meta).unwrap(), expected["verify_meta"], "{name}");
    }
}

#[test]
fn mutations_are_answered_as_the_reference_answers_and_denied_where_it_raises() {
    let base = vector("attest-1-basic");
    let original = unhex(text(&base["expected"], "manifest_file_hex")).unwrap();
    let cases = vector("deny-cases");
    for case in cases["cases"].as_array().unwrap() {
        let id = text(case, "id");
        let (mut files, mut worker) = (files(&base, "files_b64"), worker(&base["inputs"]));
        let mut manifest = match text(case, "manifest_text") {
            "unchanged" => original.clone(),
            other => other.as_bytes().to_vec(),
        };
        match id {
            "D03" => manifest = unhex(text(case, "manifest_text")).unwrap(),
            "D05" => worker.species = "wrk.text.other".into(),
            "D06" => files.get_mut("code/skill.wasm").unwrap()[0] ^= 1,
            "D08" => drop(files.remove("requirements.lock").unwrap()),
            "D09" => {
                let bytes = files.remove("requirements.lock").unwrap();
                files.insert("requirements.txt".into(), bytes);
            }
            "D23" => drop(files.insert("code/__pycache__/x".into(), vec![1])),
            _ => {}
        }
        let secret = Secret::new(text(case, "hmac_key").as_bytes().to_vec());
        let answer = check(&files, Some(&manifest), &worker, &secret);
        let expected = &case["expected"];
        match (expected["ok"].as_bool(), expected["deny_code"].as_str()) {
            (Some(true), _) => assert!(answer.is_ok(), "{id}: {answer:?}"),
            (Some(false), Some(code)) => assert_eq!(answer.unwrap_err().code.as_str(), code, "{id}"),
            _ => assert!(answer.is_err(), "{id}: the reference raises, so this denies"),
        }
    }
}

#[test]
fn what_no_vector_holds_is_denied_in_order() {
    let base = vector("attest-1-basic");
    let (files, worker, secret) = (files(&base, "files_b64"), worker(&base["inputs"]), secret(&base));
    let manifest = unhex(text(&base["expected"], "manifest_file_hex")).unwrap();
    assert_eq!(check(&files, None, &worker, &secret).unwrap_err().code, Code::ManifestMissing);

    let twice = String::from_utf8(manifest.clone()).unwrap().replace("{\n", "{\n  \"worker_id\": \"x.other.y\",\n");
    assert_eq!(check(&files, Some(twice.as_bytes()), &worker, &secret).unwrap_err().code, Code::ManifestMissing);

    let banned = awp::verify(&hash(&files), Some(&manifest), &worker, None, &|_| true, clock());
    assert_eq!(banned.unwrap_err().code, Code::BannedHash);

    let stranger = Worker { id: "wrk.acme.wordcount".into(), species: "wrk.text".into() };
    let provenance = Provenance { build_source: "ci", built_at: clock(), attested_at: clock() };
    let denial = awp::attest(&hash(&files), &stranger, "1.0.0", provenance, &secret).unwrap_err();
    assert_eq!(denial.code, Code::NamespaceInvalid);
    assert_eq!(stranger.namespace(), None);
    assert_eq!(Worker { id: "x.".into(), species: String::new() }.namespace(), None);

    let signed = AwpManifest {
        worker_id: Some(stranger.id.clone()),
        worker_species_id: Some(stranger.species.clone()),
        ..AwpManifest::parse(&manifest).unwrap()
    };
    let tag = crate::digest::hex(&secret.authenticate(&signed.signing_payload()));
    let signed = AwpManifest { signature_hmac_sha256: Some(tag), ..signed };
    assert_eq!(check(&files, Some(&signed.to_bytes()), &stranger, &secret).unwrap_err().code, Code::NamespaceInvalid);
}

fn folder_of(files: &Files) -> (tempfile::TempDir, Dir) {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    (folder, dir)
}

#[test]
fn a_folder_on_disk_has_the_hash_of_its_files() {
    let case = vector("attest-2-ordering-exclusions");
    let mut all = files(&case, "files_b64");
    all.extend(files(&case, "ignored_files_b64"));
    all.insert("manifest.json".into(), b"{}".to_vec());
    let (_kept, dir) = folder_of(&all);
    let folder = read_folder(&dir).unwrap();
    assert_eq!(folder.package_hash().to_string(), text(&case["expected"], "package_hash"));
    assert_eq!(folder.manifest.as_deref(), Some(&b"{}"[..]));
    assert_eq!(folder.records.len(), case["files_b64"].as_object().unwrap().len());

    // A folder that is named like a compiled file is hashed; a compiled file in it is not.
    let odd = Files::from([("x.pyc/a".into(), vec![1]), ("x.pyc/b.pyc".into(), vec![2])]);
    let (_kept, dir) = folder_of(&odd);
    assert_eq!(read_folder(&dir).unwrap().package_hash(), hash(&odd));
    assert_eq!(read_folder(&dir).unwrap().records.len(), 1);
}

#[test]
fn links_and_odd_names_in_a_folder_are_refused() {
    type Make = fn(&std::path::Path);
    let cases: [(&str, Make); 5] = [
        ("a link to a file", |root| std::os::unix::fs::symlink("/etc/hostname", root.join("link")).unwrap()),
        ("a link to a folder", |root| std::os::unix::fs::symlink("/etc", root.join("link")).unwrap()),
        ("a line feed in a name", |root| std::fs::write(root.join("a\nb"), b"").unwrap()),
        ("a name that is no UTF-8", |root| std::fs::write(root.join(std::ffi::OsStr::from_bytes(b"\xff")), b"").unwrap()),
        ("a socket", |root| drop(std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap())),
    ];
    for (what, make) in cases {
        let (kept, dir) = folder_of(&Files::from([("a".into(), vec![1])]));
        assert!(read_folder(&dir).is_ok());
        make(kept.path());
        assert_eq!(read_folder(&dir).unwrap_err().code, Code::PackageLayout, "{what}");
    }
    let (kept, dir) = folder_of(&Files::from([("a".into(), vec![1])]));
    std::os::unix::fs::symlink("a", kept.path().join("manifest.json")).unwrap();
    assert_eq!(read_folder(&dir).unwrap_err().code, Code::ManifestMissing);
}
