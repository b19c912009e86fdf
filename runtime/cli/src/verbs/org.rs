//! `hall org`: the organisations that this hall knows.

use clap::{Args, Subcommand};
use serde_json::json;
use skillhall::hall::{Hall, OrgChange, OrgChanged};
use skillhall_core::id::OrgId;
use skillhall_core::registry::OrgRecord;

use super::standing::parse_reason;
use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bad, bold, good};

/// Register, list, suspend, reinstate and offboard organisations
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall org create globex\n  hall org list\n  hall org suspend globex --reason 'the contract is being looked at'\n  hall org reinstate globex --reason 'it is in order'\n  hall org offboard globex --reason 'the contract has ended'"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Create(CreateArguments),
    List(ListArguments),
    Show(ShowArguments),
    Suspend(SuspendArguments),
    Reinstate(ReinstateArguments),
    Offboard(OffboardArguments),
}

/// Register an organisation
#[derive(Args)]
#[command(
    after_help = "It may call nothing yet: see hall namespace allow, hall role grant and hall token issue.\n\nExamples:\n  hall org create globex"
)]
struct CreateArguments {
    /// Its name: 1 to 63 of a-z, 0-9 and '-'
    organisation: OrgId,
}

/// List the organisations and how they stand
#[derive(Args)]
#[command(after_help = "Examples:\n  hall org list\n  hall org list --json")]
struct ListArguments {}

/// Show how an organisation stands, and which namespaces it owns and may call into
#[derive(Args)]
#[command(after_help = "Examples:\n  hall org show globex")]
struct ShowArguments {
    /// Its name
    organisation: OrgId,
}

/// Stop all calls and tokens of an organisation until it is reinstated
#[derive(Args)]
#[command(after_help = "Examples:\n  hall org suspend globex --reason 'the contract is being looked at'")]
struct SuspendArguments {
    #[command(flatten)]
    change: Change,
}

/// Lift an organisation's suspension
#[derive(Args)]
#[command(after_help = "Examples:\n  hall org reinstate globex --reason 'it is in order'")]
struct ReinstateArguments {
    #[command(flatten)]
    change: Change,
}

/// End an organisation for good: its tokens and roles count no longer, and it never comes back
#[derive(Args)]
#[command(after_help = "Examples:\n  hall org offboard globex --reason 'the contract has ended'")]
struct OffboardArguments {
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
struct Change {
    /// Its name
    organisation: OrgId,
    /// Why, as records will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::Create(arguments) => {
            let created = hall.create_organisation(&arguments.organisation)?;
            told(&created, "registered", printer);
        }
        What::List(_) => list(&hall, printer)?,
        What::Show(arguments) => show(&hall, &arguments.organisation, printer)?,
        What::Suspend(arguments) => {
            let Change { organisation, reason } = &arguments.change;
            told(&hall.change_organisation(organisation, OrgChange::Suspend, reason)?, "suspended", printer);
        }
        What::Reinstate(arguments) => {
            let Change { organisation, reason } = &arguments.change;
            told(&hall.change_organisation(organisation, OrgChange::Reinstate, reason)?, "reinstated", printer);
        }
        What::Offboard(arguments) => {
            let Change { organisation, reason } = &arguments.change;
            told(&hall.change_organisation(organisation, OrgChange::Offboard, reason)?, "offboarded", printer);
        }
    }
    Ok(())
}

fn told(changed: &OrgChanged, word: &str, printer: &Printer) {
    printer.result(&json!(changed), || {
        vec![format!("{} {word} {} (record {})", good("✓"), bold(changed.organisation.organisation.as_str()), changed.record)]
    });
}

fn state(record: &OrgRecord) -> String {
    match (record.offboarded, record.suspended) {
        (true, _) => bad("offboarded"),
        (false, true) => bad("suspended"),
        (false, false) => good("active"),
    }
}

fn list(hall: &Hall, printer: &Printer) -> Outcome<()> {
    let organisations = hall.organisations()?;
    printer.result(&json!({ "organisations": organisations }), || {
        organisations.iter().map(|record| format!("{}  {}", bold(record.organisation.as_str()), state(record))).collect()
    });
    Ok(())
}

fn show(hall: &Hall, organisation: &OrgId, printer: &Printer) -> Outcome<()> {
    let found = hall.organisations()?.into_iter().find(|record| record.organisation == *organisation);
    let record = found.ok_or_else(|| {
        CommandError::usage(
            format!("the registry knows no organisation {organisation}"),
            "see those that are there: hall org list",
        )
    })?;
    let namespaces = hall.namespaces()?;
    let names = |wanted: &dyn Fn(&skillhall_core::registry::NamespaceRecord) -> bool| {
        let found = namespaces.iter().filter(|record| wanted(record));
        found.map(|record| record.namespace.to_string()).collect::<Vec<_>>()
    };
    let owns = names(&|record| record.owner == *organisation);
    let calls = names(&|record| record.callers.contains(organisation));
    printer.result(&json!({ "organisation": record, "owns": owns, "may_call": calls }), || {
        let or_none = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        vec![
            format!("{} is {}", bold(organisation.as_str()), state(&record)),
            format!("  owns      {}", or_none(&owns)),
            format!("  may call  {}", or_none(&calls)),
        ]
    });
    Ok(())
}
