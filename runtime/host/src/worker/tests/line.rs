//! The worker's end of the line, to a parent that answers at once.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::Request;

use super::super::line::Line;
use super::super::request::send;
use super::super::web::Wrong;
use super::super::wire::{Answer, Ask, Inbox, Said, Say, frame, write};
use crate::sandbox::egress::{HttpError, Timeouts};
use crate::sandbox::{Allowance, Traffic};

/// So often that some answers are there before the request's task looks for them.
const TIMES: usize = 3_000;

#[test]
fn an_answer_that_is_there_at_once_is_the_answer() {
    let (ours, parents) = UnixStream::pair().unwrap();
    let line = Line::new(ours.try_clone().unwrap());
    let listening = Arc::clone(&line);
    thread::spawn(move || listening.listen(&ours, Inbox::default(), &mpsc::channel().0));
    thread::spawn(move || {
        let mut inbox = Inbox::default();
        while let Ok(Said::Ask { id, ask: Ask::Send(_), .. }) = inbox.wait(&parents, usize::MAX) {
            let answer = Say::Answer { id, bytes: 0, answer: Answer::Sent(Err(Wrong::LoopDetected)) };
            write(&parents, &frame(&answer).unwrap()).unwrap();
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let allowed = Allowance { requests: 1, bytes: 1, time: Duration::from_secs(1) };
    line.allow(0, TIMES as u64);
    for _ in 0..TIMES {
        let request = Request::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        let timeouts = Timeouts { connect: None, first_byte: None, between_bytes: None };
        let answered = runtime.block_on(send(&line, 0, request, timeouts, Arc::new(Traffic::new(allowed))));
        let told = answered.map(drop).unwrap_err().told;
        assert!(matches!(told, HttpError::LoopDetected), "{told:?}");
    }
}
