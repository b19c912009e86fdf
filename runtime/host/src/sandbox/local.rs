//! The broker of a guest that runs in this very process: reaches the machine's folders and network within the grants.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io;
use skillhall_core::capability::{Grants, files};
use skillhall_core::denial::{Code, Denial};

use super::broker::{Broker, Folder};
#[cfg(feature = "http")]
use super::egress::{Body, Egress, Network, Sending, Timeouts, Unsent};
#[cfg(feature = "http")]
use super::traffic::Traffic;

/// What one call was granted.
pub(super) struct Local {
    files: Vec<files::Grant>,
    #[cfg(feature = "http")]
    egress: Egress,
}

impl Local {
    pub(super) fn new(grants: &Grants, #[cfg(feature = "http")] network: &Network) -> Self {
        Self {
            files: grants.files().to_vec(),
            #[cfg(feature = "http")]
            egress: Egress::new(grants.http(), network),
        }
    }
}

impl Broker for Local {
    fn folders(&self) -> Result<Vec<Folder>, Denial> {
        self.files.iter().map(folder).collect()
    }

    #[cfg(feature = "http")]
    fn send(
        &self,
        request: hyper::Request<Body>,
        timeouts: Timeouts,
        traffic: std::sync::Arc<Traffic>,
    ) -> Result<Sending, Unsent> {
        self.egress.send(request, timeouts, traffic)
    }
}

fn folder(grant: &files::Grant) -> Result<Folder, Denial> {
    let dir = open_folder(&grant.folder).map_err(|error| {
        let message = format!("the folder {} granted as {} cannot be opened: {}", grant.folder, grant.mount, told(error));
        Denial::new(Code::CapabilityNotGranted, message)
            .detail("mount", grant.mount.as_str())
            .detail("folder", grant.folder.as_str())
    })?;
    Ok(Folder { mount: grant.mount.clone(), dir, access: grant.access })
}

/// Opens a folder name by name, so that no link on the way leads elsewhere than the policy says. On the way no folder has to be
/// readable; the last one does.
fn open_folder(path: &str) -> io::Result<OwnedFd> {
    let way = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut dir = open("/", way, Mode::empty())?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        dir = openat(&dir, name, way, Mode::empty())?;
    }
    openat(&dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn told(error: io::Errno) -> String {
    match error {
        io::Errno::NOENT => "it is not there".to_owned(),
        io::Errno::NOTDIR | io::Errno::LOOP => "it is no folder, or a link stands on the way to it".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use skillhall_core::capability::files::Access;

    use super::*;

    fn grant(folder: &Path) -> Local {
        let folder = folder.to_str().unwrap().to_owned();
        Local {
            files: vec![files::Grant { mount: "/in".to_owned(), folder, access: Access::Read }],
            #[cfg(feature = "http")]
            egress: Egress::new(&[], &Network::default()),
        }
    }

    #[test]
    fn only_the_folder_itself_is_opened() {
        let desk = tempfile::tempdir().unwrap();
        let desk = desk.path().canonicalize().unwrap();
        std::fs::create_dir_all(desk.join("real/data")).unwrap();
        std::fs::write(desk.join("real/file"), "").unwrap();
        symlink(desk.join("real"), desk.join("way")).unwrap();
        symlink(desk.join("real/data"), desk.join("last")).unwrap();
        let folders = grant(&desk.join("real/data")).folders().unwrap();
        assert_eq!((folders[0].mount.as_str(), folders[0].access), ("/in", Access::Read));
        for (name, why) in [
            ("way/data", "a link stands on the way"),
            ("last", "a link stands on the way"),
            ("real/file", "it is no folder"),
            ("real/none", "it is not there"),
        ] {
            let denial = grant(&desk.join(name)).folders().unwrap_err();
            assert!(denial.message.contains(why), "{name}: {}", denial.message);
            assert_eq!(denial.details["mount"], "/in");
        }
    }
}
