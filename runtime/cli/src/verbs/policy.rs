//! `hall policy`: what is in force, and what an edit would change.

mod gate;
mod replay;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skillhall::engine::Limits;
use skillhall::gates::PolicyFile;
use skillhall::hall::{Hall, PolicyState};
use skillhall_core::govern::config::HallConfig;
use skillhall_core::govern::isolation::{Landlock, Mode};
use skillhall_core::id::Namespace;

use crate::error::Outcome;
use crate::exit::Exit;
use crate::hall::Place;
use crate::lines::{Line, changes, shown as shown_changes};
use crate::printer::{Printer, bad, bold, good, hint, shown};

/// Show what is in force, or what an edit would change; check, test and replay policies
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall policy show\n  hall policy diff          # what is on disk, against what is enrolled\n  hall policy check\n  hall policy test policies/cases.toml\n  hall policy replay        # whose verdict an edit would change"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Tiers, limits, controls, grants, and whether the host is enrolled with them
    Show,
    /// What hall.toml, the rules and the policies on disk say otherwise than what is enrolled
    Diff,
    Check(gate::CheckArguments),
    Test(gate::TestArguments),
    Replay(replay::ReplayArguments),
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome {
    match &arguments.what {
        What::Show => {
            let hall = place.open()?;
            show(&hall, &hall.policy_state()?, printer);
        }
        What::Diff => diff(&place.open()?.policy_state()?, printer),
        What::Check(arguments) => return gate::check(arguments, place, printer),
        What::Test(arguments) => return gate::test(arguments, place, printer),
        What::Replay(arguments) => return replay::replay(arguments, place, printer),
    }
    Ok(Exit::Done)
}

fn enrolment(state: &PolicyState) -> Value {
    json!({
        "in_force": state.is_enrolled(),
        "digest": state.digest,
        "enrolled_digest": state.enrolled.as_ref().map(|record| record.configuration),
        "same_executable": state.same_executable,
        "revoked": state.enrolled.as_ref().is_some_and(|record| record.revoked),
    })
}

fn show(hall: &Hall, state: &PolicyState, printer: &Printer) {
    let config = hall.config();
    let maximum = hall.maximum();
    let mut object = enrolment(state);
    if let Some(members) = object.as_object_mut() {
        members.insert("hall".into(), json!(config.hall));
        members.insert("policy".into(), json!(config.policy));
        members.insert("limits".into(), json!(config.limits));
        members.insert("isolation".into(), json!(config.isolation));
        members.insert("grants".into(), json!(config.grants));
    }
    printer.result(&object, || {
        let mut lines = vec![format!(
            "{}  env {}, policy {}",
            bold(config.hall.id.as_str()),
            format!("{:?}", config.hall.env).to_lowercase(),
            shown(&config.policy.version)
        )];
        let names: Vec<&str> = config.hall.namespaces.iter().map(Namespace::as_str).collect();
        lines.push(format!("  own namespaces  {}", names.join(", ")));
        lines.push(format!(
            "  policy tiers    at least {}, of other namespaces {}",
            config.policy.min_tier, config.policy.foreign_min_tier
        ));
        lines.extend(isolation_lines(config));
        lines.extend(limit_lines(maximum));
        let controls: Vec<String> = config.policy.controls.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "  controls        {}",
            if controls.is_empty() { "the runtime's own".into() } else { controls.join(", ") }
        ));
        lines.extend(grant_lines(config));
        lines.push(format!("  digest          {}", state.digest));
        lines.extend(enrolment_lines(state));
        lines
    });
}

/// Where skills run.
fn isolation_lines(config: &HallConfig) -> Vec<String> {
    let section = &config.isolation;
    let landlock = match section.landlock {
        Landlock::Required => "required",
        Landlock::ForFolders => "required by skills with folders",
        Landlock::WhenThere => "used where it is there",
    };
    let mut lines = vec![
        format!("  isolation       own namespaces run {}, others {}", place(section.own), place(section.foreign)),
        format!("                  Landlock is {landlock}; at most {} workers, kept {} ms", section.workers, section.idle_ms),
    ];
    lines.extend(section.from_tier.map(|tier| format!("                  from policy tier {tier} on {}", place(Mode::Process))));
    let named = section.namespaces.iter();
    lines.extend(named.map(|(namespace, mode)| format!("                  {namespace} {}", place(*mode))));
    lines
}

/// Where that is.
pub(crate) fn place(mode: Mode) -> &'static str {
    match mode {
        Mode::None => "in this process",
        Mode::Process => "in a process of their own",
    }
}

/// What a skill can ask for, and what every skill has.
fn limit_lines(maximum: &Limits) -> [String; 3] {
    let fuel = maximum.fuel.map_or_else(|| "not counted".to_owned(), |fuel| fuel.to_string());
    [
        format!(
            "  limits          memory {} bytes, time {} ms, output {} bytes, fuel {fuel}",
            maximum.memory_bytes, maximum.time_ms, maximum.output_bytes
        ),
        format!(
            "                  input {} bytes; values {} deep, {} elements; {} host calls, {} bytes by them; {} handles",
            maximum.input_bytes, maximum.depth, maximum.elements, maximum.host_calls, maximum.host_call_bytes, maximum.handles
        ),
        format!(
            "                  {} files opened, {} bytes written into them; {} sockets; {} requests, {} bytes by them, {} ms each",
            maximum.file_opens,
            maximum.file_bytes,
            maximum.sockets,
            maximum.http_requests,
            maximum.http_bytes,
            maximum.http_time_ms
        ),
    ]
}

fn grant_lines(config: &HallConfig) -> Vec<String> {
    if config.grants.is_empty() {
        return vec!["  grants          none".into()];
    }
    let lines = config.grants.iter().flat_map(|(skill, policy)| {
        policy.list().into_iter().map(move |line| format!("  grants          {} {}", bold(&skill.to_string()), shown(&line)))
    });
    lines.collect()
}

fn enrolment_lines(state: &PolicyState) -> Vec<String> {
    let no = |text: &str| {
        vec![format!("  {} {text}", bad("✗")), format!("  {}: hall policy diff, then hall worker enroll", hint("hint"))]
    };
    match &state.enrolled {
        None => no("this host is not enrolled: every call is denied"),
        Some(record) if record.revoked => vec![format!("  {} this host's enrolment was revoked: every call is denied", bad("✗"))],
        Some(record) if record.configuration != state.digest => no("it is not what was enrolled: every call is denied"),
        Some(_) if !state.same_executable => no("this executable is not the one that was enrolled: every call is denied"),
        Some(_) => vec![format!("  {} enrolled", good("✓"))],
    }
}

fn diff<'a>(state: &'a PolicyState, printer: &Printer) {
    let parts: Vec<(&str, Vec<Line<'a>>)> = match &state.enrolled_texts {
        Some(enrolled) => {
            let now = &state.texts;
            let mut parts =
                vec![("hall.toml", changes(&enrolled.config, &now.config)), ("rules", changes(&enrolled.rules, &now.rules))];
            let text =
                |files: &'a [PolicyFile], name: &str| files.iter().find(|file| file.name == name).map_or("", |file| &file.text);
            let names: BTreeSet<&str> = enrolled.policies.iter().chain(&now.policies).map(|file| file.name.as_str()).collect();
            parts
                .extend(names.into_iter().map(|name| (name, changes(text(&enrolled.policies, name), text(&now.policies, name)))));
            parts
        }
        None => Vec::new(),
    };
    let mut object = enrolment(state);
    if let Some(members) = object.as_object_mut() {
        members.insert("enrolled_text_kept".into(), state.enrolled_texts.is_some().into());
        let rows = parts.iter().map(|(part, lines)| ((*part).to_owned(), json!(shown_changes(lines))));
        members.insert("changes".into(), Value::Object(rows.collect()));
    }
    printer.result(&object, || {
        let mut lines = Vec::new();
        for (part, changed) in parts.iter().filter(|(_, changed)| !changed.is_empty()) {
            lines.push(bold(part));
            lines.extend(coloured(changed));
        }
        if state.enrolled_texts.is_none() && state.enrolled.is_some() {
            lines.push("what was enrolled is not kept here, so it cannot be shown".into());
        }
        if lines.is_empty() {
            lines.push("hall.toml, the rules and the policies are as they were enrolled".into());
        }
        lines.extend(enrolment_lines(state));
        lines
    });
}

/// A comparison for people.
pub(crate) fn coloured(lines: &[Line<'_>]) -> Vec<String> {
    let colour = |(line, text): (&Line<'_>, String)| match line {
        Line::Same(_) => shown(&text),
        Line::Gone(_) => bad(&shown(&text)),
        Line::New(_) => good(&shown(&text)),
    };
    lines.iter().zip(shown_changes(lines)).map(colour).collect()
}
