//! The texts of hostile guests in `tests/guests`.
//!
//! `(;* N ;)` begins a part that is repeated N times, to `(;* ;)`; `{i}` in it is the number of the turn. So a guest that is large
//! stays a small file.

use std::fs;
use std::path::{Path, PathBuf};

/// A path from the repository's root.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The text of a guest as it is kept.
pub(crate) fn source(name: &str) -> String {
    fs::read_to_string(repository("tests/guests").join(format!("{name}.wat"))).unwrap()
}

/// The text of a guest, written out.
pub(super) fn hostile(name: &str) -> String {
    expand(&source(name)).unwrap()
}

/// The text with what is repeated written out.
pub(crate) fn expand(text: &str) -> Result<String, String> {
    const BEGIN: &str = "(;*";
    const END: &str = "(;* ;)";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        out.push_str(before);
        let (count, after) = after.split_once(";)").ok_or("a repetition without a count")?;
        let count: u32 = count.trim().parse().map_err(|_| "a repetition without a count")?;
        let (part, behind) = after.split_once(END).ok_or("a repetition without an end")?;
        let numbered = part.contains("{i}");
        for turn in 0..count {
            if numbered {
                out.push_str(&part.replace("{i}", &turn.to_string()));
            } else {
                out.push_str(part);
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}
