//! One archive for a package, one package for an archive.

use proptest::prelude::*;

use super::super::sample;
use super::*;

const FILES: &[(&str, &[u8])] = &[("assets/a/words.txt", b"one two"), ("assets/none", b""), ("docs/readme.md", &[b'x'; 512])];

fn sample_archive() -> Vec<u8> {
    write(&sample::package(FILES))
}

/// An archive of these entries in this order, whatever they are.
fn archive_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (path, bytes) in entries {
        archive.extend_from_slice(&header(path, bytes.len()));
        archive.extend_from_slice(bytes);
        archive.resize(archive.len() + padding(bytes.len()), 0);
    }
    archive.resize(archive.len() + END, 0);
    archive
}

fn entries() -> Vec<(String, Vec<u8>)> {
    sample::files(FILES).into_iter().map(|(path, bytes)| (path, bytes.to_vec())).collect()
}

fn borrowed(entries: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    entries.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect()
}

#[test]
fn what_is_written_is_read_and_written_the_same() {
    let archive = sample_archive();
    let package = read(&archive).unwrap();
    assert_eq!(package.manifest_hash(), sample::package(FILES).manifest_hash());
    assert_eq!(write(&package), archive);
    assert_eq!(archive, archive_of(&borrowed(&entries())), "the test's own way of writing is the same");
}

#[test]
fn every_changed_bit_makes_another_package_or_none() {
    let archive = sample_archive();
    let hash = read(&archive).unwrap().manifest_hash();
    for at in 0..archive.len() {
        // Every bit of the first header, and one of every byte behind it.
        let bits = if at < BLOCK { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            let mut changed = archive.clone();
            changed[at] ^= 1 << bit;
            // A letter of the summary, say: another skill.json, and its hash tells.
            if let Ok(other) = read(&changed) {
                assert_ne!(other.manifest_hash(), hash, "bit {bit} of byte {at}");
                assert_eq!(write(&other), changed, "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn every_cut_and_every_addition_is_noticed() {
    let archive = sample_archive();
    for length in 0..archive.len() {
        assert!(read(&archive[..length]).is_err(), "cut to {length}");
    }
    for addition in [1, 511, 512, 1024, 8192] {
        let mut longer = archive.clone();
        longer.resize(archive.len() + addition, 0);
        assert!(read(&longer).is_err(), "{addition} zero bytes more");
    }
    let mut twice = archive.clone();
    twice.extend_from_slice(&archive);
    assert!(read(&twice).is_err(), "a second archive behind the first");
}

#[test]
fn order_and_doubles() {
    let entries = entries();
    let mut reversed = borrowed(&entries);
    reversed.reverse();
    assert!(read(&archive_of(&reversed)).is_err(), "reversed");
    let mut doubled = borrowed(&entries);
    doubled.insert(1, doubled[0]);
    assert!(read(&archive_of(&doubled)).is_err(), "the same entry twice");
}

#[test]
fn paths_that_lead_elsewhere() {
    for path in ["../escape", "/etc/passwd", "docs/../../escape", "docs/..", "c:/escape", "docs\\escape", "aaa", "docs/A"] {
        let entries = entries();
        let mut more = borrowed(&entries);
        more.push((path, b"x"));
        more.sort_unstable();
        assert!(matches!(read(&archive_of(&more)), Err(PackageError::Layout(_))), "{path}");
    }
}

#[test]
fn kinds_other_than_a_regular_file() {
    for kind in b"\x001234567gxLKSDVM" {
        let mut archive = sample_archive();
        archive[156] = *kind;
        // With a sum that fits, so that it is the kind that is refused.
        archive[148..156].copy_from_slice(b"        ");
        let sum: u32 = archive[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
        archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(matches!(read(&archive), Err(PackageError::Layout(_))), "kind {kind}");
    }
}

#[test]
fn a_size_beyond_the_archive_costs_nothing() {
    let mut archive = header("component.wasm", 64 << 20).to_vec();
    archive.resize(BLOCK + END, 0);
    assert_eq!(read(&archive).unwrap_err(), ends_inside("component.wasm"));
    let archive = header("component.wasm", (64 << 20) + 1).to_vec();
    assert_eq!(read(&archive).unwrap_err(), layout::too_large("component.wasm", layout::MAX_COMPONENT));
}

#[test]
fn a_path_of_the_longest_length_fits() {
    let path = format!("docs/{}/{}", "a".repeat(47), "b".repeat(47));
    assert_eq!(path.len(), layout::MAX_PATH);
    let package = sample::package(&[(path.as_str(), b"x")]);
    assert_eq!(write(&read(&write(&package)).unwrap()), write(&package));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_header_makes_it_panic(mut block in proptest::collection::vec(any::<u8>(), 512), size in 0_u64..1 << 36) {
        block[124..136].copy_from_slice(format!("{size:012o}").as_bytes());
        let _ = read(&block);
    }
}
