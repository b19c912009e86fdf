//! The package as one deterministic `.skill` file: a tar archive (POSIX.1-2024, pax, "ustar Interchange Format") of exactly one
//! form.
//!
//! Files stand in the order of their paths, each once, with mode 0644 and all of owner, group, time and device zero; there
//! are no folders, links or extended headers, and two zero blocks end the archive. Reading writes each header again and
//! takes it only if it is equal byte for byte, so there is one archive for a package and one package for an archive.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{Package, PackageError};
use super::layout;

const BLOCK: usize = 512;
/// What ends an archive.
const END: usize = 2 * BLOCK;

/// The most bytes that the archive of a package can have; who reads one from a file need not read further.
pub const MAX: u64 = layout::MAX_COMPONENT
    + layout::MAX_SKILL_JSON
    + 2 * layout::MAX_ATTESTATION
    + layout::MAX_FILES_TOGETHER
    + (2 * layout::MAX_FILES as u64 * BLOCK as u64)
    + END as u64;

/// The archive of a package; the same bytes for the same package, everywhere and always.
#[must_use]
pub fn write(package: &Package) -> Vec<u8> {
    let size: usize = package.files().map(|(_, bytes)| BLOCK + bytes.len() + padding(bytes.len())).sum();
    let mut archive = Vec::with_capacity(size + END);
    for (path, bytes) in package.files() {
        archive.extend_from_slice(&header(path, bytes.len()));
        archive.extend_from_slice(bytes);
        archive.resize(archive.len() + padding(bytes.len()), 0);
    }
    archive.resize(archive.len() + END, 0);
    archive
}

/// Reads the archive of a package.
///
/// # Errors
/// [`PackageError::Layout`] unless the bytes are exactly what [`write()`] gives for the package that they hold, and what
/// [`Package::from_files`] refuses.
pub fn read(archive: &[u8]) -> Result<Package, PackageError> {
    if u64::try_from(archive.len()).unwrap_or(u64::MAX) > MAX {
        return Err(too_large());
    }
    let mut budget = layout::Budget::default();
    let mut files: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
    let mut rest = archive;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        let (path, size) = entry(block)?;
        let max = budget.admit(path)?;
        if u64::try_from(size).unwrap_or(u64::MAX) > max {
            return Err(layout::too_large(path, max));
        }
        if files.last_key_value().is_some_and(|(last, _)| last.as_str() >= path) {
            return Err(PackageError::Layout(format!("{path} is out of order in the archive, or comes twice")));
        }
        let (bytes, after) = after.split_at_checked(size).ok_or_else(|| ends_inside(path))?;
        let (filling, after) = after.split_at_checked(padding(size)).ok_or_else(|| ends_inside(path))?;
        if filling.iter().any(|byte| *byte != 0) {
            return Err(PackageError::Layout(format!("the archive holds bytes between {path} and the next file")));
        }
        budget.spend(path, max.min(u64::try_from(size).unwrap_or(u64::MAX)));
        files.insert(path.to_owned(), bytes.into());
        rest = after;
    }
    if rest.len() != END || rest.iter().any(|byte| *byte != 0) {
        return Err(PackageError::Layout("the archive does not end with exactly two zero blocks".into()));
    }
    Package::from_files(files)
}

fn padding(size: usize) -> usize {
    (BLOCK - size % BLOCK) % BLOCK
}

fn too_large() -> PackageError {
    PackageError::Layout(format!("the archive is larger than {MAX} bytes"))
}

fn ends_inside(path: &str) -> PackageError {
    PackageError::Layout(format!("the archive ends inside of {path}"))
}

/// The path and size that a header states, if it is the one header for them.
fn entry(block: &[u8; BLOCK]) -> Result<(&str, usize), PackageError> {
    let odd = || PackageError::Layout("the archive holds a header that is not of the one form (docs/package.md)".into());
    let path = block.get(..layout::MAX_PATH).ok_or_else(odd)?.split(|byte| *byte == 0).next().ok_or_else(odd)?;
    let path = std::str::from_utf8(path).map_err(|_| odd())?;
    let digits = block.get(124..135).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(odd)?;
    let size = usize::from_str_radix(digits, 8).map_err(|_| odd())?;
    if path.is_empty() || header(path, size) != *block {
        return Err(odd());
    }
    Ok((path, size))
}

/// The one header for a path of at most 100 bytes and a size of at most 64 MiB.
fn header(path: &str, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    put(&mut block, 0, path.as_bytes());
    put(&mut block, 100, b"0000644\0");
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    put(&mut block, 136, b"00000000000\0");
    put(&mut block, 148, b"        ");
    put(&mut block, 156, b"0");
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 329, b"0000000\0");
    put(&mut block, 337, b"0000000\0");
    // The sum is taken while its own field holds spaces.
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

#[cfg(test)]
#[path = "tests/archive.rs"]
mod tests;
