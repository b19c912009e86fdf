//! `hall init`: lays out a skill that builds at once.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::json;
use skillhall_core::id::{Namespace, SkillId, SkillName};
use skillhall_core::ledger::EventKind;
use skillhall_core::package::source::{MAX_LINE, check_line};

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good};
use crate::template::Lang;
use crate::verbs::setup;

/// Lay out a new skill that builds at once
#[derive(Args)]
#[command(
    after_help = "Asks nothing: the name is the folder's, the namespace is the first of your hall (else x.USER).\nNothing that is there is ever overwritten.\n\nExamples:\n  hall init my-skill\n  cd my-skill\n  hall run . --input '{\"text\": \"one two three\"}'\n\n  hall init --name org.acme/count             # in this folder, under this name\n  hall init my-skill --lang python            # in another language"
)]
pub(crate) struct Arguments {
    /// The folder; made if it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The skill: NAMESPACE/NAME, or NAME alone [default: the folder's name]
    #[arg(long, value_name = "NS/NAME")]
    name: Option<String>,
    /// The language: rust, python, javascript or c
    #[arg(long, default_value = "rust", value_parser = Lang::parse)]
    lang: Lang,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    // The name is judged before anything is made.
    let named = arguments.name.as_deref().map(parse_name).transpose()?;
    let (namespace, name) = match named {
        Some((namespace, name)) => (namespace, name),
        None => (None, name_of(&arguments.folder)?),
    };
    let opened = place.open_or_make_if_default(printer)?;
    let hall = opened.as_ref().map(|opened| &opened.hall);
    let namespace = match (namespace, hall.and_then(|hall| hall.config().hall.namespaces.first())) {
        (Some(namespace), _) => namespace,
        (None, Some(first)) => first.clone(),
        (None, None) => setup::own_namespace(&setup::user()).or_else(|_| "x.local".parse().map_err(|_| no_name()))?,
    };
    let skill = SkillId { namespace, name };
    let author = author();
    let files = arguments.lang.files(&skill, &author);
    let made = lay_out(&arguments.folder, &files)?;
    if let Some(hall) = hall {
        let mut event = hall.event(EventKind::SkillInit, crate::hall::now());
        event.skill = Some(skill.clone());
        event.worker = Some(skill.worker_species_id());
        let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
        let event = event.with("author", author.as_str()).with("language", arguments.lang.name()).with("files", json!(paths));
        if let Err(denial) = hall.note(event) {
            made.undo();
            return Err(denial.into());
        }
    } else {
        printer.note("there is no hall at the place that was named, so nothing is recorded");
    }
    let object = json!({
        "skill": skill,
        "folder": arguments.folder.display().to_string(),
        "language": arguments.lang.name(),
        "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        "hall_made": opened.as_ref().and_then(|opened| opened.made.as_ref()).map(|made| made.path.display().to_string()),
    });
    printer.result(&object, || lines(arguments, &skill, &files));
    Ok(())
}

fn lines(arguments: &Arguments, skill: &SkillId, files: &[(&'static str, String)]) -> Vec<String> {
    let mut lines = vec![format!("{} laid out {} in {}", good("✓"), bold(&skill.to_string()), arguments.folder.display())];
    lines.extend(files.iter().map(|(path, _)| format!("  {path}")));
    lines.push(String::new());
    lines.push("Next:".into());
    if arguments.folder != Path::new(".") {
        lines.push(format!("  cd {}", arguments.folder.display()));
    }
    lines.push("  hall run . --input '{\"text\": \"one two three\"}'".into());
    lines.push(dim(&format!("  ({})", arguments.lang.needs())));
    lines
}

/// NAMESPACE/NAME, or a name alone.
fn parse_name(text: &str) -> Outcome<(Option<Namespace>, SkillName)> {
    let bad =
        |error: &dyn std::fmt::Display| CommandError::usage(error.to_string(), "name it as NAMESPACE/NAME, such as x.ada/count");
    if text.contains('/') {
        let skill: SkillId = text.parse().map_err(|error| bad(&error))?;
        return Ok((Some(skill.namespace), skill.name));
    }
    Ok((None, text.parse().map_err(|error| bad(&error))?))
}

/// The folder's own name, with whatever a skill's name cannot hold turned into hyphens.
fn name_of(folder: &Path) -> Outcome<SkillName> {
    let absolute = std::path::absolute(folder).map_err(|error| CommandError::Fault(error.into()))?;
    let absolute = absolute.canonicalize().unwrap_or(absolute);
    let name = absolute.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let label: String = label.trim_matches('-').chars().take(63).collect();
    label.trim_matches('-').parse().map_err(|_| no_name())
}

fn no_name() -> CommandError {
    CommandError::usage("the folder's name makes no skill's name", "name it: hall init --name x.ada/count")
}

/// Who writes it, as git knows them; else the user's name.
fn author() -> String {
    let git = |key: &str| {
        let output =
            Command::new("git").args(["config", "--get", key]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    let author = match (git("user.name"), git("user.email")) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(name), None) => name,
        (None, _) => setup::user(),
    };
    if author.len() <= MAX_LINE && check_line(&author, MAX_LINE).is_ok() { author } else { "The author".into() }
}

/// What was made, to be taken away if the rest fails.
#[derive(Default)]
struct Laid {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Laid {
    fn undo(&self) {
        // What cannot be removed is no harm: the next `hall init` names it.
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }

    fn folder(&mut self, path: &Path) -> std::io::Result<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str) -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

fn lay_out(folder: &Path, files: &[(&'static str, String)]) -> Outcome<Laid> {
    if folder.symlink_metadata().is_ok() && !folder.is_dir() {
        return Err(CommandError::usage(format!("{} is there and is no folder", folder.display()), "choose another folder"));
    }
    let in_the_way: Vec<&str> =
        files.iter().filter(|(path, _)| folder.join(path).symlink_metadata().is_ok()).map(|(path, _)| *path).collect();
    if !in_the_way.is_empty() {
        let message = format!("in {} there already is: {}", folder.display(), in_the_way.join(", "));
        return Err(CommandError::usage(message, "nothing was changed; choose a new folder: hall init FOLDER"));
    }
    let mut laid = Laid::default();
    let done = laid.folder(folder).and_then(|()| files.iter().try_for_each(|(path, text)| laid.file(&folder.join(path), text)));
    match done {
        Ok(()) => Ok(laid),
        Err(error) => {
            laid.undo();
            let message = format!("the project cannot be written in {}: {error}", folder.display());
            Err(CommandError::usage(message, "nothing was left behind; choose a folder that can be written"))
        }
    }
}
