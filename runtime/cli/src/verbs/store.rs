//! `hall store`: what skills keep in their stores on this host, seen and deleted by the host's owner.

use clap::{Args, Subcommand};
use serde_json::json;
use skillhall::hall::Cleared;
use skillhall_core::id::{OrgId, SkillId};
use skillhall_core::stores::Kept;

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good, hint, shown};

/// See or delete what a skill keeps in its stores on this host
#[derive(Args)]
#[command(
    after_help = "What a skill keeps outlives its grant and its versions. What is deleted is gone for good; the ledger records names and\nsizes, and no contents.\n\nExamples:\n  hall store list org.acme/fetch\n  hall store clear org.acme/fetch cache\n  hall store clear org.acme/fetch --all --organisation acme"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(ListArguments),
    Clear(ClearArguments),
}

/// List the stores of a skill that hold something, of every organisation
#[derive(Args)]
#[command(after_help = "Examples:\n  hall store list org.acme/fetch\n  hall store list org.acme/fetch --json")]
struct ListArguments {
    /// The skill, in every version
    skill: SkillId,
}

/// Delete all that a skill keeps in a store
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall store clear org.acme/fetch cache\n  hall store clear org.acme/fetch cache --organisation acme\n  hall store clear org.acme/fetch --all"
)]
struct ClearArguments {
    /// The skill, in every version
    skill: SkillId,
    /// The store
    #[arg(required_unless_present = "all")]
    store: Option<String>,
    /// Every store of the skill
    #[arg(long, conflicts_with = "store")]
    all: bool,
    /// Only what is kept for this organisation
    #[arg(long, value_name = "ORGANISATION")]
    organisation: Option<OrgId>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::List(ListArguments { skill }) => {
            let kept = hall.stores(skill)?;
            printer.result(&json!({ "skill": skill, "stores": kept }), || list_lines(skill, &kept));
        }
        What::Clear(ClearArguments { skill, store, organisation, .. }) => {
            let cleared = hall.clear(skill, store.as_deref(), organisation.as_ref())?;
            if let (Some(store), true) = (store, cleared.cleared.is_empty()) {
                let message = format!("{skill} keeps nothing in a store {}", shown(store));
                return Err(CommandError::usage(message, format!("hall store list {skill} shows what it keeps")));
            }
            printer.result(&json!(cleared), || clear_lines(&cleared));
        }
    }
    Ok(())
}

fn list_lines(skill: &SkillId, kept: &[Kept]) -> Vec<String> {
    if kept.is_empty() {
        return vec![format!("{skill} keeps nothing here")];
    }
    let mut lines: Vec<String> = kept.iter().map(line).collect();
    lines.push(format!("  {}: to delete it: hall store clear {skill} STORE", hint("hint")));
    lines
}

fn clear_lines(cleared: &Cleared) -> Vec<String> {
    let Some(record) = cleared.record else {
        return vec![format!("{} keeps nothing here; nothing was deleted", cleared.skill)];
    };
    let head =
        format!("{} deleted what {} kept {}", good("✓"), bold(&cleared.skill.to_string()), dim(&format!("record {record}")));
    std::iter::once(head).chain(cleared.cleared.iter().map(line)).collect()
}

fn line(kept: &Kept) -> String {
    let Kept { organisation, store, usage } = kept;
    format!("  {} of {organisation}: {} bytes in {} entries", bold(&shown(store)), usage.bytes, usage.entries)
}
