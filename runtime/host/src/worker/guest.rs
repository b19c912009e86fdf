//! The worker that runs guests of one skill: what it does from its first line to its last.
//!
//! It gets its code and its folders over the one socket that it was born with, locks itself up, maps the code, locks itself up
//! further so that no memory ever becomes executable again, and then runs one order after the other.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::exit;
use std::sync::{Arc, mpsc};
use std::thread;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use skillhall_core::digest::Digest;

use super::confine::{Held, confine_guest, seal_off};
use super::line::{Line, ToRun};
use super::remote::{Handed, Remote};
use super::task::Task;
use super::wire::{Begin, Errand, Inbox, Report, Said, Say, frame, write};
use crate::engine::{HandedOver, KillHandle, Order, Outcome, Prepared, Tally, bare, run};
use crate::sandbox::Reserved;

/// The most files that are handed over: code and folders.
pub(super) const MAX_HANDED: usize = 200;
/// What stands beside them.
const MARK: u8 = b's';

/// Sends files, beside one byte.
pub(super) fn hand(socket: impl AsFd, files: &[impl AsFd]) -> io::Result<()> {
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_HANDED))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if files.len() > MAX_HANDED || !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("these are too many folders for one call"));
    }
    sendmsg(socket, &[io::IoSlice::new(&[MARK])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Takes the files that were sent.
fn take(socket: impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_HANDED))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut mark = [0];
    let got = recvmsg(socket, &mut [io::IoSliceMut::new(&mut mark)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if got.bytes != 1 || mark != [MARK] || got.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let rights = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    Ok(rights.flatten().collect())
}

/// The worker's side. Tells its parent why it could not begin.
pub(super) fn work(task: &Task, fuel: bool) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().map_err(told)?);
    match begin(task, fuel, &socket) {
        Ok((inbox, worker)) => worker.serve(&socket, inbox),
        Err(why) => frame(&Said::NotBegun(why)).and_then(|frame| write(&socket, &frame)).map_err(told),
    }
}

struct Worker {
    line: Arc<Line>,
    prepared: Arc<Prepared>,
    folders: Arc<Vec<Handed>>,
}

fn begin(task: &Task, fuel: bool, socket: &UnixStream) -> Result<(Inbox, Worker), String> {
    // Nothing of this depends on what is not trusted.
    let (engine, compatibility) = bare(fuel).map_err(|fault| fault.to_string())?;
    let told = |error: io::Error| error.to_string();
    let mut files = take(socket).map_err(told)?.into_iter();
    let mut inbox = Inbox::default();
    let Ok(Say::Begin(Begin { digest, folders })) = inbox.wait(socket, usize::MAX) else {
        return Err("it was told nothing".to_owned());
    };
    let (Some(code), true) = (files.next(), files.len() == folders.len()) else {
        return Err("it was handed other files than it was told".to_owned());
    };
    let handed = folders.into_iter().zip(files).map(|((mount, access), dir)| Handed { mount, access, dir });
    let folders: Vec<Handed> = handed.collect();
    let granted: Vec<_> = folders.iter().map(|folder| (folder.dir.as_fd(), folder.access)).collect();
    let held = confine_guest(task, &granted)?;
    let code = HandedOver::load(engine, compatibility, Digest::from_bytes(digest), code).map_err(|error| format!("{error:#}"))?;
    if !seal_off(!folders.is_empty()) {
        return Err("the locks that keep memory from becoming executable do not hold".to_owned());
    }
    let prepared = Arc::new(code.prepared().map_err(|fault| fault.to_string())?);
    let line = Line::new(socket.try_clone().map_err(told)?);
    let Held { landlock, seccomp, no_new_privileges } = held;
    line.say(&Said::Began { landlock, seccomp, no_new_privileges, compatibility: *compatibility.as_bytes() });
    Ok((inbox, Worker { line, prepared, folders: Arc::new(folders) }))
}

impl Worker {
    /// Runs what it is told until its parent is gone.
    fn serve(self, socket: &UnixStream, inbox: Inbox) -> Result<(), String> {
        let told = |error: io::Error| error.to_string();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(8).build().map_err(told)?;
        let (sender, runs) = mpsc::channel();
        let (line, socket) = (Arc::clone(&self.line), socket.try_clone().map_err(told)?);
        let listening = thread::Builder::new().name("skillhall-line".to_owned());
        listening
            .spawn(move || {
                line.listen(&socket, inbox, &sender);
                exit(0);
            })
            .map_err(told)?;
        for ToRun { run, errand, kill } in runs {
            let report = runtime.block_on(self.run(run, &errand, &kill))?;
            self.line.say(&Said::Ended { run, report });
        }
        Ok(())
    }

    async fn run(&self, number: u64, errand: &str, kill: &KillHandle) -> Result<String, String> {
        let told = |error: serde_json::Error| error.to_string();
        let Errand { export, input, limits, links, given, replay } = serde_json::from_str(errand).map_err(told)?;
        self.line.allow(number, limits.host_calls);
        let order = Order {
            prepared: Arc::clone(&self.prepared),
            export,
            input: serde_json::from_str(&input).map_err(told)?,
            limits,
            links,
            given,
            broker: Arc::new(Remote::new(&self.line, number, &self.folders)),
            // The parent looked at each folder before it handed it over.
            reserved: Arc::new(Reserved::nothing()),
            assets: None,
            replay,
        };
        let tally = Tally::new(&order.limits);
        let Outcome { end, resources, stdout, stderr, log, http, refusals: _, sockets: _, calls: _ } =
            run(order, kill, &tally).await;
        // What the guest left behind goes, and says so, before the end is told.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        let report = Report { end: end.map_err(Into::into), resources, stdout, stderr, log, http };
        serde_json::to_string(&report).map_err(told)
    }
}
