//! Loading compiled code: the one `unsafe` of this crate.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled code of which it is known that this host's own compiler made it: the cache made this value after the MAC over
/// these very bytes held, or the compiler has just given them.
pub(super) struct Authenticated<'a>(&'a [u8]);

impl<'a> Authenticated<'a> {
    /// Only `cache.rs` calls this, with bytes whose MAC it has just checked.
    pub(super) fn vouched_for(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Only `prepare.rs` calls this, with bytes that the compiler of these engines has just given.
    pub(super) fn fresh(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

/// Maps authenticated code as a component. The bytes go into a sealed, anonymous file first, so that nobody can change
/// them between the check and the mapping, or afterwards.
pub(super) fn load(engine: &Engine, code: &Authenticated<'_>) -> wasmtime::Result<Component> {
    let file = sealed(code.0)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    deserialize(engine, &path)
}

/// An anonymous file with these bytes, at whose end it stands and which nobody can change any more.
pub(crate) fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    let descriptor = rustix::fs::memfd_create("skillhall-sealed", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(descriptor);
    file.write_all(bytes)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

#[expect(unsafe_code, reason = "wasmtime cannot check compiled code, so it leaves the proof to its caller")]
fn deserialize(engine: &Engine, path: &str) -> wasmtime::Result<Component> {
    // SAFETY: `Component::deserialize_file` asks for two things.
    // (1) The file is what this engine's own compiler once gave. `path` names the anonymous file made by `sealed`
    //     in `load`, the only caller, and it holds the bytes of an `Authenticated`. Those come from two places.
    //     (a) From the `Compiler` of these engines, just now: wasmtime's `precompile_component` with this very configuration, in this
    //     process or in a process that this one started from its own executable and that told the same compatibility hash.
    //     What the latter wrote is believed as its code is: a component that takes over wasmtime's compiler, which is safe
    //     Rust, could choose these bytes, as it could inside this process (docs/sandbox.md, "Compiling").
    //     (b) From the cache, after an HMAC-SHA256 over header and code held, under a key that is random, local to the host
    //     and out of every guest's and the compiling process's reach; and the only writer under that key writes what came by
    //     (a) and was loaded, together with the compatibility hash, which was compared with this engine's.
    // (2) The file does not change while the component lives. The seals F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK and
    //     F_SEAL_SEAL were put on before the file was opened by its path, so no process can write to it or resize it, through
    //     any descriptor, and none can lift the seals; the mapping keeps the file alive after the descriptor is closed.
    unsafe { Component::deserialize_file(engine, path) }
}

#[cfg(test)]
mod tests {
    use std::io::Seek as _;

    use super::*;

    #[test]
    fn sealed_bytes_cannot_be_changed() {
        let mut file = File::from(sealed(b"code").unwrap());
        file.rewind().unwrap();
        assert!(file.write_all(b"evil").is_err());
        assert!(file.set_len(0).is_err());
        assert!(file.set_len(100).is_err());
        assert!(rustix::fs::fcntl_add_seals(&file, SealFlags::FUTURE_WRITE).is_err());
    }
}
