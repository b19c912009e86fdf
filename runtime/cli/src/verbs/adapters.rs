//! `hall adapters`: what a verified package says to other platforms.

mod laid;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::{Map, Value, json};
use skillhall::hall::{Described, Hall};
use skillhall_core::digest::Digest;
use skillhall_core::package::{Adapter, Package};

use self::laid::{Laid, State};
use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bad, bold, dim, good, shown};
use crate::reference;
use crate::verbs::build::Sources;

/// Print or write what a skill says to other platforms: mcp, openai, anthropic, gemini, agent-skill, owasp
#[derive(Args)]
#[command(
    after_help = "hall build makes them, and they stand in the package. They are given out only while it passes gates 1 to 5 (hall verify shows them); of a package that is not published here the attestation has to hold. A client that starts the hall by itself needs none of them: hall connect.\n\nExamples:\n  hall adapters org.skillhall/redact\n  hall adapters org.skillhall/redact --platform openai --tools > tools.json\n  hall adapters . --write adapters             # of this project, as hall build packaged it\n  hall adapters org.skillhall/redact --platform agent-skill --write ~/.claude/skills"
)]
pub(crate) struct Arguments {
    /// An installed skill (NAMESPACE/NAME or NAMESPACE/NAME@VERSION), a package (folder or .skill archive), or a project that was built
    what: String,
    /// Only for this platform, and its file as it is
    #[arg(
        long,
        value_parser = PossibleValuesParser::new(Adapter::ALL.map(Adapter::as_str)).try_map(|name| name.parse::<Adapter>())
    )]
    platform: Option<Adapter>,
    /// Only the list of tools, to be handed to the platform as it is
    #[arg(long, requires = "platform", conflicts_with = "write")]
    tools: bool,
    /// Write files into this folder: NAME.PLATFORM.json, and NAME/SKILL.md
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Write over files that are there and say something else
    #[arg(long, requires = "write")]
    overwrite: bool,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let package = read(&hall, &arguments.what)?;
    let described = hall.adapters(&package, arguments.platform)?;
    let skill = package.manifest().reference();
    if !described.is_published {
        printer.note(&dim(&format!("{skill} is not published here: its attestation holds, and no certification was looked at")));
    }
    for (adapter, denial) in &described.withheld {
        printer.note(&format!("{} {adapter} is withheld: {}", bad("!"), shown(&denial.to_string())));
    }
    if arguments.tools {
        return tools(&described, printer);
    }
    let laid = match &arguments.write {
        Some(folder) => Some(laid::lay(folder, &skill.id.name, &described.files, arguments.overwrite)?),
        None => None,
    };
    let object = json!({
        "skill": skill,
        "manifest_hash": package.manifest_hash(),
        "published": described.is_published,
        "adapters": described.files.iter().map(|(adapter, bytes)| (adapter.to_string(), told(*adapter, bytes, laid.as_deref()))).collect::<Map<_, _>>(),
        "withheld": described.withheld.iter().map(|(adapter, denial)| (adapter.to_string(), json!(denial.code.as_str()))).collect::<Map<_, _>>(),
    });
    printer.result(&object, || match (&laid, arguments.platform) {
        (Some(laid), _) => laid.iter().map(written).collect(),
        (None, Some(_)) => described.files.iter().map(|(_, bytes)| text(bytes)).collect(),
        (None, None) => overview(&package, &described),
    });
    Ok(())
}

/// A package as it is named: installed, a folder or archive, or what was built of a project.
fn read(hall: &Hall, what: &str) -> Outcome<Arc<Package>> {
    if !package::is_path(what) {
        return reference::load(hall, what);
    }
    let path: &Path = what.as_ref();
    if !path.join("skill.toml").is_file() || path.join("skill.json").exists() {
        return package::read_in(hall, path);
    }
    let built = Sources::open(path)?.package();
    if !built.exists() {
        let message = format!("{} is a skill's source, and its package {} is not there", path.display(), built.display());
        return Err(CommandError::usage(message, format!("build it first: hall build {}", path.display())));
    }
    package::read_in(hall, &built)
}

/// The tools alone.
fn tools(described: &Described, printer: &Printer) -> Outcome<()> {
    let file = described.files.first().and_then(|(_, bytes)| serde_json::from_slice::<Value>(bytes).ok());
    let tools = file.and_then(|mut file| file.get_mut("tools").map(Value::take));
    let Some(tools) = tools else {
        let hint = "leave --tools out, or name mcp, openai, anthropic or gemini";
        return Err(CommandError::usage("this platform is told of a skill, and has no list of tools", hint));
    };
    printer.result(&tools, || vec![format!("{tools:#}")]);
    Ok(())
}

/// For programs: the file, or where it was written.
fn told(adapter: Adapter, bytes: &[u8], laid: Option<&[Laid]>) -> Value {
    let mut told = json!({ "path": adapter.path(), "sha256": Digest::of(bytes) });
    let more = match laid {
        Some(laid) => laid
            .iter()
            .find(|laid| laid.adapter == adapter)
            .map(|laid| vec![("file", json!(laid.file.display().to_string())), ("state", json!(laid.state.as_str()))]),
        None => Some(vec![(
            "content",
            serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into()),
        )]),
    };
    if let Some(members) = told.as_object_mut() {
        members.extend(more.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)));
    }
    told
}

fn written(laid: &Laid) -> String {
    let file = laid.file.display();
    match laid.state {
        State::New => format!("{} wrote {file}", good("✓")),
        State::Changed => format!("{} wrote over {file}", good("✓")),
        State::Same => format!("{} {file} is there already", good("✓")),
    }
}

/// The file as it is; on a terminal without what a terminal would obey.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if std::io::stdout().is_terminal() { shown(text) } else { text.to_owned() }
}

fn overview(package: &Package, described: &Described) -> Vec<String> {
    let mut lines = vec![format!("{}  manifest {}", bold(&package.manifest().reference().to_string()), package.manifest_hash())];
    for (adapter, bytes) in &described.files {
        let file: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let names: Vec<&str> =
            file.get("calls").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let what = if names.is_empty() { "the skill as a whole".to_owned() } else { names.join(", ") };
        lines.push(format!("  {:<12} {:<24} {}", adapter.as_str(), adapter.path(), dim(&what)));
    }
    if described.files.is_empty() {
        lines.push(dim("  no adapters"));
    }
    lines
}
