//! Which file is at the path, and may it be read?

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path};

use crate::bindings::exports::skillhall::csv_stats::api::DescribeError;

/// The most bytes of a file.
pub(crate) const MAX_BYTES: u64 = 32 << 20;

/// Opens a file below the folder. The host would refuse a path that leads out; asking for one is told here already.
pub(crate) fn open(folder: &Path, path: &str) -> Result<File, DescribeError> {
    let plain = |part: &str| matches!(Path::new(part).components().collect::<Vec<_>>().as_slice(), [Component::Normal(_)]);
    if !path.split('/').all(plain) {
        return Err(DescribeError::NotReadable);
    }
    let file = File::open(folder.join(path)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => DescribeError::NotFound,
        _ => DescribeError::NotReadable,
    })?;
    let metadata = file.metadata().map_err(|_| DescribeError::NotReadable)?;
    if !metadata.is_file() {
        return Err(DescribeError::NotReadable);
    }
    if metadata.len() > MAX_BYTES {
        return Err(DescribeError::TooLarge(MAX_BYTES));
    }
    Ok(file)
}
