//! The tree and its proofs, against other people's vectors.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::digest::{Digest, unhex};
use crate::ledger::merkle::{Frontier, Prover, leaf, verify_consistency, verify_inclusion};

/// The folder of the vectors, if it is there.
#[expect(clippy::disallowed_methods, reason = "where the vectors lie is said by the one who runs the tests")]
fn vectors() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var("SKILLHALL_VECTORS").unwrap_or_else(|_| beside.to_owned());
    let folder = Path::new(&root).join("security/merkle-rfc6962");
    if folder.is_dir() {
        return Some(folder);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no vectors at {}", folder.display());
    println!("skipped: no vectors at {}", folder.display());
    None
}

#[expect(clippy::disallowed_methods, reason = "vectors are read by path")]
fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "vectors are read by path")]
fn cases(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(cases(&path));
        } else {
            let case = read(&path);
            found.push((path, case));
        }
    }
    found
}

/// A hash of a case. Some cases put other text where a hash belongs: it stands for a hash that belongs to nothing, made
/// from the text and the place, and the same for the same text among roots.
fn hash(case: &Value, name: &str) -> Digest {
    known(&case[name], if name.starts_with("root") { "root" } else { name })
}

fn known(value: &Value, place: &str) -> Digest {
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap();
    <[u8; 32]>::try_from(&bytes[..]).map_or_else(|_| Digest::of(&[place.as_bytes(), &bytes].concat()), Digest::from_bytes)
}

fn hashes(value: &Value) -> Vec<Digest> {
    value.as_array().map_or(Vec::new(), |list| list.iter().map(|value| known(value, "proof")).collect())
}

#[test]
fn proofs_are_judged_as_by_others() {
    let Some(folder) = vectors() else { return };
    let mut counted = 0;
    for (path, case) in cases(&folder.join("inclusion")) {
        let (leaf, root, proof) = (hash(&case, "leafHash"), hash(&case, "root"), hashes(&case["proof"]));
        let number = |name: &str| case[name].as_u64().unwrap();
        let holds = verify_inclusion(&leaf, number("leafIdx"), number("treeSize"), &proof, &root);
        assert_ne!(holds, case["wantErr"].as_bool().unwrap(), "{}", path.display());
        counted += 1;
    }
    for (path, case) in cases(&folder.join("consistency")) {
        let (first, second, proof) = (hash(&case, "root1"), hash(&case, "root2"), hashes(&case["proof"]));
        let number = |name: &str| case[name].as_u64().unwrap();
        let holds = verify_consistency(number("size1"), number("size2"), &proof, &first, &second);
        assert_ne!(holds, case["wantErr"].as_bool().unwrap(), "{}", path.display());
        counted += 1;
    }
    assert_eq!(counted, 196);
}

#[test]
fn the_tree_of_eight_has_the_known_roots() {
    let Some(folder) = vectors() else { return };
    let case = read(&folder.join("tree8.json"));
    let roots = case["roots_hex_by_size"].as_array().unwrap();
    let mut tree = Frontier::new();
    assert_eq!(tree.root().to_string(), roots[0].as_str().unwrap());
    for (data, root) in case["leaves_hex"].as_array().unwrap().iter().zip(&roots[1..]) {
        tree.push(leaf(&unhex(data.as_str().unwrap()).unwrap()));
        assert_eq!(tree.root().to_string(), root.as_str().unwrap());
    }
}

#[test]
fn every_proof_that_is_made_holds_and_no_other() {
    let leaves: Vec<Digest> = (0..40_u8).map(|n| leaf(&[n])).collect();
    let root = |size: usize| {
        let mut tree = Frontier::new();
        leaves[..size].iter().for_each(|leaf| tree.push(*leaf));
        assert_eq!(Frontier::from_parts(tree.size(), tree.peaks().to_vec()), Some(tree.clone()));
        tree.root()
    };
    let finish = |mut prover: Prover, size: usize| {
        leaves[..size].iter().for_each(|leaf| prover.push(*leaf));
        prover.finish().unwrap()
    };
    for size in 1..=leaves.len() {
        for index in 0..size {
            let proof = finish(Prover::inclusion(index as u64, size as u64).unwrap(), size);
            assert!(verify_inclusion(&leaves[index], index as u64, size as u64, &proof, &root(size)));
            assert!(!verify_inclusion(&leaves[(index + 1) % 40], index as u64, size as u64, &proof, &root(size)));
            let first = index + 1;
            let proof = finish(Prover::consistency(first as u64, size as u64).unwrap(), size);
            assert!(verify_consistency(first as u64, size as u64, &proof, &root(first), &root(size)), "{first} {size}");
            assert!(!verify_consistency(first as u64, size as u64, &proof, &root(first), &root(size - 1)));
        }
    }
    assert!(Prover::inclusion(3, 3).is_none() && Prover::consistency(4, 3).is_none());
    assert!(Prover::inclusion(0, 2).unwrap().finish().is_none());
}

#[test]
fn a_record_is_proven_to_others() {
    let folder = Folder::new();
    let ledger = folder.create();
    ledger.append((0..5).map(event).collect()).unwrap();
    ledger.append(vec![event(5)]).unwrap();
    for sequence in 0..6 {
        let proof = audit::prove(&folder.dir(), &key().public(), sequence).unwrap();
        assert!(proof.holds(&key().public()));
        assert!(proof.to_string().starts_with(&format!("c2sp.org/tlog-proof@v1\nindex {sequence}\n")));
        assert!(proof.to_string().ends_with(&format!("\n\n{}", ledger.checkpoint().unwrap())));
        let other = audit::Proof { record: b"{}".to_vec(), ..proof };
        assert!(!other.holds(&key().public()));
    }
    let absent = audit::prove(&folder.dir(), &key().public(), 6);
    assert_eq!(absent, Err(audit::AuditError::NoRecord(6)));
}
