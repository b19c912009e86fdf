//! `hall policy replay`: recorded decisions, taken again under a changed policy.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use skillhall::gates::PolicyFile;
use skillhall::hall::{Changed, Group, Replay, Replayed};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Code;
use skillhall_core::id::SkillId;
use skillhall_core::registry::Target;

use super::gate::{read, read_all};
use crate::error::{CommandError, NotAsExpected, Outcome};
use crate::exit::Exit;
use crate::hall::Place;
use crate::printer::{Printer, bad, bold, dim, good, hint, shown};
use crate::verbs::audit::whole;
use crate::verbs::standing::parse_target;

/// Take recorded decisions again under a changed policy, and show whose verdict changes
#[derive(Args)]
#[command(
    after_help = "The policy is hall.toml, the rules and the Cedar policies as they are on disk, enrolled or not, or the files that are named; the ban list is the registry's as it is now, and what --ban adds.\n\nJudged again are gates 5 (bans, revocations, degraded adapters), 9 (grants) and 10 (the decision), by what the records say. Not judged again, because no record holds it: package bytes, attestation and certification (gates 2 to 4), the caller's rights, the host and the input (6 to 8), quotas, and the ledger. A person's approval that counted then is taken as given again. Records of older versions, and what needs the answer of policy.command or policy.http without --ask-outside, are counted as not replayed, never guessed. Nothing is written, and nobody is asked to approve anything.\n\nWith --json each change is one line as it is found, and the last line is {\"summary\": ..}.\nExit code: 0; with --fail-on-change 1 if a verdict changes, or if one could not be judged for want of --ask-outside.\n\nExamples:\n  hall policy replay                      # what an edit that is not enrolled yet would change\n  hall policy replay --rules new-rules.json --since 2026-01-01T00:00:00Z\n  hall policy replay --cedar policies/*.cedar --fail-on-change\n  hall policy replay --ban org.acme/redact@1.0.0 --limit 1000 --json"
)]
pub(super) struct ReplayArguments {
    /// Decide by this hall.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Decide by these rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Decide by these Cedar policies, as one set, instead of those that hall.toml names
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cedar: Vec<PathBuf>,
    /// Take this as banned, too: a skill, version, namespace, sha256:HEX, key:ID or worker id
    #[arg(long, value_name = "TARGET", value_parser = parse_target)]
    ban: Vec<Target>,
    /// Only decisions about this skill
    #[arg(long, value_name = "NS/NAME")]
    skill: Option<SkillId>,
    /// Only decisions from this time on (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    since: Option<Timestamp>,
    /// At most so many decisions, the last ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: Option<u32>,
    /// Ask the program and the endpoint that hall.toml names as policy gates; each is asked about calls of the past
    #[arg(long)]
    ask_outside: bool,
    /// End with exit code 1 if a verdict changes
    #[arg(long)]
    fail_on_change: bool,
}

pub(super) fn replay(arguments: &ReplayArguments, place: &Place, printer: &Printer) -> Outcome {
    let text = |path: &Option<PathBuf>| path.as_deref().map(read).transpose();
    let (config, rules) = (text(&arguments.config)?, text(&arguments.rules)?);
    let policies = (!arguments.cedar.is_empty()).then(|| read_all(&arguments.cedar)).transpose()?;
    let policies: Option<Vec<PolicyFile>> = policies;
    let hall = place.open()?;
    whole(&hall)?;
    let replay = Replay {
        texts: hall.texts_with(config, rules, policies)?,
        bans: arguments.ban.clone(),
        skill: arguments.skill.clone(),
        since: arguments.since,
        limit: arguments.limit.and_then(|limit| usize::try_from(limit).ok()),
        ask_outside: arguments.ask_outside,
    };
    let found = hall.replay(&replay, &mut |changed| {
        if printer.is_json() {
            printer.result(&json!({ "changed": changed }), Vec::new);
        }
    })?;
    printer.result(&json!({ "summary": found }), || lines(&found));
    if found.registry_changed {
        printer.note(&format!("{} the registry changed meanwhile; do it again to judge all by one state", bad("!")));
    }
    if arguments.fail_on_change { judged(&found) } else { Ok(Exit::Done) }
}

fn judged(found: &Replayed) -> Outcome {
    let unasked = found.not_replayed.get(&skillhall_core::ledger::taken::Untaken::OutsideGate).copied().unwrap_or_default();
    let what = match (found.changed, unasked) {
        (0, 0) => return Ok(Exit::Done),
        (0, unasked) => format!("{} could not be judged without --ask-outside", count(unasked, "decision")),
        (changed, _) => format!("{} would be decided otherwise", count(changed, "recorded call")),
    };
    Err(CommandError::Fault(
        NotAsExpected { what, hint: "look at what changes; if it is meant, go on without --fail-on-change" }.into(),
    ))
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn lines(found: &Replayed) -> Vec<String> {
    let mut lines: Vec<String> = found.groups.iter().flat_map(group).collect();
    if found.ungrouped > 0 {
        lines.push(format!("and {} of other kinds; --json lists each", count(found.ungrouped, "change")));
    }
    let mark = if found.changed == 0 { good("✓") } else { bad("!") };
    lines.push(format!(
        "{mark} {}, {} taken again: {} the same, {} changed ({} now denied, {} now allowed, {} with another code)",
        count(found.decisions, "recorded decision"),
        found.replayed,
        found.same,
        found.changed,
        found.now_denied,
        found.now_allowed,
        found.other_code
    ));
    if found.same_by_another_rule > 0 {
        lines.push(format!("  {} the same by another rule", found.same_by_another_rule));
    }
    if found.on_approval > 0 {
        lines.push(format!("  {} on a person's approval, which is taken as given again", found.on_approval));
    }
    let not = found.not_replayed.iter();
    lines.extend(not.map(|(why, number)| format!("  {} not taken again: {why}", count(*number, "decision"))));
    lines.push(dim("  judged: gates 5 (standing), 9 (grants) and 10 (policy)"));
    lines
}

fn group(group: &Group) -> Vec<String> {
    let verdict = |code: Option<Code>, rule: &Option<String>| {
        let word = code.map_or_else(|| good("ALLOW"), |code| bad(code.as_str()));
        rule.as_ref().map_or(word.clone(), |rule| format!("{word} (rule {})", shown(rule)))
    };
    let (before, after) = (verdict(group.before, &group.before_rule), verdict(group.after, &group.after_rule));
    let mut lines = vec![format!("{} {before} -> {after}", bold(&format!("{} x", group.count)))];
    lines.extend(group.examples.iter().map(example));
    let more = group.count - group.examples.len() as u64;
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

fn example(changed: &Changed) -> String {
    let tool = changed.tool.as_ref().map(|tool| format!(" {tool}")).unwrap_or_default();
    let gate = changed.after.gate_policy_version.as_ref().map(|version| short(version)).unwrap_or_default();
    let version = changed.after.policy_version.as_deref().unwrap_or_default();
    let before = changed.before.policy_version.as_deref().unwrap_or("-");
    let dry = if changed.dry_run { ", a dry run" } else { "" };
    let beyond: Vec<&str> = changed.unjudged.iter().map(|stage| stage.as_str()).collect();
    let beyond = if beyond.is_empty() { String::new() } else { format!(", not judged: {}", beyond.join(", ")) };
    let why =
        changed.after.message.as_ref().map(|message| format!("\n      {}: {}", hint("now"), shown(message))).unwrap_or_default();
    format!(
        "  {:>6}  {}  {}@{}{tool} by {} of {} through {}, policy {} -> {}{gate}{dry}{beyond}{why}",
        changed.sequence,
        dim(&changed.time.to_string()),
        changed.skill,
        changed.version,
        shown(&changed.caller),
        changed.organisation,
        changed.adapter,
        shown(before),
        shown(version)
    )
}

/// A gate's version; a digest is cut.
fn short(version: &str) -> String {
    let cut: String = version.chars().take(18).collect();
    format!(" ({}{})", shown(&cut), if cut.len() < version.len() { ".." } else { "" })
}
