//! What a worker that compiles answers, and how that is read by somebody who does not believe it.
//!
//! `magic (16) | Landlock's version (1) | seccomp (1) | no new privileges (1) | kind (1) | compatibility (32) | length (8) | body`,
//! and then the end. The body is native code, or the engine's words for why there is none.

use std::io::{self, Write};

use skillhall_core::digest::Digest;

use super::confine::Held;

const MAGIC: &[u8; 16] = b"skillhall-made-1";
const HEADER: usize = 16 + 4 + 32 + 8;
const CODE: u8 = b'c';
const REFUSAL: u8 = b'r';

/// The most bytes of the engine's words that are passed on.
const MAX_WORDS: usize = 4096;

/// The most bytes of an answer with code of at most `code` bytes.
pub(super) const fn longest(code: usize) -> usize {
    code.saturating_add(HEADER)
}

/// What came of compiling.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Native code.
    Code(Vec<u8>),
    /// The engine does not accept the component, and why.
    Refused(String),
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) held: Held,
    /// Of the engine that compiled.
    pub(super) compatibility: Digest,
    pub(super) made: Made,
}

impl Answer {
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (kind, body) = match &self.made {
            Made::Code(code) => (CODE, code.as_slice()),
            Made::Refused(words) => (REFUSAL, words.get(..words.floor_char_boundary(MAX_WORDS)).unwrap_or_default().as_bytes()),
        };
        let Held { landlock, seccomp, no_new_privileges } = self.held;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&[landlock, seccomp.into(), no_new_privileges.into(), kind]);
        header.extend_from_slice(self.compatibility.as_bytes());
        header.extend_from_slice(&u64::try_from(body.len()).unwrap_or(u64::MAX).to_le_bytes());
        out.write_all(&header)?;
        out.write_all(body)?;
        out.flush()
    }

    /// Reads an answer that is whole and nothing more.
    pub(super) fn read(mut bytes: Vec<u8>) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (&[landlock, seccomp, no_new_privileges, kind], rest) = rest.split_first_chunk::<4>()?;
        let (compatibility, rest) = rest.split_first_chunk::<32>()?;
        let (length, body) = rest.split_first_chunk::<8>()?;
        if usize::try_from(u64::from_le_bytes(*length)).ok()? != body.len() {
            return None;
        }
        let held = Held { landlock, seccomp: truth(seccomp)?, no_new_privileges: truth(no_new_privileges)? };
        let compatibility = Digest::from_bytes(*compatibility);
        let made = match kind {
            CODE => {
                bytes.drain(..HEADER);
                Made::Code(bytes)
            }
            REFUSAL if body.len() <= MAX_WORDS => Made::Refused(String::from_utf8(body.to_vec()).ok()?),
            _ => return None,
        };
        Some(Self { held, compatibility, made })
    }
}

fn truth(byte: u8) -> Option<bool> {
    match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
