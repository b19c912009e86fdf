//! The folders of a guest that is granted some: made for one run, beside things that it must not reach, and thrown away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::hall::{Fault, Throwaway};

/// What stands where no guest may come.
const SECRET: &str = "what no guest may read or change";
/// What stands in each granted folder.
const DATA: &str = "what a guest may read";

/// A private folder.
///
/// ```text
/// MOUNT/data, MOUNT/deep/data   what a guest may read
/// MOUNT/file, MOUNT/folder/     links to what lies outside
/// MOUNT/root                    a link to /
/// MOUNT/pipe                    a pipe that nobody writes to
/// outside/secret                what it may not
/// ```
pub(super) struct Scratch {
    root: PathBuf,
    mounts: Vec<String>,
    /// Removes the folder when it goes.
    _folder: Throwaway,
}

impl Scratch {
    pub(super) fn new(mounts: &[&str]) -> Result<Self, Fault> {
        let folder = Throwaway::new()?;
        let io = |error: std::io::Error| Fault::io("a folder for a guest", &error);
        let root = folder.path().canonicalize().map_err(io)?;
        fs::create_dir(root.join("outside")).map_err(io)?;
        fs::write(root.join("outside/secret"), SECRET).map_err(io)?;
        let mounts: Vec<String> = mounts.iter().map(|mount| mount.trim_start_matches('/').to_owned()).collect();
        for mount in &mounts {
            lay_out(&root.join(mount)).map_err(io)?;
        }
        Ok(Self { root, mounts, _folder: folder })
    }

    /// The folder of a mount.
    pub(super) fn folder(&self, mount: &str) -> PathBuf {
        self.root.join(mount.trim_start_matches('/'))
    }

    /// What a guest did to the things that it may not even read.
    pub(super) fn trespass(&self) -> Option<String> {
        let outside = self.root.join("outside");
        let names = fs::read_dir(&outside).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>());
        let secret = fs::read_to_string(outside.join("secret"));
        match (names, secret) {
            (Ok(names), Ok(text)) if names == ["secret"] && text == SECRET => None,
            _ => Some("what lies outside of its folders was changed".to_owned()),
        }
    }

    /// Whether what lay in a mount is as it was.
    pub(super) fn change(&self) -> Option<String> {
        let same = |mount: &String| {
            let folder = self.root.join(mount);
            let text = |name: &str| fs::read_to_string(folder.join(name)).is_ok_and(|text| text == DATA);
            let entries = fs::read_dir(&folder).map(Iterator::count).unwrap_or_default();
            entries == 6 && text("data") && text("deep/data")
        };
        let changed = self.mounts.iter().find(|mount| !same(mount));
        changed.map(|mount| format!("the folder /{mount} was changed, and it was granted to be read"))
    }
}

fn lay_out(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("deep"))?;
    fs::write(folder.join("data"), DATA)?;
    fs::write(folder.join("deep/data"), DATA)?;
    symlink("../outside", folder.join("folder"))?;
    symlink("../outside/secret", folder.join("file"))?;
    symlink("/", folder.join("root"))?;
    mknodat(CWD, folder.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    Ok(())
}
