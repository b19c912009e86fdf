//! The token by which the command acts: read from a file, so that its text is never on a command line or in the environment.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use skillhall_core::registry::token::TokenText;
use zeroize::Zeroizing;

use crate::error::{CommandError, Outcome};

/// The most that is read of a token's file.
const MAX_BYTES: usize = 512;

/// Reads a token's file: of its holder alone, or /dev/fd/N.
pub(crate) fn read(path: &Path) -> Outcome<TokenText> {
    let failed = |error: std::io::Error| credentials(format!("the token's file {} cannot be read: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_file() && about.permissions().mode() & 0o077 != 0 {
        let message = format!("other accounts can use the token's file {}", path.display());
        let hint = format!("chmod 600 {}; if somebody may have read it, revoke the token: hall token revoke", path.display());
        return Err(CommandError::Credentials { message, hint: Some(hint) });
    }
    // The whole room at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 1));
    let limit = u64::try_from(MAX_BYTES).unwrap_or(0).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).ok().filter(|_| bytes.len() <= MAX_BYTES);
    let token = text.and_then(|text| TokenText::parse(text).ok());
    token.ok_or_else(|| credentials(format!("{} holds no token: skh_ and what follows, on one line", path.display())))
}

fn credentials(message: String) -> CommandError {
    let hint = "name the file that hall token issue wrote, with --token-file or in SKILLHALL_TOKEN_FILE".to_owned();
    CommandError::Credentials { message, hint: Some(hint) }
}
