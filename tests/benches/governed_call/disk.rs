//! What the disk itself takes: an append and its sync, without anything around it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

pub(crate) struct Appender {
    file: File,
    bytes: Vec<u8>,
}

impl Appender {
    pub(crate) fn new(folder: &Path, bytes: usize) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(folder.join("raw")).expect("the file opens");
        Self { file, bytes: vec![b'x'; bytes] }
    }

    pub(crate) fn append(&self) {
        (&self.file).write_all(&self.bytes).expect("the disk takes it");
        self.file.sync_data().expect("the disk confirms it");
    }
}
