//! `hall namespace`: whose they are, who may call into them, and their least tier.

use clap::{Args, Subcommand};
use serde_json::json;
use skillhall::hall::NamespaceChanged;
use skillhall_core::id::{Namespace, OrgId};
use skillhall_core::registry::NamespaceRecord;

use crate::error::Outcome;
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good};

/// Register namespaces, and say who may call into them
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall namespace create org.globex --owner globex\n  hall namespace allow org.acme globex\n  hall namespace disallow org.acme globex\n  hall namespace set-tier org.acme 2\n  hall namespace list"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(ListArguments),
    Show(ShowArguments),
    Create(CreateArguments),
    Allow(AllowArguments),
    Disallow(DisallowArguments),
    SetTier(SetTierArguments),
}

/// List the namespaces: owner, least tier, who may call
#[derive(Args)]
#[command(after_help = "Examples:\n  hall namespace list\n  hall namespace list --json")]
struct ListArguments {}

/// Show one namespace
#[derive(Args)]
#[command(after_help = "Examples:\n  hall namespace show org.acme")]
struct ShowArguments {
    /// The namespace
    namespace: Namespace,
}

/// Register a namespace for an organisation
#[derive(Args)]
#[command(
    after_help = "The owner's authors may publish in it, with keys that hall keys trust knows.\n\nExamples:\n  hall namespace create org.globex --owner globex\n  hall namespace create org.vendor                     # of the organisation that runs this hall: its owner publishes what a vendor signed"
)]
struct CreateArguments {
    /// The namespace
    namespace: Namespace,
    /// The organisation that owns it; without it, the one that runs this hall
    #[arg(long, value_name = "ORG")]
    owner: Option<OrgId>,
    /// The least policy tier of its skills
    #[arg(long, value_name = "N", default_value = "0", value_parser = clap::value_parser!(u8).range(0..=8))]
    min_tier: u8,
}

/// Let an organisation call into a namespace
#[derive(Args)]
#[command(after_help = "Examples:\n  hall namespace allow org.acme globex")]
struct AllowArguments {
    /// The namespace
    namespace: Namespace,
    /// The organisation
    organisation: OrgId,
}

/// Let an organisation call into a namespace no longer
#[derive(Args)]
#[command(after_help = "Examples:\n  hall namespace disallow org.acme globex")]
struct DisallowArguments {
    /// The namespace
    namespace: Namespace,
    /// The organisation
    organisation: OrgId,
}

/// Set the least policy tier of a namespace's skills
#[derive(Args)]
#[command(after_help = "Examples:\n  hall namespace set-tier org.acme 2")]
struct SetTierArguments {
    /// The namespace
    namespace: Namespace,
    /// The tier
    #[arg(value_parser = clap::value_parser!(u8).range(0..=8))]
    tier: u8,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::List(_) => {
            let namespaces = hall.namespaces()?;
            printer.result(&json!({ "namespaces": namespaces }), || namespaces.iter().map(line).collect());
        }
        What::Show(arguments) => {
            let record = hall.namespace(&arguments.namespace)?;
            printer.result(&json!(record), || vec![line(&record)]);
        }
        What::Create(arguments) => {
            let owner = arguments.owner.as_ref().unwrap_or(&hall.config().hall.organisation);
            told(&hall.create_namespace(&arguments.namespace, owner, arguments.min_tier)?, printer);
        }
        What::Allow(arguments) => told(&hall.allow_caller(&arguments.namespace, &arguments.organisation, true)?, printer),
        What::Disallow(arguments) => told(&hall.allow_caller(&arguments.namespace, &arguments.organisation, false)?, printer),
        What::SetTier(arguments) => told(&hall.set_tier(&arguments.namespace, arguments.tier)?, printer),
    }
    Ok(())
}

fn line(record: &NamespaceRecord) -> String {
    let callers: Vec<&str> = record.callers.iter().map(OrgId::as_str).collect();
    let callers = if callers.is_empty() { "nobody else may call".to_owned() } else { format!("{} may call", callers.join(", ")) };
    let (namespace, owner, tier) = (bold(record.namespace.as_str()), &record.owner, record.min_tier);
    format!("{namespace} is {owner}'s, {callers}{}", dim(&format!("  at least tier {tier}")))
}

fn told(changed: &NamespaceChanged, printer: &Printer) {
    printer.result(&json!(changed), || {
        let record = changed.record.map_or_else(|| "as before".to_owned(), |record| format!("record {record}"));
        vec![format!("{} {} ({record})", good("✓"), line(&changed.namespace))]
    });
}
