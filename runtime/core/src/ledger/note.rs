//! Checkpoints: the size and root of the ledger's tree in the form of C2SP tlog-checkpoint, signed as a C2SP signed note
//! with Ed25519, so that other people's tools read them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest::Digest;
use crate::trust::keys::{PublicKey, SigningKey};

/// The longest note that is read, in bytes.
pub const MAX_NOTE: usize = 16 << 10;
const MAX_ORIGIN: usize = 200;
const MAX_SIGNATURES: usize = 16;
const ED25519: u8 = 1;
const PREFIX: &str = "skillhall/";

/// Which ledger: `skillhall/<hall id>`. It is the first line of every checkpoint and the name of the key that signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// A note that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The text is no origin of a ledger.
    #[error("no origin of a ledger: skillhall/ and 1 to 63 of a-z, 0-9, '-' and '.'")]
    Origin,
    /// The text is no signed checkpoint.
    #[error("no signed checkpoint: {0}")]
    Malformed(&'static str),
    /// No signature of the wanted key is there.
    #[error("the checkpoint is not signed by the ledger's key")]
    Unsigned,
    /// The signature that claims to be the key's is not.
    #[error("the checkpoint's signature is wrong")]
    Signature,
}

impl Origin {
    /// The origin of the ledger of this hall.
    ///
    /// # Errors
    /// [`NoteError::Origin`] if the id is not 1 to 63 of `a-z`, `0-9`, `-` and `.`.
    pub fn of_hall(id: &str) -> Result<Self, NoteError> {
        Self::parse(&format!("{PREFIX}{id}"))
    }

    /// Reads an origin line.
    ///
    /// # Errors
    /// [`NoteError::Origin`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let id = text.strip_prefix(PREFIX).ok_or(NoteError::Origin)?;
        let good = text.len() <= MAX_ORIGIN
            && (1..=63).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
        if good { Ok(Self(text.to_owned())) } else { Err(NoteError::Origin) }
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id that a signature of this key carries as a hint (C2SP signed-note, "Ed25519 signatures").
    #[must_use]
    pub fn key_id(&self, key: &PublicKey) -> [u8; 4] {
        let digest = Digest::of(&[self.0.as_bytes(), b"\n", &[ED25519], &key.to_bytes()].concat());
        let [a, b, c, d, ..] = *digest.as_bytes();
        [a, b, c, d]
    }

    /// The key in the text form that C2SP tools take: name, key id, and type with key, joined by `+`.
    #[must_use]
    pub fn verifier_key(&self, key: &PublicKey) -> String {
        let encoded = BASE64.encode([&[ED25519][..], &key.to_bytes()].concat());
        format!("{}+{}+{encoded}", self.0, crate::digest::hex(&self.key_id(key)))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state of a ledger at one moment (C2SP tlog-checkpoint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub origin: Origin,
    /// How many records it holds.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root.as_bytes()))
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let body = self.body();
        let signature = [&self.origin.key_id(&key.public())[..], &key.sign(body.as_bytes())].concat();
        format!("{body}\n\u{2014} {} {}\n", self.origin, BASE64.encode(signature))
    }

    /// Reads a note's checkpoint without checking who signed it: for a root that is compared with one that was computed.
    ///
    /// # Errors
    /// [`NoteError::Malformed`], [`NoteError::Origin`].
    pub fn read(note: &str) -> Result<Self, NoteError> {
        Ok(Parts::of(note)?.checkpoint)
    }

    /// Reads a note that this key has signed under the note's own origin. Signatures of other keys are ignored, so a
    /// note that witnesses signed too is read alike.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn verify(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let parts = Parts::of(note)?;
        let (origin, id) = (&parts.checkpoint.origin, parts.checkpoint.origin.key_id(key));
        let mut signed = false;
        for (name, bytes) in &parts.signatures {
            let Some((hint, signature)) = bytes.split_first_chunk::<4>() else { continue };
            if *name == origin.as_str() && *hint == id {
                if !key.verify(parts.body.as_bytes(), signature) {
                    return Err(NoteError::Signature);
                }
                signed = true;
            }
        }
        if signed { Ok(parts.checkpoint) } else { Err(NoteError::Unsigned) }
    }
}

struct Parts<'a> {
    checkpoint: Checkpoint,
    body: &'a str,
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Parts<'a> {
    fn of(note: &'a str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed;
        if note.len() > MAX_NOTE || note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(malformed("too long, or with control characters"));
        }
        let (body, rest) = note.rsplit_once("\n\n").ok_or(malformed("no blank line before the signatures"))?;
        let body = note.get(..=body.len()).ok_or(malformed("no text"))?;
        let lines = rest.strip_suffix('\n').ok_or(malformed("the last line does not end"))?;
        let signatures = lines.split('\n').map(signature_line).collect::<Option<Vec<_>>>();
        let signatures =
            signatures.filter(|list| list.len() <= MAX_SIGNATURES).ok_or(malformed("a line that is no signature"))?;
        Ok(Self { checkpoint: checkpoint_of(body)?, body, signatures })
    }
}

fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = BASE64.decode(encoded).ok().filter(|bytes| bytes.len() > 4)?;
    (!name.is_empty() && !name.contains('+') && !name.contains(char::is_whitespace)).then_some((name, bytes))
}

fn checkpoint_of(body: &str) -> Result<Checkpoint, NoteError> {
    let malformed = NoteError::Malformed;
    let mut lines = body.split('\n');
    let (Some(origin), Some(size), Some(root), Some(""), None) =
        (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(malformed("not three lines of text"));
    };
    let size = decimal(size).ok_or(malformed("the second line is no size"))?;
    let root = BASE64.decode(root).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let root = Digest::from_bytes(root.ok_or(malformed("the third line is no root"))?);
    Ok(Checkpoint { origin: Origin::parse(origin)?, size, root })
}

/// A decimal number without a sign or leading zeroes.
fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}
