//! The names of the functions in which a guest trapped.

use wasmtime::WasmBacktrace;

use crate::sandbox::inert;

/// How many frames of a trap are kept.
pub(crate) const MAX_FRAMES: usize = 32;
/// How many characters of a function's name are kept.
pub(crate) const MAX_NAME: usize = 256;

/// Function names from the innermost frame outwards, demangled. The names are the guest's own words, so they are cut and
/// made inert.
pub(super) fn names(backtrace: &WasmBacktrace) -> Vec<String> {
    let text = backtrace.to_string();
    text.lines().filter_map(frame).take(MAX_FRAMES).collect()
}

/// The engine prints one frame a line, `  0:   0x51 - module!function`; it alone can demangle. A name that itself holds a
/// line break can only make lines of its own that look like frames of the same guest.
fn frame(line: &str) -> Option<String> {
    let (_, place) = line.split_once(" - ")?;
    let name = place.split_once('!').map_or(place, |(_, function)| function);
    Some(inert(without_hash(name.trim()).as_bytes()).replace('\t', " ").chars().take(MAX_NAME).collect())
}

/// Rust's older mangling ends a path with `::h` and 16 digits that say nothing to anybody.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => name,
    }
}
