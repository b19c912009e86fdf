//! A user's desk: the sources of some skills, a hall in one of its states, and a shell in which commands are typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::command::executable;
use crate::files::{copy_folder, put, repository, text};
use crate::skills::{self, component, redact_component, redact_toml, source_of, write_source};

/// A desk in a temporary folder that is removed with it.
///
/// ```text
/// hall/      the hall, from the state bare on
/// redact/    the source of the real skill; its package in redact/dist/redact-1.0.0, from the state built on
/// fall/      the source of a skill that traps
/// spin/      of one that does not end within its 200 ms
/// fetch/     of one that imports http and does not say so
/// worker/    a WCP worker package
/// call.json  an input of the real skill
/// tmp/       for temporary files
/// ```
pub struct Desk(TempDir);

/// How far things have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no hall.
    Empty,
    /// There is a hall in which nothing has happened.
    Bare,
    /// The real skill is built.
    Built,
    /// The real skill is attested, certified, published and installed.
    Ready,
}

static EMPTY: LazyLock<Desk> = LazyLock::new(|| {
    let desk = Desk::new();
    let at = |name: &str| desk.path().join(name);
    write_source(&at("redact"), &redact_toml(), &redact_component());
    put(&at("redact/wit/redact.wit"), text(&repository("examples/redact/wit/redact.wit")).as_bytes());
    write_source(&at("fall"), &source_of("fall", ""), &component(skills::TRAP));
    write_source(&at("spin"), &source_of("spin", "[limits]\ntime = \"200ms\"\n"), &component(skills::SPIN));
    write_source(&at("fetch"), &source_of("fetch", ""), &component(skills::HTTP));
    put(&at("worker/main.py"), b"print('a worker')\n");
    put(&at("call.json"), b"{\"text\": \"Write to ada@example.org.\"}\n");
    std::fs::create_dir(at("tmp")).expect("the folder can be made");
    desk
});

static BARE: LazyLock<Desk> =
    LazyLock::new(|| EMPTY.then("hall setup hall --namespace org.skillhall --organisation acme --owner ada"));

static BUILT: LazyLock<Desk> = LazyLock::new(|| BARE.then("hall build redact --no-command --no-attest"));

static READY: LazyLock<Desk> =
    LazyLock::new(|| BUILT.then("for verb in attest certify publish install; do hall $verb redact/dist/redact-1.0.0; done"));

impl State {
    /// Finds a state by its name.
    ///
    /// # Panics
    /// If there is none of the name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "empty" => Self::Empty,
            "bare" => Self::Bare,
            "built" => Self::Built,
            "ready" => Self::Ready,
            other => panic!("there is no desk '{other}': empty, bare, built or ready"),
        }
    }
}

impl Desk {
    /// A desk of one's own in this state. Each state is made once in a process, by the command itself, and then copied.
    #[must_use]
    pub fn at(state: State) -> Self {
        let kept = match state {
            State::Empty => &EMPTY,
            State::Bare => &BARE,
            State::Built => &BUILT,
            State::Ready => &READY,
        };
        kept.copy()
    }

    fn new() -> Self {
        Self(tempfile::Builder::new().prefix("skillhall-desk-").tempdir().expect("a temporary folder is made"))
    }

    fn copy(&self) -> Self {
        let desk = Self::new();
        copy_folder(self.path(), desk.path());
        desk
    }

    fn then(&self, script: &str) -> Self {
        let desk = self.copy();
        desk.must(script);
        desk
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The hall's folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.path().join("hall")
    }

    /// A shell at this desk that is about to run a script: `hall` is found, its hall is the desk's, the terminal is 100 columns
    /// wide and has no colours, and nothing else of the environment is there.
    #[must_use]
    pub fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.arg("-euc").arg(script);
        self.prepare(&mut shell);
        shell
    }

    /// Sets a command down at this desk, as [`shell`](Self::shell) does.
    pub fn prepare(&self, command: &mut Command) {
        let mut path = OsString::from(executable().parent().expect("the command lies in a folder"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        command.current_dir(self.path()).stdin(Stdio::null()).env_clear().env("PATH", path);
        command.env("HOME", self.path()).env("SKILLHALL_HOME", self.home()).env("TMPDIR", self.path().join("tmp"));
        command.env("USER", "ada").env("COLUMNS", "100").env("NO_COLOR", "1").env("LC_ALL", "C");
    }

    /// Runs a script that has to succeed; gives what it wrote to stdout.
    ///
    /// # Panics
    /// If it fails.
    pub fn must(&self, script: &str) -> String {
        let output = self.shell(script).output().expect("a shell starts");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{}\n{out}\n{err}", output.status);
        out.into_owned()
    }
}
