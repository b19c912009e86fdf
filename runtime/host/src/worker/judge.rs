//! What of a worker's report is believed: what can be so, within the limits of the run, and made harmless once more.

use skillhall_core::failure::{Failure, FailureCode};

use super::wire::{Fall, Report};
use crate::engine::{KillHandle, Limits, MAX_FRAMES, MAX_MESSAGE, MAX_NAME, Outcome, Resources, Used, json_bytes};
use crate::sandbox::log::Line;
use crate::sandbox::{Link, SandboxLinks, inert};

/// The outcome that a report tells; whoever answered the worker adds what was done outside.
///
/// # Errors
/// What cannot be so. The worker is then not what was started.
pub(super) fn judge(report: Report, limits: &Limits, links: SandboxLinks, kill: &KillHandle) -> Result<Outcome, &'static str> {
    let Report { end, resources, stdout, stderr, log, http } = report;
    let end = match end {
        Ok(value) => Ok(value),
        Err(fall) => Err(failure(fall, kill)?),
    };
    let given = match &end {
        Ok(value) => json_bytes(value),
        Err(failure) => failure.error.as_deref().map_or(0, json_bytes),
    };
    if given > limits.output_bytes {
        return Err("gave a result that is larger than it may be");
    }
    let (stdout, stderr) = (inert(stdout.as_bytes()), inert(stderr.as_bytes()));
    let log = log.into_iter().map(|Line { level, context, message }| Line {
        level,
        context: inert(context.as_bytes()),
        message: inert(message.as_bytes()),
    });
    let log: Vec<Line> = log.collect();
    // What is shown of a byte takes at most ten.
    let shown = log.iter().fold(stdout.len().saturating_add(stderr.len()), |sum, line| {
        sum.saturating_add(line.context.len()).saturating_add(line.message.len())
    });
    if u64::try_from(shown).unwrap_or(u64::MAX) > limits.output_bytes.saturating_add(1).saturating_mul(10) {
        return Err("gave out more than it may");
    }
    Ok(Outcome {
        end,
        resources: figures(resources, limits, links),
        stdout,
        stderr,
        log,
        http,
        // Nothing is believed of these: it is done and known on this side.
        calls: Vec::new(),
        sockets: Vec::new(),
        refusals: Vec::new(),
    })
}

/// How the guest failed, if it can have failed so.
fn failure(fall: Fall, kill: &KillHandle) -> Result<Failure, &'static str> {
    let Fall { code, message, mut error, backtrace } = fall;
    let can_be = match code {
        FailureCode::Killed | FailureCode::Cancelled => kill.reason().is_some(),
        // What is judged on this side only.
        FailureCode::OutputSchema | FailureCode::Worker => false,
        _ => true,
    };
    let is_own = code == FailureCode::Skill;
    if !can_be || is_own != (error.len() == 1) || error.len() > 1 {
        return Err("told a failure that cannot be");
    }
    let short = |text: &str, most: usize| inert(text.as_bytes()).chars().take(most).collect::<String>();
    Ok(Failure {
        code,
        message: short(&message, MAX_MESSAGE),
        error: error.pop().map(Box::new),
        backtrace: backtrace.iter().take(MAX_FRAMES).map(|name| short(name, MAX_NAME)).collect(),
    })
}

/// The figures that only the worker knows. What is allowed is said here, and nobody can have used much more: the run ends as soon
/// as it has.
fn figures(told: Resources, limits: &Limits, links: SandboxLinks) -> Resources {
    let own = Resources::none(limits);
    let figure = |told: Used, own: Used| Used { used: told.used.min(own.allowed.saturating_mul(2).saturating_add(1)), ..own };
    let counted = |allowed| Used { used: 0, allowed };
    let file_opens = counted(limits.file_opens);
    let file_bytes = counted(limits.file_bytes);
    Resources {
        fuel: own.fuel.map(|own| figure(told.fuel.unwrap_or_default(), own)),
        memory_peak_bytes: figure(told.memory_peak_bytes, own.memory_peak_bytes),
        memories: told.memories.map(|told| figure(told, counted(limits.instances))),
        tables: told.tables.map(|told| figure(told, counted(limits.tables))),
        value_depth: figure(told.value_depth, own.value_depth),
        value_elements: figure(told.value_elements, own.value_elements),
        output_bytes: figure(told.output_bytes, own.output_bytes),
        host_calls: figure(told.host_calls, own.host_calls),
        host_call_bytes: figure(told.host_call_bytes, own.host_call_bytes),
        file_opens: (links.files == Link::Granted).then(|| figure(told.file_opens.unwrap_or_default(), file_opens)),
        file_bytes: (links.files == Link::Granted).then(|| figure(told.file_bytes.unwrap_or_default(), file_bytes)),
        ..own
    }
}
