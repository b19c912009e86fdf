//! A core module that says which component it is meant to be is made that component, as `wasm-tools component new` does it.

use std::panic::catch_unwind;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wit_component::ComponentEncoder;

/// How a core module begins.
const CORE: &[u8] = b"\0asm\x01\0\0\0";
/// The section, or the beginning of its name, by which a core module says which component it is meant to be.
const SAYS: &[u8] = b"component-type";

/// The component of what a build wrote: itself, unless it is a core module that says what it is meant to be. Its imports of WASI 0.1
/// become those of 0.2.
///
/// # Errors
/// Why none can be made of it: most often, that it does not import and export what it says.
pub(crate) fn made_of(built: Vec<u8>) -> Result<Vec<u8>, String> {
    if !built.starts_with(CORE) || !built.windows(SAYS.len()).any(|bytes| bytes == SAYS) {
        return Ok(built);
    }
    let made = catch_unwind(|| {
        let encoder = ComponentEncoder::default().validate(true).module(&built)?;
        encoder.adapter(PREVIEW1, ADAPTER)?.encode()
    });
    made.map_err(|_| "it cannot be read".to_owned())?.map_err(|error| format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_component_stays_and_what_says_nothing_is_none() {
        let component = b"\0asm\x0d\0\x01\0".to_vec();
        assert_eq!(made_of(component.clone()), Ok(component));
        assert_eq!(made_of(b"text".to_vec()), Ok(b"text".to_vec()));
        assert_eq!(made_of(CORE.to_vec()), Ok(CORE.to_vec()), "it is told to be a core module where it is read");
        for torn in [&b"\x01"[..], b"\0\xff\xff\xff\xff\x0f", b"\0\x0f\x0ecomponent-type", b"\0\x10\x0ecomponent-type\0"] {
            assert!(made_of([CORE, torn, SAYS].concat()).is_err(), "{torn:?}");
        }
    }
}
