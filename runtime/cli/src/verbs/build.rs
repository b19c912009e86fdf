//! `hall build`: runs the author's build, reads the component's interface, and writes the package.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use serde_json::json;
use skillhall::hall::Hall;
use skillhall_core::denial::Denial;
use skillhall_core::digest::Digest;
use skillhall_core::id::{KeyId, Namespace};
use skillhall_core::ledger::event::{Event, EventKind};
use skillhall_core::package::source::{self, Source};
use skillhall_core::package::wit::Docs;
use skillhall_core::package::{Adapter, Package, build};
use skillhall_core::store;

use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::interrupt;
use crate::module::made_of;
use crate::package;
use crate::printer::{Printer, bold, dim, first_sentence, good, hint, shown};

/// The largest component and the largest document that are read.
const MAX_COMPONENT: u64 = 64 << 20;
const MAX_FILE: u64 = 8 << 20;
/// How much of what a build command says is kept, to be told if it fails.
const MAX_SAID: usize = 8 << 10;

/// Build a skill: component, schemas, package, and its attestation where a key is at hand
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall build                       # the skill in this folder, into dist/\n  hall build examples/redact --out redact.skill\n  hall build --no-command          # package the component that is there\n  hall build --no-attest           # leave the package unattested"
)]
pub(crate) struct Arguments {
    /// The skill's folder, with its skill.toml
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where the package goes: a folder, or a .skill archive [default: FOLDER/dist/NAME-VERSION]
    #[arg(long, short, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Do not run the build command of skill.toml
    #[arg(long)]
    no_command: bool,
    /// Do not attest the package, though a key of its namespace is at hand
    #[arg(long)]
    no_attest: bool,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open_or_make(printer)?.hall;
    let sources = Sources::open(&arguments.folder)?;
    let (package, event) = sources.build(&hall, !arguments.no_command, false, printer)?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_place(&arguments.folder, &package)?,
    };
    package::write(&package, &out)?;
    let record = hall.note(event)?;
    let keys = if !arguments.no_attest && hall.can_attest(&package.manifest().namespace)? {
        let (attested, keys) = hall.attest(&package, "local")?;
        package::write(&attested, &out)?;
        keys
    } else {
        Vec::new()
    };
    show(&package, &out, record, &keys, printer);
    Ok(())
}

fn show(package: &Package, out: &Path, record: u64, keys: &[KeyId], printer: &Printer) {
    let manifest = package.manifest();
    let unused = without_use(package);
    let object = json!({
        "skill": manifest.reference(),
        "package": out.display().to_string(),
        "manifest_hash": package.manifest_hash(),
        "component": { "sha256": manifest.component.sha256, "size": manifest.component.size },
        "tools": manifest.tools.keys().collect::<Vec<_>>(),
        "adapters": manifest.adapters,
        "unused_powers": unused,
        "attested_with": keys,
        "record": record,
    });
    printer.result(&object, || {
        let mut lines = vec![format!("{} built {} in {}", good("✓"), bold(&manifest.reference().to_string()), out.display())];
        lines.push(format!("  component {} KiB, manifest {}", manifest.component.size / 1024, package.manifest_hash().short()));
        for (name, tool) in &manifest.tools {
            lines.push(format!("  tool {name}  {}", dim(&first_sentence(&tool.description))));
        }
        let powers = manifest.capabilities.list();
        let powers = if powers.is_empty() { "none beyond the bounded base".into() } else { powers.join(", ") };
        lines.push(format!("  powers: {powers}"));
        for power in &unused {
            lines.push(hint(&format!("{} is declared, and the component imports nothing that uses it", shown(power))));
        }
        lines.push(format!("  adapters: {}", adapters(&manifest.adapters)));
        let next = if keys.is_empty() {
            lines.push("  not attested".into());
            "attest"
        } else {
            lines.push(format!("  attested with {}", keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join(" and ")));
            "certify"
        };
        lines.push(format!("  next: hall {next} {}", out.display()));
        lines
    });
}

/// The powers that are declared though the component imports nothing that uses them.
pub(crate) fn without_use(package: &Package) -> Vec<String> {
    let manifest = package.manifest();
    let declared = manifest.capabilities.declared(&manifest.component.imports);
    let unused = declared.iter().filter(|declared| !declared.imported);
    unused.map(|declared| format!("{}: {}", declared.capability, declared.ask)).collect()
}

/// The adapters that were made, by name.
fn adapters(made: &BTreeMap<String, Digest>) -> String {
    let names: Vec<&str> =
        Adapter::ALL.iter().filter(|adapter| made.contains_key(adapter.path())).map(|adapter| adapter.as_str()).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The source of a skill: its folder and its skill.toml, read.
pub(crate) struct Sources {
    folder: PathBuf,
    dir: Dir,
    source: Source,
}

impl Sources {
    pub(crate) fn open(folder: &Path) -> Outcome<Self> {
        let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(|error| no_skill(folder, &error))?;
        let text = text(&dir, folder)?;
        let source = source::parse(&text).map_err(|error| {
            let hint = match &error.nearest {
                Some(nearest) => format!("did you mean '{nearest}'?"),
                None => format!("mend line {} of {}", error.line, folder.join("skill.toml").display()),
            };
            CommandError::usage(error.to_string(), hint)
        })?;
        Ok(Self { folder: folder.to_owned(), dir, source })
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.source.namespace
    }

    /// Where its package lies, if it was built and put nowhere else.
    pub(crate) fn package(&self) -> PathBuf {
        self.folder.join("dist").join(format!("{}-{}", self.source.name, self.source.version))
    }

    /// Where the component is, within the folder, if no command builds it.
    pub(crate) fn component_by_hand(&self) -> Option<&str> {
        self.source.build.is_none().then_some(self.source.component.as_str())
    }

    /// Compiles the source and makes the package, as a development build or under the version of skill.toml. Gives the event
    /// that is to be recorded once the package is where it belongs.
    pub(crate) fn build(&self, hall: &Hall, compiles: bool, development: bool, printer: &Printer) -> Outcome<(Package, Event)> {
        let event = event(hall, &self.source);
        let compiled = if compiles { compile(&self.folder, &self.source, printer) } else { Ok(()) };
        let built = compiled.and_then(|()| {
            let package = assemble(hall, &self.dir, &self.source, &event)?;
            if !development {
                return Ok(package);
            }
            let version = hall.development_version(&package).map_err(|denial| hall.deny(&event, denial))?;
            assemble(hall, &self.dir, &Source { version, ..self.source.clone() }, &event)
        });
        let package = match built {
            Ok(package) => package,
            Err(CommandError::Denial(denial)) => return Err(CommandError::Denial(denial)),
            Err(error) => {
                // A build that fails leaves its reason in the ledger, too; if even that cannot be written, this is told instead.
                hall.note(event.with("result", "failed").with("reason", error.message()))?;
                return Err(error);
            }
        };
        let mut event = event.with("result", "built").with("adapters", json!(package.manifest().adapters));
        event.version = Some(package.manifest().version.clone());
        event.hashes.insert("manifest".into(), package.manifest_hash());
        event.hashes.insert("component".into(), package.manifest().component.sha256);
        Ok((package, event))
    }
}

fn no_skill(folder: &Path, error: &io::Error) -> CommandError {
    CommandError::usage(
        format!("no skill.toml can be read in {}: {error}", folder.display()),
        "name the skill's folder: hall build FOLDER",
    )
}

fn text(dir: &Dir, folder: &Path) -> Outcome<String> {
    let bytes = store::read(dir, "skill.toml", source::MAX).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => no_skill(folder, &error),
        _ => CommandError::usage(
            format!("skill.toml cannot be read: {error}"),
            "a skill.toml is a text file of some lines; put that in its place",
        ),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        CommandError::usage(
            format!("skill.toml:{line}: the file is no UTF-8"),
            format!("save line {line} of skill.toml as UTF-8"),
        )
    })
}

fn event(hall: &Hall, source: &Source) -> Event {
    let mut event = hall.event(EventKind::SkillBuild, now());
    let skill = source.reference();
    event.worker = Some(skill.id.worker_species_id());
    event.skill = Some(skill.id);
    event.version = Some(skill.version);
    event
}

/// Runs the author's own command, without the attestation secret in its environment, and without what would move cargo's output away from
/// where skill.toml says that the component will be.
fn compile(folder: &Path, source: &Source, printer: &Printer) -> Outcome<()> {
    let Some(command) = &source.build else { return Ok(()) };
    printer.note(&dim(&format!("  running {command}")));
    let mut child = Command::new("sh");
    child.arg("-c").arg(command).current_dir(folder).env_remove("WCP_ATTEST_HMAC_KEY").stdin(Stdio::null());
    // What writes bindings is this very command, wherever it is.
    if let Ok(own) = std::env::current_exe() {
        child.env("HALL", own);
    }
    for moved in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"] {
        child.env_remove(moved);
    }
    let unstarted = |error| CommandError::Fault(anyhow::Error::new(error).context("running the build command"));
    let (status, said) = if printer.narrates() {
        // stdout carries the result only, so what the build says goes to stderr.
        child.stdout(io::stderr());
        (interrupt::wait_for(child, || ()).map_err(unstarted)?, String::new())
    } else {
        // Nobody reads along; what it said is told only if it failed.
        heard(child).map_err(unstarted)?
    };
    if status.success() {
        return Ok(());
    }
    let hint = why_failed(command, status.code());
    let said = if said.is_empty() { said } else { format!(":\n{said}") };
    Err(CommandError::usage(format!("the build command failed ({status}){said}"), hint))
}

/// What to do about a build command that failed with an exit code.
fn why_failed(command: &str, code: Option<i32>) -> &'static str {
    /// What a shell gives if there is no such program.
    const NOT_FOUND: i32 = 127;
    let begins = |program: &str| command.split_whitespace().next() == Some(program);
    if code == Some(NOT_FOUND) {
        return match () {
            () if begins("python3") => "install Python 3.11 or newer, with its module venv, so that python3 is found",
            () if begins("node") => "install Node.js 20 or newer, with npm, so that node is found",
            () if begins("cargo") => "install Rust, so that cargo is found, and then: rustup target add wasm32-wasip2",
            () => "install the program that the command names",
        };
    }
    if command.contains("wasm32-wasip2") {
        "is the target there? rustup target add wasm32-wasip2"
    } else {
        "mend what the command says"
    }
}

/// Runs a command to its end and gives the end of what it said, on either stream.
fn heard(mut child: Command) -> io::Result<(ExitStatus, String)> {
    let (mut reader, writer) = io::pipe()?;
    child.stdout(writer.try_clone()?).stderr(writer);
    let mut said = Vec::new();
    let status = interrupt::wait_for(child, || {
        let mut bytes = [0; MAX_SAID];
        // A pipe that cannot be read any more has nothing to say.
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            said.extend_from_slice(bytes.get(..count).unwrap_or_default());
            said.drain(..said.len().saturating_sub(MAX_SAID));
        }
    })?;
    Ok((status, tail(&said)))
}

/// The end of what a command said.
fn tail(bytes: &[u8]) -> String {
    const LINES: usize = 20;
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().rev().take(LINES).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

fn assemble(hall: &Hall, dir: &Dir, source: &Source, event: &Event) -> Outcome<Package> {
    let component = store::read(dir, &source.component, MAX_COMPONENT).map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::FileTooLarge {
            "build it for release and without debug information: a component is code, and its data belong elsewhere"
        } else {
            "check `component` in skill.toml, and that the build writes it there (a target-dir in cargo's configuration moves it)"
        };
        CommandError::usage(format!("the component cannot be read: {}: {error}", source.component), hint)
    })?;
    let component = made_of(component).map_err(|why| {
        let hint = "a core module is made a component by what `hall bindings` wrote: link its object file, too";
        CommandError::usage(format!("no component can be made of {}: {why}", source.component), hint)
    })?;
    let wit = interfaces(dir)?;
    let docs =
        Docs::read(&wit).map_err(|error| CommandError::usage(format!("the skill's wit folder: {error}"), "mend the WIT"))?;
    let mut documents = BTreeMap::new();
    for (name, bytes) in folder(dir, "docs", |_| true)? {
        documents.insert(format!("docs/{}", name.to_ascii_lowercase()), bytes);
    }
    for (name, file) in [("README.md", "docs/readme.md"), ("LICENSE", "docs/license"), ("CHANGELOG.md", "docs/changelog.md")] {
        if let Ok(bytes) = store::read(dir, name, MAX_FILE) {
            documents.insert(file.to_owned(), bytes);
        }
    }
    let assets = folder(dir, "assets", |_| true)?.into_iter().map(|(name, bytes)| (format!("assets/{name}"), bytes)).collect();
    build::assemble(source, component, Some(&docs), documents, assets)
        .map_err(|denial: Denial| CommandError::from(hall.deny(event, denial)))
}

/// The WIT of the skill's folder `wit` and of the packages that it uses: `wit/deps/NAME.wit`, or all in `wit/deps/NAME`. By path
/// below `wit`.
fn interfaces(dir: &Dir) -> Outcome<BTreeMap<String, String>> {
    /// Packages that a skill can use.
    const MOST: usize = 64;
    let wanted = |name: &str| name.ends_with(".wit");
    let mut files = folder(dir, "wit", wanted)?;
    files.extend(folder(dir, "wit/deps", wanted)?.into_iter().map(|(name, bytes)| (format!("deps/{name}"), bytes)));
    let names = dir.read_dir("wit/deps").into_iter().flatten().filter_map(Result::ok);
    let folders = names.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    for package in folders.take(MOST).map(|entry| entry.file_name().to_string_lossy().into_owned()) {
        let inside = folder(dir, &format!("wit/deps/{package}"), wanted)?;
        files.extend(inside.into_iter().map(|(name, bytes)| (format!("deps/{package}/{name}"), bytes)));
    }
    Ok(files.into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())).collect())
}

/// The files directly in a folder of the skill's source; none if the folder is not there.
fn folder(dir: &Dir, name: &str, wanted: impl Fn(&str) -> bool) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let Ok(folder) = dir.open_dir(name) else { return Ok(BTreeMap::new()) };
    let unreadable = |error: io::Error| CommandError::usage(format!("the folder {name} cannot be read: {error}"), "mend it");
    let mut files = BTreeMap::new();
    for entry in folder.entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().map_err(unreadable)?.is_file() && wanted(&file) {
            files.insert(file.clone(), store::read(&folder, &file, MAX_FILE).map_err(unreadable)?);
        }
    }
    Ok(files)
}

fn default_place(folder: &Path, package: &Package) -> Outcome<PathBuf> {
    let manifest = package.manifest();
    let dist = folder.join("dist");
    std::fs::create_dir_all(&dist)
        .map_err(|error| CommandError::Fault(anyhow::Error::new(error).context("making the folder dist")))?;
    Ok(dist.join(format!("{}-{}", manifest.name, manifest.version)))
}
