//! The streams of a connection that is in another process.

use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use super::{Got, Held, Wish, Wrong};
use crate::sandbox::meter::Moved;

/// One stream, and the count of what goes through it.
pub(super) struct Stream {
    pub(super) held: Held,
    pub(super) moved: Moved,
}

impl Stream {
    fn wish(&self, wish: Wish) -> StreamResult<Got> {
        self.held.far.wish(wish).map_err(|wrong| match wrong {
            Wrong::Closed => StreamError::Closed,
            Wrong::Failed(text) => StreamError::LastOperationFailed(wasmtime::Error::msg(text)),
            Wrong::Over(bytes) => match self.count(bytes) {
                Err(error) => error,
                Ok(()) => StreamError::trap("more bytes went through the host than it allows"),
            },
            Wrong::Trap(text) => StreamError::trap(&text),
            Wrong::Code(_) => other(),
        })
    }

    fn count(&self, bytes: u64) -> StreamResult<()> {
        self.moved.moving(bytes).map_err(|stop| StreamError::Trap(stop.into()))
    }
}

fn other() -> StreamError {
    StreamError::trap("the host answered something else than it was asked")
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        self.held.ready().await;
    }
}

#[async_trait]
impl InputStream for Stream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.wish(Wish::Read(self.held.thing, length(size)))? {
            Got::Bytes(bytes) if bytes.len() <= size => {
                self.count(length(bytes.len()))?;
                Ok(bytes.into())
            }
            _ => Err(other()),
        }
    }
}

#[async_trait]
impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(length(bytes.len()))?;
        self.wish(Wish::Write(self.held.thing, bytes.into())).map(drop)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.wish(Wish::Flush(self.held.thing)).map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.wish(Wish::CheckWrite(self.held.thing))? {
            Got::Number(count) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            _ => Err(other()),
        }
    }

    /// What was written is on its way before the stream goes.
    async fn cancel(&mut self) {
        self.ready().await;
    }
}
