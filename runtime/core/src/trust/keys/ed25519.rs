//! Ed25519 keys: strict verification only, weak points refused when a key is read.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::digest::{hex, unhex};
use crate::random::{self, RandomError};

use super::KeyError;

/// A private Ed25519 key. It is wiped when dropped and never shown: no Debug, Clone or Serialize.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// If the operating system gives no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self::from_seed(&Zeroizing::new(random::bytes::<32>()?)))
    }

    /// The key of a 32-byte seed (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads PKCS#8 in PEM (RFC 8410), as this crate and openssl write it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`]; the text is not repeated in it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(text)
            .map_err(|_| KeyError::Malformed("no Ed25519 private key in PKCS#8 PEM form".into()))?;
        Ok(Self(key))
    }

    /// PKCS#8 in PEM, without the public key (version 1 of the form, which every tool reads).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the encoder refuses.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Malformed("the key cannot be written as PKCS#8".into()))
    }

    /// Reads PKCS#8 in PEM that is sealed by a passphrase (RFC 5958, PBES2), as this crate and openssl write it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the text is none, or the passphrase is not the one that sealed it; neither is repeated.
    pub fn from_sealed_pem(text: &str, passphrase: &[u8]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_pkcs8_encrypted_pem(text, passphrase)
            .map_err(|_| KeyError::Malformed("no Ed25519 private key in sealed PKCS#8 PEM form, or another passphrase".into()))?;
        Ok(Self(key))
    }

    /// PKCS#8 in PEM, sealed by a passphrase (scrypt and AES-256-CBC).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the encoder refuses.
    pub fn to_sealed_pem(&self, passphrase: &[u8]) -> Result<Zeroizing<String>, KeyError> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        pair.to_pkcs8_encrypted_pem(passphrase, LineEnding::LF)
            .map_err(|_| KeyError::Malformed("the key cannot be written as sealed PKCS#8".into()))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of the message (pure Ed25519, RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A public Ed25519 key that is canonically encoded and not of small order. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes of a key.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if they are no point in its one canonical encoding, [`KeyError::Weak`] if the point is of
    /// small order (then a signature could fit any message).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| KeyError::Malformed(format!("{} is no Ed25519 public key", hex(bytes))))?;
        if key.is_weak() {
            return Err(KeyError::Weak(hex(bytes)));
        }
        if key.to_edwards().compress().to_bytes() != *bytes {
            return Err(KeyError::Malformed(format!("{} is no canonical Ed25519 public key", hex(bytes))));
        }
        Ok(Self(key))
    }

    /// Reads a `SubjectPublicKeyInfo` in PEM (RFC 8410), as openssl writes it.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the text is none, and as [`from_bytes`](Self::from_bytes).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_public_key_pem(text)
            .map_err(|_| KeyError::Malformed("no Ed25519 public key in PEM form".into()))?;
        Self::from_bytes(key.as_bytes())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether the signature is one of this key over the message: strict verification, which refuses what another
    /// verifier could judge otherwise (small-order points, malleable scalars, encodings that are not canonical).
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes: Option<[u8; 32]> = unhex(text).and_then(|bytes| bytes.try_into().ok());
        Self::from_bytes(&bytes.ok_or_else(|| KeyError::Malformed("a public key is 64 lower-case hexadecimal digits".into()))?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.to_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
