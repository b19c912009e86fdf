//! Keys that are sealed by a passphrase, and where the passphrase comes from: the terminal, so that a program which merely
//! calls the command has none to give.

use std::io::Read as _;
use std::path::Path;

use skillhall::hall::MIN_PASSPHRASE;
use skillhall_core::trust::keys::SigningKey;
use zeroize::Zeroizing;

use crate::error::{CommandError, Outcome};

const MAX_BYTES: u64 = 4096;

/// Opens a sealed key.
pub(crate) fn open_key(file: &Path, passphrase_file: Option<&Path>) -> Outcome<SigningKey> {
    let text = read(file, "the sealed key")?;
    let text = std::str::from_utf8(&text).map_err(|_| credentials(format!("{} is no key", file.display())))?;
    let passphrase = match passphrase_file {
        Some(file) => from_file(file)?,
        None => prompt(&format!("Passphrase of {}: ", file.display()))?,
    };
    Ok(SigningKey::from_sealed_pem(text, passphrase.as_bytes())?)
}

/// A new passphrase: typed twice, or from a file.
pub(crate) fn new_passphrase(file: Option<&Path>) -> Outcome<Zeroizing<String>> {
    if let Some(file) = file {
        return from_file(file);
    }
    let first = prompt(&format!("A passphrase for the key, at least {MIN_PASSPHRASE} bytes: "))?;
    if *prompt("The same again: ")? != *first {
        return Err(credentials("the two passphrases differ; no key was made".to_owned()));
    }
    Ok(first)
}

fn prompt(text: &str) -> Outcome<Zeroizing<String>> {
    let typed = rpassword::prompt_password(text).map_err(|error| {
        let message = format!("the passphrase cannot be read from the terminal: {error}");
        let hint = "call this from a terminal, or name a file (or /dev/fd/N) with --passphrase-file".to_owned();
        CommandError::Credentials { message, hint: Some(hint) }
    })?;
    Ok(Zeroizing::new(typed))
}

/// The first line of a file.
fn from_file(file: &Path) -> Outcome<Zeroizing<String>> {
    let bytes = read(file, "the passphrase")?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).map_err(|_| credentials("the passphrase is no text".to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn read(file: &Path, what: &str) -> Outcome<Zeroizing<Vec<u8>>> {
    // The whole room at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_BYTES).unwrap_or(0).saturating_add(1)));
    let opened = std::fs::File::open(file);
    opened
        .and_then(|file| file.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| credentials(format!("{what} in {} cannot be read: {error}", file.display())))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(credentials(format!("{} is too large", file.display())));
    }
    Ok(bytes)
}

fn credentials(message: String) -> CommandError {
    CommandError::Credentials {
        message,
        hint: Some("hall keys new --purpose approve --holder NAME --out FILE makes such a key".into()),
    }
}
