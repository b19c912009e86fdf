//! Who can read and change the hall's folder and its keys.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use skillhall_core::trust::keys::KEYRING_FILE;

use super::{Condition, Standing, is_ours};
use crate::hall::Hall;
use crate::hall::folder::{CACHE, CONFIG, KEYS, LEDGER, PACKAGES, POLICY, QUOTAS, REGISTRY, SHELF, STORES};

/// Files beside the keys that hold no secret.
const PUBLIC: [&str; 2] = [KEYRING_FILE, "keyring.lock"];

/// The folder and each of its parts.
pub(super) fn folder(hall: &Hall) -> Condition {
    let path = hall.folder().path();
    let parts = ["", CONFIG, LEDGER, PACKAGES, SHELF, POLICY, CACHE, QUOTAS, REGISTRY].map(|part| path.join(part));
    let within = [LEDGER, CACHE, QUOTAS].iter().flat_map(|part| entries(&path.join(part)));
    let wrong = parts.into_iter().chain(within).chain(beside(path, REGISTRY)).find_map(|part| exposed(&part, 0o022, "change"));
    // What skills keep is their organisations' own.
    let wrong = wrong.or_else(|| {
        std::iter::once(path.join(STORES)).chain(beside(path, STORES)).find_map(|part| exposed(&part, 0o077, "read"))
    });
    if let Some((told, hint)) = wrong {
        return Condition::new("folder", Standing::Bad, told).hint(hint);
    }
    above(path).unwrap_or_else(|| {
        Condition::new("folder", Standing::Good, format!("{} can be changed by its owner alone", path.display()))
    })
}

/// The folder of keys and every file in it.
pub(super) fn keys(hall: &Hall) -> Condition {
    let folder = hall.folder().path().join(KEYS);
    let files = entries(&folder);
    let is_public = |file: &Path| file.file_name().is_some_and(|name| PUBLIC.iter().any(|public| name == *public));
    let wrong = exposed(&folder, 0o077, "read").or_else(|| {
        files.iter().find_map(|file| if is_public(file) { exposed(file, 0o022, "change") } else { exposed(file, 0o077, "read") })
    });
    if let Some((told, hint)) = wrong {
        return Condition::new("keys", Standing::Bad, told).hint(hint);
    }
    let secrets = files.iter().filter(|file| !is_public(file)).count();
    Condition::new("keys", Standing::Good, format!("{secrets} secrets, each for its owner alone"))
}

/// What `SQLite` puts beside a file, with what is in it.
fn beside<'a>(folder: &'a Path, name: &'a str) -> impl Iterator<Item = std::path::PathBuf> + 'a {
    ["-wal", "-shm", "-journal"].iter().map(move |suffix| folder.join(format!("{name}{suffix}")))
}

/// What lies in a folder; what cannot be listed is told by its mode.
fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    found.sort();
    found
}

/// What is wrong with a file's owner or mode, and the command that mends it. A file that is not there is no one's to change.
fn exposed(path: &Path, forbidden: u32, what: &str) -> Option<(String, String)> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let shown = path.display();
    if metadata.is_symlink() {
        return Some((format!("{shown} is a link"), format!("replace {shown} by the real thing")));
    }
    if !is_ours(&metadata) {
        return Some((
            format!("{shown} belongs to another account (uid {})", metadata.uid()),
            format!("chown it to its hall's owner: {shown}"),
        ));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & forbidden == 0 {
        return None;
    }
    let change = if forbidden == 0o077 { "go-rwx" } else { "go-w" };
    Some((format!("{shown} has mode {mode:o}: another account could {what} it"), format!("chmod {change} {shown}")))
}

/// Whether another account could put another folder in this one's place: a folder above it that others may write, and from
/// which not only owners may remove. That a group may is told, and no more: on many systems each account has a group of its own.
fn above(path: &Path) -> Option<Condition> {
    let found = path.ancestors().skip(1).filter_map(|above| {
        let mode = fs::symlink_metadata(above).ok()?.permissions().mode() & 0o7777;
        let (standing, who) = match mode {
            _ if mode & 0o1000 != 0 => return None,
            _ if mode & 0o002 != 0 => (Standing::Bad, "every account"),
            _ if mode & 0o020 != 0 => (Standing::Remark, "its group"),
            _ => return None,
        };
        let shown = above.display();
        let told = format!("{shown} has mode {mode:o}: {who} could put another folder in the hall's place");
        Some(Condition::new("folder", standing, told).hint(format!("chmod go-w {shown}")))
    });
    found.max_by_key(|condition| condition.standing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_above_that_others_may_write_is_told() {
        let desk = tempfile::tempdir().unwrap();
        let hall = desk.path().join("above/hall");
        fs::create_dir_all(&hall).unwrap();
        let standing = |mode: u32| {
            fs::set_permissions(desk.path().join("above"), fs::Permissions::from_mode(mode)).unwrap();
            above(&hall).map(|condition| condition.standing)
        };
        assert_eq!(standing(0o755), None);
        assert_eq!(standing(0o1777), None);
        assert_eq!(standing(0o775), Some(Standing::Remark));
        assert_eq!(standing(0o777), Some(Standing::Bad));
    }

    #[test]
    fn a_link_and_an_open_file_are_told_with_what_mends_them() {
        let desk = tempfile::tempdir().unwrap();
        let file = desk.path().join("file");
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink("file", desk.path().join("link")).unwrap();
        for (mode, forbidden, told) in
            [(0o600, 0o077, None), (0o640, 0o077, Some("read")), (0o644, 0o022, None), (0o666, 0o022, Some("change"))]
        {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let found = exposed(&file, forbidden, told.unwrap_or_default());
            assert_eq!(found.is_some(), told.is_some(), "{mode:o}");
            assert!(found.is_none_or(|(told, hint)| told.contains(&format!("{mode:o}")) && hint.starts_with("chmod go-")));
        }
        assert!(exposed(&desk.path().join("link"), 0, "").unwrap().0.contains("is a link"));
        assert_eq!(exposed(&desk.path().join("none"), 0o777, ""), None);
    }
}
