//! What an admission rests on, written down instead of found.

use skillhall_tests::skillhall::hall::Admitted;
use skillhall_tests::skillhall_core::digest::Digest;
use skillhall_tests::skillhall_core::trust::AttestationFacts;

pub fn forge(attestation: AttestationFacts) -> Admitted {
    Admitted {
        manifest_hash: Digest::of(b""),
        matched_rule: String::new(),
        policy_version: String::new(),
        tier: 0,
        local_hall: false,
        attestation,
        certification: String::new(),
    }
}

fn main() {}
