//! Compiled code on disk, authenticated: a file that was not written under this host's key is never loaded.
//!
//! File: `magic (16) | engine compatibility (32) | component SHA-256 (32) | code | HMAC-SHA256 over all before it (32)`.
//! A decision is never cached, only code.

use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::io;

use cap_std::fs::Dir;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use skillhall_core::digest::Digest;
use skillhall_core::store;
use wasmtime::Engine;
use zeroize::Zeroizing;

use super::code::{Authenticated, Loaded, load};

const MAGIC: &[u8; 16] = b"skillhall-code-1";
const MAC_BYTES: usize = 32;
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The key that authenticates compiled code: random, local to this host, derived from nothing that is shared.
pub(crate) struct CacheKey(Zeroizing<[u8; 32]>);

impl CacheKey {
    /// A key of 32 random bytes.
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(..)")
    }
}

/// Where compiled code is kept.
#[derive(Debug)]
pub(crate) struct CacheConfig {
    /// A folder for nothing else.
    pub(crate) dir: Dir,
    /// The key.
    pub(crate) key: CacheKey,
}

/// Why a cached file was not loaded. Worth recording: but for a crash or an upgrade, nobody but this host writes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It is shorter than its header, or begins with something else.
    Malformed,
    /// The MAC is wrong: the bytes were not written under this host's key, or were changed since.
    WrongMac,
    /// The MAC is right, and the file is for another engine or component than its name says.
    Misplaced,
    /// It cannot be read, or the engine does not take it.
    Unreadable(String),
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the file is no cached code"),
            Self::WrongMac => f.write_str("the file was not written under this host's key, or was changed since"),
            Self::Misplaced => f.write_str("the file belongs to another engine or component"),
            Self::Unreadable(why) => write!(f, "the file cannot be used: {why}"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Cache {
    dir: Dir,
    key: CacheKey,
}

impl Cache {
    pub(super) fn new(config: CacheConfig) -> Self {
        Self { dir: config.dir, key: config.key }
    }

    /// The component's code, if it is there and authentic; `Ok(None)` if it is not there.
    pub(super) fn load(&self, engine: &Engine, compatibility: Digest, component: Digest) -> Result<Option<Loaded>, Rejection> {
        let file = match store::read(&self.dir, &name(compatibility, component), MAX_FILE_BYTES) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Rejection::Unreadable(error.to_string())),
        };
        let code = self.authenticate(&file, compatibility, component)?;
        load(engine, &code).map(Some).map_err(|error| Rejection::Unreadable(format!("{error:#}")))
    }

    /// Keeps the component's code, whole or not at all.
    pub(super) fn keep(&self, compatibility: Digest, component: Digest, code: &[u8]) -> io::Result<()> {
        let mut file = Vec::with_capacity(code.len().saturating_add(112));
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(compatibility.as_bytes());
        file.extend_from_slice(component.as_bytes());
        file.extend_from_slice(code);
        let mac = self.mac().chain_update(&file).finalize().into_bytes();
        file.extend_from_slice(&mac);
        store::write(&self.dir, &name(compatibility, component), &file, 0o600)
    }

    fn authenticate<'a>(&self, file: &'a [u8], compatibility: Digest, component: Digest) -> Result<Authenticated<'a>, Rejection> {
        let (signed, mac) = file.split_last_chunk::<MAC_BYTES>().ok_or(Rejection::Malformed)?;
        let (magic, rest) = signed.split_first_chunk::<16>().ok_or(Rejection::Malformed)?;
        let (for_engine, rest) = rest.split_first_chunk::<32>().ok_or(Rejection::Malformed)?;
        let (for_component, code) = rest.split_first_chunk::<32>().ok_or(Rejection::Malformed)?;
        if magic != MAGIC {
            return Err(Rejection::Malformed);
        }
        self.mac().chain_update(signed).verify_slice(mac).map_err(|_| Rejection::WrongMac)?;
        if for_engine != compatibility.as_bytes() || for_component != component.as_bytes() {
            return Err(Rejection::Misplaced);
        }
        Ok(Authenticated::vouched_for(code))
    }

    fn mac(&self) -> Hmac<Sha256> {
        // RFC 2104: a key shorter than a block is filled up with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block.iter_mut().zip(self.key.0.iter()).for_each(|(place, byte)| *place = *byte);
        Hmac::<Sha256>::new((&*block).into())
    }
}

fn name(compatibility: Digest, component: Digest) -> String {
    format!("{component}-{}.code", compatibility.short())
}

/// What wasmtime says two engines must share to exchange code: its version, target and flags, as one digest.
pub(super) fn compatibility(engine: &Engine) -> Digest {
    let mut bytes = Collect(Vec::new());
    engine.precompile_compatibility_hash().hash(&mut bytes);
    Digest::of(&bytes.0)
}

/// Collects what would be hashed. `finish` is not asked for.
struct Collect(Vec<u8>);

impl Hasher for Collect {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
