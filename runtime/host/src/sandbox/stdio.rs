//! Standard streams: a closed input, and two outputs that share one budget with the log and keep what was written.

use std::io;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{OutputStream, StreamError, StreamResult};

use super::Stop;
use super::log::Line;

/// The most that one write is invited to bring, whatever the rest of the budget.
const PERMIT: u64 = 64 * 1024;

/// An input that is at its end.
pub(super) fn closed() -> impl StdinStream {
    MemoryInputPipe::new(Bytes::new())
}

/// Both outputs of one guest, and its log.
#[derive(Clone)]
pub(super) struct Output(Arc<Mutex<Kept>>);

struct Kept {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    log: Vec<Line>,
    log_bytes: u64,
    /// What skills gave out that it called.
    nested: u64,
    allowed: u64,
}

/// What a guest wrote.
#[derive(Debug)]
pub(crate) struct Written {
    /// Standard output, control characters escaped.
    pub(crate) stdout: String,
    /// Standard error, control characters escaped.
    pub(crate) stderr: String,
    /// What it logged, control characters escaped.
    pub(crate) log: Vec<Line>,
    /// Bytes of all three, before the escaping, and what skills gave out that it called; a line of the log counts one more
    /// than its texts.
    pub(crate) bytes: u64,
}

impl Output {
    pub(super) fn new(allowed: u64) -> Self {
        let kept = Kept { stdout: Vec::new(), stderr: Vec::new(), log: Vec::new(), log_bytes: 0, nested: 0, allowed };
        Self(Arc::new(Mutex::new(kept)))
    }

    pub(super) fn stdout(&self) -> impl StdoutStream + use<> {
        Stream { kept: Arc::clone(&self.0), which: Which::Stdout }
    }

    pub(super) fn stderr(&self) -> impl StdoutStream + use<> {
        Stream { kept: Arc::clone(&self.0), which: Which::Stderr }
    }

    pub(super) fn written(&self) -> Written {
        let kept = lock(&self.0);
        let line = |line: &Line| Line {
            level: line.level,
            context: inert(line.context.as_bytes()),
            message: inert(line.message.as_bytes()),
        };
        let log = kept.log.iter().map(line).collect();
        Written { stdout: inert(&kept.stdout), stderr: inert(&kept.stderr), log, bytes: kept.used() }
    }

    /// How many bytes were written by the guest itself.
    pub(super) fn bytes(&self) -> u64 {
        let kept = lock(&self.0);
        kept.used().saturating_sub(kept.nested)
    }

    /// How many bytes were given out by the guest and by what it called.
    pub(super) fn given_out(&self) -> u64 {
        lock(&self.0).used()
    }

    /// How many bytes may still be given out.
    pub(super) fn rest(&self) -> u64 {
        lock(&self.0).rest()
    }

    /// Counts what a skill gave out that it called.
    pub(super) fn spend(&self, bytes: u64) {
        let mut kept = lock(&self.0);
        kept.nested = kept.nested.saturating_add(bytes);
    }

    /// Keeps a line of the log, if it fits into the budget.
    pub(super) fn log(&self, line: Line) -> Result<(), Stop> {
        let mut kept = lock(&self.0);
        let bytes = line.context.len().saturating_add(line.message.len()).saturating_add(1);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > kept.rest() {
            return Err(Stop::Output { allowed: kept.allowed });
        }
        kept.log_bytes = kept.log_bytes.saturating_add(bytes);
        kept.log.push(line);
        Ok(())
    }
}

impl Kept {
    fn used(&self) -> u64 {
        let bytes = self.stdout.len().saturating_add(self.stderr.len());
        u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(self.log_bytes).saturating_add(self.nested)
    }

    fn rest(&self) -> u64 {
        self.allowed.saturating_sub(self.used())
    }

    fn push(&mut self, which: Which, bytes: &[u8]) -> Result<(), Stop> {
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= self.rest());
        let target = match which {
            Which::Stdout => &mut self.stdout,
            Which::Stderr => &mut self.stderr,
        };
        if fits {
            target.extend_from_slice(bytes);
            return Ok(());
        }
        Err(Stop::Output { allowed: self.allowed })
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy)]
enum Which {
    Stdout,
    Stderr,
}

#[derive(Clone)]
struct Stream {
    kept: Arc<Mutex<Kept>>,
    which: Which,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        lock(&self.kept).push(self.which, &bytes).map_err(|stop| StreamError::Trap(stop.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    /// One byte is always invited, so that a guest at its limit is told so instead of being turned away without a word.
    fn check_write(&mut self) -> StreamResult<usize> {
        let permit = lock(&self.kept).rest().clamp(1, PERMIT);
        Ok(usize::try_from(permit).unwrap_or(1))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = lock(&self.kept).push(self.which, bytes);
        Poll::Ready(result.map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Text that does nothing to a terminal or a log: control and format characters are written as escapes; new lines and
/// tabs stay.
pub(crate) fn inert(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        if acts(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

const INVISIBLE: [RangeInclusive<char>; 6] = [
    '\u{061c}'..='\u{061c}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{e0000}'..='\u{e007f}',
];

fn acts(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Line separators, direction marks and overrides, invisible characters, the byte order mark, tags.
        _ => character.is_control() || INVISIBLE.iter().any(|range| range.contains(&character)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Level;
    use super::*;

    #[test]
    fn both_outputs_share_one_budget() {
        let output = Output::new(10);
        let (mut stdout, mut stderr) = (output.stdout().p2_stream(), output.stderr().p2_stream());
        stdout.write(Bytes::from_static(b"123456")).unwrap();
        stderr.write(Bytes::from_static(b"7890")).unwrap();
        assert!(matches!(stderr.write(Bytes::from_static(b"1")), Err(StreamError::Trap(_))));
        assert!(matches!(stdout.write_zeroes(2), Err(StreamError::Trap(_))));
        let written = output.written();
        assert_eq!((written.stdout.as_str(), written.stderr.as_str(), written.bytes), ("123456", "7890", 10));
    }

    #[test]
    fn the_log_shares_the_budget_and_is_inert() {
        let line = |context: &str, message: &str| Line { level: Level::Info, context: context.into(), message: message.into() };
        let output = Output::new(10);
        output.log(line("a", "b\x1b[2J")).unwrap();
        assert!(output.log(line("", "234")).is_err(), "three and one are more than three");
        output.log(line("", "23")).unwrap();
        assert!(output.log(line("", "")).is_err(), "an empty line is not free");
        let written = output.written();
        assert_eq!((written.bytes, written.log.len()), (10, 2));
        assert_eq!(written.log[0], line("a", "b\\u{1b}[2J"));
    }

    #[test]
    fn escape_sequences_become_inert() {
        assert_eq!(inert(b"\x1b]52;c;aGk=\x07ok\n\tx\r\x9b"), "\\u{1b}]52;c;aGk=\\u{7}ok\n\tx\\u{d}\u{fffd}");
        assert_eq!(inert("a\u{202e}b\u{2028}c\u{85}".as_bytes()), "a\\u{202e}b\\u{2028}c\\u{85}");
        assert_eq!(inert("zażółć 🎉".as_bytes()), "zażółć 🎉");
    }
}
