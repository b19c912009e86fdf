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

/// A component, and the sealed file that it was mapped from.
pub(super) struct Loaded {
    pub(super) component: Component,
    pub(super) file: OwnedFd,
}

/// Maps authenticated code as a component. The bytes go into a sealed, anonymous file first, so that nobody can change
/// them between the check and the mapping, or afterwards.
pub(super) fn load(engine: &Engine, code: &Authenticated<'_>) -> wasmtime::Result<Loaded> {
    mapped(engine, sealed(code.0)?)
}

/// Maps code that the parent of this process loaded itself, and handed over in the very file.
///
/// # Errors
/// If the file is not sealed, or the engine does not take the code.
pub(super) fn handed_over(engine: &Engine, file: OwnedFd) -> wasmtime::Result<Loaded> {
    if !rustix::fs::fcntl_get_seals(&file)?.contains(SEALS) {
        return Err(wasmtime::Error::msg("the code that was handed over is not sealed"));
    }
    mapped(engine, file)
}

fn mapped(engine: &Engine, file: OwnedFd) -> wasmtime::Result<Loaded> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(Loaded { component: deserialize(engine, &path)?, file })
}

/// What keeps a file as it is.
const SEALS: SealFlags = SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK).union(SealFlags::SEAL);

/// An anonymous file with these bytes, at whose end it stands and which nobody can change any more.
pub(crate) fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    let descriptor = rustix::fs::memfd_create("skillhall-sealed", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(descriptor);
    file.write_all(bytes)?;
    rustix::fs::fcntl_add_seals(&file, SEALS)?;
    Ok(file.into())
}

#[expect(unsafe_code, reason = "wasmtime cannot check compiled code, so it leaves the proof to its caller")]
fn deserialize(engine: &Engine, path: &str) -> wasmtime::Result<Component> {
    // SAFETY: `Component::deserialize_file` asks for two things.
    // (1) The file is what this engine's own compiler once gave. `path` names the anonymous file made by `sealed`, in `load`
    //     or in the process that handed it over (c), and it holds the bytes of an `Authenticated`. Those come from two places.
    //     (a) From the `Compiler` of these engines, just now: wasmtime's `precompile_component` with this very configuration, in this
    //     process or in a process that this one started from its own executable and that told the same compatibility hash.
    //     What the latter wrote is believed as its code is: a component that takes over wasmtime's compiler, which is safe
    //     Rust, could choose these bytes, as it could inside this process (docs/sandbox.md, "Compiling").
    //     (b) From the cache, after an HMAC-SHA256 over header and code held, under a key that is random, local to the host
    //     and out of every guest's and the compiling process's reach; and the only writer under that key writes what came by
    //     (a) and was loaded, together with the compatibility hash, which was compared with this engine's.
    //     (c) `handed_over` is called in a worker process alone, with what came over the socket that it was born with: its
    //     parent is the same executable with the same configuration of the engine, and sent the file of a component that it
    //     loaded itself by (a) or (b). Whoever else could send one is who started this process, and needs no such way.
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

    #[test]
    fn code_that_could_still_change_is_not_loaded() {
        let open = rustix::fs::memfd_create("open", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        let error = handed_over(&Engine::default(), open).err().unwrap();
        assert!(error.to_string().contains("not sealed"), "{error}");
    }
}
