//! How does one client speak with a hall over two pipes? One message a line, of a bounded length.

use rmcp::service::{QuitReason, serve_server};
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

use crate::server::{GRACE, LONGEST, Server};

/// Stands in the place of a message that was too long: it is no request, and is answered as such.
const TOO_LONG: &[u8] = b"{\"jsonrpc\":\"2.0\",\"method\":false}\n";

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed its side.
    Closed,
    /// The client's first message was neither a request of revision 2026-07-28 nor `initialize`.
    NotMcp,
    /// `until` came first.
    Stopped,
}

/// Serves one client until it closes its side, or `until` is there. Calls that still run then are stopped, and when this returns the
/// records of all calls are closed.
pub async fn serve<R, W>(server: Server, read: R, write: W, until: impl Future<Output = ()>) -> End
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let (bounded, pipe) = tokio::io::duplex(64 << 10);
    let told = server.clone();
    let reader = tokio::spawn(async move { forward(read, bounded, &told).await });
    let session = async {
        let transport = AsyncRwTransport::new_server(pipe, write).with_max_line_length(LONGEST);
        match serve_server(server.clone(), transport).await {
            Ok(running) => match running.waiting().await {
                Ok(QuitReason::Closed) => End::Closed,
                _ => End::Stopped,
            },
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => End::Closed,
            Err(_) => End::NotMcp,
        }
    };
    let end = tokio::select! {
        end = session => end,
        () = until => End::Stopped,
    };
    reader.abort();
    server.halls().shutdown(GRACE).await;
    end
}

/// Hands on whole lines, and something short in the place of one that is too long.
async fn forward(read: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, server: &Server) {
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    let mut skips = false;
    loop {
        let Ok(available) = read.fill_buf().await else { return };
        if available.is_empty() {
            return;
        }
        let (taken, is_whole) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (available.len(), false),
        };
        if !skips {
            line.extend_from_slice(available.get(..taken).unwrap_or_default());
        }
        read.consume(taken);
        if line.len() > LONGEST {
            (line, skips) = (Vec::new(), true);
            server.narrate(&format!("a message of more than {LONGEST} bytes was refused"));
        }
        if is_whole {
            let whole = if skips { TOO_LONG } else { line.as_slice() };
            if to.write_all(whole).await.is_err() {
                return;
            }
            line.clear();
            skips = false;
        }
    }
}
