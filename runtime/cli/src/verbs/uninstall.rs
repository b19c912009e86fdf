//! `hall uninstall`: removes an installed version from this host.

use clap::Args;
use serde_json::json;
use skillhall::hall::{Hall, Reference, Versions, is_development};
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::stores::Kept;

use crate::error::Outcome;
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good};
use crate::reference;

/// Remove an installed version: its files and its compiled code
#[derive(Args)]
#[command(
    after_help = "What runs is not disturbed; the next call is denied. What was published stays published, and can be installed again\nby its name. What it keeps in its stores stays too: `hall store clear` deletes that.\n\nExamples:\n  hall uninstall org.acme/redact@1.0.0\n  hall uninstall org.acme/redact            # the newest installed version\n  hall uninstall org.acme/redact --all      # every version\n  hall uninstall x.ada/count --development  # every build that `hall run PATH` has made"
)]
pub(crate) struct Arguments {
    /// The skill: NAMESPACE/NAME, with @VERSION or a range such as @^1
    skill: String,
    /// Every installed version that is meant, not only the newest
    #[arg(long)]
    all: bool,
    /// Every development build of the skill
    #[arg(long, conflicts_with = "all")]
    development: bool,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let reference = reference::parse(&arguments.skill)?;
    let mut removed = Vec::new();
    for skill in meant(&hall, &reference, arguments)? {
        removed.push(hall.uninstall(&skill)?);
    }
    let kept = hall.stores(&reference.skill)?;
    printer.result(&json!({ "uninstalled": removed, "kept": kept }), || {
        if removed.is_empty() {
            return vec!["no such version is installed".into()];
        }
        let line = |removed: &skillhall::hall::Uninstalled| {
            format!(
                "{} uninstalled {} {}",
                good("✓"),
                bold(&removed.skill.to_string()),
                dim(&format!("record {}", removed.record))
            )
        };
        let mut lines: Vec<String> = removed.iter().map(line).collect();
        lines.extend(what_stays(&reference.skill, &kept));
        lines
    });
    Ok(())
}

/// That its data remains, and how to delete it.
fn what_stays(skill: &SkillId, kept: &[Kept]) -> Option<String> {
    let bytes: u64 = kept.iter().map(|kept| kept.usage.bytes).sum();
    let stores = kept.len();
    (stores > 0).then(|| {
        format!("  what it keeps stays: {bytes} bytes in {stores} stores; to delete that: hall store clear {skill} --all")
    })
}

/// The versions that are to go. What is not there is refused by name.
fn meant(hall: &Hall, reference: &Reference, arguments: &Arguments) -> Outcome<Vec<SkillRef>> {
    if let Versions::Exact(version) = &reference.versions {
        return Ok(vec![reference.skill.at(version.clone())]);
    }
    let refused = |denial| reference::refused(hall, &reference.skill, denial);
    if !arguments.all && !arguments.development {
        // The newest that is installed; if none is, the refusal says so.
        return Ok(vec![hall.resolve(reference).map_err(refused)?.skill]);
    }
    let installed = hall.installed(&reference.skill).map_err(refused)?;
    let wanted = |version: &_| if arguments.development { is_development(version) } else { reference.versions.mean(version) };
    let meant: Vec<SkillRef> =
        installed.into_iter().map(|installed| installed.skill).filter(|skill| wanted(&skill.version)).collect();
    if meant.is_empty() && !arguments.development {
        return Ok(vec![hall.resolve(reference).map_err(refused)?.skill]);
    }
    Ok(meant)
}
