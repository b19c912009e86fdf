//! `hall build`: runs the author's build, reads the component's interface, and writes the package.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use serde_json::json;
use skillhall::hall::Hall;
use skillhall_core::denial::Denial;
use skillhall_core::ledger::event::{Event, EventKind};
use skillhall_core::package::source::{self, Source};
use skillhall_core::package::wit::Docs;
use skillhall_core::package::{Package, build};
use skillhall_core::store;

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, dim, first_sentence, good};

/// The largest component and the largest document that are read.
const MAX_COMPONENT: u64 = 64 << 20;
const MAX_FILE: u64 = 8 << 20;

/// Build a skill: component, schemas, package
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall build                       # the skill in this folder, into dist/\n  hall build examples/redact --out redact.skill\n  hall build --no-command          # package the component that is there"
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
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let dir =
        Dir::open_ambient_dir(&arguments.folder, ambient_authority()).map_err(|error| no_skill(&arguments.folder, &error))?;
    let text = text(&dir, "skill.toml").map_err(|error| no_skill(&arguments.folder, &error))?;
    let source = source::parse(&text).map_err(|error| {
        let hint = error.nearest.as_ref().map(|nearest| format!("did you mean '{nearest}'?"));
        CommandError::Usage { message: format!("skill.toml: {error}"), hint }
    })?;
    let event = event(&hall, &source);
    let compiled = if arguments.no_command { Ok(()) } else { compile(&arguments.folder, &source, printer) };
    let built = compiled.and_then(|()| assemble(&hall, &dir, &source, &event));
    let package = match built {
        Ok(package) => package,
        Err(CommandError::Denial(denial)) => return Err(CommandError::Denial(denial)),
        Err(error) => {
            // A build that fails leaves its reason in the ledger, too; if even that cannot be written, this is told instead.
            hall.note(event.with("result", "failed").with("reason", error.message()))?;
            return Err(error);
        }
    };
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => default_place(&arguments.folder, &package)?,
    };
    package::write(&package, &out)?;
    let mut event = event.with("result", "built").with("adapters", json!(package.manifest().adapters));
    event.hashes.insert("manifest".into(), package.manifest_hash());
    event.hashes.insert("component".into(), package.manifest().component.sha256);
    let record = hall.note(event)?;
    show(&package, &out, record, printer);
    Ok(())
}

fn show(package: &Package, out: &Path, record: u64, printer: &Printer) {
    let manifest = package.manifest();
    let object = json!({
        "skill": manifest.reference(),
        "package": out.display().to_string(),
        "manifest_hash": package.manifest_hash(),
        "component": { "sha256": manifest.component.sha256, "size": manifest.component.size },
        "tools": manifest.tools.keys().collect::<Vec<_>>(),
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
        lines.push(format!("  next: hall attest {}", out.display()));
        lines
    });
}

fn no_skill(folder: &Path, error: &std::io::Error) -> CommandError {
    CommandError::usage(
        format!("no skill.toml can be read in {}: {error}", folder.display()),
        "name the skill's folder: hall build FOLDER",
    )
}

fn text(dir: &Dir, path: &str) -> std::io::Result<String> {
    let bytes = store::read(dir, path, MAX_FILE)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "no UTF-8"))
}

fn event(hall: &Hall, source: &Source) -> Event {
    let mut event = hall.event(EventKind::SkillBuild, hall.clock().now());
    let skill = source.reference();
    event.worker = Some(skill.id.worker_species_id());
    event.skill = Some(skill.id);
    event.version = Some(skill.version);
    event
}

/// Runs the author's own command, without the attestation secret in its environment.
fn compile(folder: &Path, source: &Source, printer: &Printer) -> Outcome<()> {
    let Some(command) = &source.build else { return Ok(()) };
    printer.note(&dim(&format!("  running {command}")));
    let mut child = Command::new("sh");
    child.arg("-c").arg(command).current_dir(folder).env_remove("WCP_ATTEST_HMAC_KEY").stdin(Stdio::null());
    // stdout carries the result only, so what the build says goes to stderr.
    child.stdout(std::io::stderr());
    let status =
        child.status().map_err(|error| CommandError::Fault(anyhow::Error::new(error).context("running the build command")))?;
    if status.success() {
        return Ok(());
    }
    let missing_target = command.contains("wasm32-wasip2");
    let hint =
        if missing_target { "is the target there? rustup target add wasm32-wasip2" } else { "mend what the command says above" };
    Err(CommandError::usage(format!("the build command failed ({status})"), hint))
}

fn assemble(hall: &Hall, dir: &Dir, source: &Source, event: &Event) -> Outcome<Package> {
    let component = store::read(dir, &source.component, MAX_COMPONENT).map_err(|error| {
        let message = format!("the component {} cannot be read: {error}", source.component);
        CommandError::usage(
            message,
            "check `component` in skill.toml, and that the build writes it there (CARGO_TARGET_DIR moves it)",
        )
    })?;
    let wit = folder(dir, "wit", |name| name.ends_with(".wit"))?;
    let wit: BTreeMap<String, String> =
        wit.into_iter().map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())).collect();
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
    build::assemble(source, component, Some(&docs), documents, assets, BTreeMap::new())
        .map_err(|denial: Denial| CommandError::from(hall.deny(event, denial)))
}

/// The files directly in a folder of the skill's source; none if the folder is not there.
fn folder(dir: &Dir, name: &str, wanted: impl Fn(&str) -> bool) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let Ok(folder) = dir.open_dir(name) else { return Ok(BTreeMap::new()) };
    let unreadable = |error: std::io::Error| CommandError::usage(format!("the folder {name} cannot be read: {error}"), "mend it");
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
