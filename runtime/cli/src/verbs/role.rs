//! `hall role`: who may do what.

use clap::{Args, Subcommand};
use serde_json::json;
use skillhall::hall::{RoleChanged, RolePlan};
use skillhall_core::id::{Namespace, OrgId};
use skillhall_core::registry::access::Role;

use crate::error::Outcome;
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good, shown};

const ROLES: &str = "Roles:\n  worker     calls skills\n  author     attests and publishes\n  certifier  certifies (in the organisation that runs the hall)\n  approver   answers calls that wait for a person (there, too)\n  operator   runs the hall: organisations, namespaces, grants, keys, global bans (there, too)\n  org-admin  gives roles and tokens of its organisation, and pulls its kill switches\n  auditor    reads the ledger\n\nExamples:\n  hall role grant globex gus worker\n  hall role grant acme cleo certifier --namespace org.acme";

/// Give, take and list roles
#[derive(Args)]
#[command(after_help = ROLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Grant(GrantArguments),
    Remove(RemoveArguments),
    List(ListArguments),
}

/// Give somebody a role
#[derive(Args)]
#[command(after_help = ROLES)]
struct GrantArguments {
    #[command(flatten)]
    of: Of,
}

/// Take a role from somebody, at once
#[derive(Args)]
#[command(after_help = "Examples:\n  hall role remove globex gus worker")]
struct RemoveArguments {
    #[command(flatten)]
    of: Of,
}

#[derive(Args)]
struct Of {
    /// The organisation
    organisation: OrgId,
    /// Who, by a name in the organisation
    #[arg(value_parser = parse_holder)]
    holder: String,
    /// Which role
    #[arg(value_parser = parse_role)]
    role: Role,
    /// Only for this namespace
    #[arg(long, value_name = "NS")]
    namespace: Option<Namespace>,
}

impl Of {
    fn plan(&self) -> RolePlan {
        RolePlan {
            organisation: self.organisation.clone(),
            holder: self.holder.clone(),
            role: self.role,
            namespace: self.namespace.clone(),
        }
    }
}

/// List who has which roles
#[derive(Args)]
#[command(after_help = "Examples:\n  hall role list\n  hall role list globex --json")]
struct ListArguments {
    /// Only in this organisation
    organisation: Option<OrgId>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::Grant(arguments) => told(&hall.grant_role(&arguments.of.plan())?, printer),
        What::Remove(arguments) => told(&hall.remove_role(&arguments.of.plan())?, printer),
        What::List(arguments) => {
            let roles = hall.roles(arguments.organisation.as_ref())?;
            printer.result(&json!({ "roles": roles }), || {
                if roles.is_empty() {
                    return vec!["nobody has a role; the hall's owner needs none".to_owned()];
                }
                let line = |role: &skillhall_core::registry::access::RoleRecord| {
                    let place = role.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
                    let by = dim(&format!("  by {}", shown(&role.by.to_string())));
                    format!("{} {} is {}{place}{by}", role.organisation, bold(&shown(&role.holder)), role.role)
                };
                roles.iter().map(line).collect()
            });
        }
    }
    Ok(())
}

fn told(changed: &RoleChanged, printer: &Printer) {
    printer.result(&json!(changed), || {
        let role = &changed.role;
        let place = role.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        let word = if role.granted { "has" } else { "does not have" };
        let holder = bold(&shown(&role.holder));
        let record = changed.record.map_or_else(|| "as before".to_owned(), |record| format!("record {record}"));
        vec![format!("{} {holder} of {} {word} the role {}{place} ({record})", good("✓"), role.organisation, role.role)]
    });
}

pub(crate) fn parse_role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|error: skillhall_core::registry::access::RoleError| error.to_string())
}

pub(crate) fn parse_holder(text: &str) -> Result<String, String> {
    let good = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control) && text.trim() == text;
    if good { Ok(text.to_owned()) } else { Err("a name is 1 to 128 bytes, printable, without spaces around it".to_owned()) }
}
