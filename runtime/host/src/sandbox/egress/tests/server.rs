//! Servers on threads of their own, each of which does one thing to whoever connects.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Something that can be read and written.
pub(crate) trait Talk: Read + Write {}

impl<T: Read + Write> Talk for T {}

/// A server on a port of 127.0.0.1. It goes on until the test's process ends.
pub(crate) struct Server {
    scheme: &'static str,
    port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    heads: Mutex<Vec<String>>,
    panicked: AtomicBool,
}

impl Server {
    /// Reads the head of a request, keeps it, and then does this.
    pub(crate) fn plain(talk: impl Fn(&mut dyn Talk) + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", "http", move |stream, seen| {
            let mut stream = stream;
            seen.read_head(&mut stream)?;
            talk(&mut stream);
            Ok(())
        })
    }

    /// Does this with the bare connection; what it gives is kept as the head.
    pub(crate) fn raw(scheme: &'static str, talk: impl Fn(TcpStream) -> io::Result<String> + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", scheme, move |stream, seen| {
            let head = talk(stream)?;
            seen.heads.lock().unwrap().push(head);
            Ok(())
        })
    }

    fn at(
        address: &str,
        scheme: &'static str,
        talk: impl Fn(TcpStream, &Seen) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let (kept, talk) = (Arc::clone(&seen), Arc::new(talk));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                kept.connections.fetch_add(1, Ordering::SeqCst);
                let (kept, talk) = (Arc::clone(&kept), Arc::clone(&talk));
                std::thread::spawn(move || {
                    let talked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| talk(stream, &kept)));
                    if talked.is_err() {
                        kept.panicked.store(true, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { scheme, port, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn origin(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The head of the first request, which a server that talks by itself tells only after its answer.
    pub(crate) fn first_head(&self) -> String {
        let since = std::time::Instant::now();
        while self.heads().is_empty() && since.elapsed() < std::time::Duration::from_secs(10) {
            std::thread::yield_now();
        }
        self.heads().swap_remove(0)
    }

    /// The heads of the requests that came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.heads.lock().unwrap().clone()
    }

    /// Whether everything that the server wanted of its clients was so.
    pub(crate) fn sound(&self) -> bool {
        !self.seen.panicked.load(Ordering::SeqCst)
    }
}

impl Seen {
    fn read_head(&self, stream: &mut dyn Talk) -> io::Result<()> {
        let head = read_head(stream)?;
        self.heads.lock().unwrap().push(head);
        Ok(())
    }
}

/// The head of a request, without what comes behind it.
pub(crate) fn read_head(stream: &mut dyn Talk) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The head of an answer, with a body behind it.
pub(crate) fn head(status: &str, headers: &str, body: &str) -> String {
    let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
    format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}")
}

/// An answer with a body of known length.
pub(crate) fn reply(stream: &mut dyn Talk, status: &str, headers: &str, body: &str) {
    let between = if headers.is_empty() { "" } else { "\r\n" };
    let headers = format!("{headers}{between}content-length: {}", body.len());
    // A client that is gone wants no answer.
    let _ = stream.write_all(head(status, &headers, body).as_bytes());
    let _ = stream.flush();
}
