//! The kill switches and their undoing: `hall revoke`, `hall ban`, `hall degrade`, `hall restore`.

use clap::Args;
use serde_json::json;
use skillhall::hall::Hall;
use skillhall_core::denial::Denial;
use skillhall_core::id::{AdapterId, KeyId, OrgId, SkillId};
use skillhall_core::ledger::EventKind;
use skillhall_core::registry::standing::unknown;
use skillhall_core::registry::{RegistryError, Scope, State, Target};

use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::printer::{Printer, bad, bold, good, shown};

const TARGETS: &str = "What can be named:\n  org.acme/redact          a skill in every version\n  org.acme/redact@1.0.0    one version\n  org.acme                 a namespace\n  sha256:HEX               bytes: a manifest, component, package or adapter hash\n  key:ID                   everything a key has signed\n  certification:ID         one certification\n  wrk.NAME, worker:ID      a WCP worker by species id or id, skill or not (to ban)";

/// Take back a skill or version of one's own, or a certification
#[derive(Args)]
#[command(after_help = TARGETS)]
pub(crate) struct RevokeArguments {
    /// What to revoke
    #[arg(value_parser = parse_target)]
    target: Target,
    /// Why, as records and refusals will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
}

/// Forbid bytes, a skill, a version, a namespace or a key
#[derive(Args)]
#[command(after_help = TARGETS)]
pub(crate) struct BanArguments {
    /// What to ban
    #[arg(value_parser = parse_target)]
    target: Target,
    /// Why, as records and refusals will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
    /// Only for callers of one's own organisation
    #[arg(long)]
    own_callers: bool,
}

/// Refuse calls of a skill that come through one adapter
#[derive(Args)]
#[command(after_help = "Examples:\n  hall degrade org.acme/redact --adapter mcp --reason 'the schema confuses clients'")]
pub(crate) struct DegradeArguments {
    /// The skill
    skill: SkillId,
    /// The adapter: command, embed, http, mcp, openai, anthropic, gemini, agent-skill, owasp
    #[arg(long, value_name = "NAME", value_parser = parse_adapter)]
    adapter: AdapterId,
    /// Why, as records and refusals will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
}

/// Undo one's own revoke, ban or degrade
#[derive(Args)]
#[command(after_help = TARGETS)]
pub(crate) struct RestoreArguments {
    /// What to restore
    #[arg(value_parser = parse_target)]
    target: Target,
    /// The adapter, to undo a degrade of the skill
    #[arg(long, value_name = "NAME", value_parser = parse_adapter)]
    adapter: Option<AdapterId>,
    /// Why, as records will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
    /// Undo a ban that was only for callers of one's own organisation
    #[arg(long)]
    own_callers: bool,
}

pub(crate) fn revoke(arguments: &RevokeArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    if let Target::Worker(id) = &arguments.target {
        let message = format!("a worker id such as {id} is banned; what is revoked is a skill, NAMESPACE/NAME");
        return Err(CommandError::usage(message, "`hall ban` takes worker ids"));
    }
    let hall = place.open()?;
    // A revocation of a name that was spelled wrong would stop nothing.
    is_there(&hall, &arguments.target, EventKind::StandingRevoke)?;
    stand(&hall, arguments.target.clone(), State::Revoked, Scope::Global, &arguments.reason, printer)
}

pub(crate) fn ban(arguments: &BanArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let scope = scope(&hall, arguments.own_callers);
    // What is not there yet can be banned before it comes, so this is only said.
    if let Target::Skill(_) | Target::Version(_) = &arguments.target
        && let Some(denial) = missing(&hall, &arguments.target)?
    {
        printer.note(&format!("{} {}; it is banned before it comes. {}", bad("!"), shown(&denial.message), shown(denial.hint())));
    }
    stand(&hall, arguments.target.clone(), State::Banned, scope, &arguments.reason, printer)
}

pub(crate) fn degrade(arguments: &DegradeArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    is_there(&hall, &Target::Skill(arguments.skill.clone()), EventKind::StandingDegrade)?;
    let target = Target::Adapter { skill: arguments.skill.clone(), adapter: arguments.adapter.clone() };
    stand(&hall, target, State::Degraded, Scope::Global, &arguments.reason, printer)
}

pub(crate) fn restore(arguments: &RestoreArguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let target = match (&arguments.adapter, &arguments.target) {
        (Some(adapter), Target::Skill(skill)) => Target::Adapter { skill: skill.clone(), adapter: adapter.clone() },
        (Some(_), _) => return Err(CommandError::usage("an adapter is degraded for a skill", "name the skill: NAMESPACE/NAME")),
        (None, target) => target.clone(),
    };
    let hall = place.open()?;
    let (scope, issuer) = (scope(&hall, arguments.own_callers), own(&hall));
    let events = hall.registry()?.standing_events(&target).map_err(|error| CommandError::Fault(error.into()))?;
    let own = events.iter().rfind(|event| event.issuer == issuer && event.scope == scope);
    if own.is_none_or(|event| event.state == State::Active) {
        let message = "nothing of one's own organisation stands against it";
        return Err(CommandError::usage(message, "`hall inspect` shows who said what; only who banned it can restore it"));
    }
    stand(&hall, target, State::Active, scope, &arguments.reason, printer)
}

/// Refuses what nobody has published, with the nearest names, and records that.
fn is_there(hall: &Hall, target: &Target, kind: EventKind) -> Outcome<()> {
    match missing(hall, target)? {
        None => Ok(()),
        Some(denial) => Err(hall.deny(&hall.event(kind, now()).with("target", json!(target)), denial).into()),
    }
}

/// The denial of a skill, version or certification that the registry does not know.
fn missing(hall: &Hall, target: &Target) -> Outcome<Option<Denial>> {
    let registry = hall.registry()?;
    let fault = |error: RegistryError| CommandError::Fault(error.into());
    Ok(match target {
        Target::Skill(skill) => registry.versions(skill).map_err(fault)?.is_empty().then(|| unknown(registry, skill, None)),
        Target::Version(version) => {
            let versions = registry.versions(&version.id).map_err(fault)?;
            let is_there = versions.iter().any(|published| published.skill == *version);
            (!is_there).then(|| unknown(registry, &version.id, Some(&version.version.to_string())))
        }
        Target::Certification(id) => {
            for skill in registry.skills().map_err(fault)? {
                for published in registry.versions(&skill).map_err(fault)? {
                    let statements = registry.statements(&published.manifest_hash).map_err(fault)?;
                    if statements.iter().any(|statement| statement.id == *id) {
                        return Ok(None);
                    }
                }
            }
            let message = format!("the registry knows no certification {id} of a published skill");
            let advice = "`hall inspect NS/NAME` lists the certifications of a skill.";
            return Err(CommandError::usage(message, advice));
        }
        _ => None,
    })
}

fn scope(hall: &Hall, own_callers: bool) -> Scope {
    if own_callers { Scope::Organisation(own(hall)) } else { Scope::Global }
}

/// The organisation in whose name the command speaks.
fn own(hall: &Hall) -> OrgId {
    let caller = hall.caller().ok().flatten();
    caller.map_or_else(|| hall.config().hall.organisation.clone(), |caller| caller.organisation)
}

fn stand(hall: &Hall, target: Target, state: State, scope: Scope, reason: &str, printer: &Printer) -> Outcome<()> {
    let judgement = hall.stand(target, state, scope, reason)?;
    let word = match state {
        State::Active => "restored",
        State::Degraded => "degraded",
        State::Revoked => "revoked",
        State::Banned => "banned",
    };
    printer.result(&json!(judgement), || {
        let target = bold(&show_target(&judgement.target));
        vec![format!("{} {word} {target}: {} (record {})", good("✓"), shown(&judgement.reason), judgement.record)]
    });
    Ok(())
}

/// A target for people, in the form in which it is named.
pub(crate) fn show_target(target: &Target) -> String {
    match target {
        Target::Hash(digest) => format!("sha256:{digest}"),
        Target::Skill(skill) => skill.to_string(),
        Target::Version(version) => version.to_string(),
        Target::Namespace(namespace) => namespace.to_string(),
        Target::Key(key) => format!("key:{key}"),
        Target::Adapter { skill, adapter } => format!("{skill} through {adapter}"),
        Target::Certification(id) => format!("certification:{id}"),
        Target::Worker(id) if id.starts_with("wrk.") => id.clone(),
        Target::Worker(id) => format!("worker:{id}"),
    }
}

pub(crate) fn parse_target(text: &str) -> Result<Target, String> {
    if let Some(digest) = text.strip_prefix("sha256:") {
        return digest.parse().map(Target::Hash).map_err(|error| error.to_string());
    }
    if let Some(key) = text.strip_prefix("key:") {
        return key.parse::<KeyId>().map(Target::Key).map_err(|error| error.to_string());
    }
    if let Some(id) = text.strip_prefix("certification:") {
        let fits = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        return if fits { Ok(Target::Certification(id.to_owned())) } else { Err("that is no certification id".into()) };
    }
    if let Some(worker) = text.strip_prefix("worker:").or_else(|| text.starts_with("wrk.").then_some(text)) {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let is_id = (5..=200).contains(&worker.len()) && worker.bytes().all(fits);
        return if is_id {
            Ok(Target::Worker(worker.to_owned()))
        } else {
            Err("that is no worker id, such as wrk.org.acme.redact".into())
        };
    }
    if text.contains('@') {
        return text.parse().map(Target::Version).map_err(|error| error.to_string());
    }
    if text.contains('/') {
        return text.parse().map(Target::Skill).map_err(|error| error.to_string());
    }
    text.parse().map(Target::Namespace).map_err(|error| error.to_string())
}

/// The adapters through which calls come to a hall of this command.
pub(crate) const ADAPTERS: [&str; 10] =
    ["command", "embed", "http", "mcp", "tool", "openai", "anthropic", "gemini", "agent-skill", "owasp"];

pub(crate) fn parse_adapter(text: &str) -> Result<AdapterId, String> {
    if ADAPTERS.contains(&text) {
        return text.parse().map_err(|error: skillhall_core::id::IdError| error.to_string());
    }
    let distance = |name: &&&str| strsim::damerau_levenshtein(text, name);
    let nearest = ADAPTERS.iter().filter(|name| distance(name) <= 2).min_by_key(distance);
    let hint = nearest.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default();
    Err(format!("there is no such adapter (there are {}){hint}", ADAPTERS.join(", ")))
}

pub(crate) fn parse_reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason is needed".into()),
        reason if reason.chars().count() > 500 => Err("a reason has at most 500 characters".into()),
        reason if reason.chars().any(char::is_control) => Err("a reason has no control characters".into()),
        reason => Ok(reason.to_owned()),
    }
}
