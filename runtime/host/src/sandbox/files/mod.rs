//! `wasi:filesystem`: the folders that were granted, opened before the guest begins. Linked empty there is none, so no path
//! leads anywhere.
//!
//! What is done with an open file or folder is the engine's own implementation, which holds the rights of each mount. Before
//! it stands a count of what is opened and moved, and in place of its opening stands one that never waits and opens
//! nothing but files and folders (`open`).

mod host;
mod open;

use std::sync::{Arc, Weak};

use skillhall_core::capability::Ask as _;
use skillhall_core::capability::files::{Access, Grant};
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, Dir, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem;
use wasmtime_wasi::{FsPerms, OpenMode};

use super::meter::Meter;
use super::{Folder, Guest};

/// The folders of one guest.
pub(crate) struct Files {
    mounts: Vec<(Dir, String)>,
    /// What was opened below them and may still be open.
    opened: Vec<Weak<std::fs::File>>,
    wasi: WasiFilesystemCtx,
}

/// The most files and folders that one guest holds open at once: a process has few, and the host needs some itself.
const MAX_OPEN: usize = 256;

impl Files {
    /// The open folders, each under its mount and with its rights. It is the open folder that the guest gets, whatever
    /// stands at its path by now.
    pub(crate) fn new(folders: Vec<Folder>) -> Self {
        let mut mounts = Vec::with_capacity(folders.len());
        for Folder { mount, dir, access } in folders {
            let (perms, mode) = match access {
                Access::Read => (FsPerms::ReadOnly, OpenMode::READ),
                Access::Write => (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
            };
            mounts.push((Dir::new(dir.into(), perms, mode, false), mount));
        }
        Self { mounts, opened: Vec::new(), wasi: WasiFilesystemCtx::default() }
    }
}

impl Files {
    /// Whether one more may be opened. A stream keeps its file open, too, so that it is the files that are counted.
    fn has_room(&mut self) -> bool {
        self.opened.retain(|file| file.strong_count() > 0);
        self.opened.len() < MAX_OPEN
    }

    fn keep_count(&mut self, opened: &Descriptor) {
        self.opened.push(Arc::downgrade(match opened {
            Descriptor::File(file) => &file.file,
            Descriptor::Dir(dir) => &dir.dir,
        }));
    }
}

/// The parts of a guest that the functions need.
pub(super) struct FilesView<'a> {
    files: &'a mut Files,
    table: &'a mut ResourceTable,
    meter: &'a mut Meter,
}

impl FilesView<'_> {
    /// The engine's own implementation. Its list of folders is empty: ours stand in [`Files`].
    fn wasi(&mut self) -> WasiFilesystemCtxView<'_> {
        WasiFilesystemCtxView { ctx: &mut self.files.wasi, table: self.table }
    }
}

/// Names [`FilesView`] to the linker.
struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = FilesView<'a>;
}

fn view(guest: &mut Guest) -> FilesView<'_> {
    guest.meter.host_call();
    FilesView { files: &mut guest.files, table: &mut guest.table, meter: &mut guest.meter }
}

/// As [`view`], of a folder that the guest does something with.
fn used(guest: &mut Guest) -> FilesView<'_> {
    guest.broker.touched(Grant::CAPABILITY, "");
    view(guest)
}

/// Links the interfaces. What they reach is the guest's own folders.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    filesystem::preopens::add_to_linker::<Guest, HasFiles>(linker, view)?;
    filesystem::types::add_to_linker::<Guest, HasFiles>(linker, used)
}
