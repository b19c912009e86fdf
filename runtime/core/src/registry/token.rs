//! The text of a token: shown once when it is issued, presented by whoever holds it, and kept nowhere.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::access::Token;
use crate::digest::{Digest, hex};
use crate::random::{self, RandomError};

/// How the text of every token begins, so that it is known for one wherever it turns up.
pub const TOKEN_PREFIX: &str = "skh_";

/// Bytes of the id and of the secret, both random.
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// The text of a token: `skh_<16 digits>_<64 digits>`, the id and 256 random bits. It is wiped when dropped and never shown
/// by accident: no Display, Clone or Serialize, and Debug gives the id alone.
pub struct TokenText {
    text: Zeroizing<String>,
    id: String,
}

/// A text that is no token. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("that is no token: skh_, 16 hexadecimal digits, _ and 64 hexadecimal digits")]
pub struct TokenTextError;

impl TokenText {
    /// A new token's text.
    ///
    /// # Errors
    /// If the operating system gives no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        let id = hex(&random::bytes::<ID_BYTES>()?);
        let secret = Zeroizing::new(random::bytes::<SECRET_BYTES>()?);
        let secret = Zeroizing::new(hex(&*secret));
        Ok(Self { text: Zeroizing::new(format!("{TOKEN_PREFIX}{id}_{}", *secret)), id })
    }

    /// Reads a token's text; line breaks at its end are no part of it.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, TokenTextError> {
        let text = text.trim_end_matches(['\n', '\r']);
        let is_hex = |text: &str, bytes: usize| {
            text.len() == 2 * bytes && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        match text.strip_prefix(TOKEN_PREFIX).and_then(|rest| rest.split_once('_')) {
            Some((id, secret)) if is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES) => {
                Ok(Self { text: Zeroizing::new(text.to_owned()), id: id.to_owned() })
            }
            _ => Err(TokenTextError),
        }
    }

    /// The token's id, which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text itself: for the one who is to hold it, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is presented of it: the id and the hash.
    #[must_use]
    pub fn presented(&self) -> Presented {
        Presented { id: self.id.clone(), hash: Digest::of(self.text.as_bytes()) }
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenText({})", self.id)
    }
}

/// A token as it was presented: its id, and the hash of its text. The text cannot be had from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    id: String,
    hash: Digest,
}

impl Presented {
    /// The token's id, as its text says it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The hash of its text, for the registry.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Whether this is that token: id and hash, the hash compared in constant time.
    #[must_use]
    pub fn is(&self, token: &Token) -> bool {
        let same = self.hash.as_bytes().ct_eq(token.record.hash.as_bytes());
        self.id == token.record.id && bool::from(same)
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presented({})", self.id)
    }
}
