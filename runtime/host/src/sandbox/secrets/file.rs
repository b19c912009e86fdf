//! The file that holds a secret: nobody but its owner can read it, and no link leads to it.

use std::fs::File;
use std::io::Read as _;

use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::value::SecretValue;
use crate::sandbox::reserved::{Identity, is_of_the_kernel};
use crate::sandbox::way;

/// The most bytes of a file.
const MAX_BYTES: usize = 8 * 1024;

/// Whether a secret can be read from this file, as it stands now.
///
/// # Errors
/// Why not, in words that go behind the file's name. They hold nothing of what is in it.
pub fn check(path: &str) -> Result<(), String> {
    read(path).map(|_| ())
}

/// Reads a secret, and tells in which folders its file lies.
///
/// # Errors
/// As [`check`].
pub(super) fn read(path: &str) -> Result<(SecretValue, Vec<Identity>), String> {
    let (file, folders) = way::file(path).map_err(unopened)?;
    let stat = fstat(&file).map_err(|error| error.to_string())?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || is_of_the_kernel(&file).map_err(|error| error.to_string())?
    {
        return Err("it is no regular file".to_owned());
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another account than the one that runs the hall".to_owned());
    }
    if stat.st_mode & 0o077 != 0 {
        return Err(format!("others than its owner may read or change it; take that away: chmod 600 {path}"));
    }
    // More room than is ever filled: growing would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 64));
    let limit = u64::try_from(MAX_BYTES + 1).unwrap_or(u64::MAX);
    File::from(file).take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    Ok((SecretValue::new(bytes)?, folders))
}

fn unopened(error: Errno) -> String {
    match error {
        Errno::NOENT => "it is not there".to_owned(),
        Errno::NOTDIR | Errno::LOOP => "it is a link, or something on the way to it is a link or no folder".to_owned(),
        Errno::ISDIR | Errno::NXIO => "it is no regular file".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_a_file_of_ones_own_that_nobody_else_reaches_holds_a_secret() {
        let desk = tempfile::tempdir().unwrap();
        let desk = desk.path().canonicalize().unwrap();
        let path = |name: &str| desk.join(name).to_str().unwrap().to_owned();
        let put = |name: &str, bytes: &[u8], mode: u32| {
            fs::write(path(name), bytes).unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
        };
        put("good", b"canary-1234\n", 0o600);
        put("readonly", b"canary-1234", 0o400);
        for name in ["good", "readonly"] {
            let (value, folders) = read(&path(name)).unwrap();
            assert_eq!((value.expose(), check(&path(name))), ("canary-1234", Ok(())));
            let parent = fs::metadata(&desk).unwrap();
            assert_eq!(folders.last(), Some(&(parent.dev(), parent.ino())));
        }
        for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666] {
            put("open", b"canary-1234", mode);
            let why = check(&path("open")).unwrap_err();
            assert!(why.contains("chmod 600 /"), "{mode:o}: {why}");
        }
        put("large", &[b'a'; MAX_BYTES + 1], 0o600);
        put("whole", &[b'a'; MAX_BYTES], 0o600);
        put("lines", b"canary-1234\nx-other: b\n", 0o600);
        put("none", b"", 0o600);
        assert_eq!(check(&path("whole")), Ok(()));
        symlink(path("good"), path("link")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::rename(path("readonly"), path("folder/readonly")).unwrap();
        symlink(path("folder"), path("way")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        fs::set_permissions(path("socket"), Permissions::from_mode(0o600)).unwrap();
        for (name, says) in [
            ("large", "more than 8192 bytes"),
            ("lines", "one line"),
            ("none", "empty"),
            ("nowhere", "not there"),
            ("nowhere/file", "not there"),
            ("good/file", "no folder"),
            ("link", "a link"),
            ("way/readonly", "a link"),
            ("folder", "no regular file"),
            ("pipe", "no regular file"),
            ("socket", "no regular file"),
        ] {
            let why = check(&path(name)).unwrap_err();
            assert!(why.contains(says) && !why.contains("canary"), "{name}: {why}");
        }
        let own = format!("/proc/{}/environ", std::process::id());
        for path in ["/dev/null", "/dev/zero", &own, "/"] {
            let why = check(path).unwrap_err();
            assert!(why.contains("no regular file"), "{path}: {why}");
        }
        // Only who is root can look at a file that belongs to somebody else.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(path("good"), Some(4711), None).unwrap();
            assert!(check(&path("good")).unwrap_err().contains("another account"));
        }
    }
}
