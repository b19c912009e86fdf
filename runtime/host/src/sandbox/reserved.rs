//! Which folders of the host no guest is ever given, whatever a policy says and whatever a broker hands over.
//!
//! A skill that saw its hall's own folder would read keys or change the ledger. Folders are told by device and inode, not by
//! their paths: another spelling, a link or a second mount of the same folder is the same folder.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, fstat, fstatfs, openat};
use rustix::io;
use skillhall_core::denial::{Code, Denial};

/// Deeper than this no folder is followed upwards.
const MAX_DEPTH: usize = 512;

/// File systems whose files are the kernel's own: `proc`, `sysfs`, `devpts`, `cgroup`, `cgroup2`, `debugfs`, `tracefs`,
/// `securityfs`, `selinuxfs`, `bpf`, `efivarfs`, `configfs` (Linux, `include/uapi/linux/magic.h`). What is read and written
/// there is this process and this machine, not data.
const OF_THE_KERNEL: [u32; 12] = [
    0x9fa0,
    0x6265_6572,
    0x1cd1,
    0x0027_e0eb,
    0x6367_7270,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xf97c_ff8c,
    0xcafe_4a11,
    0xde5e_81e4,
    0x6265_6570,
];

/// The folders that are kept from every guest.
#[derive(Debug, Default)]
pub struct Reserved {
    folders: Vec<OwnedFd>,
}

/// A folder whatever its path: device and inode.
pub(super) type Identity = (u64, u64);

impl Reserved {
    /// Keeps nothing: for a host that has no folder of its own.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Keeps these folders, all that lies in them, and all that they lie in.
    ///
    /// # Errors
    /// If the operating system gives no further handle to one of them.
    pub fn folders<F: AsFd>(folders: &[F]) -> std::io::Result<Self> {
        let folders = folders.iter().map(|folder| folder.as_fd().try_clone_to_owned()).collect::<std::io::Result<_>>()?;
        Ok(Self { folders })
    }

    /// Whether a guest may be given this open folder under this mount.
    ///
    /// # Errors
    /// [`Code::CapabilityNotGranted`] if it is one of the kept folders, lies in one or has one in it, if it is the kernel's, or if
    /// none of that can be found out.
    pub(crate) fn check(&self, mount: &str, dir: &OwnedFd) -> Result<(), Denial> {
        let refuse = |why: &str| Err(Denial::new(Code::CapabilityNotGranted, format!("the folder granted as {mount} {why}")));
        let unknown =
            |_| Denial::new(Code::CapabilityNotGranted, format!("where the folder granted as {mount} is cannot be told"));
        if is_of_the_kernel(dir).map_err(unknown)? {
            return refuse("belongs to the kernel, and no skill is given such a folder");
        }
        let lineage = lineage(dir).map_err(unknown)?;
        for kept in &self.folders {
            let above = self::lineage(kept).map_err(unknown)?;
            if above.first().is_some_and(|kept| lineage.contains(kept)) {
                return refuse("lies in the hall's own folder, and no skill is given that");
            }
            if lineage.first().is_some_and(|given| above.contains(given)) {
                return refuse("holds the hall's own folder, and no skill is given that");
            }
        }
        Ok(())
    }
}

impl Reserved {
    /// Whether something that lies in these folders lies in one that is kept; yes, if that cannot be found out.
    pub(super) fn holds(&self, folders: &[Identity]) -> bool {
        self.folders.iter().any(|kept| identity(kept).map_or(true, |kept| folders.contains(&kept)))
    }
}

/// Whether a file or folder is the kernel's.
pub(super) fn is_of_the_kernel(file: impl AsFd) -> io::Result<bool> {
    let kind = fstatfs(file)?.f_type;
    Ok(OF_THE_KERNEL.iter().any(|magic| u64::from(*magic) == u64::from(truncated(kind))))
}

/// The number of a file system has 32 bits, whatever the width of the field is that holds it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number has 32 bits")]
fn truncated(kind: rustix::fs::FsWord) -> u32 {
    kind as u32
}

/// The folder itself and every folder that it lies in, up to the root.
fn lineage(dir: &OwnedFd) -> io::Result<Vec<Identity>> {
    let mut found = vec![identity(dir)?];
    let mut below = above(dir)?;
    while found.len() < MAX_DEPTH {
        let next = identity(&below)?;
        if found.last() == Some(&next) {
            return Ok(found);
        }
        found.push(next);
        below = above(&below)?;
    }
    Err(io::Errno::NAMETOOLONG)
}

fn above(dir: &OwnedFd) -> io::Result<OwnedFd> {
    openat(dir, "..", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

pub(super) fn identity(dir: &OwnedFd) -> io::Result<Identity> {
    let found = fstat(dir)?;
    Ok((found.st_dev, found.st_ino))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn folder(path: &Path) -> OwnedFd {
        std::fs::File::open(path).unwrap().into()
    }

    #[test]
    fn a_kept_folder_is_not_given_nor_what_lies_in_it_or_above_it() {
        let desk = tempfile::tempdir().unwrap();
        let path = |name: &str| desk.path().join(name);
        std::fs::create_dir_all(path("home/hall/keys")).unwrap();
        std::fs::create_dir_all(path("home/data")).unwrap();
        std::os::unix::fs::symlink(path("home/hall"), path("link")).unwrap();
        let reserved = Reserved::folders(&[folder(&path("home/hall"))]).unwrap();
        for (name, told) in [
            ("home/hall", Some("lies in the hall's own folder")),
            ("link", Some("lies in the hall's own folder")),
            ("home/hall/keys", Some("lies in the hall's own folder")),
            ("home", Some("holds the hall's own folder")),
            ("home/data", None),
        ] {
            let checked = reserved.check("/in", &folder(&path(name)));
            match told {
                None => assert!(checked.is_ok(), "{name}: {checked:?}"),
                Some(told) => {
                    let denial = checked.unwrap_err();
                    assert_eq!(denial.code, Code::CapabilityNotGranted);
                    assert!(denial.message.contains(told), "{name}: {}", denial.message);
                }
            }
        }
        assert!(Reserved::nothing().check("/in", &folder(&path("home/hall"))).is_ok());
        assert!(reserved.check("/in", &folder(Path::new("/"))).is_err());
    }

    #[test]
    fn a_folder_of_the_kernel_is_not_given() {
        for path in ["/proc", "/proc/self", "/sys"] {
            let denial = Reserved::nothing().check("/in", &folder(Path::new(path))).unwrap_err();
            assert!(denial.message.contains("the kernel"), "{path}: {}", denial.message);
        }
    }
}
