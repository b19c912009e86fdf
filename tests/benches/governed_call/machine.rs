//! On what it was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use skillhall_tests::files::{repository, text};

/// A description of this machine and of what was built.
pub(crate) fn describe() -> Value {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")).map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    json!({
        "cpu": model.unwrap_or("unknown"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_gib": kib.unwrap_or_default().div_ceil(1 << 20),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "load_at_the_end": fs::read_to_string("/proc/loadavg").unwrap_or_default().split_whitespace().next(),
        "rustc": first_line(Command::new("rustc").arg("--version")),
        "wasmtime": locked("wasmtime"),
        "skillhall": env!("CARGO_PKG_VERSION"),
        "day": first_line(Command::new("date").args(["-u", "+%Y-%m-%d"])),
    })
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// The version that Cargo.lock names.
fn locked(package: &str) -> String {
    let lock = text(&repository("Cargo.lock"));
    let after = lock.split_once(&format!("name = \"{package}\"\nversion = \"")).map_or("", |(_, after)| after);
    after.split('"').next().unwrap_or_default().to_owned()
}

/// The kind of the file system that a folder lies in.
pub(crate) fn file_system(folder: &Path) -> String {
    let folder = folder.canonicalize().expect("the folder is there");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let under = fields.filter(|fields| fields.len() > 2 && folder.starts_with(fields[1]));
    under.max_by_key(|fields| fields[1].len()).map_or_else(|| "unknown".to_owned(), |fields| fields[2].to_owned())
}

/// A folder in a file system that is memory, if there is one.
pub(crate) fn memory_file_system() -> Option<&'static Path> {
    let folder = Path::new("/dev/shm");
    (folder.is_dir() && file_system(folder) == "tmpfs").then_some(folder)
}
