//! Guests in worker processes: the same results and receipts as in the host's own, no way out, and no call that is lost with them.

mod ends;
mod same;
mod sockets;
mod tools;
mod view;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use skillhall_core::package::Package;
use skillhall_tests::command::{Run, finish, hall};
use skillhall_tests::files::{put, text};
use skillhall_tests::world::{World, install};

/// A program that embeds a hall and can be its own worker.
const EMBEDDER: &str = env!("CARGO_BIN_EXE_embedder");

/// A hall whose host is the command.
struct Desk(World);

impl Desk {
    fn new(packages: &[Package]) -> Self {
        let desk = Self(World::bare());
        let hall = desk.0.open();
        packages.iter().for_each(|package| drop(install(&hall, package)));
        drop(hall);
        desk.enroll();
        desk
    }

    /// The command is another executable than the test, and the configuration may have changed.
    fn enroll(&self) {
        self.hall(&["setup", "--enroll", "--json"]).object();
    }

    /// Says under `[isolation]` in hall.toml where skills run, in place of anything that was said.
    fn isolation(&self, lines: &str) {
        let path = self.0.home().join("hall.toml");
        let kept = text(&path);
        let begin = kept.find("[isolation]").unwrap_or(kept.len());
        let rest = kept[begin..].find("\n[grants").map_or("", |at| &kept[begin + at..]);
        let (before, after) = kept[..begin].split_once("\n[grants").unwrap_or((&kept[..begin], ""));
        let after = if after.is_empty() { String::new() } else { format!("\n[grants{after}") };
        put(&path, format!("{}\n\n[isolation]\n{lines}\n{after}{rest}", before.trim_end()).as_bytes());
        self.enroll();
    }

    fn isolated(&self) {
        self.isolation("own = \"process\"");
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.0.home(), arguments)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.desk().canonicalize().expect("the desk is there").join(name)
    }

    /// The receipt of a run, however it ended.
    fn receipt(&self, skill: &str, more: &[&str]) -> Value {
        let run = self.hall(&[&["run", skill, "--json"][..], more].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    /// What the embedder says, a value for each line.
    fn embedder(&self, verb: &str, arguments: &[&str]) -> Vec<Value> {
        let run = finish(Command::new(EMBEDDER).arg(verb).arg(self.0.home()).args(arguments)).ends(0);
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON value a line")).collect()
    }
}
