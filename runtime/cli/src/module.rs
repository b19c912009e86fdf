//! A core module that says which component it is meant to be is made that component, as `wasm-tools component new` does it.

use std::panic::catch_unwind;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wit_component::ComponentEncoder;

/// How a core module begins.
const CORE: &[u8] = b"\0asm\x01\0\0\0";

/// The component of what a build wrote: itself, unless it is a core module. Its imports of WASI 0.1 become those of 0.2.
///
/// # Errors
/// Why none can be made of it: most often, that the module does not say what it imports and exports.
pub(crate) fn made_of(built: Vec<u8>) -> Result<Vec<u8>, String> {
    if !built.starts_with(CORE) {
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
        for torn in [&CORE[..], b"\0asm\x01\0\0\0\x01", b"\0asm\x01\0\0\0\0\xff\xff\xff\xff\x0f"] {
            let made = made_of(torn.to_vec());
            assert!(made.is_err() || made.is_ok_and(|made| !made.starts_with(CORE)), "{torn:?}");
        }
    }
}
