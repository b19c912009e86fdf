//! What a worker and its parent say to each other while guests run: frames of bounded length, each one message.
//!
//! A frame is `length (4, little-endian) | message`, the message in postcard, which has no nesting of its own making: values of
//! guests are JSON texts inside, read with a bounded depth. The parent believes nothing of what it reads here: a frame that is too
//! long, no message, or a message that has no place at that moment ends the worker.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use skillhall_core::capability::files::Access;
use skillhall_core::failure::{Failure, FailureCode};
use skillhall_core::stores::{Operation, Performed};
use zeroize::Zeroizing;

use crate::engine::{KillReason, Limits, Resources};
use crate::sandbox::far::{Got, Thing, Wish, Wrong};
use crate::sandbox::log::Line;
use crate::sandbox::tools::{CallError, Request, Spent};
use crate::sandbox::{Given, Replay, Requested, SandboxLinks, Told};

#[cfg(feature = "http")]
use super::web::{Answered, Asked, Piece};

/// The most bytes of a message but for an end: two of the largest things that one host call moves.
pub(super) const MESSAGE: usize = 2 << 20;
/// The most asks that wait for an answer at once.
pub(super) const ASKS: usize = 64;
const LENGTH: usize = 4;

/// The first message to a worker, with the files: its code, then its folders in this order.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Begin {
    /// The component's SHA-256.
    pub(super) digest: [u8; 32],
    /// Mounts and rights of the folders.
    pub(super) folders: Vec<(String, Access)>,
}

/// What the parent says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Say {
    /// What comes next.
    Begin(Begin),
    /// Run this: an [`Errand`] as JSON. Its number is in all that is said of it.
    Run { run: u64, errand: String },
    /// Stop the run.
    Kill(KillReason),
    /// What came of an ask; and how many bytes the run's own requests have moved by now.
    Answer { id: u32, bytes: u64, answer: Answer },
    /// The next piece of this request's body is wanted.
    #[cfg(feature = "http")]
    Want { id: u32 },
}

/// What the worker says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Said {
    /// It has locked itself up, and these hold.
    Began { landlock: u8, seccomp: bool, no_new_privileges: bool, compatibility: [u8; 32] },
    /// It could not.
    NotBegun(String),
    /// Its guest wants something outside. Ids go up.
    Ask { run: u64, id: u32, ask: Ask },
    /// Nobody waits for that any more.
    GaveUp { run: u64, id: u32 },
    /// The guest has this no more.
    LetGo { run: u64, thing: Thing },
    /// A piece of a request's body, which was wanted.
    #[cfg(feature = "http")]
    Piece { run: u64, id: u32, piece: Piece },
    /// The run ended: a [`Report`] as JSON.
    Ended { run: u64, report: String },
}

/// What a guest wants outside.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Ask {
    /// An operation on a store.
    Keep { store: String, operation: Operation },
    /// The value of a secret.
    Reveal { name: String },
    /// A call of another skill.
    Call(Request),
    /// Something to be done with a socket.
    Wish(Wish),
    /// To wait until there is something to be done with this.
    Ready(Thing),
    /// A request; its body comes in pieces as they are wanted.
    #[cfg(feature = "http")]
    Send(Asked),
    /// The next piece of the body of the response to that request.
    #[cfg(feature = "http")]
    More { of: u32 },
}

impl Ask {
    /// Whether one call of the host can ask it several times, so that it does not count as a call.
    pub(super) fn is_part(&self) -> bool {
        match self {
            Self::Ready(_) => true,
            Self::Wish(wish) => wish.is_part(),
            #[cfg(feature = "http")]
            Self::More { .. } => true,
            _ => false,
        }
    }
}

/// What came of it. What the receipt is told of a refusal stays with the parent.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// Of an operation.
    Kept(Result<Performed, Untold>),
    /// Of a secret.
    Revealed(Option<String>),
    /// Of a call: what the guest is told, and what it cost.
    Called { end: Result<String, CallError>, spent: Spent },
    /// Of what was to be done with a socket.
    Got(Result<Got, Wrong>),
    /// There is something to be done.
    Ready,
    /// Of a request.
    #[cfg(feature = "http")]
    Sent(Answered),
    /// Of a body.
    #[cfg(feature = "http")]
    Piece(Piece),
}

/// [`Told`], as it is written.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Untold {
    Denied,
    Other(String),
}

impl From<Told> for Untold {
    fn from(told: Told) -> Self {
        match told {
            Told::AccessDenied => Self::Denied,
            Told::Other(words) => Self::Other(words),
        }
    }
}

impl From<Untold> for Told {
    fn from(told: Untold) -> Self {
        match told {
            Untold::Denied => Self::AccessDenied,
            Untold::Other(words) => Self::Other(words),
        }
    }
}

/// One order, but for the code and what stays with the parent.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Errand {
    pub(super) export: String,
    /// The input as JSON text: it may be nested as deeply as a text by itself may be.
    pub(super) input: String,
    pub(super) limits: Limits,
    pub(super) links: SandboxLinks,
    pub(super) given: Given,
    pub(super) replay: Option<Replay>,
}

/// How a run ended, as the worker tells it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    pub(super) end: Result<Value, Fall>,
    pub(super) resources: Resources,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) log: Vec<Line>,
    pub(super) http: Vec<Requested>,
}

/// A [`Failure`], in a form in which an error that is null is not the same as none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fall {
    pub(super) code: FailureCode,
    pub(super) message: String,
    pub(super) error: Vec<Value>,
    pub(super) backtrace: Vec<String>,
}

impl From<Failure> for Fall {
    fn from(failure: Failure) -> Self {
        let Failure { code, message, error, backtrace } = failure;
        Self { code, message, error: error.into_iter().map(|error| *error).collect(), backtrace }
    }
}

/// A message as a frame. It is wiped when it goes: it may hold the value of a secret.
pub(super) fn frame(message: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let body = Zeroizing::new(postcard::to_stdvec(message).map_err(io::Error::other)?);
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut whole = Zeroizing::new(Vec::with_capacity(body.len().saturating_add(LENGTH)));
    whole.extend_from_slice(&length.to_le_bytes());
    whole.extend_from_slice(&body);
    Ok(whole)
}

/// Writes all of it, and without a signal if nobody reads.
pub(super) fn write(socket: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match send(&socket, bytes, SendFlags::NOSIGNAL) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What came over a socket and was not read as messages yet.
#[derive(Default)]
pub(super) struct Inbox(Vec<u8>);

/// Why nothing more is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The other side is gone.
    Gone,
    /// What came is no message.
    Nonsense(&'static str),
}

impl Inbox {
    /// Takes in what there is, waiting for something.
    pub(super) fn take_in(&mut self, socket: impl AsFd) -> Result<(), Unread> {
        let mut part = [0; 1 << 16];
        loop {
            match recv(&socket, &mut part, RecvFlags::empty()) {
                Ok((_, 0)) => return Err(Unread::Gone),
                Ok((_, count)) => {
                    self.0.extend_from_slice(part.get(..count).unwrap_or_default());
                    return Ok(());
                }
                Err(Errno::INTR) => {}
                Err(_) => return Err(Unread::Gone),
            }
        }
    }

    /// The next message, if all of it is there. It has at most `most` bytes.
    pub(super) fn next<M: DeserializeOwned>(&mut self, most: usize) -> Result<Option<M>, Unread> {
        let Some((length, rest)) = self.0.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > most {
            return Err(Unread::Nonsense("said more at once than it may"));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let Ok((message, [])) = postcard::take_from_bytes::<M>(body) else {
            return Err(Unread::Nonsense("said what is no message"));
        };
        self.0.drain(..length.saturating_add(LENGTH));
        Ok(Some(message))
    }

    /// The next message, however long it takes to come.
    pub(super) fn wait<M: DeserializeOwned>(&mut self, socket: impl AsFd, most: usize) -> Result<M, Unread> {
        loop {
            if let Some(message) = self.next(most)? {
                return Ok(message);
            }
            self.take_in(&socket)?;
        }
    }
}

/// The most bytes of the message that tells the end of a run with these limits. Of what is shown of a guest's output a byte takes
/// at most ten.
pub(super) fn longest_end(limits: &Limits) -> usize {
    let output = usize::try_from(limits.output_bytes).unwrap_or(usize::MAX);
    output.saturating_mul(10).saturating_add(MESSAGE).min(u32::MAX as usize)
}

/// How long a worker may take to begin.
pub(super) const BEGINNING: Duration = Duration::from_secs(20);
