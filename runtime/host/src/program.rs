//! Asking another program: its input goes in, its output comes out, within a deadline and a bound. Policy gates that are programs
//! and other implementations of WCP are asked this way.

use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// What a program gave no answer by.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It could not be started.
    #[error("it could not be started: {0}")]
    Start(std::io::Error),
    /// It was still at work when its time was over.
    #[error("it did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// It said more than is read.
    #[error("it answered more than {0} bytes")]
    TooLarge(usize),
    /// It ended badly.
    #[error("it ended with {0}")]
    Ended(std::process::ExitStatus),
    /// The operating system did not let it be read or waited for.
    #[error("it could not be read: {0}")]
    Io(std::io::Error),
}

/// Starts a program, gives it `input` and gives back all that it writes to stdout, if it ends well within `deadline` and says at
/// most `most` bytes. However it ends, it and every program of its process group are gone afterwards.
///
/// It need not read its input. What it writes to stderr goes where `command` says.
///
/// # Errors
/// [`AskError`]; nothing of a partial answer is given out.
pub fn ask(command: &mut Command, input: Vec<u8>, deadline: Duration, most: usize) -> Result<Vec<u8>, AskError> {
    let until = Instant::now() + deadline;
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn().map_err(AskError::Start)?;
    let mut asked = Asked { child };
    let (stdin, stdout) = (asked.child.stdin.take(), asked.child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        return Err(AskError::Io(std::io::ErrorKind::BrokenPipe.into()));
    };
    // Both end when the program does, or when its group is killed below.
    thread::spawn(move || stdin.write_all(&input));
    let (answer, answered) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(most as u64 + 1).read_to_end(&mut bytes);
        let _ = answer.send(read.map(|_| bytes));
    });
    let bytes = answered.recv_timeout(deadline).map_err(|_| AskError::Late(deadline))?.map_err(AskError::Io)?;
    if bytes.len() > most {
        return Err(AskError::TooLarge(most));
    }
    let mut pause = Duration::from_micros(100);
    loop {
        match asked.child.try_wait().map_err(AskError::Io)? {
            Some(status) if status.success() => return Ok(bytes),
            Some(status) => return Err(AskError::Ended(status)),
            None if Instant::now() >= until => return Err(AskError::Late(deadline)),
            None => thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// A program that was started, and is killed with all it started when nobody waits for it any more.
struct Asked {
    child: Child,
}

impl Drop for Asked {
    fn drop(&mut self) {
        // The group's id is not given to others while the child is not waited for, or while members of the group live.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str, deadline_ms: u64, most: usize) -> Result<Vec<u8>, AskError> {
        ask(Command::new("sh").args(["-c", script]), input.as_bytes().to_vec(), Duration::from_millis(deadline_ms), most)
    }

    #[test]
    fn what_goes_in_comes_out() {
        assert_eq!(shell("cat", "hello", 10_000, 100).unwrap(), b"hello");
        let much = "x".repeat(1 << 20);
        assert_eq!(shell("cat", &much, 10_000, 1 << 20).unwrap(), much.as_bytes());
        assert_eq!(shell("echo unread", &much, 10_000, 100).unwrap(), b"unread\n");
    }

    #[test]
    fn who_is_late_says_too_much_or_ends_badly_has_not_answered() {
        let start = Instant::now();
        assert!(matches!(shell("echo early; sleep 60", "", 300, 100), Err(AskError::Late(_))));
        assert!(matches!(shell("exec >&-; sleep 60", "", 300, 100), Err(AskError::Late(_))));
        assert!(matches!(shell("sleep 60 & echo left one behind", "", 300, 100), Err(AskError::Late(_))));
        assert!(matches!(shell("yes", "", 10_000, 100), Err(AskError::TooLarge(100))));
        assert!(matches!(shell("echo fine; exit 3", "", 10_000, 100), Err(AskError::Ended(_))));
        assert!(matches!(shell("kill -9 $$", "", 10_000, 100), Err(AskError::Ended(_))));
        let nothing = ask(&mut Command::new("/nowhere/at/all"), Vec::new(), Duration::from_secs(1), 1);
        assert!(matches!(nothing, Err(AskError::Start(_))));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
