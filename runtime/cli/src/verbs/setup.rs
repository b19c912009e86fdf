//! `hall setup`: makes a local hall in a folder.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use skillhall::hall::setup::{Plan, setup_with_schema};
use skillhall_core::clock::SystemClock;
use skillhall_core::govern::config::Env;
use skillhall_core::govern::wcp::Word as _;
use skillhall_core::id::{Namespace, OrgId};

use super::{schema, worker};
use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, good};

/// Make a local hall in a folder: keys, registry, policy, ledger
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall setup                                     # your own hall, namespace x.USER\n  hall setup ./hall --namespace org.acme --organisation acme"
)]
pub(crate) struct Arguments {
    /// Where; without it the place that --hall names, else your own data folder
    folder: Option<PathBuf>,
    /// A namespace that is to be the hall's own; may be repeated [default: x.USER]
    #[arg(long, value_name = "NS")]
    namespace: Vec<Namespace>,
    /// The organisation that runs the hall
    #[arg(long, default_value = "local", value_name = "ORG")]
    organisation: OrgId,
    /// The owner's name as records show it [default: the user's name]
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Where the host stands: dev, stage, prod or edge
    #[arg(long, default_value = "dev", value_parser = parse_env, value_name = "ENV")]
    env: Env,
    /// The namespace whose HMAC secret is given in `WCP_ATTEST_HMAC_KEY` instead of being made here
    #[arg(long, value_name = "NS")]
    hmac_from_env: Option<Namespace>,
    /// Make nothing; enrol this host anew as it is now: the same as `hall worker enroll`
    #[arg(long, conflicts_with_all = ["namespace", "owner", "hmac_from_env"])]
    enroll: bool,
}

fn parse_env(text: &str) -> Result<Env, String> {
    Env::parse(text).ok_or_else(Env::choices)
}

pub(crate) fn run(arguments: Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let path = arguments.folder.map_or_else(|| place.path(), Ok)?;
    if arguments.enroll {
        return worker::enroll(&place.at(path).open()?, printer);
    }
    let user = user();
    let mut namespaces = arguments.namespace;
    if namespaces.is_empty() {
        namespaces.push(own_namespace(&user)?);
    }
    if let Some(namespace) = &arguments.hmac_from_env
        && !namespaces.contains(namespace)
    {
        namespaces.push(namespace.clone());
    }
    let plan = Plan {
        organisation: arguments.organisation,
        owner: arguments.owner.unwrap_or(user),
        env: arguments.env,
        namespaces,
        attest_env_namespace: arguments.hmac_from_env,
    };
    let made = setup_with_schema(&path, &plan, schema::HALL, &SystemClock)?;
    let object = json!({
        "hall": made.path.display().to_string(),
        "id": made.id,
        "organisation": plan.organisation,
        "namespaces": plan.namespaces,
        "keys": made.keys,
    });
    printer.result(&object, || {
        let mut lines = vec![format!("{} made the hall {} in {}", good("✓"), bold(&made.id), made.path.display())];
        for namespace in &plan.namespaces {
            lines.push(format!("  its own namespace: {namespace}"));
        }
        for key in &made.keys {
            lines.push(format!(
                "  key {} {}",
                key.id,
                dim(&format!("({:?}, to {:?})", key.algorithm, key.purpose).to_lowercase())
            ));
        }
        lines.push(String::new());
        lines.push("Next: hall build, hall attest, hall certify, hall publish, hall install, hall run".into());
        lines
    });
    Ok(())
}

/// The plan of a user's own hall, where nothing else was said.
pub(crate) fn own_plan() -> Outcome<Plan> {
    let user = user();
    let namespace = own_namespace(&user)?;
    let organisation =
        "local".parse().map_err(|error| CommandError::Fault(anyhow::anyhow!("the organisation of a local hall: {error}")))?;
    Ok(Plan { organisation, owner: user, env: Env::Dev, namespaces: vec![namespace], attest_env_namespace: None })
}

/// The user's name, as the environment says it.
pub(crate) fn user() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(|| "owner".into())
}

/// `x.USER`, with whatever is no letter or digit turned into a hyphen.
pub(crate) fn own_namespace(user: &str) -> Outcome<Namespace> {
    let label: String =
        user.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(63).collect();
    format!("x.{}", label.trim_start_matches('-'))
        .parse()
        .map_err(|_| CommandError::usage("your user name makes no namespace", "name one with --namespace x.<name>"))
}
