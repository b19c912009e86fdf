//! A shared secret for HMAC-SHA256.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::digest::hex;
use crate::random::{self, RandomError};

/// The fewest bytes of a secret that attests skills (RFC 2104, section 3: not less than the hash's length).
pub const MIN_SECRET_BYTES: usize = 32;

/// The bytes of a shared secret. They are wiped when dropped and never shown: no Debug, Clone or Serialize.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over, untrimmed.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new secret: 32 random bytes as 64 hexadecimal digits, so that it is text and fits an environment variable.
    ///
    /// # Errors
    /// If the operating system gives no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        let raw = Zeroizing::new(random::bytes::<32>()?);
        Ok(Self::new(hex(&*raw).into_bytes()))
    }

    /// Whether there is nothing in it. An empty secret counts as none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is too short to attest a skill. WCP's worker verbs take a weak one, with a warning.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.0.len() < MIN_SECRET_BYTES
    }

    /// HMAC-SHA256 of the message (RFC 2104).
    #[must_use]
    pub fn authenticate(&self, message: &[u8]) -> [u8; 32] {
        self.mac(message).map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }

    /// Whether the tag is the whole HMAC-SHA256 of the message; compared in constant time. A shortened tag is refused.
    #[must_use]
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.mac(message).is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    /// Always there: HMAC takes a key of any length.
    fn mac(&self, message: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(message);
        Some(mac)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}
