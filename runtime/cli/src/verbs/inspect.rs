//! `hall inspect`: what is in a package, a component or a published skill; what it asks for, who signed it, how it stands.

mod powers;

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value, json};
use skillhall::hall::Hall;
use skillhall_core::capability::{ImportClass, imports};
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::package::{Package, wit};
use skillhall_core::registry::{Published, RegistryError, StandingEvent, State, Statement, StatementKind, Target};
use skillhall_core::trust::attested;
use skillhall_core::trust::keys::KeySource as _;

use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::package;
use crate::printer::{Printer, bad, bold, dim, first_sentence, good, shown};
use crate::reference;
use crate::verbs::inspect::powers::Powers;
use crate::verbs::policy;
use crate::verbs::standing::{ADAPTERS, show_target};

/// Show what is in a package or component, what it asks for, who signed it, and how it stands
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall inspect dist/redact-1.0.0\n  hall inspect target/wasm32-wasip2/release/redact.wasm\n  hall inspect org.skillhall/redact --json"
)]
pub(crate) struct Arguments {
    /// A package (folder or .skill archive), a .wasm component, or a skill (NAMESPACE/NAME or NAMESPACE/NAME@VERSION)
    what: String,
}

/// The largest component that is read.
const MAX_COMPONENT: u64 = 64 << 20;

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let path: &Path = arguments.what.as_ref();
    if package::is_path(&arguments.what) && path.extension().is_some_and(|extension| extension == "wasm") {
        return component(path, printer);
    }
    if package::is_path(&arguments.what) {
        let package = package::read(path)?;
        // Without a hall the package can still be looked at; only its standing is then unknown.
        let hall = place.open_if_there()?;
        return show(&package, hall.as_ref(), printer);
    }
    let hall = place.open()?;
    let skill = reference::resolve(&hall, &arguments.what)?.skill;
    match hall.load(&skill) {
        Ok(package) => show(&package, Some(&hall), printer),
        Err(denial) => {
            // Even where the package is not here, or is refused, its standing can be told.
            let standing = standing(&hall, &skill)?;
            printer.note(&format!("{} the package itself cannot be shown: {}", bad("!"), shown(&denial.to_string())));
            let object = json!({ "skill": skill, "package": { "error": denial.code.as_str() }, "standing": standing.object });
            printer.result(&object, || standing.lines);
            Ok(())
        }
    }
}

fn component(path: &Path, printer: &Printer) -> Outcome<()> {
    let (dir, name) = package::parent(path)?;
    let bytes = skillhall_core::store::read(&dir, &name, MAX_COMPONENT)
        .map_err(|error| CommandError::usage(format!("{} cannot be read: {error}", path.display()), "name a .wasm file"))?;
    let interface = wit::read(&bytes)
        .map_err(|error| CommandError::usage(format!("{}: {error}", path.display()), "a skill is a WebAssembly component"))?;
    let digest = skillhall_core::digest::Digest::of(&bytes);
    let functions: Vec<Value> = interface
        .functions
        .iter()
        .map(|function| json!({ "export": function.export, "tool": function.refused.is_none(), "refused": function.refused }))
        .collect();
    let object = json!({
        "component": { "sha256": digest, "size": bytes.len() },
        "imports": interface.imports,
        "exports": interface.exports,
        "functions": functions,
        "wit": interface.wit,
    });
    printer.result(&object, || {
        let mut lines = vec![format!("{} {} bytes, sha256 {digest}", bold("component"), bytes.len())];
        lines.extend(import_lines(&interface.imports));
        for function in &interface.functions {
            match &function.refused {
                None => lines.push(format!("  tool    {}", function.export)),
                Some(reason) => lines.push(format!("  no tool {} {}", function.export, dim(reason))),
            }
        }
        lines
    });
    Ok(())
}

fn import_lines(list: &[String]) -> Vec<String> {
    let line = |name: &String| match imports(name) {
        ImportClass::Base => format!("  imports {name} {}", dim("(the bounded base)")),
        ImportClass::Power(class) => format!("  imports {name} {}", bold(&format!("(needs {})", class.as_str()))),
        ImportClass::Unknown => format!("  imports {name} {}", bad("(nothing here offers it)")),
    };
    list.iter().map(line).collect()
}

fn show(package: &Package, hall: Option<&Hall>, printer: &Printer) -> Outcome<()> {
    let manifest = package.manifest();
    let skill = manifest.reference();
    let signed = hall.map(|hall| attested(package, hall.keys(), now(), false));
    let standing = hall.map(|hall| standing(hall, &skill)).transpose()?;
    let published = standing.as_ref().and_then(|standing| standing.published.as_ref());
    let same_bytes = published.map(|published| published.manifest_hash == package.manifest_hash());
    let signature = match &signed {
        None => json!(null),
        Some(Ok(facts)) => json!({ "holds": true, "facts": facts }),
        Some(Err(denial)) => json!({ "holds": false, "code": denial.code.as_str(), "message": denial.message }),
    };
    let policy = hall.map(|hall| hall.config().grants.get(&skill.id).cloned().unwrap_or_default());
    let powers = Powers::of(manifest, policy.as_ref());
    let mode = hall.map(|hall| hall.config().isolation_for(&manifest.namespace, manifest.policy_tier));
    let object = json!({
        "skill": skill,
        "manifest_hash": package.manifest_hash(),
        "manifest": manifest,
        "powers": powers.to_json(),
        "isolation": mode,
        "attested": { "awp": package.awp_manifest().is_some(), "dsse": package.dsse_envelope().is_some(), "verdict": signature },
        "published_with_these_bytes": same_bytes,
        "standing": standing.as_ref().map(|standing| standing.object.clone()),
    });
    printer.result(&object, || {
        let mut lines = vec![format!("{}  {}", bold(&skill.to_string()), shown(&manifest.summary))];
        lines.push(format!("  by {}", shown(&manifest.authors.join(", "))));
        lines.push(format!("  manifest  {}", package.manifest_hash()));
        lines.push(format!("  component {} ({} bytes)", manifest.component.sha256, manifest.component.size));
        lines.push(format!(
            "  policy tier {}, provides {}",
            manifest.policy_tier,
            manifest.provides.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ));
        if let Some(mode) = mode {
            lines.push(format!("  runs {}", policy::place(mode)));
        }
        lines.extend(powers.lines());
        lines.extend(import_lines(&manifest.component.imports));
        for (name, tool) in &manifest.tools {
            lines.push(format!("  tool {}  {}", bold(name.as_str()), shown(&first_sentence(&tool.description))));
        }
        match &signed {
            None => lines.push("  signatures: not judged (there is no hall whose keys could judge them)".into()),
            Some(Ok(facts)) => {
                let keys: Vec<&str> = facts.keys().iter().map(|key| key.as_str()).collect();
                lines.push(format!("  {} attested by {}", good("✓"), keys.join(" and ")));
            }
            Some(Err(denial)) => lines.push(format!("  {} {}", bad("✗"), shown(&denial.to_string()))),
        }
        if same_bytes == Some(false) {
            lines.push(format!("  {} this version is published with other bytes", bad("✗")));
        }
        if let Some(standing) = standing {
            lines.extend(standing.lines);
        }
        lines
    });
    Ok(())
}

struct Shown {
    published: Option<Published>,
    object: Value,
    lines: Vec<String>,
}

/// How a version stands: published, certified, and every event about it, its skill, namespace and hashes.
fn standing(hall: &Hall, skill: &SkillRef) -> Outcome<Shown> {
    let registry = hall.registry()?;
    let fault = |error: RegistryError| CommandError::Fault(error.into());
    let published = registry.versions(&skill.id).map_err(fault)?.into_iter().find(|published| published.skill == *skill);
    let mut targets =
        vec![Target::Version(skill.clone()), Target::Skill(skill.id.clone()), Target::Namespace(skill.id.namespace.clone())];
    targets.extend([Target::Worker(skill.id.worker_id()), Target::Worker(skill.id.worker_species_id())]);
    let mut statements = Vec::new();
    if let Some(published) = &published {
        targets.extend(published.hashes().copied().map(Target::Hash));
        statements = registry.statements(&published.manifest_hash).map_err(fault)?;
        targets.extend(statements.iter().map(|statement| Target::Certification(statement.id.clone())));
    }
    let keyring = hall.keys().keyring()?;
    let attesters = keyring.namespaces.get(&skill.id.namespace).map(|keys| keys.keys.as_slice()).unwrap_or_default();
    targets.extend(attesters.iter().chain(&keyring.certifiers).map(|key| Target::Key(key.id.clone())));
    targets.extend(adapters(&skill.id));
    let mut events = Vec::new();
    for target in &targets {
        events.extend(registry.standing_events(target).map_err(fault)?);
    }
    let certifications: Vec<&Statement> =
        statements.iter().filter(|statement| statement.kind == StatementKind::Certification).collect();
    let mut lines = Vec::new();
    match &published {
        Some(published) => {
            lines.push(format!("  {} published by {} at {}", good("✓"), published.publisher, published.published_at));
        }
        None => lines.push(format!("  {} not published here", bad("✗"))),
    }
    for statement in &certifications {
        lines.push(format!("  {} certified by {} at {} ({})", good("✓"), statement.signer, statement.at, statement.id));
    }
    lines.extend(events.iter().map(event_line));
    let mut object = Map::new();
    object.insert("published".into(), json!(published));
    object.insert("certifications".into(), json!(certifications));
    object.insert("events".into(), json!(events));
    Ok(Shown { published, object: object.into(), lines })
}

fn event_line(event: &StandingEvent) -> String {
    let (mark, word) = match event.state {
        State::Active => (good("✓"), "restored"),
        State::Degraded => (bad("✗"), "degraded"),
        State::Revoked => (bad("✗"), "revoked"),
        State::Banned => (bad("✗"), "banned"),
    };
    let target = show_target(&event.target);
    format!("  {mark} {target} {word} by {} ({}) at {}: {}", event.issuer, shown(&event.by), event.at, shown(&event.reason))
}

/// Every adapter through which calls can come, for the skill.
fn adapters(skill: &SkillId) -> Vec<Target> {
    ADAPTERS
        .into_iter()
        .filter_map(|adapter| Some(Target::Adapter { skill: skill.clone(), adapter: adapter.parse().ok()? }))
        .collect()
}
