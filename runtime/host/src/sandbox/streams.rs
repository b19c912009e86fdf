//! The engine's streams over files and connections, with a count of the bytes that go through them.

use wasmtime_wasi::p2::pipe::{ClosedInputStream, ClosedOutputStream};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::bytes::Bytes;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult};

use super::meter::Moved;

/// Puts a count before a stream that the guest reads.
pub(super) fn count_input(stream: &mut DynInputStream, moved: Moved) {
    let inner = std::mem::replace(stream, Box::new(ClosedInputStream));
    *stream = Box::new(Counted { inner, moved });
}

/// Puts counts before a stream that the guest writes.
pub(super) fn count_output(stream: &mut DynOutputStream, counts: impl IntoIterator<Item = Moved>) {
    for moved in counts {
        let inner = std::mem::replace(stream, Box::new(ClosedOutputStream));
        *stream = Box::new(Counted { inner, moved });
    }
}

struct Counted<S> {
    inner: S,
    moved: Moved,
}

impl<S> Counted<S> {
    fn count(&self, bytes: &Bytes) -> StreamResult<()> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.moved.moving(length).map_err(|stop| StreamError::Trap(stop.into()))
    }
}

#[async_trait]
impl Pollable for Counted<DynInputStream> {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

// Skipping is left to the trait: it reads, and so is counted as reading.
#[async_trait]
impl InputStream for Counted<DynInputStream> {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.read(size)?;
        self.count(&bytes)?;
        Ok(bytes)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.inner.blocking_read(size).await?;
        self.count(&bytes)?;
        Ok(bytes)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for Counted<DynOutputStream> {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

// Zeroes are left to the trait: it writes them, and so they are counted.
#[async_trait]
impl OutputStream for Counted<DynOutputStream> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(&bytes)?;
        self.inner.write(bytes)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.count(&bytes)?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
