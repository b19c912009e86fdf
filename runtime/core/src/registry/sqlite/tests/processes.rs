//! Many processes on one file. A child is this test binary again, told by the environment what to do.
#![expect(clippy::disallowed_methods, reason = "a test does to the file what others could do")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use super::*;

const TASK: &str = "SKILLHALL_TEST_REGISTRY_CHILD";
const EACH: u64 = 50;

fn target() -> Target {
    Target::Skill(id("org.acme/redact"))
}

fn ban(sequence: u64) -> (Change, Commit) {
    let change = Change::Standing(event(&sequence.to_string(), Scope::Global, target(), State::Banned, "security"));
    let commit = Commit { sequence, digest: change.digest().unwrap() };
    (change, commit)
}

fn spawn(task: &str, path: &Path, more: impl FnOnce(&mut Command)) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "registry::sqlite::tests::processes::child", "--nocapture"]);
    command.env(TASK, format!("{task} {}", path.display())).stdout(Stdio::piped()).stderr(Stdio::piped());
    more(&mut command);
    command.spawn()
}

/// What a child does; nothing when the tests are run as such.
#[test]
fn child() {
    let Ok(told) = std::env::var(TASK) else { return };
    let (task, path) = told.split_once(' ').unwrap();
    let opened = SqliteRegistry::open(Path::new(path));
    if task == "look" {
        println!("\nsaw {:?}", opened.map(drop));
        return;
    }
    let registry = opened.unwrap();
    let start: u64 = task.parse().unwrap();
    for sequence in start..start + EACH {
        let (change, commit) = ban(sequence);
        registry.apply(&change, commit).unwrap();
        println!("\napplied {sequence}");
    }
}

#[test]
fn two_processes_at_once_lose_nothing() {
    let (_folder, path, registry) = filled();
    let children: Vec<Child> = [1000, 2000].iter().map(|start| spawn(&start.to_string(), &path, |_| ()).unwrap()).collect();
    for sequence in 3000..3000 + EACH {
        let (change, commit) = ban(sequence);
        registry.apply(&change, commit).unwrap();
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let wanted: Vec<u64> = (1..=9).chain([1000, 2000, 3000].into_iter().flat_map(|start| start..start + EACH)).collect();
    let found: Vec<u64> = registry.commits(0).unwrap().into_iter().map(|commit| commit.sequence).collect();
    assert_eq!(found, wanted);
    assert_eq!(registry.version(), Ok(9 + 3 * EACH));
    assert_eq!(registry.standing_events(&target()).unwrap().len() as u64, 1 + 3 * EACH);
    assert_eq!(registry.verify(), Ok(()));
}

#[test]
fn what_another_process_says_counts_at_the_next_call() {
    let (_folder, path, registry) = filled();
    let before = registry.version().unwrap();
    assert!(spawn("1000", &path, |_| ()).unwrap().wait_with_output().unwrap().status.success());
    assert_eq!(registry.version(), Ok(before + EACH));
    let marks = registry.snapshot(&query(REDACT)).unwrap().marks;
    assert_eq!(marks.last().unwrap().id, (1000 + EACH - 1).to_string());
}

#[test]
fn what_a_killed_process_was_told_is_applied_is_there() {
    let (_folder, path, registry) = filled();
    for (round, after) in [1, 7, 23].into_iter().enumerate() {
        let start = 1000 * (round as u64 + 1);
        let mut child = spawn(&start.to_string(), &path, |_| ()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let applied = lines.map(Result::unwrap).filter_map(|line| line.strip_prefix("applied ").map(str::to_owned));
        let last: u64 = applied.take(after).last().unwrap().parse().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let there: Vec<u64> = registry.commits(start - 1).unwrap().into_iter().map(|commit| commit.sequence).collect();
        assert!(there.len() as u64 > last - start, "{there:?} ends before {last}");
        assert_eq!(there, (start..start + there.len() as u64).collect::<Vec<_>>());
        assert_eq!(registry.verify(), Ok(()));
        let (change, commit) = ban(start + 500);
        registry.apply(&change, commit).expect("a killed process leaves no lock");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused() {
    let (folder, path, registry) = filled();
    drop(registry);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let unprivileged = |command: &mut Command| {
        if rustix::process::geteuid().is_root() {
            // Root may write whatever the mode says.
            command.uid(65534).gid(65534).current_dir("/");
        }
    };
    let Ok(mut child) = spawn("look", &path, unprivileged) else {
        println!("skipped: another user cannot run this binary");
        return;
    };
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.wait().unwrap();
    let saw = output.lines().find_map(|line| line.strip_prefix("saw ")).expect(&output);
    assert!(saw.contains("cannot be written"), "{saw}");
}
