//! Every single bit of what is judged, turned over, and every cut of it: each is refused with a code. What an envelope says of its key is a hint by DSSE's
//! own rule, which decides nothing; the key that counts is the one under which the signature holds. So a change of it passes, and changes nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::denial::Code;
use crate::id::KeyId;
use crate::package::Package;
use crate::trust::verify::VerifiedPackage;

use super::world::World;

/// What became of the changed texts: how often each code refused, and the places of the changes that nothing refused.
#[derive(Default)]
struct Found {
    codes: BTreeMap<Code, usize>,
    passed: Vec<(usize, String)>,
}

impl Found {
    /// What passes is judged to be by the same keys as before.
    fn note(&mut self, change: Change, judged: Result<VerifiedPackage, Code>) {
        match judged {
            Err(code) => *self.codes.entry(code).or_default() += 1,
            Ok(passed) => {
                let used: Vec<&str> = passed.keys_used().into_iter().map(KeyId::as_str).collect();
                assert_eq!(used, ["acme-hmac", "acme-1", "cert-1"], "{}", change.what);
                self.passed.push((change.at, change.what));
            }
        }
    }

    /// Whatever passed lies in parts of the text that nothing believes, and these are the codes, each at least once.
    fn refused_by(&self, unbelieved: &[Range<usize>], codes: &[Code]) {
        let beside: Vec<_> = self.passed.iter().filter(|(at, _)| !unbelieved.iter().any(|part| part.contains(at))).collect();
        assert!(beside.is_empty(), "{} passed: {:?}", beside.len(), beside.get(..beside.len().min(40)));
        assert_eq!(self.codes.keys().copied().collect::<Vec<_>>(), codes, "{:?}", self.codes);
    }
}

/// One change of a text.
struct Change {
    /// The first byte that is another one.
    at: usize,
    what: String,
    bytes: Vec<u8>,
}

/// Each change of one bit, and each cut.
fn changes(good: &[u8]) -> impl Iterator<Item = Change> {
    let flips = (0..good.len() * 8).map(|bit| {
        let (at, bit) = (bit / 8, bit % 8);
        let mut bytes = good.to_vec();
        bytes[at] ^= 1 << bit;
        Change { at, what: format!("bit {bit} of byte {at} ({:?})", char::from(good[at])), bytes }
    });
    let cuts = (0..good.len()).map(|at| Change { at, what: format!("cut to {at}"), bytes: good[..at].to_vec() });
    flips.chain(cuts)
}

/// Where a member of a JSON text stands: its name and its text, without the quotes around them.
fn member(text: &[u8], name: &str) -> Range<usize> {
    let text = std::str::from_utf8(text).unwrap();
    let begin = text.find(&format!("\"{name}\":")).unwrap() + 1;
    let value = begin + name.len() + 2;
    let value = value + text[value..].find('"').unwrap() + 1;
    begin..value + text[value..].find('"').unwrap()
}

/// Judges a good world's package with one of its files changed in every way, and the registry's answer as it was.
fn every_change_of(path: &str) -> Found {
    let mut world = World::good();
    let files: BTreeMap<String, Arc<[u8]>> =
        world.package.files().map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect();
    let good = files.get(path).unwrap_or_else(|| panic!("there is no {path}: {:?}", files.keys())).clone();
    let mut found = Found::default();
    for mut change in changes(&good) {
        let mut files = files.clone();
        files.insert(path.to_owned(), std::mem::take(&mut change.bytes).into());
        let judged = match Package::from_files(files) {
            Err(error) => Err(error.denial().code),
            Ok(package) => {
                world.package = package;
                world.judge().map_err(|denial| denial.code)
            }
        };
        found.note(change, judged);
    }
    found
}

#[test]
fn of_the_manifest() {
    every_change_of("skill.json").refused_by(&[], &[Code::ManifestMissing, Code::PackageLayout, Code::HashMismatch]);
}

#[test]
fn of_the_component_and_an_adapter() {
    every_change_of("component.wasm").refused_by(&[], &[Code::HashMismatch]);
    every_change_of("adapters/mcp.json").refused_by(&[], &[Code::HashMismatch]);
}

#[test]
fn of_the_attestation_by_hmac() {
    // WCP's form leaves two members out of what it signs. The gate reads neither.
    let good = World::good().awp();
    let mut unsigned: Vec<_> = ["attested_at_utc", "trust_statement"].map(|name| member(&good, name)).into();
    // Nor does the end of its last line say anything.
    unsigned.push(good.len() - 1..good.len());
    every_change_of("manifest.json")
        .refused_by(&unsigned, &[Code::ManifestMissing, Code::HashMismatch, Code::SignatureMissing, Code::SigInvalid]);
}

#[test]
fn of_the_attestation_by_ed25519() {
    let hint = member(&World::good().dsse(), "keyid");
    every_change_of("manifest.sig").refused_by(&[hint], &[Code::SigInvalid, Code::KeyUnknown]);
}

#[test]
fn of_the_certification() {
    let mut world = World::good();
    let good = world.certifications[0].body.clone();
    let mut found = Found::default();
    for mut change in changes(&good) {
        // The registry holds text, and gives no other.
        if std::str::from_utf8(&change.bytes).is_err() {
            continue;
        }
        world.certifications[0].body = std::mem::take(&mut change.bytes);
        found.note(change, world.judge().map_err(|denial| denial.code));
    }
    found.refused_by(&[member(&good, "keyid")], &[Code::CertificationInvalid]);
}
