//! Who vouches for a package: keys, awp.v1 and DSSE attestation, certification, and the gate [`verify`](verify::verify).
//!
//! A key id that stands in an envelope is a hint and decides nothing: the key is looked up in the keyring of the
//! package's namespace, and the algorithm belongs to the key.

pub mod approve;
pub mod attest;
pub mod awp;
pub mod certify;
pub mod dsse;
pub mod facts;
pub mod keys;
pub mod statement;
pub mod verify;

#[cfg(test)]
mod tests;

pub use attest::attest;
pub use facts::{AttestationFacts, CertificationFacts, CertificationInput, Expected, Form};
pub use verify::{VerifiedPackage, attested, verify};
