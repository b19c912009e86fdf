//! Keys in a folder: keyring.json, and for each key that can sign a file of its own that only its owner can read.

use std::io::{self, Read as _};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::id::{KeyId, Namespace};
use crate::store;

use super::{Algorithm, KeyError, KeyRecord, KeySource, Keyring, Purpose, Secret, SigningKey, Verdicts};

/// The keyring's file.
pub const KEYRING_FILE: &str = "keyring.json";

/// The id under which the secret from the environment variable `WCP_ATTEST_HMAC_KEY` stands.
pub const ENVIRONMENT_KEY: &str = "env:wcp_attest_hmac_key";

const MAX_KEYRING_BYTES: u64 = 4 << 20;
const MAX_SECRET_FILE_BYTES: usize = 8 << 10;

/// Keys in a folder, and at most one secret from the environment that counts for one namespace.
pub struct FileKeys {
    dir: Dir,
    environment: Option<(Namespace, Secret)>,
    verdicts: Verdicts,
}

impl FileKeys {
    /// Uses the folder. `environment` is the secret that the environment gave and the one namespace for which the
    /// configuration says it counts; an empty secret counts as none.
    #[must_use]
    pub fn new(dir: Dir, environment: Option<(Namespace, Secret)>) -> Self {
        Self { dir, environment: environment.filter(|(_, secret)| !secret.is_empty()), verdicts: Verdicts::default() }
    }

    /// The keyring as it stands in the folder, without the key from the environment: what is edited and saved. A folder
    /// without the file has an empty keyring.
    ///
    /// # Errors
    /// If the file cannot be read or is no valid keyring.
    pub fn stored(&self) -> Result<Keyring, KeyError> {
        match store::read(&self.dir, KEYRING_FILE, MAX_KEYRING_BYTES) {
            Ok(bytes) => Keyring::parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Keyring::default()),
            Err(error) => Err(unreadable(KEYRING_FILE, &error)),
        }
    }

    /// Writes the keyring whole.
    ///
    /// # Errors
    /// If it is no valid keyring or cannot be written; the old one then stands.
    pub fn save(&self, keyring: &Keyring) -> Result<(), KeyError> {
        store::write(&self.dir, KEYRING_FILE, &keyring.to_bytes()?, 0o644).map_err(|error| unreadable(KEYRING_FILE, &error))
    }

    /// Writes a private key; a key that is there already is never overwritten.
    ///
    /// # Errors
    /// If the file is there or cannot be written.
    pub fn save_signing_key(&self, id: &KeyId, key: &SigningKey) -> Result<(), KeyError> {
        self.write_new(&file_name(id, "key"), key.to_pem()?.as_bytes())
    }

    /// Reads the private key of a record for a purpose.
    ///
    /// # Errors
    /// If the record is not for this purpose, or the file is not there, can be read by others, or holds another key.
    pub fn signing_key(&self, record: &KeyRecord, purpose: Purpose) -> Result<SigningKey, KeyError> {
        if record.purpose != purpose || record.algorithm != Algorithm::Ed25519 {
            return Err(KeyError::Malformed(format!("the key {} is not for this purpose", record.id)));
        }
        let file = file_name(&record.id, "key");
        let bytes =
            self.read_secret(&file).map_err(|error| unreadable(&file, &error))?.ok_or_else(|| KeyError::Exposed(file.clone()))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| KeyError::Malformed(format!("{file} is no text")))?;
        let key = SigningKey::from_pem(text)?;
        if key.public() != record.public_key()? {
            return Err(KeyError::Malformed(format!("{file} is not the private half of the key {}", record.id)));
        }
        Ok(key)
    }

    /// Writes a shared secret; one that is there already is never overwritten.
    ///
    /// # Errors
    /// If the file is there or cannot be written.
    pub fn save_hmac_secret(&self, id: &KeyId, secret: &Secret) -> Result<(), KeyError> {
        self.write_new(&file_name(id, "hmac"), secret.bytes())
    }

    fn write_new(&self, file: &str, bytes: &[u8]) -> Result<(), KeyError> {
        if self.dir.symlink_metadata(file).is_ok() {
            return Err(KeyError::Malformed(format!("{file} is there already")));
        }
        store::write(&self.dir, file, bytes, 0o600).map_err(|error| unreadable(file, &error))
    }

    /// The file's bytes; `None` if others can read or write it.
    fn read_secret(&self, file: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed());
        let opened = self.dir.open_with(file, &options)?;
        if !opened.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
        }
        if !is_private(&opened)? {
            return Ok(None);
        }
        // The whole room at once: growing would leave copies of the secret behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_FILE_BYTES + 1));
        opened.take(MAX_SECRET_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_SECRET_FILE_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large for a key"));
        }
        Ok(Some(bytes))
    }
}

impl KeySource for FileKeys {
    fn keyring(&self) -> Result<Keyring, KeyError> {
        let mut keyring = self.stored()?;
        if let Some((namespace, _)) = &self.environment {
            keyring.namespaces.entry(namespace.clone()).or_default().keys.push(environment_record()?);
        }
        Ok(keyring)
    }

    fn hmac_secret(&self, key: &KeyId, namespace: &Namespace) -> Result<Option<Secret>, KeyError> {
        if key.as_str() == ENVIRONMENT_KEY {
            let own = self.environment.as_ref().filter(|(owner, _)| owner == namespace);
            return Ok(own.map(|(_, secret)| secret.duplicate()));
        }
        let file = file_name(key, "hmac");
        match self.read_secret(&file) {
            Ok(Some(bytes)) => Ok(Some(Secret::new(bytes.to_vec())).filter(|secret| !secret.is_empty())),
            Ok(None) => Err(KeyError::Exposed(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&file, &error)),
        }
    }

    fn verdicts(&self) -> Option<&Verdicts> {
        Some(&self.verdicts)
    }
}

fn environment_record() -> Result<KeyRecord, KeyError> {
    let id = ENVIRONMENT_KEY.parse().map_err(|_| KeyError::Malformed(ENVIRONMENT_KEY.into()))?;
    Ok(KeyRecord {
        id,
        algorithm: Algorithm::HmacSha256,
        purpose: Purpose::Attest,
        public: None,
        valid_from: Timestamp::from_millis(i64::MIN),
        valid_to: None,
        revoked_at: None,
    })
}

fn is_private(file: &File) -> io::Result<bool> {
    let stat = rustix::fs::fstat(file)?;
    let owner = rustix::process::geteuid().as_raw();
    Ok(stat.st_mode & 0o077 == 0 && (stat.st_uid == owner || stat.st_uid == 0))
}

/// One file name for each key id: what is no plain character of a file name is written as `%` and two digits.
fn file_name(id: &KeyId, extension: &str) -> String {
    let mut name = String::new();
    for (index, character) in id.as_str().chars().enumerate() {
        match character {
            ':' => name.push_str("%3a"),
            '/' => name.push_str("%2f"),
            '.' if index == 0 => name.push_str("%2e"),
            plain => name.push(plain),
        }
    }
    format!("{name}.{extension}")
}

fn unreadable(file: &str, error: &io::Error) -> KeyError {
    KeyError::Unreadable { file: file.to_owned(), message: error.to_string() }
}
