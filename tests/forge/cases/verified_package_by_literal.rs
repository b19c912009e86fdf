//! A verified package written down instead of earned.

use skillhall_tests::skillhall_core::trust::VerifiedPackage;

pub fn forge(
    package: std::sync::Arc<skillhall_tests::skillhall_core::package::Package>,
    package_hash: skillhall_tests::skillhall_core::digest::Digest,
    attestation: skillhall_tests::skillhall_core::trust::AttestationFacts,
    certification: skillhall_tests::skillhall_core::trust::CertificationFacts,
) -> VerifiedPackage {
    VerifiedPackage { package, package_hash, attestation, certification }
}

fn main() {}
