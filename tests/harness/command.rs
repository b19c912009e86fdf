//! The command `hall` as a process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// What a command left.
#[derive(Debug)]
pub struct Run {
    /// Its exit code.
    pub code: i32,
    /// The result.
    pub stdout: String,
    /// Everything else.
    pub stderr: String,
}

/// The executable: `SKILLHALL_BIN` if that is set; else the one beside the test's own, built anew if it is out of date.
static EXECUTABLE: LazyLock<PathBuf> = LazyLock::new(|| {
    if let Some(path) = std::env::var_os("SKILLHALL_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().expect("the test knows its own file");
    let profile = own.ancestors().nth(2).expect("target/<profile>/deps/<test>").to_owned();
    let target = profile.parent().expect("target/<profile>").to_owned();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "skillhall-cli", "--bin", "hall"]).env("CARGO_TARGET_DIR", target);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo starts").success(), "the command hall is not built");
    profile.join("hall")
});

/// The file of the command `hall`.
#[must_use]
pub fn executable() -> &'static Path {
    &EXECUTABLE
}

/// A command that works in this hall, with no secret and no colours asked for in its environment.
#[must_use]
pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(&*EXECUTABLE);
    command.args(arguments).env("SKILLHALL_HOME", home).stdin(Stdio::null());
    for name in ["WCP_ATTEST_HMAC_KEY", "SKILLHALL_TOKEN_FILE", "XDG_DATA_HOME", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command in this hall to its end.
///
/// # Panics
/// If it does not start, or a signal ends it.
#[must_use]
pub fn hall(home: &Path, arguments: &[&str]) -> Run {
    finish(&mut command(home, arguments))
}

/// Runs a command in this hall with this text on its stdin.
///
/// # Panics
/// If it does not start, or a signal ends it.
#[must_use]
pub fn hall_fed(home: &Path, arguments: &[&str], stdin: &str) -> Run {
    let mut command = command(home, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    // A command that does not read its input may be gone before it is written.
    let _ = child.stdin.take().expect("its stdin is a pipe").write_all(stdin.as_bytes());
    Run::of(child.wait_with_output().expect("the command ends"))
}

/// Runs a prepared command to its end.
///
/// # Panics
/// If it does not start, or a signal ends it.
pub fn finish(command: &mut Command) -> Run {
    Run::of(command.output().expect("the command starts"))
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        let code = output.status.code().unwrap_or_else(|| panic!("a signal ended the command: {:?}", output.status));
        let run = Self { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "escapes without a terminal: {run:?}");
        run
    }

    /// Expects this exit code.
    ///
    /// # Panics
    /// If it is another.
    #[must_use]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Expects success, and one JSON object on stdout.
    ///
    /// # Panics
    /// If it is anything else.
    pub fn object(self) -> Value {
        let run = self.ends(0);
        assert_eq!(run.stderr, "", "with --json nothing is narrated");
        one_object(&run.stdout)
    }

    /// Expects this exit code, nothing on stdout, and one JSON object on stderr; gives its `error`.
    ///
    /// # Panics
    /// If it is anything else.
    pub fn error(self, code: i32) -> Value {
        let run = self.ends(code);
        assert_eq!(run.stdout, "", "an error leaves nothing on stdout");
        let error = one_object(&run.stderr).get("error").cloned().expect("an error object has a member error");
        assert_eq!(error.get("exit").and_then(Value::as_i64), Some(i64::from(code)), "{error}");
        error
    }
}

fn one_object(text: &str) -> Value {
    assert_eq!(text.lines().count(), 1, "one line: {text:?}");
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert!(value.is_object(), "{value}");
    value
}
