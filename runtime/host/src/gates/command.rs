//! A policy gate that is a program: started anew for each call, the context on its stdin, the verdict on its stdout.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};

use super::{MAX_ANSWER, read, written};
use crate::program::{AskError, ask};

/// Where a program's own programs are looked for.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program that judges calls.
#[derive(Debug)]
pub struct Program {
    words: Vec<String>,
    folder: PathBuf,
    deadline: Duration,
}

impl Program {
    /// The program by its absolute path and its arguments, without a shell; it works in `folder`, has `deadline` for each verdict,
    /// and nothing in its environment but [`PATH`]. Nothing of the environment of whoever calls reaches it or says which it is.
    #[must_use]
    pub fn new(words: Vec<String>, folder: PathBuf, deadline: Duration) -> Self {
        Self { words, folder, deadline }
    }
}

impl PolicyGate for Program {
    fn evaluate(&self, context: &GateContext) -> Result<Verdict, GateError> {
        let (name, arguments) = self.words.split_first().ok_or_else(|| GateError::Failed("it has no name".to_owned()))?;
        if !name.starts_with('/') {
            return Err(GateError::Failed("it has no absolute path".to_owned()));
        }
        let mut command = Command::new(name);
        command.args(arguments).current_dir(&self.folder).env_clear().env("PATH", PATH).stderr(Stdio::null());
        let answer = ask(&mut command, written(context)?, self.deadline, MAX_ANSWER).map_err(|error| match error {
            AskError::Late(_) => GateError::Late,
            AskError::TooLarge(_) => GateError::Malformed(error.to_string()),
            error => GateError::Failed(error.to_string()),
        })?;
        read(&answer)
    }

    fn names(&self) -> Vec<String> {
        vec!["command".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gates::tests::context;

    fn of(script: &str) -> Result<Verdict, GateError> {
        let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        Program::new(words, PathBuf::from("/"), Duration::from_secs(2)).evaluate(&context())
    }

    const GOOD: &str = r#"echo '{"decision": "ALLOW", "policy_version": "v1", "reason": "fine"}'"#;

    #[test]
    fn it_gets_the_context_and_nothing_else() {
        assert_eq!(of(GOOD).unwrap().reason, "fine");
        let echo = r#"context=$(cat); printf '{"decision": "DENY", "policy_version": "v1", "reason": %s}' "$(printf %s "$context" | sed 's/"/\\"/g; s/^/"/; s/$/"/')""#;
        let reason: serde_json::Value = serde_json::from_str(&of(echo).unwrap().reason).unwrap();
        assert_eq!(reason, serde_json::to_value(context()).unwrap());
        let environment = r#"n=$(env | grep -vc '^\(PATH\|PWD\|OLDPWD\|SHLVL\|_\)='); echo "{\"decision\": \"ALLOW\", \"policy_version\": \"v1\", \"reason\": \"$n $PATH\"}""#;
        assert_eq!(of(environment).unwrap().reason, format!("0 {PATH}"));
    }

    #[test]
    fn what_is_no_verdict_is_none() {
        assert_eq!(of("sleep 60"), Err(GateError::Late));
        assert!(matches!(of("yes"), Err(GateError::Malformed(_))));
        assert!(matches!(of("echo ALLOW"), Err(GateError::Malformed(_))));
        assert!(matches!(of("true"), Err(GateError::Malformed(_))));
        assert!(matches!(of(&format!("{GOOD}; exit 1")), Err(GateError::Failed(_))));
        assert!(matches!(of(&format!("{GOOD}; kill -9 $$")), Err(GateError::Failed(_))));
        let program = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Program::new(words, PathBuf::from("/"), Duration::from_secs(1)).evaluate(&context())
        };
        assert!(matches!(program(&["/nowhere/at/all"]), Err(GateError::Failed(_))));
        // Not even one that could be found.
        for name in ["sh", "bin/sh", "./bin/sh"] {
            assert_eq!(program(&[name, "-c", GOOD]), Err(GateError::Failed("it has no absolute path".to_owned())));
        }
        assert!(program(&["/bin/sh", "-c", GOOD]).is_ok());
    }
}
