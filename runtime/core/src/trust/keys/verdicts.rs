//! Signatures that have fitted once: whether bytes, a signature and a key fit never changes, so it need not be computed
//! at each call. Whether the key counts now is never remembered.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

use super::PublicKey;

const MAX_VERDICTS: usize = 4096;

/// A bounded memory of good Ed25519 verdicts, by SHA-256 over key, signature and message. A bad verdict is not kept.
#[derive(Default)]
pub struct Verdicts(Mutex<HashSet<Digest>>);

impl Verdicts {
    /// As [`PublicKey::verify`], computed at most once while it is remembered.
    #[must_use]
    pub fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        // Key and signature have fixed lengths, so no two questions have the same bytes.
        let Ok(signature) = <&[u8; 64]>::try_from(signature) else { return false };
        let hasher = Sha256::new().chain_update(key.to_bytes()).chain_update(signature).chain_update(message);
        let question = Digest::from_bytes(hasher.finalize().into());
        if self.with(|known| known.contains(&question)) {
            return true;
        }
        let fits = key.verify(message, signature);
        if fits {
            self.with(|known| {
                if known.len() >= MAX_VERDICTS {
                    known.clear();
                }
                known.insert(question);
            });
        }
        fits
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashSet<Digest>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    pub(in crate::trust) fn len(&self) -> usize {
        self.with(|known| known.len())
    }
}
