//! Two organisations and their people, with whole commands: who may call, who may do what, and how all of it is taken back.

mod authority;
mod callers;
mod files;
mod separation;

use std::path::{Path, PathBuf};

use serde_json::Value;
use skillhall::hall::Hall;
use skillhall_core::ledger::{EventKind, Record};
use skillhall_tests::command::{Run, command, finish, hall};
use skillhall_tests::world::{World, records_from};

const REDACT: &str = "org.skillhall/redact@1.0.0";
const INPUT: &str = "{\"text\": \"Write to ada@example.org.\"}";

/// A hall of acme's whose skill globex may call. Gina is globex's administrator and may call; gus may call.
struct Desk(World);

impl Desk {
    fn new() -> Self {
        let desk = Self(World::ready());
        desk.must(&["setup", "--enroll"]);
        desk.must(&["org", "create", "globex"]);
        desk.must(&["namespace", "allow", "org.skillhall", "globex"]);
        for (holder, role) in [("gina", "org-admin"), ("gina", "worker"), ("gus", "worker")] {
            desk.must(&["role", "grant", "globex", holder, role]);
        }
        desk.token("gina", &["--role", "org-admin", "--role", "worker", "--namespace", "org.skillhall", "--days", "60"]);
        desk.token("gus", &["--namespace", "org.skillhall"]);
        desk
    }

    fn home(&self) -> PathBuf {
        self.0.home()
    }

    fn file(&self, holder: &str) -> PathBuf {
        self.0.desk().join(format!("{holder}.token"))
    }

    /// As the hall's owner.
    fn owner(&self, arguments: &[&str]) -> Run {
        hall(&self.home(), &[arguments, &["--json"]].concat())
    }

    fn must(&self, arguments: &[&str]) -> Value {
        self.owner(arguments).object()
    }

    /// As the holder of a token.
    fn by(&self, holder: &str, arguments: &[&str]) -> Run {
        let file = self.file(holder).display().to_string();
        hall(&self.home(), &[arguments, &["--token-file", &file, "--json"]].concat())
    }

    fn call(&self, holder: &str) -> Run {
        self.by(holder, &["run", REDACT, "--input", INPUT])
    }

    /// Issues a token of globex's to somebody; gives its id.
    fn token(&self, holder: &str, flags: &[&str]) -> String {
        self.issued("globex", holder, flags)
    }

    fn issued(&self, organisation: &str, holder: &str, flags: &[&str]) -> String {
        let file = self.file(holder);
        let _ = std::fs::remove_file(&file);
        let out = file.display().to_string();
        let issued = self.must(&[&["token", "issue", organisation, holder, "--out", &out], flags].concat());
        assert!(issued.get("text").is_none(), "what is written to a file is not printed: {issued}");
        issued["token"]["id"].as_str().expect("an id").to_owned()
    }

    fn open(&self) -> Hall {
        self.0.open()
    }

    fn records(&self) -> Vec<Record> {
        records_from(&self.open(), 0)
    }

    /// The last denial in the ledger.
    fn denied(&self) -> Record {
        let denied = |record: &Record| record.event.kind == EventKind::SkillDeny;
        self.records().into_iter().rfind(denied).expect("a denial is recorded")
    }

    /// Sees that this was refused with this code, and that the ledger says so.
    fn refused(&self, run: Run, exit: i32, code: &str) -> Value {
        let error = run.error(exit);
        assert_eq!(error["code"], code, "{error}");
        let denied = self.denied();
        assert_eq!(denied.event.code.map(|code| code.as_str()), Some(code), "{denied:?}");
        error
    }
}

/// The command with a variable that names a token's file.
fn with_variable(home: &Path, file: &Path, arguments: &[&str]) -> Run {
    finish(command(home, arguments).env("SKILLHALL_TOKEN_FILE", file))
}
