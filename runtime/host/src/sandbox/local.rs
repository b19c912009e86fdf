//! The broker of a guest that runs in this very process: reaches the machine's folders and network and the
//! hall's stores within the grants.

use std::sync::Arc;

use rustix::io;
use skillhall_core::capability::{Grants, files, sockets};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::stores::{Operation, Stores};

use super::broker::{Broker, Folder};
#[cfg(feature = "http")]
use super::egress::{Body, Egress, Network, Sending, Timeouts, Unsent};
use super::keyvalue::{Keeper, Keeping};
use super::refusal::Refusal;
use super::reserved::Reserved;
use super::secrets::SecretValue;
use super::secrets::held::Held;
use super::sockets::{Reach, decide};
use super::tools::nested::Caller;
use super::tools::{Calling, Calls, Request};
#[cfg(feature = "http")]
use super::traffic::Traffic;
use super::way;

/// What one call was granted.
pub(super) struct Local {
    files: Vec<files::Grant>,
    sockets: Vec<sockets::Grant>,
    keeper: Keeper,
    caller: Caller,
    /// Read when this was made; without them, no request is sent.
    secrets: Result<Arc<Held>, Denial>,
    #[cfg(feature = "http")]
    egress: Egress,
}

impl Local {
    pub(super) fn new(
        grants: &Grants,
        stores: Option<&Arc<dyn Stores>>,
        calls: Option<&Arc<dyn Calls>>,
        #[cfg(feature = "http")] network: &Network,
    ) -> Self {
        let secrets = Held::read(grants.secrets(), grants.files()).map(Arc::new);
        #[cfg(feature = "http")]
        let egress = match &secrets {
            Ok(held) => Egress::new(grants.http(), Arc::clone(held), network),
            Err(_) => Egress::new(&[], Arc::default(), network),
        };
        Self {
            files: grants.files().to_vec(),
            sockets: grants.sockets().to_vec(),
            keeper: Keeper::new(grants, stores),
            caller: Caller::new(grants.tools(), calls),
            secrets,
            #[cfg(feature = "http")]
            egress,
        }
    }
}

impl Broker for Local {
    fn folders(&self) -> Result<Vec<Folder>, Denial> {
        self.files.iter().map(folder).collect()
    }

    fn keep(&self, store: &str, operation: Operation) -> Keeping {
        self.keeper.keep(store, operation)
    }

    fn reach(&self, reach: Reach) -> Result<(), Box<Refusal>> {
        decide(&self.sockets, reach)
    }

    fn secrets(&self, reserved: &Reserved) -> Result<(), Denial> {
        match &self.secrets {
            Ok(held) => held.check(reserved),
            Err(denial) => Err(denial.clone()),
        }
    }

    fn reveal(&self, name: &str) -> Option<SecretValue> {
        self.secrets.as_ref().ok()?.revealed(name)
    }

    fn scrub(&self, text: &mut String) {
        if let Ok(held) = &self.secrets {
            held.scrub(text);
        }
    }

    fn call(&self, request: Request) -> Calling {
        self.caller.call(request)
    }

    #[cfg(feature = "http")]
    fn send(&self, request: hyper::Request<Body>, timeouts: Timeouts, traffic: Arc<Traffic>) -> Result<Sending, Unsent> {
        self.egress.send(request, timeouts, traffic)
    }
}

fn folder(grant: &files::Grant) -> Result<Folder, Denial> {
    let dir = way::folder(&grant.folder).map_err(|error| {
        let message = format!("the folder {} granted as {} cannot be opened: {}", grant.folder, grant.mount, told(error));
        Denial::new(Code::CapabilityNotGranted, message)
            .detail("mount", grant.mount.as_str())
            .detail("folder", grant.folder.as_str())
    })?;
    Ok(Folder { mount: grant.mount.clone(), dir, access: grant.access })
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
            sockets: Vec::new(),
            keeper: Keeper::default(),
            caller: Caller::default(),
            secrets: Ok(Arc::default()),
            #[cfg(feature = "http")]
            egress: Egress::new(&[], Arc::default(), &Network::default()),
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
