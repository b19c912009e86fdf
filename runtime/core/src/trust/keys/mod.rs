//! Keys: what signs, what checks, which key counts for which namespace and when.

mod ed25519;
mod files;
mod keyring;
mod secret;
mod verdicts;

pub use ed25519::{PublicKey, SigningKey};
pub use files::{ENVIRONMENT_KEY, FileKeys, KEYRING_FILE};
pub use keyring::{Algorithm, Approver, KeyRecord, KeyState, Keyring, NamespaceKeys, Purpose, Require};
pub use secret::{MIN_SECRET_BYTES, Secret};
pub use verdicts::Verdicts;

use crate::denial::{Code, Denial};
use crate::id::{KeyId, Namespace};

/// A key or the keyring cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The file is not there or cannot be read or written.
    #[error("{file}: {message}")]
    Unreadable {
        /// The file in the folder of keys.
        file: String,
        /// What the operating system said.
        message: String,
    },
    /// The file of a secret can be read or written by others.
    #[error("{0} holds a secret and can be read by others; make it readable by its owner only (mode 0600)")]
    Exposed(String),
    /// The bytes are no key or no keyring.
    #[error("{0}")]
    Malformed(String),
    /// The key is too weak to prove anything: an Ed25519 point of small order.
    #[error("{0} is too weak to prove anything: a point of small order")]
    Weak(String),
    /// The operating system gave no randomness.
    #[error(transparent)]
    Random(#[from] crate::random::RandomError),
}

impl KeyError {
    /// The denial of a gate that could not judge a signature because of this.
    #[must_use]
    pub fn denial(&self) -> Denial {
        let code = if matches!(self, Self::Weak(_)) { Code::KeyWeak } else { Code::KeyUnknown };
        Denial::new(code, format!("no signature can be judged: {self}")).advise(self.hint())
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { file, .. } => {
                format!("Put {file} back into the hall's folder of keys, from a copy that you trust.")
            }
            Self::Exposed(file) => {
                format!(
                    "chmod 600 {file} in the hall's folder of keys; if anybody may have read it, make a new key, too: hall keys new"
                )
            }
            Self::Malformed(_) => {
                "Put the file back into the hall's folder of keys as it was made, or make a new key: hall keys new".into()
            }
            Self::Weak(_) => "Make a strong key: hall keys new".into(),
            Self::Random(_) => "See why the operating system gives no randomness, and try again.".into(),
        }
    }
}

/// Where gates get keys from, anew at each call.
pub trait KeySource: Send + Sync {
    /// The keyring as it stands now.
    ///
    /// # Errors
    /// If it cannot be read or is no valid keyring; the gate then denies.
    fn keyring(&self) -> Result<Keyring, KeyError>;

    /// The HMAC secret of a key, if it is at hand for this namespace; `None` if it is not.
    ///
    /// # Errors
    /// If it is there and cannot be read or may not be used; the gate then denies.
    fn hmac_secret(&self, key: &KeyId, namespace: &Namespace) -> Result<Option<Secret>, KeyError>;

    /// Where Ed25519 verdicts over bytes that do not change are remembered; `None`: each is computed anew.
    fn verdicts(&self) -> Option<&Verdicts> {
        None
    }
}

/// The keys of a host that was given none: an empty keyring and no secret, so no signature of anybody counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeys;

impl KeySource for NoKeys {
    fn keyring(&self) -> Result<Keyring, KeyError> {
        Ok(Keyring::default())
    }

    fn hmac_secret(&self, _: &KeyId, _: &Namespace) -> Result<Option<Secret>, KeyError> {
        Ok(None)
    }
}
