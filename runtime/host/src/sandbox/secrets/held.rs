//! The secrets of one call, read once before its guest begins.

use rustix::fd::OwnedFd;
use skillhall_core::capability::files;
use skillhall_core::capability::secrets::Grant;
use skillhall_core::denial::{Code, Denial};

use super::file;
use super::value::SecretValue;
use crate::sandbox::reserved::{Identity, Reserved, identity};
use crate::sandbox::way;

/// What was granted, and the values.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Held(Vec<Secret>);

/// One of them.
#[derive(Debug)]
pub(in crate::sandbox) struct Secret {
    pub(in crate::sandbox) grant: Grant,
    pub(in crate::sandbox) value: SecretValue,
    /// The folders that its file lies in.
    way: Vec<Identity>,
}

/// A shorter value is not looked for in texts: it could be anything.
const SCRUBBED_BYTES: usize = 6;

impl Held {
    /// Reads what was granted. `folders` are those of the same guest: a secret that lies in one of them is none.
    ///
    /// # Errors
    /// [`Code::CapabilityNotGranted`] for the first that cannot be read, or that the guest could read itself.
    pub(in crate::sandbox) fn read(granted: &[Grant], folders: &[files::Grant]) -> Result<Self, Denial> {
        let mut held = Vec::new();
        let folders: Vec<(&str, Identity)> = if granted.is_empty() { Vec::new() } else { mounts(folders) };
        for grant in granted {
            let (value, way) = file::read(&grant.file).map_err(|why| refused(grant, &why))?;
            if let Some((mount, _)) = folders.iter().find(|(_, folder)| way.contains(folder)) {
                let why = format!("it lies in the folder granted as {mount}, where the skill could read it");
                return Err(refused(grant, &why));
            }
            held.push(Secret { grant: grant.clone(), value, way });
        }
        Ok(Self(held))
    }

    /// Holds them against what is kept from every guest: a key of the hall is no secret for a skill.
    ///
    /// # Errors
    /// [`Code::CapabilityNotGranted`] for the first that lies there.
    pub(in crate::sandbox) fn check(&self, reserved: &Reserved) -> Result<(), Denial> {
        match self.0.iter().find(|secret| reserved.holds(&secret.way)) {
            Some(secret) => {
                Err(refused(&secret.grant, "it lies in the hall's own folder, and nothing in there is given to a skill"))
            }
            None => Ok(()),
        }
    }

    /// What goes into requests to this very origin.
    #[cfg(feature = "http")]
    pub(in crate::sandbox) fn of_origin(&self, origin: &str) -> impl Iterator<Item = &Secret> {
        self.0.iter().filter(move |secret| secret.grant.origin == origin)
    }

    /// The value of a secret that the guest may see.
    pub(in crate::sandbox) fn revealed(&self, name: &str) -> Option<SecretValue> {
        self.0.iter().find(|secret| secret.grant.reveal && secret.grant.name == name).map(|secret| secret.value.clone())
    }

    /// Puts names in the place of values. A text that was shortened may end with the beginning of one.
    pub(in crate::sandbox) fn scrub(&self, text: &mut String) {
        for Secret { grant, value, .. } in self.0.iter().filter(|secret| secret.value.expose().len() >= SCRUBBED_BYTES) {
            let (value, name) = (value.expose(), format!("[{}]", grant.name));
            if text.contains(value) {
                *text = text.replace(value, &name);
            }
            if let Some(cut) = text.strip_suffix('…').and_then(|text| beginning(text, value)) {
                text.truncate(cut);
                text.push_str(&name);
                text.push('…');
            }
        }
    }
}

fn refused(grant: &Grant, why: &str) -> Denial {
    let Grant { name, file, .. } = grant;
    Denial::new(Code::CapabilityNotGranted, format!("the secret {name} cannot be taken from {file}: {why}"))
        .detail("secret", name.as_str())
        .detail("file", file.as_str())
}

/// Where a text ends with the beginning of a value, if it does.
fn beginning(text: &str, value: &str) -> Option<usize> {
    let longest = value.len().min(text.len());
    let begins = |length: &usize| value.get(..*length).is_some_and(|beginning| text.ends_with(beginning));
    (SCRUBBED_BYTES..=longest).rev().find(begins).map(|length| text.len().saturating_sub(length))
}

/// Those of the folders that are there: one that is not is told of where it is opened.
fn mounts(folders: &[files::Grant]) -> Vec<(&str, Identity)> {
    let open = |grant: &files::Grant| way::folder(&grant.folder).and_then(|dir: OwnedFd| identity(&dir));
    folders.iter().filter_map(|grant| Some((grant.mount.as_str(), open(grant).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use serde_json::json;
    use skillhall_core::capability::files::Access;

    use super::*;

    fn grant(name: &str, file: &Path, reveal: bool) -> Grant {
        let origin = format!("https://{}.example", name.to_lowercase());
        serde_json::from_value(json!({"name": name, "for": origin, "header": "x", "file": file, "reveal": reveal})).unwrap()
    }

    fn put(file: &Path, value: &str) {
        fs::write(file, value).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn one_that_cannot_be_read_is_enough() {
        let desk = tempfile::tempdir().unwrap();
        let desk = desk.path().canonicalize().unwrap();
        put(&desk.join("a"), "canary-1234");
        let granted = [grant("A", &desk.join("a"), true), grant("B", &desk.join("b"), false)];
        let denial = Held::read(&granted, &[]).unwrap_err();
        assert!(denial.message.contains("the secret B") && denial.message.ends_with("it is not there"), "{}", denial.message);
        put(&desk.join("b"), "canary-5678");
        let held = Held::read(&granted, &[]).unwrap();
        assert_eq!(held.revealed("A").unwrap().expose(), "canary-1234");
        assert!(held.revealed("B").is_none() && held.revealed("C").is_none() && held.revealed("").is_none());
        assert!(!format!("{held:?}").contains("canary"), "{held:?}");
    }

    #[test]
    fn what_the_guest_could_read_by_itself_is_no_secret() {
        let desk = tempfile::tempdir().unwrap();
        let desk = desk.path().canonicalize().unwrap();
        fs::create_dir_all(desk.join("in/deep")).unwrap();
        fs::create_dir(desk.join("other")).unwrap();
        put(&desk.join("in/deep/a"), "canary-1234");
        let granted = [grant("A", &desk.join("in/deep/a"), false)];
        let folder = |name: &str| {
            let folder = desk.join(name).to_str().unwrap().to_owned();
            [files::Grant { mount: "/in".to_owned(), folder, access: Access::Read }]
        };
        for (name, lies_in_it) in [("in", true), ("in/deep", true), ("", true), ("other", false), ("nowhere", false)] {
            let read = Held::read(&granted, &folder(name));
            assert_eq!(read.is_err(), lies_in_it, "{name}");
            assert!(read.err().is_none_or(|denial| denial.message.contains("granted as /in")));
        }
    }

    #[test]
    fn values_are_taken_out_of_texts() {
        let desk = tempfile::tempdir().unwrap();
        let desk = desk.path().canonicalize().unwrap();
        put(&desk.join("a"), "canary-1234");
        put(&desk.join("b"), "short");
        let held = Held::read(&[grant("A", &desk.join("a"), false), grant("B", &desk.join("b"), false)], &[]).unwrap();
        for (text, scrubbed) in [
            ("x canary-1234/canary-1234", "x [A]/[A]"),
            ("canary-12", "canary-12"),
            ("é canary-12…", "é [A]…"),
            ("canary-1234…", "[A]…"),
            ("canary…", "[A]…"),
            ("can…", "can…"),
            ("short", "short"),
            ("…", "…"),
            ("", ""),
        ] {
            let mut text = text.to_owned();
            held.scrub(&mut text);
            assert_eq!(text, scrubbed);
        }
    }
}
